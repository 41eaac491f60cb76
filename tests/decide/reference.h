#pragma once

// The meaning of conditions a second time: value by value, straight from docs/language.md
// ("Meaning, exactly") and decide/condition.h, as simply as can be and sharing nothing with the
// engine but the offsets of zones. What the engine does in columns, and the databases in SQL, is
// compared with this.

#include <cctz/time_zone.h>
#include <re2/re2.h>

#include <algorithm>
#include <chrono>
#include <compare>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "track/track.h"
#include "track/value.h"

namespace turnout::reference {

using base::Date;
using base::Instant;
using track::Value;

struct Person {
  std::map<std::string, Value> values;
  std::set<std::string> tags;
};

struct World {
  Instant now;
  std::string zone = "UTC";               // the track's own
  std::optional<std::string> zone_field;  // of contacts
};

// ---- Calendar
// -----------------------------------------------------------------------------------------------------------

inline constexpr std::int64_t kSecond = 1'000'000;

class Clock {
 public:
  explicit Clock(const std::string& name) { known_ = cctz::load_time_zone(name, &zone_); }
  bool known() const { return known_; }

  std::int64_t offset(std::int64_t utc_second) const {
    return zone_.lookup(cctz::time_point<cctz::seconds>(cctz::seconds(utc_second))).offset;
  }
  // Seconds that a local calendar shows, counted as if it were UTC.
  std::int64_t local(std::int64_t utc_second) const { return utc_second + offset(utc_second); }

  // The first instant at which the local calendar shows this second; where it never does, the first
  // after the gap.
  std::int64_t at(std::int64_t local_second) const {
    constexpr std::int64_t kDay = 86'400;
    std::optional<std::int64_t> first;
    for (std::int64_t probe = local_second - 2 * kDay; probe <= local_second + 2 * kDay;
         probe += kDay / 4) {
      const std::int64_t utc = local_second - offset(probe);
      if (local(utc) == local_second && (!first || utc < *first)) {
        first = utc;
      }
    }
    if (first) {
      return *first;
    }
    std::int64_t before = local_second - 2 * kDay;
    std::int64_t after = local_second + 2 * kDay;
    while (after - before > 1) {
      const std::int64_t middle = before + (after - before) / 2;
      (local(middle) < local_second ? before : after) = middle;
    }
    return after;
  }

 private:
  cctz::time_zone zone_;
  bool known_ = false;
};

inline std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a >= 0 ? a / b : -((-a + b - 1) / b);
}

inline std::int64_t day_number(std::chrono::year_month_day ymd) {
  return std::chrono::sys_days(ymd).time_since_epoch().count();
}
inline std::chrono::year_month_day calendar(std::int64_t day) {
  return std::chrono::sys_days(std::chrono::days(day));
}

// The day of that month, or its last.
inline std::int64_t clamped_day(std::chrono::year_month month, unsigned day) {
  const std::chrono::year_month_day_last last(month.year(),
                                              std::chrono::month_day_last(month.month()));
  const unsigned highest = static_cast<unsigned>(last.day());
  return day_number(month / std::chrono::day(std::min(day, highest)));
}

struct Duration {
  int months = 0;
  std::int64_t days = 0;
  std::int64_t us = 0;
};
inline Duration duration(const track::DurationSpec& spec) {
  Duration sum;
  for (const auto& [count, unit] : spec.parts) {
    switch (unit) {
      case track::Unit::kYear:
        sum.months += static_cast<int>(12 * count);
        break;
      case track::Unit::kMonth:
        sum.months += static_cast<int>(count);
        break;
      case track::Unit::kWeek:
        sum.days += 7 * count;
        break;
      case track::Unit::kDay:
        sum.days += count;
        break;
      case track::Unit::kHour:
        sum.us += 3600 * kSecond * count;
        break;
      case track::Unit::kMinute:
        sum.us += 60 * kSecond * count;
        break;
      case track::Unit::kSecond:
        sum.us += kSecond * count;
        break;
    }
  }
  return sum;
}

inline std::int64_t shifted_day(std::int64_t day, const Duration& by, int sign) {
  const std::chrono::year_month_day ymd = calendar(day);
  const std::chrono::year_month month =
      ymd.year() / ymd.month() + std::chrono::months(sign * by.months);
  return clamped_day(month, static_cast<unsigned>(ymd.day())) + sign * by.days;
}

inline Instant shifted(const Clock& clock, Instant from, const Duration& by, int sign) {
  if (by.months == 0 && by.days == 0) {
    return {from.us + sign * by.us};
  }
  const std::int64_t second = floor_div(from.us, kSecond);
  const std::int64_t local = clock.local(second);
  const std::int64_t day = floor_div(local, 86'400);
  const std::int64_t wanted = shifted_day(day, by, sign) * 86'400 + (local - day * 86'400);
  const std::int64_t utc = clock.at(wanted);
  const std::int64_t fraction = clock.local(utc) == wanted ? from.us - second * kSecond : 0;
  return {utc * kSecond + fraction + sign * by.us};
}

