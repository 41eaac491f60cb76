#pragma once

// Draws faults from the world's seed: each an episode with a beginning and an end, some
// overlapping, with calm stretches between them that are long enough for the group to recover in.
// Each seed has its own mix of kinds, so that none is always hidden behind another.

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "sim/checker.h"
#include "sim/world.h"

namespace turnout::sim {

// How far the database's clock may be set off.
inline constexpr Duration kClockJump = std::chrono::seconds(8);

class Nemesis : public Observer {
 public:
  // Draws the mix.
  Nemesis(World& world, Calm& calm);

  // Plans episodes from now until `until`; afterwards everything is whole and running.
  void plan(Tick until);
  // Ends every fault and starts whoever is down.
  void stop();
  // A process that has ended itself is started again.
  void on_notice(const Host& host, const group::Notice& notice) override;
  // How many there were so far, by kind.
  const std::map<std::string, std::int64_t>& faults() const { return faults_; }

 private:
  using Kind = void (Nemesis::*)(Duration lasts);
  void episode();
  void begin(const char* kind, const std::string& what, Duration lasts, std::function<void()> end);
  void end_one();
  void kill(Duration lasts);
  void pause(Duration lasts);
  void leave(Duration lasts);
  void network(Duration lasts);
  void partition(Duration lasts);
  void reset(Duration lasts);
  void flap(Duration lasts);
  void toggle(Host& a, Host& b, Tick until, bool resets);
  void late_timers(Duration lasts);
  // nemesis_database.cc
  void no_database(Duration lasts);
  void slow_database(Duration lasts);
  void answers_lost(Duration lasts);
  void slow_cuts(Duration lasts);
  void clock_jump(Duration lasts);
  void publish(Duration lasts);
  void pause_track(Duration lasts);
  void outage(const char* kind, const std::string& what, Duration behind,
              std::function<void(const store::model::Data&)> back);
  void fail_over(Duration lasts);
  void crash(Duration lasts);
  void instant(const char* kind, const std::string& what);
  Host* pick();
  TrackId pick_track();
  Duration some(int low_tenths, int high_tenths);
  void say(const std::string& what);

  World& world_;
  Calm& calm_;
  std::vector<Kind> mix_;
  Tick until_;
  bool stopped_ = false;
  bool outage_ = false;
  std::map<TrackId, int> paused_;  // pauses of each track that have not ended
  int open_ = 0;
  std::map<std::string, std::int64_t> faults_;
};

}  // namespace turnout::sim
