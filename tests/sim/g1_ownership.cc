// G1: the fence of a track only rises, and it has one owner.

#include "sim/checker.h"

namespace turnout::sim {
namespace {

class Ownership : public Checker {
 public:
  using Checker::Checker;

  void on_take(const store::LedgerRow& before, const store::LedgerRow& after) override {
    if (fence_of(after) <= fence_of(before)) {
      fail("G1: track " + std::to_string(after.track.get()) + " was taken by " +
           after.owner->name.get() + " without raising its epoch " +
           std::to_string(before.epoch.get()));
    }
  }

  void on_notice(const Host& host, const group::Notice& notice) override {
    const auto* const gained = std::get_if<group::TrackGained>(&notice);
    if (gained == nullptr) {
      return;
    }
    const std::pair holder{host.name(), host.life()};
    const auto [known, is_new] = holders_.try_emplace({gained->track, gained->fence}, holder);
    if (!is_new && known->second != holder) {
      fail("G1: track " + std::to_string(gained->track.get()) + " has two owners under epoch " +
           std::to_string(gained->fence.epoch.get()) + ": " + known->second.first.get() + " and " +
           host.name().get());
    }
  }

 private:
  std::map<std::pair<TrackId, Fence>, std::pair<PeerName, std::uint64_t>> holders_;
};

}  // namespace

std::unique_ptr<Checker> check_ownership(World& world) {
  return std::make_unique<Ownership>(world);
}

}  // namespace turnout::sim
