#pragma once

// Values from one type to another, and from and to JSON.

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "decide/zone.h"
#include "track/value.h"

namespace turnout::decide {

// `value` as a field of type `type` holds it, or Missing where it cannot: text that is exactly a
// number, true, false or an ISO 8601 time counts as such, a point in time as its local day, a day
// as its start, and everything as its text.
track::Value convert(const track::Value& value, track::Type type, const Zone& zone);

// The value as JSON, at the end of `out`; times as ISO 8601 text, null for Missing.
void append_value(std::string& out, const track::Value& value);
nlohmann::json json_of(const track::Value& value);
// The other way round: null is Missing, and a list or an object is its JSON as text.
track::Value value_in(const nlohmann::json& json);

// `before` plus (sign 1) or minus (sign -1) `by`: a missing number counts as 0. Missing where one
// of them is no number, or the sum is none.
track::Value added(const track::Value& before, const track::Value& by, int sign, const Zone& zone);
// A time moved by a duration: a point by all of it, a day by its months and days. Missing where
// `before` is no time.
track::Value moved_time(const track::Value& before, const CalendarDuration& by, int sign,
                        const Zone& zone);

}  // namespace turnout::decide
