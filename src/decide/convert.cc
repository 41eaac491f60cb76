#include "decide/convert.h"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "decide/json.h"

namespace turnout::decide {
namespace {

using track::Missing;
using track::Type;
using track::Value;

Value number_in(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) {
    return Missing{};
  }
  return number;
}

Value instant_in(const std::string& text, const Zone& zone) {
  if (const auto at = base::parse_instant(text)) {
    return at.value();
  }
  if (const auto date = base::parse_date(text)) {
    return zone.start_of(date.value());
  }
  return Missing{};
}

Value date_in(const std::string& text, const Zone& zone) {
  if (const auto date = base::parse_date(text)) {
    return date.value();
  }
  if (const auto at = base::parse_instant(text)) {
    return zone.day_of(at.value());
  }
  return Missing{};
}

Value text_to(const std::string& text, Type type, const Zone& zone) {
  switch (type) {
    case Type::kNumber:
      return number_in(text);
    case Type::kBoolean:
      return text == "true" ? Value(true) : (text == "false" ? Value(false) : Value(Missing{}));
    case Type::kTimestamp:
      return instant_in(text, zone);
    case Type::kDate:
      return date_in(text, zone);
    default:
      return text;
  }
}

Type type_of(const Value& value) {
  constexpr Type kTypes[] = {Type::kUntyped, Type::kBoolean,   Type::kNumber,
                             Type::kText,    Type::kTimestamp, Type::kDate};
  return kTypes[value.index()];
}

}  // namespace

void append_value(std::string& out, const Value& value) {
  if (const auto* const text = std::get_if<std::string>(&value)) {
    append_json_text(out, *text);
  } else if (const auto* const number = std::get_if<double>(&value)) {
    append_json_number(out, *number);
  } else if (const auto* const boolean = std::get_if<bool>(&value)) {
    out += *boolean ? "true" : "false";
  } else if (const auto* const at = std::get_if<base::Instant>(&value)) {
    append_json_instant(out, *at);
  } else if (const auto* const date = std::get_if<base::Date>(&value)) {
    append_json_date(out, *date);
  } else {
    out += "null";
  }
}

Value convert(const Value& value, Type type, const Zone& zone) {
  const Type from = type_of(value);
  if (from == type || from == Type::kUntyped) {
    return value;
  }
  if (from == Type::kText) {
    return text_to(std::get<std::string>(value), type, zone);
  }
  if (from == Type::kTimestamp && type == Type::kDate) {
    return zone.day_of(std::get<base::Instant>(value));
  }
  if (from == Type::kDate && type == Type::kTimestamp) {
    return zone.start_of(std::get<base::Date>(value));
  }
  if (type != Type::kText) {
    return Missing{};
  }
  if (from == Type::kTimestamp) {
    return base::format_instant(std::get<base::Instant>(value));
  }
  if (from == Type::kDate) {
    return base::format_date(std::get<base::Date>(value));
  }
  std::string text;
  append_value(text, value);
  return text;
}

Value value_in(const nlohmann::json& json) {
  switch (json.type()) {
    case nlohmann::json::value_t::string:
      return json.get<std::string>();
    case nlohmann::json::value_t::boolean:
      return json.get<bool>();
    case nlohmann::json::value_t::number_integer:
    case nlohmann::json::value_t::number_unsigned:
    case nlohmann::json::value_t::number_float:
      return json.get<double>();
    case nlohmann::json::value_t::null:
      return Missing{};
    default:
      return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
}

nlohmann::json json_of(const Value& value) {
  if (const auto* const text = std::get_if<std::string>(&value)) {
    return *text;
  }
  if (const auto* const number = std::get_if<double>(&value)) {
    return *number;
  }
  if (const auto* const boolean = std::get_if<bool>(&value)) {
    return *boolean;
  }
  if (const auto* const at = std::get_if<base::Instant>(&value)) {
    return base::format_instant(*at);
  }
  if (const auto* const date = std::get_if<base::Date>(&value)) {
    return base::format_date(*date);
  }
  return nullptr;
}

Value added(const Value& before, const Value& by, int sign, const Zone& zone) {
  const Value start =
      std::holds_alternative<Missing>(before) ? Value(0.0) : convert(before, Type::kNumber, zone);
  const Value step = convert(by, Type::kNumber, zone);
  const auto* const a = std::get_if<double>(&start);
  const auto* const b = std::get_if<double>(&step);
  if (a == nullptr || b == nullptr || !std::isfinite(*a + sign * *b)) {
    return Missing{};
  }
  return *a + sign * *b;
}

Value moved_time(const Value& before, const CalendarDuration& by, int sign, const Zone& zone) {
  const auto* const day = std::get_if<base::Date>(&before);
  if (day == nullptr) {
    const Value at = convert(before, Type::kTimestamp, zone);
    const auto* const instant = std::get_if<base::Instant>(&at);
    return instant == nullptr ? Value(Missing{}) : Value(zone.add(*instant, by, sign));
  }
  // Hours of a day count only where they make whole days.
  const base::Date moved = shift(*day, by, sign);
  return base::Date{moved.days +
                    static_cast<std::int32_t>(sign * (by.exact.count() / base::kUsPerDay))};
}

}  // namespace turnout::decide
