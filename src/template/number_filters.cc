// Filters for numbers. What is no number counts as 0.

#include <algorithm>
#include <cmath>
#include <limits>

#include "template/convert.h"
#include "template/filters.h"
#include "template/number.h"

namespace turnout::tmpl {
namespace {

using base::Result;

constexpr double kMaxExact = 9'007'199'254'740'991;  // 2^53 - 1

double round_to(double value, double places) {
  const int digits = static_cast<int>(whole(places, 400));
  const double scaled = shift_decimal(std::abs(value), digits);
  if (!(scaled <= kMaxExact)) {
    return value;  // has no digits to round away
  }
  const double rounded = shift_decimal(std::floor(scaled + 0.5), -digits);
  return value < 0 ? -rounded : rounded;
}

double modulo(double value, double by) { return std::fmod(std::fmod(value, by) + by, by); }

double larger(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? a + b : std::max(a, b);
}
double smaller(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? a + b : std::min(a, b);
}

template <double (*kOf)(double)>
Result<Value> unary(const Value& input, const Arguments& /*arguments*/, Surroundings& s) {
  TRY(const double value, number_of(input, s.budget));
  return Value::number(kOf(value));
}

template <double (*kOf)(double, double)>
Result<Value> binary(const Value& input, const Arguments& arguments, Surroundings& s) {
  TRY(const double left, number_of(input, s.budget));
  TRY(const double right, number_of(arguments[0], s.budget));
  return Value::number(kOf(left, right));
}

Result<Value> divided_by(const Value& input, const Arguments& arguments, Surroundings& s) {
  TRY(const double left, number_of(input, s.budget));
  TRY(const double right, number_of(arguments[0], s.budget));
  TRY(const double to_whole, number_of(arguments[1], s.budget));
  const double quotient = left / right;
  return Value::number(to_whole != 0 ? std::floor(quotient) : quotient);
}

constexpr FilterSpec kNumberFilters[] = {
    {"abs", 0, 0, unary<[](double x) { return std::abs(x); }>},
    {"ceil", 0, 0, unary<[](double x) { return std::ceil(x); }>},
    {"floor", 0, 0, unary<[](double x) { return std::floor(x); }>},
    {"round", 0, 1, binary<round_to>},
    {"at_least", 1, 1, binary<larger>},
    {"at_most", 1, 1, binary<smaller>},
    {"plus", 1, 1, binary<[](double x, double y) { return x + y; }>},
    {"minus", 1, 1, binary<[](double x, double y) { return x - y; }>},
    {"times", 1, 1, binary<[](double x, double y) { return x * y; }>},
    {"modulo", 1, 1, binary<modulo>},
    {"divided_by", 1, 2, divided_by},
};

}  // namespace

std::span<const FilterSpec> number_filters() { return kNumberFilters; }

}  // namespace turnout::tmpl
