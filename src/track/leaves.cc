#include "track/leaves.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "base/time.h"
#include "track/limits.h"

namespace turnout::track {
namespace {

bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool digit(char c) { return c >= '0' && c <= '9'; }

// Thousandths of a day that one unit has at most. One minute is taken as a thousandth of a day and
// a second as nothing: seconds are counted in days.
constexpr std::array<std::int64_t, 7> kMostThousandths = {0, 1, 42, 1000, 7000, 31'000, 366'000};

// Takes the digits that `text` begins with.
std::string_view take_digits(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), digit);
  const std::string_view digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(digits.size());
  return digits;
}

bool take(std::string_view& text, std::string_view what) {
  if (!text.starts_with(what)) {
    return false;
  }
  text.remove_prefix(what.size());
  return true;
}

// Takes two digits; -1 when there are none.
int take_two(std::string_view& text) {
  if (text.size() < 2 || !digit(text[0]) || !digit(text[1])) {
    return -1;
  }
  const int value = (text[0] - '0') * 10 + (text[1] - '0');
  text.remove_prefix(2);
  return value;
}

// Takes "2 days"; false when it does not stand there.
bool take_part(std::string_view& text, DurationSpec& duration) {
  constexpr std::size_t kMostDigits = 12;
  const std::string_view digits = take_digits(text);
  if (digits.empty() || digits.size() > kMostDigits || !take(text, " ")) {
    return false;
  }
  std::int64_t count = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), count);
  for (std::size_t unit = 0; unit < kUnitNames.size(); ++unit) {
    if (take(text, kUnitNames.at(unit))) {
      take(text, "s");
      duration.parts.emplace_back(count, static_cast<Unit>(unit));
      return true;
    }
  }
  return false;
}

}  // namespace

bool is_field_name(std::string_view name) {
  bool start = true;  // of a word
  for (const char c : name) {
    if (c == '.') {
      if (start) {
        return false;
      }
      start = true;
    } else if (letter(c) || (!start && digit(c))) {
      start = false;
    } else {
      return false;
    }
  }
  return !start;
}

bool is_zone_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxZoneBytes &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return letter(c) || digit(c) || c == '/' || c == '+' || c == '-';
         });
}

bool is_too_long(const DurationSpec& duration) {
  std::int64_t thousandths = 0;
  for (const auto& [count, unit] : duration.parts) {
    // Counts are bounded first, so that nothing overflows.
    const std::int64_t bounded = std::min<std::int64_t>(count, 1'000'000'000'000);
    constexpr std::int64_t kSecondsPerDay = 86'400;
    thousandths += unit == Unit::kSecond
                       ? bounded / kSecondsPerDay * 1000
                       : bounded * kMostThousandths.at(static_cast<std::size_t>(unit));
  }
  return thousandths > kMaxDurationDays * 1000;
}

std::string duration_text(const DurationSpec& duration) {
  std::string out;
  for (const auto& [count, unit] : duration.parts) {
    out += out.empty() ? "" : " ";
    out += std::to_string(count) + " ";
    out += kUnitNames.at(static_cast<std::size_t>(unit));
    out += count == 1 ? "" : "s";
  }
  return out;
}

std::string read_duration(std::string_view text, DurationSpec& duration) {
  DurationSpec result;
  do {
    if (!take_part(text, result) || (!text.empty() && !text.starts_with(" "))) {
      return "is not a duration such as \"1 day 12 hours\"";
    }
    if (const std::size_t n = result.parts.size();
        n > 1 && result.parts[n - 2].second <= result.parts[n - 1].second) {
      return "has units that do not go from large to small, each once";
    }
  } while (take(text, " "));
  if (is_too_long(result)) {
    return "is longer than a thousand years";
  }
  duration = std::move(result);
  return {};
}

std::string time_text(TimeOfDay time) {
  const std::int32_t seconds = time.seconds % 60;
  const std::string minutes =
      fmt::format("{:02}:{:02}", time.seconds / 3600, time.seconds / 60 % 60);
  return seconds == 0 ? minutes : fmt::format("{}:{:02}", minutes, seconds);
}

std::string read_time(std::string_view text, TimeOfDay& time) {
  const int hours = take_two(text);
  const bool colon = take(text, ":");
  const int minutes = take_two(text);
  const int seconds = take(text, ":") ? take_two(text) : 0;
  if (hours < 0 || hours > 23 || !colon || minutes < 0 || minutes > 59 || seconds < 0 ||
      seconds > 59 || !text.empty()) {
    return "is not a time of the day such as \"09:00\"";
  }
  time.seconds = (hours * 60 + minutes) * 60 + seconds;
  return {};
}

std::string date_time_text(const DateTime& at) {
  const std::string out = base::format_date(at.date) + "T" + time_text(at.time);
  return at.zone ? out + "[" + *at.zone + "]" : out;
}

std::string read_date_time(std::string_view text, DateTime& at) {
  constexpr std::size_t kDateSize = 10;
  constexpr const char* kWrong =
      "is not a date and time such as \"2026-12-01T09:00\" or "
      "\"2026-12-01T09:00[Europe/Berlin]\"";
  const std::size_t bracket = std::min(text.find('['), text.size());
  if (bracket <= kDateSize || text[kDateSize] != 'T') {
    return kWrong;
  }
  DateTime result;
  const auto date = base::parse_date(text.substr(0, kDateSize));
  if (!date ||
      !read_time(text.substr(kDateSize + 1, bracket - kDateSize - 1), result.time).empty()) {
    return kWrong;
  }
  result.date = date.value();
  if (bracket < text.size()) {
    const std::string_view zone = text.substr(bracket + 1);
    if (!zone.ends_with("]") || !is_zone_name(zone.substr(0, zone.size() - 1))) {
      return kWrong;
    }
    result.zone = std::string(zone.substr(0, zone.size() - 1));
  }
  at = std::move(result);
  return {};
}

std::string number_text(double number) {
  constexpr double kPlainUpTo = 1e15;
  std::array<char, 40> buffer{};
  const bool plain = number == std::floor(number) && std::fabs(number) < kPlainUpTo;
  const auto end = plain ? std::to_chars(buffer.data(), buffer.data() + buffer.size(),
                                         static_cast<std::int64_t>(number))
                         : std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
  return {buffer.data(), end.ptr};
}

}  // namespace turnout::track
