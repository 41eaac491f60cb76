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

std::string Parser::found(std::size_t words) const {
  const Token& token = peek();
  const std::string text =
      shorten(text_.substr(token.span.begin, peek(words - 1).span.end - token.span.begin));
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
    stop_reading();  // nobody reads more of them
  }
}

// Whether the token that a statement begins with is reported already, or the one right behind it,
// which says more: `score += 5`.
bool Parser::reported_already() const {
  const Token& token = peek();
  const Token& behind = peek(1);
  return token.kind == TokenKind::kBad || token.told || token.broken ||
         ((token.kind == TokenKind::kWord || token.kind == TokenKind::kSymbol) &&
          behind.kind == TokenKind::kBad && !behind.first_on_line);
}

// Whether what stands here is reported already, or is so because of something on its line that is.
bool Parser::told() const {
  const Token& token = peek();
  const bool behind_broken = index_ > 0 && tokens_.tokens[index_ - 1].broken;
  if (token.first_on_line && index_ > 0) {
    return behind_broken;  // something is missing on the line before
  }
  if (token.kind == TokenKind::kBad || token.told || token.broken || behind_broken) {
    return true;
  }
  constexpr std::size_t kLookedAt = 100;
  for (std::size_t i = 1; i < kLookedAt && !peek(i).first_on_line; ++i) {
    if (peek(i).broken) {
      return true;  // quotation marks that do not pair, and turn text inside out
    }
    if (at(TokenKind::kEnd, i)) {
      break;
    }
  }
  return false;
}

std::string Parser::expected_here(const std::string& what) {
  const bool aside = what.find(", such as") != std::string::npos && !what.ends_with(',');
  return "expected " + what + (aside ? ", here" : " here");
}

// Something else stands where `expected` should. `words`: how many tokens it is.
void Parser::fail(CodeId code, const std::string& expected, std::string hint, std::size_t words) {
  if (panic_) {
    return;
  }
  const Token& token = peek();
  if (!told()) {
    const bool missing = token.first_on_line || token.kind == TokenKind::kEnd;
    std::string message = expected_here(expected);
    track::Span span = place(token);
    if (!missing || index_ == 0) {
      message += ", found " + found(words);
      span = span_of(words);
    }
    if (hint.empty()) {
      hint = hint_for_call();
    }
    add(diagnose(code, span, std::move(message), std::move(hint)));
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
    fail("expected-word", "the word `" + std::string(word) + "` of " + std::string(after_what),
         hint_for_word(word));
  }
}

// ---- What other languages write -----------------------------------------------------------------

const Habit* Parser::habit(Place place, std::size_t ahead) const {
  if (!at(TokenKind::kWord, ahead) || (ahead == 0 && peek().told)) {
    return nullptr;
  }
  const bool more = at(TokenKind::kWord, ahead + 1) && !peek(ahead + 1).first_on_line;
  return find_habit(place, source(peek(ahead)), more ? source(peek(ahead + 1)) : "");
}

std::string Parser::hint_for(Place place) const {
  const Habit* other = peek().first_on_line ? nullptr : habit(place);
  return other == nullptr ? "" : std::string(other->hint);
}

// What stands where the word should: a word too many before it, another one for it, or a symbol.
std::string Parser::hint_for_word(std::string_view word) const {
  if (peek().first_on_line) {
    return "";
  }
  std::string write = "write `" + std::string(word) + "`";
  if (at_symbol('=') || (at_symbol(':') && !peek(1).first_on_line)) {
    return write;
  }
  if (!at(TokenKind::kWord)) {
    return "";
  }
  const Habit* filler = at_word(word, 1) ? habit(Place::kFiller) : nullptr;
  if (filler != nullptr) {
    return std::string(filler->hint);
  }
  if (const Habit* other = find_habit(Place::kWord, word, source(peek()));
      other != nullptr && other->two_words()) {
    return std::string(other->hint);
  }
  const std::vector<std::string> words = {std::string(word)};
  constexpr std::size_t kShortest = 3;  // of two letters one is no likeness
  const bool near = word.size() >= kShortest && !is_reserved(source(peek())) &&
                    !base::closest(shorten(source(peek())), words).empty();
  return near ? "did you mean `" + std::string(word) + "`?" : "";
}

