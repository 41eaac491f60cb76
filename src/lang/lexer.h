#pragma once

// Text to tokens. The tokens are plain data that refer to the text and to each other by offsets; a
// mistake of form (an open string, a date that does not exist) is reported here and yields a token
// that the parser can go on with.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lang/diagnostic.h"
#include "track/track.h"

namespace turnout::lang {

enum class TokenKind : std::uint8_t {
  kWord,     // a keyword or a field's name, with dots
  kQuoted,   // a field's name in backquotes
  kString,   // "…" or """…"""
  kNumber,   // `number`
  kPercent,  // `number`
  kDate,     // `count`: days since 1970
  kTime,     // `count`: seconds since midnight
  kZone,     // [Europe/Berlin] behind a time
  kSymbol,   // one of : , ( ) { } [ ] = != < <= > >=
  kBad,      // reported already; the parser stays silent about it
  kEnd,      // always the last token
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  bool first_on_line = false;
  bool broken = false;  // its quotation marks do not pair
  bool told = false;    // a mistake in it is reported, but its meaning is clear
  std::int32_t count = 0;
  std::uint32_t text = 0;  // kString, kZone, kQuoted: index into Tokens::texts
  track::Span span;
  double number = 0;
};

struct Comment {
  std::uint32_t before = 0;  // index of the token after it
  bool own_line = false;     // no token stands before it on its line
  std::string text;          // without "#", the one space behind it, and blanks at the end
};

struct Tokens {
  std::vector<Token> tokens;
  std::vector<std::string> texts;
  std::vector<Comment> comments;
  std::vector<Diagnostic> diagnostics;
  bool doubtful_block =
      false;  // a block holds steps, and the marks that end it look like opening ones
};

// Whether a block of text that looks as if its end was forgotten is read to where it is closed.
enum class Blocks { kAsClosed, kDoubted };

// Reads well-formed UTF-8 of at most kMaxTextBytes.
Tokens lex(std::string_view text, Blocks blocks = Blocks::kAsClosed);

// The value of the inside of a raw block: `\"""` stands for `"""`; line ends become "\n"; a line
// break right behind the opening marks is dropped, and so is one before the closing marks with the
// blanks between; spaces that all lines with text begin with are removed (not counting a line that
// begins right behind the opening marks); lines of blanks become empty.
std::string raw_value(std::string_view inside);

}  // namespace turnout::lang
