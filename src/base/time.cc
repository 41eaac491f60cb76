#include "base/time.h"

#include <ctime>

#include <fmt/format.h>

namespace turnout::base {
namespace {

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

// Reads `count` digits at `pos`, moving it on; -1 when there are not that many.
int digits(std::string_view text, std::size_t& pos, std::size_t count) {
  if (pos + count > text.size()) {
    return -1;
  }
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const char c = text[pos + i];
    if (c < '0' || c > '9') {
      return -1;
    }
    value = value * 10 + (c - '0');
  }
  pos += count;
  return value;
}

bool take(std::string_view text, std::size_t& pos, char c) {
  if (pos < text.size() && text[pos] == c) {
    ++pos;
    return true;
  }
  return false;
}

auto bad(std::string_view text, const char* wanted) {
  return fail(ErrorCode::kInvalid, fmt::format("\"{}\" is not {}", text, wanted));
}

}  // namespace

Tick boot_now() {
  timespec ts{};
  clock_gettime(CLOCK_BOOTTIME, &ts);
  return {static_cast<std::int64_t>(ts.tv_sec) * kUsPerSecond + ts.tv_nsec / 1000};
}

std::string format_date(Date date) {
  const std::chrono::year_month_day ymd{std::chrono::sys_days{std::chrono::days{date.days}}};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(ymd.year()),
                     static_cast<unsigned>(ymd.month()), static_cast<unsigned>(ymd.day()));
}

std::string format_instant(Instant at) {
  const std::int64_t day = floor_div(at.us, kUsPerDay);
  const std::int64_t rest = at.us - day * kUsPerDay;
  const std::int64_t second = rest / kUsPerSecond;
  std::string text =
      fmt::format("{}T{:02}:{:02}:{:02}", format_date({static_cast<std::int32_t>(day)}),
                  second / 3600, second / 60 % 60, second % 60);
  if (const std::int64_t fraction = rest % kUsPerSecond; fraction != 0) {
    text += fmt::format(".{:06}", fraction);
  }
  return text + "Z";
}

Result<Date> parse_date(std::string_view text) {
  std::size_t pos = 0;
  const int y = digits(text, pos, 4);
  const bool dash1 = take(text, pos, '-');
  const int m = digits(text, pos, 2);
  const bool dash2 = take(text, pos, '-');
  const int d = digits(text, pos, 2);
  if (y < 0 || !dash1 || m < 0 || !dash2 || d < 0 || pos != text.size()) {
    return bad(text, "a date such as 2026-12-01");
  }
  const std::chrono::year_month_day ymd{std::chrono::year(y),
                                        std::chrono::month(static_cast<unsigned>(m)),
                                        std::chrono::day(static_cast<unsigned>(d))};
  if (!ymd.ok()) {
    return bad(text, "a day that exists");
  }
  return Date{static_cast<std::int32_t>(std::chrono::sys_days(ymd).time_since_epoch().count())};
}

Result<Instant> parse_instant(std::string_view text) {
  constexpr const char* kWanted = "a time such as 2026-12-01T09:00:00Z";
  if (text.size() < 16) {
    return bad(text, kWanted);
  }
  TRY(const Date date, parse_date(text.substr(0, 10)));
  std::size_t pos = 10;
  if (!take(text, pos, 'T') && !take(text, pos, 't') && !take(text, pos, ' ')) {
    return bad(text, kWanted);
  }
  const int hour = digits(text, pos, 2);
  const bool colon = take(text, pos, ':');
  const int minute = digits(text, pos, 2);
  int second = 0;
  std::int64_t fraction = 0;
  if (take(text, pos, ':')) {
    second = digits(text, pos, 2);
    if (take(text, pos, '.')) {
      std::int64_t scale = kUsPerSecond / 10;
      const std::size_t from = pos;
      while (pos < text.size() && text[pos] >= '0' && text[pos] <= '9') {
        fraction += (text[pos] - '0') * scale;
        scale /= 10;
        ++pos;
      }
      if (pos == from) {
        return bad(text, kWanted);
      }
    }
  }
  if (!colon || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) {
    return bad(text, kWanted);
  }
  std::int64_t offset_minutes = 0;
  if (pos < text.size() && (text[pos] == '+' || text[pos] == '-')) {
    const int sign = text[pos++] == '-' ? -1 : 1;
    const int oh = digits(text, pos, 2);
    int om = 0;
    if (take(text, pos, ':') || pos < text.size()) {
      om = digits(text, pos, 2);
    }
    if (oh < 0 || oh > 23 || om < 0 || om > 59) {
      return bad(text, kWanted);
    }
    offset_minutes = sign * (oh * 60 + om);
  } else if (!take(text, pos, 'Z')) {
    take(text, pos, 'z');
  }
  if (pos != text.size()) {
    return bad(text, kWanted);
  }
  const std::int64_t seconds =
      date.days * 86'400LL + hour * 3600LL + minute * 60LL + second - offset_minutes * 60;
  return Instant{seconds * kUsPerSecond + fraction};
}

}  // namespace turnout::base