// At the bracket that other languages call functions with.
std::string Parser::hint_for_call() const {
  if (!at_symbol('(') || index_ == 0) {
    return "";
  }
  const Token& before = tokens_.tokens[index_ - 1];
  const std::string_view name = source(before);
  if (before.kind != TokenKind::kWord || before.span.end != peek().span.begin) {
    return "";
  }
  const std::size_t dot = name.rfind('.');
  const Habit* other =
      find_habit(Place::kCall, dot == std::string_view::npos ? name : name.substr(dot + 1));
  return other == nullptr ? "there are no functions" : std::string(other->hint);
}

// One or both words here belong to another language.
void Parser::fail_by(const Habit& other, CodeId code, const std::string& expected) {
  fail(code, expected, std::string(other.hint), other.two_words() ? 2 : 1);
}

// Something else stands where `expected` should, perhaps a word that people bring to this place.
void Parser::fail_at_place(Place place, CodeId code, const std::string& expected) {
  const Habit* other = peek().first_on_line ? nullptr : habit(place);
  if (other != nullptr) {
    fail_by(*other, code, expected);
  } else {
    fail(code, expected);
  }
}

// Passes over a mark that has no meaning here.
void Parser::needless(std::string message) {
  add(diagnose("needless-mark", peek().span, std::move(message), "take it out"));
  next();
}

// At the first word of a statement: passes over the colon that YAML has behind it.
void Parser::colon_behind_word() {
  if (!at(TokenKind::kWord) || !at_symbol(':', 1) || at(TokenKind::kEnd, 2) ||
      peek(2).first_on_line) {
    return;
  }
  add(diagnose("needless-mark", peek(1).span,
               "no colon stands behind `" + base::to_lower_ascii(shorten(source(peek()))) + "`",
               "take it out"));
  tokens_.tokens[index_ + 1] = tokens_.tokens[index_];  // so the word is read from there
  next();
}

// Behind the name of a track or a step: the marks that other languages begin a block with.
void Parser::block_mark(std::string_view of) {
  if (at_symbol(':')) {
    needless("no colon stands behind the name of a " + std::string(of));
  } else if (at_symbol('{')) {
    needless("no braces stand around the parts of a " + std::string(of));
    ++open_braces_;
  }
}

// Passes over a brace whose opening one is reported already.
bool Parser::close_brace() {
  if (open_braces_ == 0 || !accept_symbol('}')) {
    return false;
  }
  --open_braces_;
  return true;
}

// The braces among the tokens that were passed over since `first`.
void Parser::count_braces(std::size_t first) {
  for (std::size_t i = first; i < index_; ++i) {
    const Token& token = tokens_.tokens[i];
    const bool symbol = token.kind == TokenKind::kSymbol;
    open_braces_ += symbol && token.count == '{' ? 1 : 0;
    open_braces_ -= symbol && token.count == '}' && open_braces_ > 0 ? 1 : 0;
  }
}

track::Span Parser::span_of(std::size_t words) const {
  track::Span span = peek().span;
  span.end = peek(words - 1).span.end;
  return span;
}

// At the head of another track: nothing is read from there on.
bool Parser::second_track(CodeId code) {
  const bool named = at(TokenKind::kString, 1) || at(TokenKind::kWord, 1);
  if (!at_word("track") || !peek().first_on_line || !named) {
    return false;
  }
  add(diagnose(code, peek().span, "a file holds one track", "put this one into a file of its own"));
  stop_reading();
  return true;
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
  stop_reading();
}

void Parser::stop_reading() {
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
  Tokens tokens = lex(clean);
  const bool doubtful = tokens.doubtful_block;
  Parsed parsed = Parser(clean, std::move(tokens)).run();
  if (doubtful && !parsed.ok()) {
    parsed = Parser(clean, lex(clean, Blocks::kDoubted)).run();
  }
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
