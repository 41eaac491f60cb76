// G9: no contact waits longer than 2 cycles on a rule that its committed fields already meet, nor
// on a time that has come, while its track is run.

#include "sim/checker.h"

namespace turnout::sim {
namespace {

class Waiting : public Checker {
 public:
  Waiting(World& world, const Calm& calm) : Checker(world), calm_(calm) {}

  void on_position(const PositionKey& key, const store::model::Position& position) override {
    judge(key, position);
  }

  void on_contact(ContactId contact, const store::model::Contact&) override {
    const auto& positions = world().database().tables().positions;
    for (int track = 1; track <= world().config().tracks; ++track) {
      const auto found = positions.find({TrackId(track), contact, 1});
      if (found != positions.end()) {
        judge(found->first, found->second);
      }
    }
  }

  void on_set_back() override {
    met_.clear();
    for (const auto& [key, position] : world().database().tables().positions) {
      judge(key, position);
    }
  }

  void look() override {
    const Tick now = world().now();
    const WorldConfig& config = world().config();
    const Duration owned_again = config.slowest_cycle() * (2 * config.miss_limit + 2);
    if (!calm_.lasts(now, owned_again)) {
      return;
    }
    for (const auto& [who, since] : met_) {
      if (world().database().active(who.track) && calm_.lasts(now, owned_again, since, bound())) {
        fail(name_of(who.track, who.contact) + " has met its rule since " +
             std::to_string(since.us / 1000) + " ms and still waits");
        return;
      }
    }
    for (int track = 1; track <= config.tracks; ++track) {
      if (world().database().active(TrackId(track))) {
        judge_first_timer(TrackId(track), owned_again);
      }
    }
  }

 private:
  static std::string name_of(TrackId track, ContactId contact) {
    return "G9: contact " + std::to_string(contact.get()) + " on track " +
           std::to_string(track.get());
  }

  // A cut that has begun before may not see it; the next one does. Where cuts are slow, slots may
  // stand promised to the owners of other tracks meanwhile, one after the other.
  Duration bound() {
    const WorldConfig& config = world().config();
    return config.slowest_cycle() * 2 + config.cut_time * (2 + config.tracks);
  }

  void judge_first_timer(TrackId track, Duration owned_again) {
    const auto& timers = world().database().tables().timers;
    const auto first = timers.lower_bound({track, Instant{}, ContactId(0), 0});
    if (first == timers.end() || first->first.track != track) {
      return;
    }
    const Tick due = world().tick_of(first->first.due);
    if (calm_.lasts(world().now(), owned_again, due, bound())) {
      fail(name_of(track, first->first.contact) + " is due since " + std::to_string(due.us / 1000) +
           " ms");
    }
  }

  void judge(const PositionKey& key, const store::model::Position& position) {
    bool met = false;
    if (position.state == track::PositionState::kOpen && position.due_at == track::kNever) {
      const StepRule rule =
          world().database().program().rule(key.track, key.contact, position.step);
      met = world().database().value(key.contact) >= rule.at_least;
    }
    if (met) {
      met_.try_emplace(key, world().now());
    } else {
      met_.erase(key);
    }
  }

  const Calm& calm_;
  std::map<PositionKey, Tick> met_;  // who meets the rule it waits on, and since when
};

}  // namespace

std::unique_ptr<Checker> check_waiting(World& world, const Calm& calm) {
  return std::make_unique<Waiting>(world, calm);
}

}  // namespace turnout::sim
