#pragma once

// Turns of a calendar: the instants at which `every weekday at 09:00` or `every month on day 31 at
// 06:00` comes round, and when a move that waits for a clock is due. Local times that a change of
// the clocks skips or repeats are taken as Zone says.

#include <cstdint>
#include <optional>
#include <variant>

#include "base/time.h"
#include "decide/rrule.h"
#include "decide/zone.h"
#include "track/track.h"

namespace turnout::decide {

// A time of day on some days of the week, one at least.
struct WeeklyTurns {
  track::Days days;
  std::int32_t second_of_day = 0;
};

// A time of day on one day of each month: its last where it has no such day.
struct MonthlyTurns {
  std::int32_t day = 1;  // 1–31
  std::int32_t second_of_day = 0;
};

using Turns = std::variant<WeeklyTurns, MonthlyTurns, RecurrenceRule>;

// Whether the day is one of the days of the week.
bool has_day(track::Days days, base::Date day);

// The first turn after `after`.
base::Instant next_turn(const Turns& turns, const Zone& zone, base::Instant after);

// `at TIME [on days]` behind a wait that ends at `at`. A wait of whole days means a day, so the
// clock is looked at on that local day: `after 1 day at 09:00` on a Monday evening is Tuesday at
// nine. A wait with hours, minutes or seconds (`whole_days` false) is one to be kept, so it is the
// first such time not before its end. Where days are named, it is the first of them from there on.
// Never before `earliest`: a time that has passed means the next day.
base::Instant at_clock(const WeeklyTurns& clock, const Zone& zone, base::Instant at,
                       bool whole_days, base::Instant earliest);

}  // namespace turnout::decide
