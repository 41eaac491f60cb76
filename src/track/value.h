#pragma once

// The values of the track language and of contacts' fields.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/time.h"

namespace turnout::track {

// The declared type of a field. kUntyped is for event.*, row.* and entry.*, which take the type of
// the other side.
enum class Type : std::uint8_t { kText, kNumber, kBoolean, kTimestamp, kDate, kUntyped };

// "text", "number", "boolean", "timestamp", "date", "untyped".
const char* type_name(Type type);
// The declared type with that name; "untyped" is none.
std::optional<Type> type_named(std::string_view name);

// Whether values of the type are points or days on the calendar.
constexpr bool is_time(Type type) { return type == Type::kTimestamp || type == Type::kDate; }

struct Missing {
  friend constexpr bool operator==(Missing, Missing) = default;
};

// A value as stored or computed. A number is an IEEE double; integers are exact to 2^53.
using Value = std::variant<Missing, bool, double, std::string, base::Instant, base::Date>;

}  // namespace turnout::track
