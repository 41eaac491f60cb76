#include "decide/zone.h"

#include <algorithm>
#include <limits>

#include "base/zone_name.h"

namespace turnout::decide {
namespace {

constexpr std::int64_t kMaxUs = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMinUs = std::numeric_limits<std::int64_t>::min();
// Far beyond every date that a timestamp can hold, and small enough that sums of them stay in
// range.
constexpr std::int64_t kMaxMonths = 12'000'000;
constexpr std::int64_t kMaxDays = 366'000'000;

using Seconds = cctz::time_point<cctz::seconds>;

std::int64_t clamp_product(std::int64_t a, std::int64_t b, std::int64_t limit) {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) {
    product = (a < 0) == (b < 0) ? limit : -limit;
  }
  return std::clamp(product, -limit, limit);
}

base::Instant from_seconds(std::int64_t seconds, std::int64_t us_of_second) {
  std::int64_t us = 0;
  if (__builtin_mul_overflow(seconds, base::kUsPerSecond, &us) ||
      __builtin_add_overflow(us, us_of_second, &us)) {
    return {seconds < 0 ? kMinUs : kMaxUs};
  }
  return {us};
}

std::int64_t floor_seconds(base::Instant at) {
  const std::int64_t quotient = at.us / base::kUsPerSecond;
  return quotient - (at.us % base::kUsPerSecond < 0 ? 1 : 0);
}

cctz::civil_day civil(base::Date date) { return cctz::civil_day(1970, 1, 1) + date.days; }

base::Date to_date(cctz::civil_day day) {
  const std::int64_t days = day - cctz::civil_day(1970, 1, 1);
  return {static_cast<std::int32_t>(
      std::clamp<std::int64_t>(days, std::numeric_limits<std::int32_t>::min() / 2,
                               std::numeric_limits<std::int32_t>::max() / 2))};
}

// The day `months` later; the last of the month where it has no such day.
cctz::civil_day add_months(cctz::civil_day day, std::int64_t months) {
  const cctz::civil_month month = cctz::civil_month(day) + months;
  const cctz::civil_day last = cctz::civil_day(month + 1) - 1;
  return std::min(cctz::civil_day(month.year(), month.month(), 1) + (day.day() - 1), last);
}

}  // namespace

CalendarDuration to_calendar(const track::DurationSpec& duration) {
  CalendarDuration sum;
  std::int64_t us = 0;
  const auto add_us = [&us](std::int64_t count, std::int64_t seconds) {
    us = std::min(us, kMaxUs / 4) + clamp_product(count, seconds * base::kUsPerSecond, kMaxUs / 4);
  };
  for (const auto& [count, unit] : duration.parts) {
    switch (unit) {
      case track::Unit::kSecond:
        add_us(count, 1);
        break;
      case track::Unit::kMinute:
        add_us(count, 60);
        break;
      case track::Unit::kHour:
        add_us(count, 3600);
        break;
      case track::Unit::kDay:
        sum.days += clamp_product(count, 1, kMaxDays);
        break;
      case track::Unit::kWeek:
        sum.days += clamp_product(count, 7, kMaxDays);
        break;
      case track::Unit::kMonth:
        sum.months += clamp_product(count, 1, kMaxMonths);
        break;
      case track::Unit::kYear:
        sum.months += clamp_product(count, 12, kMaxMonths);
        break;
    }
  }
  sum.months = std::min(sum.months, kMaxMonths);
  sum.days = std::min(sum.days, kMaxDays);
  sum.exact = base::Duration(us);
  return sum;
}

CalendarDuration repeat(const CalendarDuration& duration, std::int64_t times) {
  return {clamp_product(duration.months, times, kMaxMonths),
          clamp_product(duration.days, times, kMaxDays),
          base::Duration(clamp_product(duration.exact.count(), times, kMaxUs / 2))};
}

base::Date shift(base::Date date, const CalendarDuration& duration, int sign) {
  return to_date(add_months(civil(date), sign * duration.months) + sign * duration.days);
}

