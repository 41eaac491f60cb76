#pragma once

// The words of the language with what they mean, in one line each, for whoever points at one.

#include <span>
#include <string_view>

namespace turnout::edit {

struct Keyword {
  std::string_view word;
  std::string_view meaning;  // one line, with the language in backquotes
};

// Every word that has a meaning somewhere in the language, ordered.
std::span<const Keyword> keywords();

// Without regard to case; null when it has none.
const Keyword* find_keyword(std::string_view word);

}  // namespace turnout::edit
