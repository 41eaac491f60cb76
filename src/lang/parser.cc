#include "lang/parser.h"
#include "lang/codes.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "lang/parser_impl.h"
#include "lang/words.h"

namespace turnout::lang {

Parser::Parser(std::string_view text, Tokens tokens) : text_(text), tokens_(std::move(tokens)) {
  end_ = tokens_.tokens.back();
  out_.diagnostics = std::move(tokens_.diagnostics);
}

// ---- Tokens -------------------------------------------------------------------------------------

const Token& Parser::peek(std::size_t ahead) const {
  const std::size_t i = index_ + ahead;
  return panic_ || i >= tokens_.tokens.size() ? end_ : tokens_.tokens[i];
}

std::string_view Parser::source(const Token& token) const {
  return text_.substr(token.span.begin, token.span.end - token.span.begin);
}

bool Parser::at_word(std::string_view word, std::size_t ahead) const {
  const Token& token = peek(ahead);
  return token.kind == TokenKind::kWord && base::equals_ignoring_case(source(token), word);
}

bool Parser::at_any(std::initializer_list<std::string_view> words, std::size_t ahead) const {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return at_word(word, ahead); });
}

bool Parser::at_symbol(char symbol, std::size_t ahead) const {
  const Token& token = peek(ahead);
  return token.kind == TokenKind::kSymbol && token.count == symbol;
}

bool Parser::accept(std::string_view word) {
  if (!at_word(word)) {
    return false;
  }
  ++index_;
  return true;
}

bool Parser::accept_symbol(char symbol) {
  if (!at_symbol(symbol)) {
    return false;
  }
  ++index_;
  return true;
}

void Parser::next() {
  if (!panic_ && index_ + 1 < tokens_.tokens.size()) {
    ++index_;
  }
}

// The empty place right behind a token.
track::Span Parser::end_of(const Token& token) const {
  const std::string_view text = source(token);
  track::Span span = token.span;
  span.begin = span.end;
  const std::size_t last_break = text.rfind('\n');
  if (last_break == std::string_view::npos) {
    span.column += static_cast<std::uint32_t>(base::count_code_points(text));
  } else {
    span.line += static_cast<std::uint32_t>(std::count(text.begin(), text.end(), '\n'));
    span.column =
        static_cast<std::uint32_t>(base::count_code_points(text.substr(last_break + 1))) + 1;
  }
  return span;
}

track::Span Parser::behind_previous() const {
  return index_ == 0 ? tokens_.tokens[0].span : end_of(tokens_.tokens[index_ - 1]);
}

// Where a mistake about `token` is shown: what is missing at the end of a line is missing there,
// not on the next one.
track::Span Parser::place(const Token& token) const {
  const bool elsewhere = token.first_on_line || token.kind == TokenKind::kEnd;
  return elsewhere && index_ > 0 ? behind_previous() : token.span;
}

// From the token `first` to the last one read.
track::Span Parser::span_from(std::size_t first) const {
  track::Span span = tokens_.tokens[first].span;
  if (index_ > first) {
    span.end = tokens_.tokens[index_ - 1].span.end;
  }
  return span;
}

// ---- Mistakes -----------------------------------------------------------------------------------

std::string Parser::found() const {
  const Token& token = peek();
  const std::string text = shorten(source(token));
  switch (token.kind) {
    case TokenKind::kEnd:
      return "the end of the file";
    case TokenKind::kString:
      return "the text " +
             (text.starts_with("\"\"\"") ? "\"" + shorten(tokens_.texts[token.text]) + "\"" : text);
    case TokenKind::kQuoted:
      return "the field " + text;
    case TokenKind::kNumber:
      return "the number " + text;
    case TokenKind::kPercent:
      return "the percentage " + text;
    case TokenKind::kDate:
      return "the date " + text;
    case TokenKind::kTime:
      return "the time " + text;
    case TokenKind::kZone:
      return "the time zone " + text;
    default:
      return "\"" + text + "\"";
  }
}

void Parser::add(Diagnostic diagnostic) {
  if (full_) {
    return;
  }
  out_.diagnostics.push_back(std::move(diagnostic));
  if (out_.diagnostics.size() > kMaxDiagnostics) {
    full_ = true;  // nobody reads more of them
    index_ = tokens_.tokens.size() - 1;
  }
}

