#pragma once

// Text to syntax tree. The grammar is in docs/language.md; the parser is recursive descent with at
// most two tokens of look-ahead (a duration counts as one). After a mistake it goes on at the next
// clause, step, rule or action, so that one run reports every mistake.

#include <cstddef>
#include <string_view>
#include <vector>

#include "lang/diagnostic.h"
#include "track/track.h"

namespace turnout::lang {

// Limits on one file. Each is tested at its edge.
inline constexpr std::size_t kMaxTextBytes = 4 * 1024 * 1024;
inline constexpr std::size_t kMaxTokens = 1'000'000;
inline constexpr std::size_t kMaxClauses = 1'000;
inline constexpr std::size_t kMaxSteps = 10'000;
inline constexpr std::size_t kMaxTests = 10'000;
inline constexpr std::size_t kMaxRulesPerStep = 1'000;
inline constexpr std::size_t kMaxActionsPerRule = 1'000;
inline constexpr std::size_t kMaxLinesPerTest = 1'000;
inline constexpr std::size_t kMaxNesting = 100;  // of conditions and of JSON
inline constexpr std::size_t kMaxListItems =
    10'000;  // values of `one of`, of a JSON list, operands of one `and`
inline constexpr std::size_t kMaxDiagnostics = 1'000;
inline constexpr std::int64_t kMaxDurationDays =
    366'000;  // about 1,000 years; months count 31 days, years 366

struct Parsed {
  track::Track track;  // as much as was understood; whole when there are no errors
  std::vector<Diagnostic> diagnostics;
  bool ok() const { return !has_errors(diagnostics); }
};

// Reads a whole file. Any bytes will do: never throws, never fails otherwise than by diagnostics.
// Linear in the length of the text. Thread-safe. The tree does not refer to `text`.
Parsed parse(std::string_view text);

}  // namespace turnout::lang
