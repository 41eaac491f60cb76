#include "decide/turns.h"

#include <algorithm>

#include "track/block.h"

namespace turnout::decide {
namespace {

using base::Date;
using base::Instant;

// The first turn on `day` or later that is not before `earliest`, which lies on it or before.
Instant turn_from(const WeeklyTurns& turns, const Zone& zone, Date day, Instant earliest) {
  // The first may have passed on its day, and a day that the zone skipped may lie between.
  constexpr std::int32_t kEnough = 2 * 7 + 2;
  for (std::int32_t ahead = 0; ahead < kEnough; ++ahead) {
    const Date at{day.days + ahead};
    if (!has_day(turns.days, at)) {
      continue;
    }
    if (const Instant turn = zone.instant(at, turns.second_of_day); turn >= earliest) {
      return turn;
    }
  }
  return track::kNever;  // at the end of time
}

Instant turn_from(const MonthlyTurns& turns, const Zone& zone, Date day, Instant earliest) {
  constexpr std::int64_t kEnough = 3;
  for (std::int64_t ahead = 0; ahead < kEnough; ++ahead) {
    const Date last = last_of_month(day, ahead);
    const Date first = last_of_month(day, ahead - 1);
    const Date at{std::min(first.days + turns.day, last.days)};
    if (const Instant turn = zone.instant(at, turns.second_of_day); turn >= earliest) {
      return turn;
    }
  }
  return track::kNever;
}

}  // namespace

bool has_day(track::Days days, Date day) {
  // 1 January 1970 was a Thursday, which has bit 3.
  const std::int32_t weekday = ((day.days + 3) % 7 + 7) % 7;
  return (days.bits >> weekday & 1) != 0;
}

Instant next_turn(const Turns& turns, const Zone& zone, Instant after) {
  // Where the clocks go back over midnight, the evening before comes again.
  const Date day{zone.day_of(after).days - 1};
  const Instant earliest = add_clamped(after, base::Duration(1));
  if (const auto* const rule = std::get_if<RecurrenceRule>(&turns)) {
    return rule->next(zone, after);
  }
  if (const auto* const weekly = std::get_if<WeeklyTurns>(&turns)) {
    return turn_from(*weekly, zone, day, earliest);
  }
  return turn_from(std::get<MonthlyTurns>(turns), zone, day, earliest);
}

Instant at_clock(const WeeklyTurns& clock, const Zone& zone, Instant at, bool whole_days,
                 Instant earliest) {
  return turn_from(clock, zone, zone.day_of(at), whole_days ? earliest : std::max(at, earliest));
}

}  // namespace turnout::decide
