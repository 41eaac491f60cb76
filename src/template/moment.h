#pragma once

// Points in time for the filter `date`: the calendar and what formats say of it. Pure.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace turnout::tmpl {

// Milliseconds since 1970 that ECMA-262 can tell: 100 million days both ways.
inline constexpr std::int64_t kMaxMoment = 8'640'000'000'000'000;

// A point in time as a clock somewhere shows it (proleptic Gregorian calendar).
struct Moment {
  std::int64_t utc_ms = 0;          // since 1970
  std::int64_t offset_minutes = 0;  // ahead of UTC
  std::string zone;                 // its name; may be empty
  std::int64_t year = 1970;
  int month = 1;  // 1 to 12
  int day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int millisecond = 0;
  int weekday = 4;   // 0: Sunday
  int year_day = 1;  // 1 to 366
};

Moment moment_at(std::int64_t utc_ms, std::int64_t offset_minutes, std::string zone);

// Reads a time: ISO 8601 (2026-12-01, 2026-12-01T09:00:00.5+01:00) or words and numbers in the
// order of day, month by its English name, year, with an optional time and offset ("1 Dec 2026",
// "Tue, 01 Dec 2026 09:00:00 +0000", "December 1, 2026 9:00 PM"), or 2026/12/01, 12/01/2026. A time
// without an offset is UTC. Nothing when it cannot be read.
std::optional<std::int64_t> read_moment(std::string_view text);

// strftime as liquidjs has it: %a %A %b %B %c %C %d %e %h %H %I %j %k %l %L %m %M %n %N %p %P %q %s
// %S %t %u %U %w %W %x %X %y %Y %z %Z %%, with flags - _ 0 ^ # : and a width. What is none of these
// stays as it is. A width over 1,000 counts as that.
std::string format_moment(const Moment& moment, std::string_view format);

// Days since 1970 of a date, whose month and day may be out of range.
std::int64_t days_from(std::int64_t year, int month, int day);

}  // namespace turnout::tmpl
