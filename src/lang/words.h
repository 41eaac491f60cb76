#pragma once

// The words of the language.

#include <span>
#include <string>
#include <string_view>

#include "track/leaves.h"

namespace turnout::lang {

// Whether a keyword or a name may begin with it: ASCII letters and "_".
constexpr bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

// Whether the word, without regard to case, cannot be a field name unless it stands in backquotes.
bool is_reserved(std::string_view word);

// All of them, in lower case, ordered.
std::span<const std::string_view> reserved_words();

using track::is_field_name;

// Text from a file as a message can show it: one line, at most 60 code points, "?" for control
// characters and zero bytes.
std::string shorten(std::string_view text);

}  // namespace turnout::lang
