#pragma once

// Draws faults from the world's seed: each an episode with a beginning and an end, some
// overlapping, with calm stretches between them that are long enough for the group to recover in.

#include <functional>

#include "sim/checker.h"
#include "sim/world.h"

namespace turnout::sim {

class Nemesis {
 public:
  Nemesis(World& world, Calm& calm) : world_(world), calm_(calm) {}

  // Plans episodes from now until `until`; afterwards everything is whole and running.
  void plan(Tick until);
  // Ends every fault and starts whoever is down.
  void stop();
  std::int64_t faults() const { return faults_; }

 private:
  void episode();
  void begin(const std::string& what, Duration lasts, std::function<void()> end);
  void end_one();
  void kill(Duration lasts);
  void pause(Duration lasts);
  void leave(Duration lasts);
  void network(Duration lasts);
  void partition(Duration lasts);
  void database(Duration lasts);
  void reset();
  Host* pick();
  Duration some(int low_tenths, int high_tenths);
  void say(const std::string& what);

  World& world_;
  Calm& calm_;
  Tick until_;
  bool stopped_ = false;
  int open_ = 0;
  std::int64_t faults_ = 0;
};

}  // namespace turnout::sim
