#pragma once

// Text to syntax tree. The grammar is in docs/language.md; the parser is recursive descent with at
// most two tokens of look-ahead (a duration counts as one). After a mistake it goes on at the next
// clause, step, rule or action, so that one run reports every mistake.

#include <cstddef>
#include <string_view>
#include <vector>

#include "lang/diagnostic.h"
#include "track/limits.h"
#include "track/track.h"

namespace turnout::lang {

// Limits on one file, beside those that tracks have in every form (track/limits.h). Each is tested
// at its edge.
inline constexpr std::size_t kMaxTextBytes = 4 * 1024 * 1024;
inline constexpr std::size_t kMaxTokens = 1'000'000;
inline constexpr std::size_t kMaxDiagnostics = 1'000;
using track::kMaxActionsPerRule;
using track::kMaxClauses;
using track::kMaxLinesPerTest;
using track::kMaxListItems;
using track::kMaxNesting;
using track::kMaxRulesPerStep;
using track::kMaxSteps;
using track::kMaxTests;

struct Parsed {
  track::Track track;  // as much as was understood; whole when there are no errors
  std::vector<Diagnostic> diagnostics;
  bool ok() const { return !has_errors(diagnostics); }
};

// Reads a whole file. Any bytes will do: never throws, never fails otherwise than by diagnostics.
// Linear in the length of the text. Thread-safe. The tree does not refer to `text`.
Parsed parse(std::string_view text);

}  // namespace turnout::lang
