#include "template/moment.h"

#include <algorithm>
#include <array>

#include "template/text.h"

namespace turnout::tmpl {
namespace {

constexpr std::int64_t kMsPerDay = 86'400'000;

constexpr std::string_view kMonths[] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};
constexpr std::string_view kDays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                      "Thursday", "Friday", "Saturday"};

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

// Eras of 400 years, beginning in March so that the leap day comes last (H. Hinnant,
// "chrono-Compatible Low-Level Date Algorithms").
void set_date(Moment& m, std::int64_t days) {
  const std::int64_t shifted = days + 719'468;  // since 0000-03-01
  const std::int64_t era = floor_divide(shifted, 146'097);
  const std::int64_t of_era = shifted - era * 146'097;
  const std::int64_t year = (of_era - of_era / 1460 + of_era / 36'524 - of_era / 146'096) / 365;
  const std::int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
  const std::int64_t month = (5 * of_year + 2) / 153;  // 0: March
  m.day = static_cast<int>(of_year - (153 * month + 2) / 5 + 1);
  m.month = static_cast<int>(month < 10 ? month + 3 : month - 9);
  m.year = year + era * 400 + (m.month <= 2 ? 1 : 0);
  m.weekday = static_cast<int>(((days + 4) % 7 + 7) % 7);
  m.year_day = static_cast<int>(days - days_from(m.year, 1, 1) + 1);
}

// One conversion of a format: what it prints, and how it is filled up.
struct Printed {
  std::string text;
  std::size_t width = 0;
  char fill = '0';
};

struct Conversion {
  bool minus = false;
  bool blank = false;
  bool zero = false;
  bool upper_case = false;
  bool swap_case = false;
  bool colon = false;
  std::size_t width = 0;
};

std::string two(std::int64_t number) { return (number < 10 ? "0" : "") + std::to_string(number); }

std::string offset_text(const Moment& m, bool colon) {
  const std::int64_t minutes = std::abs(m.offset_minutes);
  return (m.offset_minutes < 0 ? "-" : "+") + two(minutes / 60) + (colon ? ":" : "") +
         two(minutes % 60);
}

std::string ordinal(int day) {
  if (day >= 11 && day <= 13) {
    return "th";
  }
  return day % 10 == 1 ? "st" : day % 10 == 2 ? "nd" : day % 10 == 3 ? "rd" : "th";
}

// The week of the year; days before its first `first_day` (0: Sunday) are in week 0.
int week_of(const Moment& m, int first_day) {
  return (m.year_day - 1 - (m.weekday - first_day + 7) % 7 + 7) / 7;
}

int hour_of_twelve(const Moment& m) { return m.hour % 12 == 0 ? 12 : m.hour % 12; }

std::string american_date(const Moment& m) {
  return std::to_string(m.month) + "/" + std::to_string(m.day) + "/" + std::to_string(m.year);
}

std::string american_time(const Moment& m) {
  return std::to_string(hour_of_twelve(m)) + ":" + two(m.minute) + ":" + two(m.second) +
         (m.hour < 12 ? " AM" : " PM");
}

std::string fraction(const Moment& m, std::size_t width) {
  std::string digits = std::to_string(1000 + m.millisecond).substr(1);
  digits.resize(width == 0 ? 9 : width, '0');
  return digits;
}

std::optional<Printed> print_name(const Moment& m, char letter) {
  const std::string_view day = kDays[m.weekday];
  const std::string_view month = kMonths[m.month - 1];
  switch (letter) {
    case 'a':
      return Printed{std::string(day.substr(0, 3)), 0, ' '};
    case 'A':
      return Printed{std::string(day), 0, ' '};
    case 'b':
      return Printed{std::string(month.substr(0, 3)), 0, ' '};
    case 'h':
      return Printed{std::string(month.substr(0, 3)), 0, '0'};
    case 'B':
      return Printed{std::string(month), 0, ' '};
    case 'p':
      return Printed{m.hour < 12 ? "AM" : "PM", 0, ' '};
    case 'P':
      return Printed{m.hour < 12 ? "am" : "pm", 0, ' '};
    case 'q':
      return Printed{ordinal(m.day), 0, '0'};
    case 'c':
      return Printed{american_date(m) + ", " + american_time(m), 0, ' '};
    case 'x':
      return Printed{american_date(m), 0, '0'};
    case 'X':
      return Printed{american_time(m), 0, '0'};
    case 't':
      return Printed{"\t", 0, '0'};
    case 'n':
      return Printed{"\n", 0, '0'};
    case '%':
      return Printed{"%", 0, '0'};
    default:
      return std::nullopt;
  }
}

std::optional<Printed> print_number(const Moment& m, char letter) {
  const auto of = [](std::int64_t number, std::size_t width, char fill = '0') {
    return Printed{std::to_string(number), width, fill};
  };
  switch (letter) {
    case 'C':
      return of(floor_divide(m.year, 100), 2);
    case 'd':
      return of(m.day, 2);
    case 'e':
      return of(m.day, 2, ' ');
    case 'H':
      return of(m.hour, 2);
    case 'I':
      return of(hour_of_twelve(m), 2);
    case 'j':
      return of(m.year_day, 3);
    case 'k':
      return of(m.hour, 2, ' ');
    case 'l':
      return of(hour_of_twelve(m), 2, ' ');
    case 'L':
      return of(m.millisecond, 3);
    case 'm':
      return of(m.month, 2);
    case 'M':
      return of(m.minute, 2);
    case 's':
      return of(floor_divide(m.utc_ms, 1000), 0);
    case 'S':
      return of(m.second, 2);
    case 'u':
      return of(m.weekday == 0 ? 7 : m.weekday, 0);
    case 'U':
      return of(week_of(m, 0), 2);
    case 'w':
      return of(m.weekday, 0);
    case 'W':
      return of(week_of(m, 1), 2);
    case 'y':
      return of((m.year % 100 + 100) % 100, 2);
    case 'Y':
      return of(m.year, 4);
    default:
      return std::nullopt;
  }
}

std::optional<Printed> print(const Moment& m, char letter, const Conversion& how) {
  switch (letter) {
    case 'N':
      return Printed{fraction(m, how.width), 0, '0'};
    case 'z':
      return Printed{offset_text(m, how.colon), 0, '0'};
    case 'Z':
      return Printed{m.zone.empty() ? offset_text(m, how.colon) : m.zone, 0, '0'};
    default:
      break;
  }
  auto named = print_name(m, letter);
  return named ? named : print_number(m, letter);
}

std::string swapped(const std::string& text) {
  const bool has_lower =
      std::any_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  return has_lower ? upper(text) : lower(text);
}

std::string filled(const Printed& printed, const Conversion& how) {
  std::string text = how.upper_case  ? upper(printed.text)
                     : how.swap_case ? swapped(printed.text)
                                     : printed.text;
  const char fill = how.blank ? ' ' : how.zero ? '0' : printed.fill;
  const std::size_t width = how.minus ? 0 : how.width != 0 ? how.width : printed.width;
  if (text.size() < width) {
    const std::size_t at = fill == '0' && text.starts_with('-') ? 1 : 0;
    text.insert(at, width - text.size(), fill);
  }
  return text;
}

}  // namespace

