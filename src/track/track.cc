#include "track/track.h"

#include <algorithm>

namespace turnout::track {

std::vector<const Step*> Track::steps() const {
  std::vector<const Step*> steps;
  for (const auto& part : parts) {
    if (const auto* step = std::get_if<Step>(&part)) {
      steps.push_back(step);
    }
  }
  return steps;
}

bool has_leave_condition(const Track& track) {
  return std::ranges::any_of(track.clauses, [](const Clause& clause) {
    const auto* const leave = std::get_if<Leave>(&clause);
    return leave != nullptr && !std::holds_alternative<Leave::On>(leave->why);
  });
}

}  // namespace turnout::track
