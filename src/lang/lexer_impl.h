#pragma once

// The inside of the lexer; included by lexer.cc and lex_foreign.cc only.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "lang/codes.h"
#include "lang/lexer.h"
#include "lang/words.h"

namespace turnout::lang {

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_word(char c) { return is_letter(c) || is_digit(c); }
inline bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}
inline bool is_beyond_ascii(char c) { return static_cast<unsigned char>(c) >= 0x80; }

// Reads one file from front to back. Positions only move forward, so line and column cost nothing
// extra.
class Lexer {
 public:
  Lexer(std::string_view text, Blocks blocks) : text_(text), blocks_(blocks) {}

  Tokens run();

 private:
  // --- The language's own forms (lexer.cc)
  char at(std::size_t i) const { return i < text_.size() ? text_[i] : '\0'; }
  bool starts(std::string_view what, std::size_t i) const {
    return i < text_.size() && text_.substr(i).starts_with(what);
  }
  std::string_view slice(std::size_t begin, std::size_t end) const {
    return text_.substr(begin, end - begin);
  }
  std::size_t line_end(std::size_t i) const { return std::min(text_.find('\n', i), text_.size()); }
  std::size_t digits(std::size_t i) const {
    while (is_digit(at(i))) {
      ++i;
    }
    return i;
  }
  std::size_t blanks(std::size_t i) const {
    while (at(i) == ' ' || at(i) == '\t') {
      ++i;
    }
    return i;
  }
  std::size_t word_end(std::size_t i) const {
    while (is_word(at(i)) || (at(i) == '.' && is_letter(at(i + 1)))) {
      ++i;
    }
    return i;
  }
  // The token that is `back` before the one to come, when it stands on the same line.
  const Token* previous(std::size_t back = 1) const;
  bool previous_is(std::string_view word, std::size_t back = 1) const;

  void skip_to(std::size_t end);
  track::Span span_to(std::size_t end) const {
    return {line_, column_, static_cast<std::uint32_t>(pos_), static_cast<std::uint32_t>(end)};
  }
  Token& emit(TokenKind kind, std::size_t end);
  void emit_text(TokenKind kind, std::size_t end, std::string value);
  void report(CodeId code, std::size_t end, std::string message, std::string hint = {});

  void comment();
  void word();
  void backquoted();
  void string();
  void open_string(std::size_t end, std::string value);
  void raw_block();
  bool is_doubtful(std::size_t begin, std::size_t close) const;
  std::size_t escape(std::size_t i, std::string& value);
  bool date();
  bool time();
  void number();
  void zone();
  void token();

  // --- What other languages and programs write (lex_foreign.cc)
  bool foreign();
  std::string_view near(std::size_t begin) const;
  bool foreign_letter(std::size_t i) const;
  bool foreign_line();
  bool foreign_comment();
  bool foreign_regex();
  bool foreign_merge_field();
  bool foreign_word();
  bool contraction(std::size_t end);
  bool foreign_zone();
  bool foreign_number();
  bool foreign_date();
  bool foreign_time();
  bool hard_space();
  bool foreign_quotes();
  std::size_t closing_quote(std::size_t begin, std::string_view open, std::size_t& size) const;
  std::string date_hint(std::size_t end) const;
  bool text_stands_here() const;
  void symbol();
  void strange();

  std::string_view text_;
  const Blocks blocks_;
  std::size_t pos_ = 0;
  std::uint32_t line_ = 1;
  std::uint32_t column_ = 1;
  std::uint32_t line_of_hard_space_ = 0;
  bool line_has_token_ = false;
  int bad_escapes_ = 0;             // in the string being read
  bool no_block_closes_ = false;    // known: nothing behind here ends a block
  bool no_comment_closes_ = false;  // likewise a comment of C
  Tokens out_;
};

}  // namespace turnout::lang
