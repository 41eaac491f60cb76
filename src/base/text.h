#pragma once

// Small things done to text in several rooms.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace turnout::base {

// Position of the first byte that is not part of well-formed UTF-8 (Unicode 15, table 3-7), or
// npos.
std::size_t first_invalid_utf8(std::string_view text);

// Number of code points of well-formed UTF-8.
std::size_t count_code_points(std::string_view text);

// The candidate closest to `word` by Damerau–Levenshtein distance without regard to ASCII case, if
// it is close enough to be meant (distance at most a third of the longer length, at least 1
// allowed); empty otherwise.
std::string_view closest(std::string_view word, std::span<const std::string> candidates);

std::string to_lower_ascii(std::string_view text);
bool equals_ignoring_case(std::string_view a, std::string_view b);

// "1,234,567".
std::string with_thousands(long long number);

}  // namespace turnout::base
