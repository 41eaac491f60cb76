#pragma once

// Time as Turnout counts it. `Instant` is a point on the database's clock, `Tick` one on this
// machine's boot clock. The two are never compared: see GROUP in docs/group.md, "clocks of two
// machines are never compared".

#include <chrono>
#include <cstdint>
#include <string>

#include "base/result.h"

namespace turnout::base {

using Duration = std::chrono::microseconds;

constexpr std::int64_t kUsPerSecond = 1'000'000;
constexpr std::int64_t kUsPerDay = 86'400 * kUsPerSecond;  // of a day without a change of clocks

// Microseconds since 1970-01-01 00:00 UTC on the database's clock.
struct Instant {
  std::int64_t us = 0;
  friend constexpr auto operator<=>(Instant, Instant) = default;
  friend constexpr Instant operator+(Instant a, Duration d) { return {a.us + d.count()}; }
  friend constexpr Instant operator-(Instant a, Duration d) { return {a.us - d.count()}; }
  friend constexpr Duration operator-(Instant a, Instant b) { return Duration(a.us - b.us); }
};

// Days since 1970-01-01 in the proleptic Gregorian calendar; no zone.
struct Date {
  std::int32_t days = 0;
  friend constexpr auto operator<=>(Date, Date) = default;
};

// Microseconds on CLOCK_BOOTTIME (runs on while the machine is suspended), or on a simulator's
// clock.
struct Tick {
  std::int64_t us = 0;
  friend constexpr auto operator<=>(Tick, Tick) = default;
  friend constexpr Tick operator+(Tick a, Duration d) { return {a.us + d.count()}; }
  friend constexpr Tick operator-(Tick a, Duration d) { return {a.us - d.count()}; }
  friend constexpr Duration operator-(Tick a, Tick b) { return Duration(a.us - b.us); }
};

// This machine's CLOCK_BOOTTIME. Not for pure rooms. Thread-safe.
Tick boot_now();

// "2026-12-01T09:00:00.250000Z" (no fraction when it is zero).
std::string format_instant(Instant at);
// "2026-12-01".
std::string format_date(Date date);

// ISO 8601: date, 'T' or space, time to minutes, seconds or fractions (to microseconds), then 'Z',
// an offset, or nothing (UTC). kInvalid otherwise.
Result<Instant> parse_instant(std::string_view text);
// "YYYY-MM-DD" of a day that exists. kInvalid otherwise.
Result<Date> parse_date(std::string_view text);

}  // namespace turnout::base
