// G5: one master per master epoch; deliveries are handed out only under the current one; at most
// one attempt of a delivery is in `sending`.

#include "sim/checker.h"

namespace turnout::sim {
namespace {

class Master : public Checker {
 public:
  using Checker::Checker;

  void on_notice(const Host& host, const group::Notice& notice) override {
    const auto* const gained = std::get_if<group::MasterGained>(&notice);
    if (gained == nullptr) {
      return;
    }
    const std::pair holder{host.name(), host.life()};
    const auto [known, is_new] = masters_.try_emplace(gained->fence, holder);
    if (!is_new && known->second != holder) {
      fail("G5: " + known->second.first.get() + " and " + host.name().get() +
           " are both master under epoch " + std::to_string(gained->fence.epoch.get()));
    }
  }

  void on_delivery(Fence master, const LedgerRow& row, int in_sending) override {
    if (master != row.fence) {
      fail("G5: a delivery was handed out under master epoch " +
           std::to_string(master.epoch.get()) + ", the ledger has " +
           std::to_string(row.fence.epoch.get()));
    }
    if (in_sending > 1) {
      fail("G5: two attempts of one delivery are in sending");
    }
  }

 private:
  std::map<Fence, std::pair<PeerName, std::uint64_t>> masters_;
};

}  // namespace

std::unique_ptr<Checker> check_master(World& world) { return std::make_unique<Master>(world); }

}  // namespace turnout::sim
