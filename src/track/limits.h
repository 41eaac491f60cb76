#pragma once

// Limits on one track, whichever form it is read from: text (lang/parser.h) and JSON (json_form.h)
// have the same ones. Each is tested at its edge.

#include <cstddef>
#include <cstdint>

namespace turnout::track {

inline constexpr std::size_t kMaxClauses = 1'000;
inline constexpr std::size_t kMaxSteps = 10'000;
inline constexpr std::size_t kMaxTests = 10'000;
inline constexpr std::size_t kMaxRulesPerStep = 1'000;
inline constexpr std::size_t kMaxActionsPerRule = 1'000;
inline constexpr std::size_t kMaxLinesPerTest = 1'000;
inline constexpr std::size_t kMaxNesting = 100;  // of conditions and of JSON behind `with`
inline constexpr std::size_t kMaxListItems =
    10'000;  // values of `one of`, of a JSON list, operands of one `and`
inline constexpr std::int64_t kMaxDurationDays =
    366'000;  // about 1,000 years; months count 31 days, years 366
inline constexpr std::size_t kMaxZoneBytes = 98;  // the name of a zone behind a date and time

}  // namespace turnout::track
