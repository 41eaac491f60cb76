// G12: nothing is taken over while the owner's stamp moves. (What the owner offers, what its
// process left behind when it ended, and what it takes anew itself is not taken over.)

#include "sim/checker.h"

namespace turnout::sim {
namespace {

class TakeOver : public Checker {
 public:
  using Checker::Checker;

  // What was asked of a slow database may be answered some time after it has ended to be slow.
  void look() override {
    const Duration extra = world().extra_database_latency;
    const Duration lingers = extra_latency_ * 4 + world().config().cycle * 2;
    if (extra >= extra_latency_ || world().now() - extra_since_ > lingers) {
      extra_latency_ = extra;
      extra_since_ = world().now();
    }
  }

  void on_send(const Host&, const PeerName& to, const Message& message) override {
    if (const auto* const cede = std::get_if<group::Cede>(&message)) {
      offered_.insert({cede->track, {cede->timeline, cede->epoch}, to});
    }
  }

  void on_take(const store::LedgerRow& before, const store::LedgerRow& after) override {
    if (after.track == store::kMasterRow || !before.owner ||
        before.owner->name == after.owner->name ||
        offered_.contains({after.track, fence_of(before), after.owner->name})) {
      return;
    }
    const Host& owner = world().host(before.owner->name);
    if (!owner.alive() || owner.incarnation() != before.owner->incarnation ||
        owner.member().phase() == group::PeerPhase::kLeft) {
      return;
    }
    const WorldConfig& config = world().config();
    // A reading may come up to a cycle after the stamp; half a cycle is for the latency of both.
    const Tick since = world().now() - (config.fastest_cycle() * (config.miss_limit - 1) -
                                        config.slowest_cycle() / 2);
    const Tick until = world().now() - (config.slowest_cycle() / 8 + config.database_latency * 2 +
                                        extra_latency_ * 4);
    for (const Tick stamp : owner.stamped_at) {
      if (stamp > since && stamp < until) {
        fail("G12: " + after.owner->name.get() + " took track " +
             std::to_string(after.track.get()) + " from " + before.owner->name.get() +
             ", which stamped " + std::to_string((world().now() - stamp).count() / 1000) +
             " ms before");
      }
    }
  }

 private:
  std::set<std::tuple<TrackId, Fence, PeerName>> offered_;
  Duration extra_latency_{};  // of the database, now or a while ago
  Tick extra_since_;
};

}  // namespace

std::unique_ptr<Checker> check_takeover(World& world) { return std::make_unique<TakeOver>(world); }

}  // namespace turnout::sim