// Something else stands where `expected` should.
void Parser::fail(CodeId code, std::string expected, std::string hint) {
  if (panic_) {
    return;
  }
  const Token& token = peek();
  if (token.kind != TokenKind::kBad) {
    const bool missing = token.first_on_line || token.kind == TokenKind::kEnd;
    const bool aside = expected.find(", such as") != std::string::npos && !expected.ends_with(',');
    std::string message = "expected " + std::move(expected) + (aside ? ", here" : " here");
    if (!missing || index_ == 0) {
      message += ", found " + found();
    }
    add(diagnose(code, place(token), std::move(message), std::move(hint)));
  }
  panic_ = true;
}

void Parser::fail_at(track::Span span, CodeId code, std::string message, std::string hint) {
  if (panic_) {
    return;
  }
  add(diagnose(code, span, std::move(message), std::move(hint)));
  panic_ = true;
}

void Parser::expect(std::string_view word, std::string_view after_what) {
  if (!accept(word)) {
    fail("expected-word", "the word `" + std::string(word) + "` of " + std::string(after_what));
  }
}

// Whether a statement begins at `index`. Line ends and indentation mean nothing to the language,
// but here they tell the next statement, however misspelt, from the rest of the broken one: it
// stands no deeper than `column`.
bool Parser::boundary(Context context, std::size_t index, std::uint32_t column) const {
  const Token& token = tokens_.tokens[index];
  if (token.kind == TokenKind::kEnd) {
    return true;
  }
  const bool outside = token.first_on_line && token.span.column <= column;
  if (token.kind != TokenKind::kWord) {
    return outside && token.kind != TokenKind::kSymbol && token.kind != TokenKind::kBad;
  }
  if (outside) {
    return true;
  }
  const std::string word = base::to_lower_ascii(shorten(source(token)));
  const auto is_one_of = [&word](std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  const Token& after = tokens_.tokens[index + 1];
  if (is_one_of({"step", "test"}) && (token.first_on_line || after.kind == TokenKind::kString)) {
    const Token& third = tokens_.tokens[std::min(index + 2, tokens_.tokens.size() - 1)];
    const bool named = after.kind == TokenKind::kString || after.kind == TokenKind::kWord;
    return named &&
           (token.first_on_line || (third.kind == TokenKind::kWord && !third.first_on_line));
  }
  if (!token.first_on_line) {
    return context == Context::kStep && is_one_of({"otherwise"});
  }
  if (is_one_of({"gather", "enter", "leave", "hold", "quiet", "about", "time"})) {
    return true;
  }
  switch (context) {
    case Context::kClauses:
      return is_one_of({"send"});
    case Context::kStep:
      return is_one_of({"when",  "on",       "after",    "once", "every",  "for",    "otherwise",
                        "look",  "check",    "send",     "call", "show",   "run",    "set",
                        "clear", "increase", "decrease", "add",  "remove", "record", "put",
                        "take",  "go",       "stop",     "stay"});
    case Context::kTest:
      return is_one_of({"given", "event", "after", "expect"});
  }
  return true;
}

// Goes on at the next statement. `first` is the token the broken one began with: at least that one
// is passed over.
void Parser::recover(Context context, std::size_t first) {
  if (!panic_) {
    return;
  }
  panic_ = false;
  depth_ = 0;
  if (index_ == first) {
    next();
  }
  const std::uint32_t column = tokens_.tokens[first].span.column;
  while (!boundary(context, index_, column)) {
    next();
  }
}

// Goes on behind the colon of a rule's broken head when it stands on the same line, else at the
// next statement.
void Parser::recover_head(std::size_t first) {
  panic_ = false;
  depth_ = 0;
  if (index_ == first) {
    next();
  }
  const std::uint32_t column = tokens_.tokens[first].span.column;
  while (!boundary(Context::kStep, index_, column)) {
    if (at_symbol(':')) {
      next();
      return;
    }
    next();
  }
}

bool Parser::line_ends_with_colon() const {
  constexpr std::size_t kLongestHead = 1'000;
  std::size_t i = 0;
  while (i < kLongestHead && !at(TokenKind::kEnd, i + 1) && !peek(i + 1).first_on_line) {
    ++i;
  }
  return at_symbol(':', i);
}

// A limit was passed: says so, and reads nothing more.
void Parser::too_many(std::string_view what, std::size_t limit) {
  add(diagnose("too-many", peek().span,
               "more than " + base::with_thousands(static_cast<long long>(limit)) + " " +
                   std::string(what) + " are too many",
               "nothing is read from here on"));
  full_ = true;
  index_ = tokens_.tokens.size() - 1;
}

// Gives the statement that began with the token `first` and ends before the current one its
// comments.
void Parser::attach(track::Comments& comments, std::size_t first) {
  while (next_comment_ < tokens_.comments.size()) {
    Comment& comment = tokens_.comments[next_comment_];
    if (comment.before <= first || comment.before < index_) {
      comments.before.push_back(std::move(comment.text));
    } else if (comment.before == index_ && !comment.own_line && !panic_) {
      comments.behind = std::move(comment.text);
      ++next_comment_;
      return;
    } else {
      return;
    }
    ++next_comment_;
  }
}

// ---- The file -----------------------------------------------------------------------------------

Parsed Parser::run() {
  track_head();
  while (!at(TokenKind::kEnd)) {
    if (at_part()) {
      at_word("test") ? test_case() : step();
    } else if (at_clause()) {
      clause();
    } else {
      unknown_clause();
    }
  }
  for (; next_comment_ < tokens_.comments.size(); ++next_comment_) {
    out_.track.comments_after.push_back(std::move(tokens_.comments[next_comment_].text));
  }
  return std::move(out_);
}

namespace {

// Replaces what is not UTF-8, and zero bytes, byte by byte, so that places stay what they are. One
// report per line.
std::string cleaned(std::string_view text, std::vector<Diagnostic>& diagnostics) {
  std::string clean(text);
  std::size_t begin = 0;
  track::Span at{1, 1, 0, 0};
  std::size_t line_begin = 0;
  std::uint32_t reported = 0;
  std::size_t zero = text.find('\0');
  std::size_t broken = base::first_invalid_utf8(text);
  while (zero != std::string::npos || broken != std::string::npos) {
    const std::size_t bad = std::min(zero, broken);
    clean[bad] = '?';
    for (; begin < bad; ++begin) {
      if (text[begin] == '\n') {
        ++at.line;
        line_begin = begin + 1;
      }
    }
    if (at.line != reported && diagnostics.size() < kMaxDiagnostics) {
      reported = at.line;
      at.begin = static_cast<std::uint32_t>(bad);
      at.end = at.begin + 1;
      const std::string_view before = std::string_view(clean).substr(line_begin, bad - line_begin);
      at.column = static_cast<std::uint32_t>(base::count_code_points(before)) + 1;
      diagnostics.push_back(
          diagnose("invalid-utf8", at,
                   text[bad] == '\0' ? "a zero byte stands here" : "this byte is not part of UTF-8",
                   "save the file as UTF-8 text"));
    }
    if (bad == zero) {
      zero = text.find('\0', bad + 1);
    } else {
      const std::size_t next = base::first_invalid_utf8(text.substr(bad + 1));
      broken = next == std::string::npos ? next : next + bad + 1;
    }
  }
  return clean;
}

}  // namespace

Parsed parse(std::string_view text) {
  std::vector<Diagnostic> diagnostics;
  if (text.size() > kMaxTextBytes) {
    diagnostics.push_back(
        diagnose("text-too-long", {1, 1, 0, 0},
                 "the file has " + base::with_thousands(static_cast<long long>(text.size())) +
                     " bytes; at most " + base::with_thousands(kMaxTextBytes) + " are read",
                 "make several tracks of it"));
    return {{}, std::move(diagnostics)};
  }
  const std::string clean = cleaned(text, diagnostics);
  Parsed parsed = Parser(clean, lex(clean)).run();
  diagnostics.insert(diagnostics.end(), std::make_move_iterator(parsed.diagnostics.begin()),
                     std::make_move_iterator(parsed.diagnostics.end()));
  sort_by_place(diagnostics);
  if (diagnostics.size() > kMaxDiagnostics) {
    const track::Span last = diagnostics[kMaxDiagnostics].span;
    diagnostics.resize(kMaxDiagnostics);
    diagnostics.push_back(diagnose("too-many-mistakes", last,
                                   "there are more mistakes from here on; the first " +
                                       std::to_string(kMaxDiagnostics) + " are shown"));
  }
  parsed.diagnostics = std::move(diagnostics);
  return parsed;
}

}  // namespace turnout::lang
