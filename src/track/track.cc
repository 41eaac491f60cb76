#include "track/track.h"

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

}  // namespace turnout::track
