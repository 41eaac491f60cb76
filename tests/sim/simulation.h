#pragma once

// One simulated life of a group: everything drawn from a seed, faults included, checked on every
// step.

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "sim/mutant.h"

namespace turnout::sim {

struct Life {
  std::uint64_t seed = 1;
  bool small = false;  // 1 or 2 peers instead of 3 to 9
  Planted planted{};
  bool traced = false;
};

struct Outcome {
  std::optional<std::string> failure;  // the guarantee broken, with the virtual time
  std::string trace;                   // the last events before the failure, if asked for
  // What was simulated, by name: `groups`, `peers`, `cycles`, `moves`, `faults` and others. A
  // cycle is one of the group: the period of its advertisements passing once in virtual time,
  // whatever the number of peers.
  std::map<std::string, std::int64_t> figures;
  std::map<std::string, std::int64_t> faults;  // by kind

  std::int64_t cycles() const { return figures.at("cycles"); }
};

// The same life gives the same outcome on every machine.
Outcome simulate(const Life& life);

}  // namespace turnout::sim
