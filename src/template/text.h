#pragma once

// Text as code points: what several filters and the parser need. Bytes that are no UTF-8 count as
// one code point each, U+FFFD. Pure.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace turnout::tmpl {

inline constexpr char32_t kReplacementCodePoint = 0xfffd;

struct CodePoint {
  char32_t value = 0;
  std::size_t bytes = 0;  // 1 and up
};

// The code point that begins at `at`, which is inside the text.
CodePoint code_point_at(std::string_view text, std::size_t at);
// The one that ends before `end`, which is over 0.
CodePoint code_point_before(std::string_view text, std::size_t end);
std::vector<char32_t> code_points(std::string_view text);
std::size_t count_points(std::string_view text);
// Where `count` code points after `from` end; the text's size if it has fewer.
std::size_t advance(std::string_view text, std::size_t from, std::size_t count);
void append_utf8(std::string& to, char32_t point);

// White space as JavaScript's \s has it (ECMA-262: WhiteSpace and LineTerminator).
bool is_space(char32_t point);
std::string_view trim_left(std::string_view text);
std::string_view trim_right(std::string_view text);
inline std::string_view trim(std::string_view text) { return trim_left(trim_right(text)); }
// Each run of white space becomes one blank.
std::string with_single_blanks(std::string_view text);

bool is_ascii_digit(char c);

// Upper and lower case of the Latin, Greek, Cyrillic, Armenian and full-width letters that have one
// counterpart (UnicodeData 15), and of ß; other scripts have no case or stay as they are. A Σ at
// the end of a word becomes ς.
std::string upper(std::string_view text);
std::string lower(std::string_view text);

// Whether it is a letter, a mark or a decimal digit, as far as the blocks of Unicode tell: outside
// ASCII everything is one but spaces, punctuation, symbols, emoji and private use.
bool is_letter_or_digit(char32_t point);

}  // namespace turnout::tmpl
