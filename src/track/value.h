#pragma once

// The values of the track language and of contacts' fields.

#include <cstdint>
#include <string>
#include <variant>

#include "base/time.h"

namespace turnout::track {

// The declared type of a field. kUntyped is for event.*, row.* and entry.*, which take the type of
// the other side.
enum class Type : std::uint8_t { kText, kNumber, kBoolean, kTimestamp, kDate, kUntyped };

// "text", "number", "boolean", "timestamp", "date", "untyped".
const char* type_name(Type type);

struct Missing {
  friend constexpr bool operator==(Missing, Missing) = default;
};

// A value as stored or computed. A number is an IEEE double; integers are exact to 2^53.
using Value = std::variant<Missing, bool, double, std::string, base::Instant, base::Date>;

}  // namespace turnout::track
