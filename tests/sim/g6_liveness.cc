// G6: while the database answers and some fit peer lives, an active track is owned again within M +
// 2 cycles of the last fault; and in the end every contact has run through, and every delivery has
// come to an end.

#include <algorithm>
#include <map>

#include "sim/checker.h"

namespace turnout::sim {
namespace {

class Liveness : public Checker {
 public:
  Liveness(World& world, const Calm& calm) : Checker(world), calm_(calm) {}

  void look() override {
    const Tick now = world().now();
    const WorldConfig& config = world().config();
    // A peer that has just started joins first: that takes M cycles in a group without a master.
    const int joining = config.miss_limit;
    const Duration bound = config.slowest_cycle() * (config.miss_limit + 2 + joining);
    if (!calm_.lasts(now, bound - config.slowest_cycle())) {
      unrun_since_.clear();
      return;
    }
    const bool somebody = std::any_of(world().hosts().begin(), world().hosts().end(),
                                      [](const auto& entry) { return entry.second->working(); });
    for (int track = 1; somebody && track <= config.tracks; ++track) {
      if (!world().database().active(TrackId(track)) || is_run(TrackId(track))) {
        unrun_since_.erase(track);
        continue;
      }
      // One that is just given to another is that one's by the ledger before it hears of it.
      const Tick since = unrun_since_.try_emplace(track, now).first->second;
      if (calm_.lasts(now, bound) && now - since >= config.slowest_cycle() / 2) {
        fail("G6: track " + std::to_string(track) + " is run by nobody");
      }
    }
  }

  void at_end() override {
    const std::size_t open = world().database().open_positions();
    if (open > 0) {
      fail("G6: " + std::to_string(open) + " contacts did not get to the end");
    }
    const int entries = world().database().contacts() * world().config().tracks;
    if (world().database().tables().positions.size() != static_cast<std::size_t>(entries)) {
      fail("G6: not every contact was gathered");
    }
    for (const auto& [key, action] : world().database().tables().outbox) {
      if (action.state == store::OutboxState::kWaiting ||
          action.state == store::OutboxState::kSending) {
        fail("G6: a delivery of contact " + std::to_string(key.contact.get()) + " on track " +
             std::to_string(key.track.get()) + " did not come to an end");
      }
    }
  }

 private:
  bool is_run(TrackId track) {
    const LedgerRow row = world().database().row(track);
    if (row.owner.empty()) {
      return false;
    }
    const Host& host = world().host(row.owner);
    return host.working() && host.incarnation() == row.incarnation && host.member().owns(track) &&
           host.member().may_write();
  }

  const Calm& calm_;
  std::map<int, Tick> unrun_since_;  // at the looks since then
};

}  // namespace

std::unique_ptr<Checker> check_liveness(World& world, const Calm& calm) {
  return std::make_unique<Liveness>(world, calm);
}

}  // namespace turnout::sim