std::int64_t days_from(std::int64_t year, int month, int day) {
  year += floor_divide(month - 1, 12);
  month = static_cast<int>((month - 1) - 12 * floor_divide(month - 1, 12)) + 1;
  const std::int64_t march_year = year - (month <= 2 ? 1 : 0);
  const std::int64_t era = floor_divide(march_year, 400);
  const std::int64_t of_era = march_year - era * 400;
  const std::int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719'468;
}

Moment moment_at(std::int64_t utc_ms, std::int64_t offset_minutes, std::string zone) {
  Moment m;
  m.utc_ms = utc_ms;
  m.offset_minutes = offset_minutes;
  m.zone = std::move(zone);
  const std::int64_t local = utc_ms + offset_minutes * 60'000;
  const std::int64_t days = floor_divide(local, kMsPerDay);
  const auto rest = static_cast<int>(local - days * kMsPerDay);
  m.hour = rest / 3'600'000;
  m.minute = rest / 60'000 % 60;
  m.second = rest / 1000 % 60;
  m.millisecond = rest % 1000;
  set_date(m, days);
  return m;
}

std::string format_moment(const Moment& moment, std::string_view format) {
  constexpr std::size_t kMaxWidth = 1000;
  std::string out;
  for (std::size_t at = 0; at < format.size();) {
    if (format[at] != '%') {
      out += format[at++];
      continue;
    }
    Conversion how;
    std::size_t end = at + 1;
    for (; end < format.size() &&
           std::string_view("-_0^#:").find(format[end]) != std::string_view::npos;
         ++end) {
      const char flag = format[end];
      how.minus |= flag == '-';
      how.blank |= flag == '_';
      how.zero |= flag == '0';
      how.upper_case |= flag == '^';
      how.swap_case |= flag == '#';
      how.colon |= flag == ':';
    }
    for (; end < format.size() && is_ascii_digit(format[end]); ++end) {
      how.width = std::min(how.width * 10 + static_cast<std::size_t>(format[end] - '0'), kMaxWidth);
    }
    if (end + 1 < format.size() && (format[end] == 'E' || format[end] == 'O')) {
      ++end;
    }
    const auto printed = end < format.size() ? print(moment, format[end], how) : std::nullopt;
    end = std::min(end + 1, format.size());
    out += printed ? filled(*printed, how) : std::string(format.substr(at, end - at));
    at = end;
  }
  return out;
}

}  // namespace turnout::tmpl
