#pragma once

// A checker watches the database and the peers, and reports the first breach of its guarantee to
// the world, which stops.

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/world.h"

namespace turnout::sim {

class Checker : public store::model::Watcher, public Observer {
 public:
  explicit Checker(World& world) : world_(world) {}
  // Every quarter of a cycle.
  virtual void look() {}
  // After the faults have ended and the work is done.
  virtual void at_end() {}

 protected:
  World& world() { return world_; }
  void fail(const std::string& what) { world_.fail(what); }

 private:
  World& world_;
};

// Time since when nothing has disturbed the group: what is promised "within so many cycles" is
// counted from there.
class Calm {
 public:
  void disturb() { since_.reset(); }
  void settle(Tick now) {
    if (!since_) {
      since_ = now;
    }
  }
  // Whether it has been calm for longer than `time`.
  bool lasts(Tick now, Duration time) const { return since_ && now - *since_ > time; }
  // Whether `time` has passed since `from`, and since it had been calm for `settled`.
  bool lasts(Tick now, Duration settled, Tick from, Duration time) const {
    return since_ && now - std::max(*since_ + settled, from) > time;
  }

 private:
  std::optional<Tick> since_ = Tick{};
};

// One of each guarantee, in files of their names.
std::unique_ptr<Checker> check_ownership(World& world);                   // G1
std::unique_ptr<Checker> check_fence(World& world);                       // G2
std::unique_ptr<Checker> check_moves(World& world);                       // G3
std::unique_ptr<Checker> check_outbox(World& world);                      // G4
std::unique_ptr<Checker> check_master(World& world);                      // G5
std::unique_ptr<Checker> check_liveness(World& world, const Calm& calm);  // G6
std::unique_ptr<Checker> check_waiting(World& world, const Calm& calm);   // G9
std::unique_ptr<Checker> check_timers(World& world);                      // G10
std::unique_ptr<Checker> check_credit(World& world, const Calm& calm);    // G11
std::unique_ptr<Checker> check_takeover(World& world);                    // G12

}  // namespace turnout::sim
