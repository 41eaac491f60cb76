#pragma once

// The numbers by which positions, journal, tally and outbox name steps, outcomes, templates and
// webhooks of a track. They are drawn when a version is published, belong to the track, and never
// change meaning: a step that keeps its name keeps its number from version to version, so contacts
// follow by name.

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "track/block.h"
#include "track/track.h"

namespace turnout::track {

struct Numbering {
  std::map<std::string, std::int32_t>
      steps;  // step name → number, 1 and up, unique together with outcomes
  std::map<std::string, std::int32_t> outcomes;  // outcome name → number
  std::map<std::pair<ActionKind, std::string>, std::int32_t>
      actions;  // template or webhook name → number

  std::int32_t highest() const;
  // The name of a step or outcome number, kHeldOut for kHeldOutStep, or "" when there is none.
  std::string name_of(std::int32_t number) const;
};

// `known` with a number added, above all others, for every step, outcome, template and webhook of
// the track that has none. Deterministic: in file order.
Numbering extend(const Numbering& known, const Track& track);

}  // namespace turnout::track
