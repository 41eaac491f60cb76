#include "store/sql/connection.h"

#include "base/check.h"
#include "track/block.h"

namespace turnout::store::sql {

SqlValue to_sql(const track::Value& value) {
  return std::visit(
      [](const auto& v) -> SqlValue {
        if constexpr (std::is_same_v<std::decay_t<decltype(v)>, track::Missing>) {
          return Null{};
        } else {
          return v;
        }
      },
      value);
}

namespace {

std::int64_t as_integer(const SqlValue& value) {
  if (const auto* i = std::get_if<std::int64_t>(&value)) {
    return *i;
  }
  if (const auto* b = std::get_if<bool>(&value)) {
    return *b ? 1 : 0;
  }
  if (const auto* at = std::get_if<base::Instant>(&value)) {
    return at->us;
  }
  if (const auto* date = std::get_if<base::Date>(&value)) {
    return date->days;
  }
  // SQLite gives a number that is whole in a REAL column as a double.
  const auto* d = std::get_if<double>(&value);
  CHECK(d != nullptr);
  return static_cast<std::int64_t>(*d);
}

}  // namespace

track::Value from_sql(const SqlValue& value, track::Type type) {
  if (std::holds_alternative<Null>(value)) {
    return track::Missing{};
  }
  switch (type) {
    case track::Type::kText: {
      const auto* text = std::get_if<std::string>(&value);
      CHECK(text != nullptr);
      return *text;
    }
    case track::Type::kNumber: {
      const auto* d = std::get_if<double>(&value);
      return d != nullptr ? *d : static_cast<double>(as_integer(value));
    }
    case track::Type::kBoolean:
      return as_integer(value) != 0;
    case track::Type::kTimestamp:
      return base::Instant{as_integer(value)};
    case track::Type::kDate:
      return base::Date{static_cast<std::int32_t>(as_integer(value))};
    case track::Type::kUntyped:
      break;
  }
  CHECK(type != track::Type::kUntyped);
  return track::Missing{};
}

bool Rows::is_null(std::size_t row, std::size_t column) const {
  return std::holds_alternative<Null>(at(row, column));
}

std::int64_t Rows::integer(std::size_t row, std::size_t column, std::int64_t otherwise) const {
  return is_null(row, column) ? otherwise : as_integer(at(row, column));
}

std::int32_t Rows::integer32(std::size_t row, std::size_t column) const {
  return static_cast<std::int32_t>(integer(row, column));
}

double Rows::number(std::size_t row, std::size_t column) const {
  const auto* d = std::get_if<double>(&at(row, column));
  return d != nullptr ? *d : static_cast<double>(as_integer(at(row, column)));
}

bool Rows::boolean(std::size_t row, std::size_t column) const { return integer(row, column) != 0; }

const std::string& Rows::text(std::size_t row, std::size_t column) const {
  static const std::string kEmpty;
  if (is_null(row, column)) {
    return kEmpty;
  }
  const auto* text = std::get_if<std::string>(&at(row, column));
  CHECK(text != nullptr);
  return *text;
}

base::Instant Rows::instant(std::size_t row, std::size_t column) const {
  return is_null(row, column) ? track::kNever : base::Instant{as_integer(at(row, column))};
}

}  // namespace turnout::store::sql
