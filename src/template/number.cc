#include "template/number.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "template/text.h"

namespace turnout::tmpl {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Digits {
  std::string digits;  // without a point
  int point = 0;       // how many of them stand before it
};

// Of a positive, finite number.
Digits shortest_digits(double value) {
  char buffer[64];
  const auto end =
      std::to_chars(std::begin(buffer), std::end(buffer), value, std::chars_format::scientific);
  const std::string_view text(buffer, static_cast<std::size_t>(end.ptr - buffer));
  const std::size_t e = text.find('e');
  Digits result;
  for (const char c : text.substr(0, e)) {
    if (c != '.') {
      result.digits += c;
    }
  }
  int exponent = 0;
  const std::size_t sign = text[e + 1] == '+' ? 1 : 0;  // from_chars takes no plus
  std::from_chars(text.data() + e + 1 + sign, text.data() + text.size(), exponent);
  result.point = exponent + 1;
  return result;
}

double with_radix(std::string_view digits, int radix) {
  double result = 0;
  for (const char c : digits) {
    int digit = radix;
    if (c >= '0' && c <= '9') {
      digit = c - '0';
    } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
      digit = (c | 0x20) - 'a' + 10;
    }
    if (digit >= radix) {
      return kNan;
    }
    result = result * radix + digit;
  }
  return digits.empty() ? kNan : result;
}

}  // namespace

std::string number_text(double value) {
  if (std::isnan(value)) {
    return "NaN";
  }
  if (value == 0) {
    return "0";
  }
  const std::string sign = value < 0 ? "-" : "";
  if (std::isinf(value)) {
    return sign + "Infinity";
  }
  Digits d = shortest_digits(std::abs(value));
  const int count = static_cast<int>(d.digits.size());
  if (d.point > 21 || d.point < -5) {
    const int exponent = d.point - 1;
    if (count > 1) {
      d.digits.insert(1, ".");
    }
    return sign + d.digits + (exponent < 0 ? "e-" : "e+") + std::to_string(std::abs(exponent));
  }
  if (d.point <= 0) {
    return sign + "0." + std::string(static_cast<std::size_t>(-d.point), '0') + d.digits;
  }
  if (count <= d.point) {
    return sign + d.digits + std::string(static_cast<std::size_t>(d.point - count), '0');
  }
  d.digits.insert(static_cast<std::size_t>(d.point), ".");
  return sign + d.digits;
}

double text_number(std::string_view text) {
  text = trim(text);
  if (text.empty()) {
    return 0;
  }
  if (text.size() > 2 && text[0] == '0') {
    switch (text[1] | 0x20) {
      case 'x':
        return with_radix(text.substr(2), 16);
      case 'o':
        return with_radix(text.substr(2), 8);
      case 'b':
        return with_radix(text.substr(2), 2);
      default:
        break;
    }
  }
  const bool negative = text.front() == '-';
  if (negative || text.front() == '+') {
    text.remove_prefix(1);
  }
  if (text == "Infinity") {
    return negative ? -kInfinity : kInfinity;
  }
  // Not the words "inf" and "nan", which from_chars would take.
  if (text.empty() || text.find_first_not_of("0123456789.eE+-") != std::string_view::npos ||
      text.front() == '-' || text.front() == '+') {
    return kNan;
  }
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec == std::errc::result_out_of_range) {
    // Too large for a double, or too small: the sign of the exponent tells.
    value = text.find("e-") != std::string_view::npos ||
                    text.find("E-") != std::string_view::npos || text.starts_with("0.")
                ? 0
                : kInfinity;
  } else if (read.ec != std::errc() || read.ptr != text.data() + text.size()) {
    return kNan;
  }
  return negative ? -value : value;
}

double shift_decimal(double value, int places) {
  if (value == 0 || !std::isfinite(value)) {
    return value;
  }
  Digits d = shortest_digits(std::abs(value));
  d.digits.insert(1, ".");
  const double result = text_number(d.digits + "e" + std::to_string(d.point - 1 + places));
  return value < 0 ? -result : result;
}

std::ptrdiff_t whole(double value, std::ptrdiff_t most) {
  if (std::isnan(value)) {
    return 0;
  }
  const auto limit = static_cast<double>(most);
  return static_cast<std::ptrdiff_t>(std::trunc(std::clamp(value, -limit, limit)));
}

}  // namespace turnout::tmpl
