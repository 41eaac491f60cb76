#pragma once

// Names of the JSON form that stand for no member of a struct, and the form of objects behind
// `with`; inside the JSON form only.

#include <string_view>

#include "track/track.h"

namespace turnout::track::json {

inline constexpr std::string_view kFormat = "format";   // the first member of the whole
inline constexpr std::string_view kSchema = "$schema";  // allowed beside it; means nothing here
// The only member of an object that stands for an operand …
inline constexpr std::string_view kField = "field";
inline constexpr std::string_view kDate = "date";
inline constexpr std::string_view kDateTime = "datetime";
inline constexpr std::string_view kNow = "now";      // true
inline constexpr std::string_view kToday = "today";  // true
// … for what `increase … by` takes beside operands …
inline constexpr std::string_view kDuration = "duration";
// … for an object in an object behind `with`.
inline constexpr std::string_view kObject = "object";

// Whether the members can be written as a JSON object that every program keeps as it is: no name
// stands twice, none is a whole number (JavaScript moves those to the front), and none is
// "__proto__".
bool is_plain(const Json::Object& object);

}  // namespace turnout::track::json
