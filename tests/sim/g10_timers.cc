// G10: positions that are ready or wait for a time and timers match one to one.

#include "sim/checker.h"

namespace turnout::sim {
namespace {

class Timers : public Checker {
 public:
  explicit Timers(World& world) : Checker(world) {
    for (const auto& [track, positions] : world.database().positions()) {
      for (const auto& [contact, position] : positions) {
        timed_[track].insert(contact);  // all begin ready
      }
    }
  }

  void on_position(TrackId track, ContactId contact, const Position& position) override {
    std::set<ContactId>& timed = timed_[track];
    const bool is_timed =
        position.state == PositionState::kReady || position.state == PositionState::kTime;
    is_timed ? void(timed.insert(contact)) : void(timed.erase(contact));
    const auto timers = world().database().timers().find(track);
    const bool has = timers != world().database().timers().end() &&
                     timers->second.contains({position.due_at, contact});
    const std::size_t count =
        timers == world().database().timers().end() ? 0 : timers->second.size();
    if (is_timed != has || count != timed.size()) {
      fail("G10: contact " + std::to_string(contact.get()) + " on track " +
           std::to_string(track.get()) +
           (is_timed ? " has no timer of its own" : " has a timer it does not wait for"));
    }
  }

 private:
  std::map<TrackId, std::set<ContactId>> timed_;
};

}  // namespace

std::unique_ptr<Checker> check_timers(World& world) { return std::make_unique<Timers>(world); }

}  // namespace turnout::sim
