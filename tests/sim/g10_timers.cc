// G10: positions that are ready or wait for a time and timers match one to one.

#include "sim/checker.h"

namespace turnout::sim {
namespace {

class Timers : public Checker {
 public:
  explicit Timers(World& world) : Checker(world) { Timers::on_set_back(); }

  void on_set_back() override {
    timed_.clear();
    for (const auto& [key, position] : world().database().tables().positions) {
      if (position.due_at != track::kNever) {
        timed_.insert(key);
      }
    }
  }

  void on_position(const PositionKey& key, const store::model::Position& position) override {
    const bool is_timed = position.due_at != track::kNever;
    is_timed ? void(timed_.insert(key)) : void(timed_.erase(key));
    const auto& timers = world().database().tables().timers;
    const bool has = timers.contains({key.track, position.due_at, key.contact, key.entry});
    if (is_timed != has || timers.size() != timed_.size()) {
      fail("G10: contact " + std::to_string(key.contact.get()) + " on track " +
           std::to_string(key.track.get()) +
           (is_timed ? " has no timer of its own" : " has a timer it does not wait for"));
    }
  }

 private:
  std::set<PositionKey> timed_;
};

}  // namespace

std::unique_ptr<Checker> check_timers(World& world) { return std::make_unique<Timers>(world); }

}  // namespace turnout::sim
