#pragma once

// Calendar arithmetic in a time zone, as the track language means it: days, weeks, months and years
// move the local clock, smaller units are exact; a day that the month does not have becomes its
// last; a local time that a change of the clocks skips is the first instant after the gap, one that
// it repeats is the first of the two. Zones come from the system's IANA database by cctz. Instants
// beyond the range of 64-bit microseconds are clamped to it.

#include <cctz/time_zone.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "track/track.h"

namespace turnout::decide {

// A duration as arithmetic needs it. `months` and `days` are calendar units, `exact` is not.
struct CalendarDuration {
  std::int64_t months = 0;
  std::int64_t days = 0;
  base::Duration exact{0};
  bool calendar() const { return months != 0 || days != 0; }
  bool zero() const { return !calendar() && exact.count() == 0; }
};

CalendarDuration to_calendar(const track::DurationSpec& duration);
// `duration` taken `times` times: three times "1 month" is 3 months, not a month added three times.
CalendarDuration repeat(const CalendarDuration& duration, std::int64_t times);

// `date` plus (sign 1) or minus (sign -1) the months and days of `duration`.
base::Date shift(base::Date date, const CalendarDuration& duration, int sign);

// The last day of the month that lies `ahead` months after that of `date`.
base::Date last_of_month(base::Date date, std::int64_t ahead);

// `at` plus or minus an exact duration, clamped to the range of Instant.
base::Instant add_clamped(base::Instant at, base::Duration duration);

// A time zone. Immutable and cheap to copy; any thread. A local day is the stretch from its first
// local midnight up to that of the next day, so days follow each other without gap or overlap, and
// one that the zone skipped is empty.
class Zone {
 public:
  Zone();  // UTC
  // The zone of that IANA name, or nullopt. Names that mean a file elsewhere or this machine's own
  // zone are refused.
  static std::optional<Zone> find(const std::string& name);

  base::Instant instant(base::Date date, std::int32_t second_of_day) const;
  base::Instant start_of(base::Date date) const { return instant(date, 0); }
  base::Date day_of(base::Instant at) const;
  // `at` plus or minus `duration`: months, then days, on the local clock, then the exact part.
  base::Instant add(base::Instant at, const CalendarDuration& duration, int sign) const;
  // The first instant after `at` at which the clocks change, or nullopt.
  std::optional<base::Instant> next_transition(base::Instant at) const;

 private:
  explicit Zone(cctz::time_zone zone) : zone_(zone) {}
  base::Instant resolve(const cctz::civil_second& local) const;
  cctz::time_zone zone_;
};

// The first of `start`, `start` + `every`, `start` + 2 × `every` … after `after`. `every` is more
// than nothing. Cost: O(log of how many times it has come round).
base::Instant next_round(const Zone& zone, base::Instant start, const CalendarDuration& every,
                         base::Instant after);

}  // namespace turnout::decide
