#pragma once

// Conditions on the time turned round: not "is it met for this value" but "for which values is it
// met".

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "decide/condition.h"

namespace turnout::decide {

// Values v with low <= v < high: microseconds of a timestamp, days of a date. The extremes of the
// type mean no bound.
struct Interval {
  static constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
  static constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max();
  std::int64_t low = kLowest;
  std::int64_t high = kHighest;
  friend bool operator==(const Interval&, const Interval&) = default;
};

// Ascending, not touching each other. An interval that a zone left empty (a local day that it
// skipped) may be among them.
using TimeSet = std::vector<Interval>;

// The values of the one field of a kCompare, kRelative or kWithin on times for which it is met as
// of `now` in `zone`, `negated` left aside. Nullopt when the node is not of that form.
std::optional<TimeSet> met_set(const Node& node, const Zone& zone, base::Instant now);

}  // namespace turnout::decide
