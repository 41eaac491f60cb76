#pragma once

// Numbers as text and back, by the rules that liquidjs inherits from JavaScript (ECMA-262,
// Number::toString and StringToNumber). Pure.

#include <optional>
#include <string>
#include <string_view>

namespace turnout::tmpl {

// The shortest digits that read back as the same number: 2, 0.1, -3.5, 1e+21, 1.5e-7, NaN,
// Infinity.
std::string number_text(double value);

// The number that a whole text says, white space around it aside: "", "3", "-3.5", "1e3", "0x1f",
// "Infinity". NaN when it says none.
double text_number(std::string_view text);

// value × 10^places, exact in decimal as long as the digits allow.
double shift_decimal(double value, int places);

// `value` cut to a count or a position: NaN is 0, the rest is held between -most and most.
std::ptrdiff_t whole(double value, std::ptrdiff_t most = std::ptrdiff_t{1} << 40);

}  // namespace turnout::tmpl
