#pragma once

// One simulated life of a group: everything drawn from a seed, faults included, checked on every
// step.

#include <cstdint>
#include <optional>
#include <string>

#include "sim/mutant.h"

namespace turnout::sim {

struct Outcome {
  std::optional<std::string> failure;  // the guarantee broken, with the virtual time
  std::string trace;                   // the last events before the failure, if asked for
  std::int64_t cycles = 0;             // virtual time, in cycles
  std::int64_t moves = 0;
  std::int64_t faults = 0;
  std::int64_t takeovers = 0;
};

// The same seed and planted fault give the same outcome on every machine.
Outcome simulate(std::uint64_t seed, const Planted& planted = {}, bool traced = false);

}  // namespace turnout::sim