base::Date last_of_month(base::Date date, std::int64_t ahead) {
  return to_date(cctz::civil_day(cctz::civil_month(civil(date)) + ahead + 1) - 1);
}

base::Instant add_clamped(base::Instant at, base::Duration duration) {
  std::int64_t us = 0;
  if (__builtin_add_overflow(at.us, static_cast<std::int64_t>(duration.count()), &us)) {
    return {duration.count() < 0 ? kMinUs : kMaxUs};
  }
  return {us};
}

Zone::Zone() : zone_(cctz::utc_time_zone()) {}

std::optional<Zone> Zone::find(const std::string& name) {
  if (name == "UTC") {
    return Zone();
  }
  cctz::time_zone zone;
  if (!base::zone_exists(name) || !cctz::load_time_zone(name, &zone)) {
    return std::nullopt;
  }
  return Zone(zone);
}

base::Instant Zone::resolve(const cctz::civil_second& local) const {
  const cctz::time_zone::civil_lookup found = zone_.lookup(local);
  // `pre` is the first of two occurrences, and for a time in a gap one that is not on any clock.
  const Seconds at = found.kind == cctz::time_zone::civil_lookup::SKIPPED ? found.trans : found.pre;
  return from_seconds(at.time_since_epoch().count(), 0);
}

base::Instant Zone::instant(base::Date date, std::int32_t second_of_day) const {
  return resolve(cctz::civil_second(civil(date)) + second_of_day);
}

base::Date Zone::day_of(base::Instant at) const {
  const cctz::civil_second local = cctz::convert(Seconds(cctz::seconds(floor_seconds(at))), zone_);
  base::Date day = to_date(cctz::civil_day(local));
  // Where the clocks go back over midnight, the evening that comes twice belongs to the next day
  // the second time.
  while (at >= start_of({day.days + 1})) {
    ++day.days;
  }
  return day;
}

base::Instant Zone::add(base::Instant at, const CalendarDuration& duration, int sign) const {
  base::Instant result = at;
  if (duration.calendar()) {
    const std::int64_t second = floor_seconds(at);
    const cctz::civil_second local = cctz::convert(Seconds(cctz::seconds(second)), zone_);
    const cctz::civil_day day =
        add_months(cctz::civil_day(local), sign * duration.months) + sign * duration.days;
    const cctz::civil_second moved(day.year(), day.month(), day.day(), local.hour(), local.minute(),
                                   local.second());
    const cctz::time_zone::civil_lookup found = zone_.lookup(moved);
    const bool skipped = found.kind == cctz::time_zone::civil_lookup::SKIPPED;
    const Seconds point = skipped ? found.trans : found.pre;
    // The first instant after a gap is a whole second: the fraction was skipped with the rest.
    result = from_seconds(point.time_since_epoch().count(),
                          skipped ? 0 : at.us - second * base::kUsPerSecond);
  }
  return add_clamped(result, sign * duration.exact);
}

std::optional<base::Instant> Zone::next_transition(base::Instant at) const {
  cctz::time_zone::civil_transition turn;
  if (!zone_.next_transition(Seconds(cctz::seconds(floor_seconds(at))), &turn)) {
    return std::nullopt;
  }
  // Forward: the old local time is on no clock any more. Back: the new one has been there before.
  const cctz::civil_second odd = turn.from < turn.to ? turn.from : turn.to;
  return from_seconds(zone_.lookup(odd).trans.time_since_epoch().count(), 0);
}

base::Instant next_round(const Zone& zone, base::Instant start, const CalendarDuration& every,
                         base::Instant after) {
  if (start > after) {
    return start;
  }
  std::int64_t low = 0;  // not after `after`
  std::int64_t high = 1;
  const auto at = [&](std::int64_t times) { return zone.add(start, repeat(every, times), 1); };
  while (at(high) <= after) {
    low = high;
    high *= 2;
  }
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    (at(middle) <= after ? low : high) = middle;
  }
  return at(high);
}

}  // namespace turnout::decide
