// Reads times (moment.h).

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "base/time.h"
#include "template/moment.h"
#include "template/text.h"

namespace turnout::tmpl {
namespace {

constexpr std::int64_t kMaxYear = 200'000;  // well within kMaxMoment

// What is known of a time while its words are read.
struct Reading {
  std::optional<std::int64_t> year;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  bool timed = false;
  std::int64_t offset_minutes = 0;
};

std::optional<int> number_in_word(std::string_view word) {
  int value = 0;
  const auto read = std::from_chars(word.data(), word.data() + word.size(), value);
  return read.ec == std::errc() && read.ptr == word.data() + word.size() && value >= 0
             ? std::optional(value)
             : std::nullopt;
}

// 1 to 12 by the first three letters of an English month.
int month_named(std::string_view word) {
  constexpr std::string_view kStarts = "janfebmaraprmayjunjulaugsepoctnovdec";
  const std::size_t at = word.size() < 3 ? std::string_view::npos
                                         : kStarts.find(base::to_lower_ascii(word.substr(0, 3)));
  return at == std::string_view::npos || at % 3 != 0 ? 0 : static_cast<int>(at / 3) + 1;
}

bool is_weekday(std::string_view word) {
  constexpr std::string_view kStarts = "sunmontuewedthufrisat";
  const std::size_t at = word.size() < 3 ? std::string_view::npos
                                         : kStarts.find(base::to_lower_ascii(word.substr(0, 3)));
  return at != std::string_view::npos && at % 3 == 0;
}

// "9:00", "09:00:30".
bool read_clock(std::string_view word, Reading& r) {
  int* const parts[] = {&r.hour, &r.minute, &r.second};
  std::size_t count = 0;
  while (count < 3) {
    const std::size_t colon = word.find(':');
    const auto number = number_in_word(word.substr(0, colon));
    if (!number) {
      return false;
    }
    *parts[count++] = *number;
    if (colon == std::string_view::npos) {
      break;
    }
    word.remove_prefix(colon + 1);
  }
  r.timed = true;
  return count >= 2 && r.hour <= 24 && r.minute <= 59 && r.second <= 59;
}

// "+0100", "-05:00".
bool read_offset(std::string_view word, Reading& r) {
  std::string digits(word.substr(1));
  std::erase(digits, ':');
  const auto number = number_in_word(digits);
  if (!number || digits.size() != 4) {
    return false;
  }
  r.offset_minutes = (*number / 100 * 60 + *number % 100) * (word[0] == '-' ? -1 : 1);
  return true;
}

// "2026/12/01" or "12/01/2026".
bool read_slashes(std::string_view word, Reading& r) {
  int numbers[3] = {};
  for (int i = 0; i < 3; ++i) {
    const std::size_t slash = word.find('/');
    const auto number = number_in_word(word.substr(0, slash));
    if (!number || (slash == std::string_view::npos) != (i == 2)) {
      return false;
    }
    numbers[i] = *number;
    word.remove_prefix(i == 2 ? word.size() : slash + 1);
  }
  const bool year_first = numbers[0] > 31;
  r.year = year_first ? numbers[0] : numbers[2];
  r.month = year_first ? numbers[1] : numbers[0];
  r.day = year_first ? numbers[2] : numbers[1];
  return true;
}

bool read_word(std::string_view word, Reading& r) {
  const std::string small = base::to_lower_ascii(word);
  if (const auto number = number_in_word(word)) {
    if (r.day == 0 && *number >= 1 && *number <= 31) {
      r.day = *number;
      return true;
    }
    if (r.year || word.size() < 3) {
      return false;
    }
    r.year = *number;
    return true;
  }
  if (small == "am" || small == "pm") {
    if (!r.timed || r.hour < 1 || r.hour > 12) {
      return false;
    }
    r.hour = r.hour % 12 + (small == "pm" ? 12 : 0);
    return true;
  }
  if (small == "gmt" || small == "utc" || small == "z") {
    return true;
  }
  if (const int month = month_named(word); month != 0 && r.month == 0) {
    r.month = month;
    return true;
  }
  if (word.find('/') != std::string_view::npos) {
    return read_slashes(word, r);
  }
  if (word.find(':') != std::string_view::npos && is_ascii_digit(word[0])) {
    return read_clock(word, r);
  }
  return (word[0] == '+' || word[0] == '-') && r.timed ? read_offset(word, r) : is_weekday(word);
}

std::optional<std::int64_t> read_words(std::string_view text) {
  Reading r;
  while (true) {
    const std::size_t begin = text.find_first_not_of(" ,\t");
    if (begin == std::string_view::npos) {
      break;
    }
    text.remove_prefix(begin);
    const std::string_view word = text.substr(0, text.find_first_of(" ,\t"));
    text.remove_prefix(word.size());
    if (!read_word(word, r)) {
      return std::nullopt;
    }
  }
  if (!r.year || *r.year > kMaxYear || r.month < 1 || r.month > 12 || r.day < 1 || r.day > 31) {
    return std::nullopt;
  }
  const std::int64_t minutes =
      days_from(*r.year, r.month, r.day) * 1440 + r.hour * 60 + r.minute - r.offset_minutes;
  return (minutes * 60 + r.second) * 1000;
}

// "2026" and "2026-12".
std::optional<std::int64_t> read_short_iso(std::string_view text) {
  const auto year = number_in_word(text.substr(0, 4));
  if (!year || (text.size() != 4 && text.size() != 7)) {
    return std::nullopt;
  }
  const auto month = text.size() == 4 ? std::optional(1) : number_in_word(text.substr(5));
  if (!month || *month < 1 || *month > 12 || (text.size() == 7 && text[4] != '-')) {
    return std::nullopt;
  }
  return days_from(*year, *month, 1) * 86'400'000;
}

}  // namespace

std::optional<std::int64_t> read_moment(std::string_view text) {
  constexpr std::size_t kMaxTimeBytes = 100;
  if (text.empty() || text.size() > kMaxTimeBytes) {
    return std::nullopt;
  }
  if (const auto date = base::parse_date(text)) {
    return std::int64_t{date.value().days} * 86'400'000;
  }
  if (const auto instant = base::parse_instant(text)) {
    const std::int64_t us = instant.value().us;
    return us / 1000 - (us % 1000 < 0 ? 1 : 0);
  }
  if (const auto found = read_short_iso(text)) {
    return found;
  }
  return read_words(text);
}

}  // namespace turnout::tmpl
