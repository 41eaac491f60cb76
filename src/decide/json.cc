#include "decide/json.h"

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace turnout::decide {
namespace {

constexpr double kMaxExact = 9007199254740992.0;  // 2^53

// Whether one of eight bytes is a quote, a backslash or below a space (Mycroft's test; it may also
// say yes for a byte beside such a one, never no).
bool needs_escape(std::uint64_t bytes) {
  constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
  constexpr std::uint64_t kHighs = 0x8080808080808080ULL;
  const auto has_zero = [](std::uint64_t x) { return (x - kOnes) & ~x & kHighs; };
  const std::uint64_t low = (bytes - kOnes * 0x20) & ~bytes & kHighs;
  return (low | has_zero(bytes ^ (kOnes * '"')) | has_zero(bytes ^ (kOnes * '\\'))) != 0;
}

bool needs_escape(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; }

bool plain(std::string_view text) {
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, text.data() + i, 8);
    if (needs_escape(bytes)) {
      return false;
    }
  }
  for (; i < text.size(); ++i) {
    if (needs_escape(text[i])) {
      return false;
    }
  }
  return true;
}

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\r':
      out += "\\r";
      return;
    default:
      break;
  }
  constexpr const char* kHex = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  out += "\\u00";
  out += kHex[byte >> 4];
  out += kHex[byte & 15];
}

char* put_two(char* at, unsigned number) {
  *at++ = static_cast<char>('0' + number / 10);
  *at++ = static_cast<char>('0' + number % 10);
  return at;
}

// "2026-12-01" for years 0 to 9999.
char* put_day(char* at, const std::chrono::year_month_day& ymd) {
  const auto year = static_cast<unsigned>(static_cast<int>(ymd.year()));
  at = put_two(put_two(at, year / 100), year % 100);
  *at++ = '-';
  at = put_two(at, static_cast<unsigned>(ymd.month()));
  *at++ = '-';
  return put_two(at, static_cast<unsigned>(ymd.day()));
}

constexpr std::int64_t kFirstDay = -719'528;  // 0000-01-01
constexpr std::int64_t kLastDay = 2'932'896;  // 9999-12-31

}  // namespace

void append_json_text(std::string& out, std::string_view text) {
  out += '"';
  if (plain(text)) {
    out += text;
  } else {
    for (const char c : text) {
      if (needs_escape(c)) {
        append_escaped(out, c);
      } else {
        out += c;
      }
    }
  }
  out += '"';
}

void append_integer(std::string& out, std::int64_t number) {
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
  out.append(buffer, end);
}

void append_json_number(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  if (std::fabs(number) < kMaxExact && number == std::trunc(number)) {
    append_integer(out, static_cast<std::int64_t>(number));
    return;
  }
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
  out.append(buffer, end);
}

void append_json_instant(std::string& out, base::Instant at) {
  const std::int64_t day = at.us / base::kUsPerDay - (at.us % base::kUsPerDay < 0 ? 1 : 0);
  if (day < kFirstDay || day > kLastDay) {
    append_json_text(out, base::format_instant(at));
    return;
  }
  const std::int64_t rest = at.us - day * base::kUsPerDay;
  const auto second = static_cast<unsigned>(rest / base::kUsPerSecond);
  char buffer[40];
  char* end = buffer;
  *end++ = '"';
  end = put_day(end, std::chrono::sys_days{std::chrono::days{day}});
  *end++ = 'T';
  end = put_two(end, second / 3600);
  *end++ = ':';
  end = put_two(end, second / 60 % 60);
  *end++ = ':';
  end = put_two(end, second % 60);
  if (const auto fraction = static_cast<unsigned>(rest % base::kUsPerSecond); fraction != 0) {
    *end++ = '.';
    end = put_two(put_two(put_two(end, fraction / 10'000), fraction / 100 % 100), fraction % 100);
  }
  *end++ = 'Z';
  *end++ = '"';
  out.append(buffer, end);
}

void append_json_date(std::string& out, base::Date date) {
  if (date.days < kFirstDay || date.days > kLastDay) {
    append_json_text(out, base::format_date(date));
    return;
  }
  char buffer[16];
  char* end = buffer;
  *end++ = '"';
  end = put_day(end, std::chrono::sys_days{std::chrono::days{date.days}});
  *end++ = '"';
  out.append(buffer, end);
}

}  // namespace turnout::decide
