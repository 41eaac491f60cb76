#pragma once

// Values as texts, numbers and JSON, and how they compare: the rules of liquidjs, which are mostly
// JavaScript's (ECMA-262); docs/templates.md says where ours differ. Pure.

#include <string>

#include "base/result.h"
#include "template/budget.h"
#include "template/value.h"

namespace turnout::tmpl {

// As it is written into the output: nil as nothing, the items of an array one after the other, an
// object as JSON.
base::Result<std::string> text_of(const Value& value, Budget& budget);
// As it is written by `join`: arrays inside with commas.
base::Result<std::string> joined_text_of(const Value& value, std::string_view between,
                                         Budget& budget);
// The number that it says; NaN if none.
base::Result<double> number_in(const Value& value, Budget& budget);
// The same with 0 for NaN: what the filters for numbers work with.
base::Result<double> number_of(const Value& value, Budget& budget);

// `indent`: what each level is moved in by; empty for one line.
base::Result<std::string> json_of(const Value& value, std::string_view indent, Budget& budget);

// ==. Objects are equal to themselves only; arrays when their items are.
base::Result<bool> equal(const Value& a, const Value& b, Budget& budget);

enum class Order { kNone, kLess, kEqual, kGreater };
// Texts by their bytes, everything else by the number that it says; kNone where nil, an array or an
// object takes part, or a text that says no number meets a number.
base::Result<Order> order(const Value& a, const Value& b, Budget& budget);

base::Result<bool> contains(const Value& whole, const Value& part, Budget& budget);

// The items that a filter goes through: an array's own; nil has none, anything else is one.
base::Result<Value::Items> items_of(const Value& value, Budget& budget);
// The items that a loop goes through: of an object its [name, value] pairs; numbers, booleans and
// empty texts have none.
base::Result<Value::Items> loop_items_of(const Value& value, Budget& budget);

// The same for values that `uniq` and `group_by` hold to be the same, and only for those.
std::string sameness(const Value& value);

// value[key], or a missing value: a member, an item (negative ones count from the end; the text "0"
// is a number too), or size, first and last.
Value member(const Value& value, const Value& key);

}  // namespace turnout::tmpl
