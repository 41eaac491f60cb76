#pragma once

// SplitMix64 (Steele, Lea, Flood 2014): small, fast, the same everywhere.

#include <cstdint>

#include "base/hash.h"

namespace turnout::sim {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15ULL;
    return base::mix64(state_);
  }
  // 0 … n − 1; n at least 1.
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(n));
  }
  std::int64_t between(std::int64_t low, std::int64_t high) { return low + below(high - low + 1); }
  // True `in_1000` times in a thousand.
  bool chance(std::int64_t in_1000) { return below(1000) < in_1000; }

 private:
  std::uint64_t state_;
};

}  // namespace turnout::sim
