// G9: no contact waits longer than 2 cycles on a rule that its committed fields already meet, nor
// on a time that has come, while its track is run.

#include "sim/checker.h"

namespace turnout::sim {
namespace {

class Waiting : public Checker {
 public:
  Waiting(World& world, const Calm& calm) : Checker(world), calm_(calm) {}

  void on_position(TrackId track, ContactId contact, const Position& position) override {
    judge(track, contact, position);
  }

  void on_contact(ContactId contact, const Contact&) override {
    for (const auto& [track, positions] : world().database().positions()) {
      const auto found = positions.find(contact);
      if (found != positions.end()) {
        judge(track, contact, found->second);
      }
    }
  }

  void on_step() override {
    const Tick now = world().now();
    if (now < next_look_) {
      return;
    }
    const WorldConfig& config = world().config();
    next_look_ = now + config.cycle / 4;
    const Duration owned_again = config.cycle * (2 * config.miss_limit + 2);
    if (!calm_.lasts(now, owned_again)) {
      return;
    }
    for (const auto& [who, since] : met_) {
      if (calm_.lasts(now, owned_again, since, config.cycle * 2)) {
        fail("G9: contact " + std::to_string(who.second.get()) + " on track " +
             std::to_string(who.first.get()) + " has met its rule since " +
             std::to_string(since.us / 1000) + " ms and still waits");
        return;
      }
    }
    for (const auto& [track, timers] : world().database().timers()) {
      if (!timers.empty() &&
          calm_.lasts(now, owned_again, Tick{timers.begin()->first.us}, config.cycle * 2)) {
        fail("G9: contact " + std::to_string(timers.begin()->second.get()) + " on track " +
             std::to_string(track.get()) + " is due since " +
             std::to_string(timers.begin()->first.us / 1000) + " ms");
        return;
      }
    }
  }

 private:
  void judge(TrackId track, ContactId contact, const Position& position) {
    const bool met = position.state == PositionState::kRule &&
                     world().database().contact(contact).value >=
                         world().database().rule(track, contact, position.step).at_least;
    if (met) {
      met_.try_emplace({track, contact}, world().now());
    } else {
      met_.erase({track, contact});
    }
  }

  const Calm& calm_;
  Tick next_look_;
  std::map<std::pair<TrackId, ContactId>, Tick>
      met_;  // who meets the rule it waits on, and since when
};

}  // namespace

std::unique_ptr<Checker> check_waiting(World& world, const Calm& calm) {
  return std::make_unique<Waiting>(world, calm);
}

}  // namespace turnout::sim