inline Instant midnight(const Clock& clock, std::int64_t day) {
  return {clock.at(day * 86'400) * kSecond};
}
// The day whose stretch from midnight to the next one holds the instant.
inline std::int64_t day_of(const Clock& clock, Instant at) {
  std::int64_t day = floor_div(clock.local(floor_div(at.us, kSecond)), 86'400) - 2;
  while (midnight(clock, day + 1) <= at) {
    ++day;
  }
  return day;
}

// ---- Conditions
// ---------------------------------------------------------------------------------------------------------

class Judge {
 public:
  Judge(const World& world, const Person& person) : world_(world), person_(person) {
    zone_ = world.zone;
    if (world.zone_field) {
      const Value value = field(*world.zone_field);
      const auto* const name = std::get_if<std::string>(&value);
      if (name != nullptr && clock_of(*name).known() && *name != "localtime") {
        zone_ = *name;
      }
    }
  }

  bool met(const track::Condition& condition) const {
    return std::visit([this](const auto& form) { return judge(form); }, condition.node);
  }
  const Clock& clock() const { return clock_of(zone_); }

 private:
  static const Clock& clock_of(const std::string& name) {
    static std::map<std::string, Clock> clocks;
    return clocks.try_emplace(name, name).first->second;
  }

  Value field(const std::string& name) const {
    const auto value = person_.values.find(name);
    return value == person_.values.end() ? Value(track::Missing{}) : value->second;
  }

  Value value(const track::Operand& operand) const {
    if (const auto* const text = std::get_if<std::string>(&operand.value)) {
      return *text;
    }
    if (const auto* const number = std::get_if<double>(&operand.value)) {
      return *number;
    }
    if (const auto* const boolean = std::get_if<bool>(&operand.value)) {
      return *boolean;
    }
    if (const auto* const date = std::get_if<Date>(&operand.value)) {
      return *date;
    }
    if (const auto* const at = std::get_if<track::DateTime>(&operand.value)) {
      const Clock& clock = at->zone ? clock_of(*at->zone) : this->clock();
      return Instant{clock.at(at->date.days * 86'400LL + at->time.seconds) * kSecond};
    }
    if (const auto* const ref = std::get_if<track::FieldRef>(&operand.value)) {
      return field(ref->name);
    }
    if (std::holds_alternative<track::Now>(operand.value)) {
      return world_.now;
    }
    return Date{static_cast<std::int32_t>(day_of(clock(), world_.now))};
  }

  // How two values stand to each other; nothing where one is missing.
  std::optional<int> order(const Value& a, const Value& b) const {
    if (std::holds_alternative<track::Missing>(a) || std::holds_alternative<track::Missing>(b)) {
      return std::nullopt;
    }
    if (std::holds_alternative<Instant>(a) && std::holds_alternative<Date>(b)) {
      return point_to_day(std::get<Instant>(a), std::get<Date>(b).days);
    }
    if (std::holds_alternative<Date>(a) && std::holds_alternative<Instant>(b)) {
      return -point_to_day(std::get<Instant>(b), std::get<Date>(a).days);
    }
    return std::visit(
        []<class A, class B>(const A& x, const B& y) -> std::optional<int> {
          if constexpr (std::is_same_v<A, B> && !std::is_same_v<A, track::Missing>) {
            return x < y ? -1 : (y < x ? 1 : 0);
          } else {
            return std::nullopt;  // of different types: the engine refuses to compile it
          }
        },
        a, b);
  }
  int point_to_day(Instant at, std::int64_t day) const {
    if (at < midnight(clock(), day)) {
      return -1;
    }
    return at < midnight(clock(), day + 1) ? 0 : 1;
  }

  bool compare(const track::Operand& left, track::Compare op, const track::Operand& right) const {
    const std::optional<int> how = order(value(left), value(right));
    if (op == track::Compare::kIsNot) {
      return !(how && *how == 0);
    }
    if (!how) {
      return false;
    }
    switch (op) {
      case track::Compare::kIs:
        return *how == 0;
      case track::Compare::kLess:
        return *how < 0;
      case track::Compare::kAtMost:
        return *how <= 0;
      case track::Compare::kMore:
        return *how > 0;
      default:
        return *how >= 0;
    }
  }

  bool judge(const track::And& form) const {
    return std::all_of(form.operands.begin(), form.operands.end(),
                       [this](const auto& operand) { return met(operand); });
  }
  bool judge(const track::Or& form) const {
    return std::any_of(form.operands.begin(), form.operands.end(),
                       [this](const auto& operand) { return met(operand); });
  }
  bool judge(const track::Not& form) const { return !met(*form.operand); }
  bool judge(const track::IsMissing& form) const {
    const bool missing = std::holds_alternative<track::Missing>(value(form.left));
    const bool answer = form.present ? !missing : missing;
    return form.negated ? !answer : answer;
  }
  bool judge(const track::Comparison& form) const {
    const bool answer = compare(form.left, form.op, form.right);
    return form.negated ? !answer : answer;
  }
  bool judge(const track::OneOf& form) const {
    const bool any = std::any_of(form.values.begin(), form.values.end(), [&](const auto& one) {
      return compare(form.left, track::Compare::kIs, one);
    });
    return form.negated ? !any : any;
  }
  bool judge(const track::Between& form) const {
    const bool within = compare(form.left, track::Compare::kAtLeast, form.low) &&
                        compare(form.left, track::Compare::kAtMost, form.high);
    return form.negated ? !within : within;
  }
  bool judge(const track::BeforeAfter& form) const {
    const bool answer =
        compare(form.left, form.after ? track::Compare::kMore : track::Compare::kLess, form.right);
    return form.negated ? !answer : answer;
  }

  // Where `left`, moved by the duration, stands to now.
  std::optional<int> moved_order(const Value& left, const Duration& by, int sign) const {
    if (const auto* const at = std::get_if<Instant>(&left)) {
      return order(shifted(clock(), *at, by, sign), world_.now);
    }
    if (const auto* const date = std::get_if<Date>(&left)) {
      const std::int64_t day = shifted_day(date->days, by, sign);
      const std::int64_t begin = midnight(clock(), day).us + sign * by.us;
      const std::int64_t end = midnight(clock(), day + 1).us + sign * by.us;
      return world_.now.us < begin ? 1 : (world_.now.us >= end ? -1 : 0);
    }
    return std::nullopt;
  }
  bool judge(const track::Relative& form) const {
    const bool answer = relative(form);
    return form.negated ? !answer : answer;
  }
  bool relative(const track::Relative& form) const {
    const Value left = value(form.left);
    const int sign = form.from_now ? -1 : 1;
    const auto moved = moved_order(left, duration(form.duration), sign);
    const auto itself = order(left, world_.now);
    if (!moved || !itself) {
      return false;
    }
    if (form.from_now) {
      return form.more ? *moved > 0 : *moved < 0 && *itself >= 0;
    }
    return form.more ? *moved < 0 : *moved > 0 && *itself <= 0;
  }
  bool judge(const track::Within& form) const {
    const Value left = value(form.left);
    const auto moved = moved_order(left, duration(form.duration), form.next ? -1 : 1);
    const auto itself = order(left, world_.now);
    const bool answer =
        moved && itself && (form.next ? *moved <= 0 && *itself >= 0 : *moved >= 0 && *itself <= 0);
    return form.negated ? !answer : answer;
  }
  bool judge(const track::Anniversary& form) const {
    const auto left = local_day(value(form.left));
    const auto right = local_day(value(form.right));
    bool answer = false;
    if (left && right) {
      const std::chrono::year_month_day day = calendar(*left);
      const std::chrono::year_month_day of = calendar(*right);
      answer = day.year() > of.year() &&
               clamped_day(day.year() / of.month(), static_cast<unsigned>(of.day())) == *left;
    }
    return form.negated ? !answer : answer;
  }
  std::optional<std::int64_t> local_day(const Value& value) const {
    if (const auto* const at = std::get_if<Instant>(&value)) {
      return day_of(clock(), *at);
    }
    if (const auto* const date = std::get_if<Date>(&value)) {
      return date->days;
    }
    return std::nullopt;
  }
  bool judge(const track::TextMatch& form) const {
    const Value left = value(form.left);
    const Value right = value(form.right);
    const auto* const whole = std::get_if<std::string>(&left);
    const auto* const part = std::get_if<std::string>(&right);
    bool answer = false;
    if (whole != nullptr && part != nullptr) {
      const std::size_t found =
          form.test == track::TextTest::kEndsWith ? whole->rfind(*part) : whole->find(*part);
      answer = found != std::string::npos;
      if (form.test == track::TextTest::kStartsWith) {
        answer = found == 0;
      } else if (form.test == track::TextTest::kEndsWith) {
        answer = answer && found + part->size() == whole->size();
      }
    }
    return form.negated ? !answer : answer;
  }
  bool judge(const track::RegexMatch& form) const {
    const Value left = value(form.left);
    const auto* const text = std::get_if<std::string>(&left);
    const bool answer = text != nullptr && re2::RE2::PartialMatch(*text, form.pattern.text);
    return form.negated ? !answer : answer;
  }
  bool judge(const track::BooleanField& form) const {
    return field(form.field.name) == Value(true);
  }
  bool judge(const track::HasTag& form) const { return person_.tags.contains(form.tag.text); }
  bool judge(const track::DidEvent&) const { return false; }
  bool judge(const track::OnTrack&) const { return false; }
  bool judge(const track::InArm&) const { return false; }

  const World& world_;
  const Person& person_;
  std::string zone_;
};

inline bool met(const track::Condition& condition, const World& world, const Person& person) {
  return Judge(world, person).met(condition);
}

}  // namespace turnout::reference
