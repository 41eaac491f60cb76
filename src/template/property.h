#pragma once

// Properties of items, which filters take as texts: "price", "shop.name", "lines[0].price". Pure.

#include <string_view>
#include <vector>

#include "template/value.h"

namespace turnout::tmpl {

// The keys of a text that is names joined by dots.
std::vector<Value> dotted_property(std::string_view text);
// With brackets as well, with a number or a quoted text in them. What cannot be read ends it.
std::vector<Value> property_path(std::string_view text);

// The value to which the keys lead from `item`, or a missing one.
Value property_of(const Value& item, const std::vector<Value>& keys);

}  // namespace turnout::tmpl
