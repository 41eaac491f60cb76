#include "lang/lexer.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/text.h"
#include "base/time.h"
#include "lang/codes.h"
#include "lang/foreign.h"
#include "lang/lexer_impl.h"
#include "lang/parser.h"
#include "lang/words.h"

namespace turnout::lang {
namespace {

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0U | (code >> 6U));
    put(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    put(0xE0U | (code >> 12U));
    put(0x80U | ((code >> 6U) & 0x3FU));
    put(0x80U | (code & 0x3FU));
  } else {
    put(0xF0U | (code >> 18U));
    put(0x80U | ((code >> 12U) & 0x3FU));
    put(0x80U | ((code >> 6U) & 0x3FU));
    put(0x80U | (code & 0x3FU));
  }
}

}  // namespace

void Lexer::skip_to(std::size_t end) {
  for (; pos_ < end; ++pos_) {
    const char c = text_[pos_];
    if (c == '\n') {
      ++line_;
      column_ = 1;
      line_has_token_ = false;
    } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) {
      ++column_;
    }
  }
}

Token& Lexer::emit(TokenKind kind, std::size_t end) {
  Token token;
  token.kind = kind;
  token.first_on_line = !line_has_token_;
  token.span = span_to(end);
  out_.tokens.push_back(token);
  skip_to(end);
  line_has_token_ = true;
  return out_.tokens.back();
}

void Lexer::emit_text(TokenKind kind, std::size_t end, std::string value) {
  emit(kind, end).text = static_cast<std::uint32_t>(out_.texts.size());
  out_.texts.push_back(std::move(value));
}

void Lexer::report(CodeId code, std::size_t end, std::string message, std::string hint) {
  if (out_.diagnostics.size() < kMaxDiagnostics) {
    out_.diagnostics.push_back(diagnose(code, span_to(end), std::move(message), std::move(hint)));
  }
}

const Token* Lexer::previous(std::size_t back) const {
  const std::size_t count = out_.tokens.size();
  if (!line_has_token_ || count < back) {
    return nullptr;
  }
  for (std::size_t i = count - back + 1; i < count; ++i) {
    if (out_.tokens[i].first_on_line) {
      return nullptr;
    }
  }
  return &out_.tokens[count - back];
}

bool Lexer::previous_is(std::string_view word, std::size_t back) const {
  const Token* token = previous(back);
  return token != nullptr && token->kind == TokenKind::kWord &&
         base::equals_ignoring_case(slice(token->span.begin, token->span.end), word);
}

void Lexer::comment() {
  const std::size_t end = line_end(pos_);
  std::size_t begin = pos_ + 1;
  if (begin < end && text_[begin] == ' ') {
    ++begin;
  }
  std::size_t last = end;
  while (last > begin && is_blank(text_[last - 1])) {
    --last;
  }
  out_.comments.push_back({static_cast<std::uint32_t>(out_.tokens.size()), !line_has_token_,
                           std::string(slice(begin, last))});
  skip_to(end);
}

void Lexer::word() {
  std::size_t end = word_end(pos_);
  const bool hyphen = at(end) == '-' && is_letter(at(end + 1));
  if (!hyphen && !foreign_letter(end)) {
    emit(TokenKind::kWord, end);
    return;
  }
  while (is_word(at(end)) || foreign_letter(end) ||
         ((at(end) == '.' || at(end) == '-') && is_word(at(end + 1)))) {
    ++end;
  }
  std::string fixed(slice(pos_, end));
  const Habit* habit = find_habit(Place::kContraction, fixed);
  std::replace(fixed.begin(), fixed.end(), '-', '_');
  report(
      "bad-name", end,
      "\"" + shorten(slice(pos_, end)) + "\" is neither a word of the language nor a field's name",
      habit != nullptr       ? std::string(habit->hint)
      : is_field_name(fixed) ? "did you mean `" + shorten(fixed) + "`?"
                             : "names are made of the letters a-z, digits, \"_\" and \".\"");
  emit(TokenKind::kBad, end);
}

void Lexer::backquoted() {
  const std::size_t close = text_.find_first_of("`\n", pos_ + 1);
  if (close == std::string_view::npos || text_[close] == '\n') {
    std::size_t end = pos_ + 1;
    while (is_word(at(end)) || at(end) == '.') {
      ++end;
    }
    report("unclosed-backquote", end, "a field's name in backquotes is not closed on its line",
           "close it with `");
    emit(TokenKind::kBad, end);
    return;
  }
  const std::string_view name = slice(pos_ + 1, close);
  if (!is_field_name(name)) {
    report("bad-name", close + 1, "what stands in these backquotes cannot be a field's name",
           "names are made of the letters a-z, digits, \"_\" and \".\"");
    emit(TokenKind::kBad, close + 1);
    return;
  }
  emit_text(TokenKind::kQuoted, close + 1, std::string(name));
}

// Reads the escape whose backslash is at `i`; returns where it ends.
std::size_t Lexer::escape(std::size_t i, std::string& value) {
  const char c = at(i + 1);
  switch (c) {
    case '"':
    case '\\':
      value.push_back(c);
      return i + 2;
    case 'n':
      value.push_back('\n');
      return i + 2;
    case 't':
      value.push_back('\t');
      return i + 2;
    default:
      break;
  }
  std::size_t end = i + 1;
  if (c == 'u' && at(i + 2) == '{') {
    const char* first = text_.data() + i + 3;
    const char* last = text_.data() + std::min(text_.size(), i + 9);
    std::uint32_t code = 0;
    const auto read = std::from_chars(first, last, code, 16);
    end = static_cast<std::size_t>(read.ptr - text_.data());
    const bool character = code != 0 && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
    if (read.ec == std::errc() && at(end) == '}' && character) {
      append_utf8(value, code);
      return end + 1;
    }
    end += at(end) == '}' ? 1 : 0;
  } else if (end < text_.size() && text_[end] != '\n') {
    ++end;
    while (end < text_.size() && (static_cast<unsigned char>(text_[end]) & 0xC0U) == 0x80U) {
      ++end;
    }
  }
  // Finding the column costs the length of the string, so a string full of them has only the first
  // ones reported.
  constexpr int kReportedPerString = 10;
  if (++bad_escapes_ > kReportedPerString) {
    return end;
  }
  // What a backslash stands before in a regular expression.
  constexpr std::string_view kOfPatterns = "dDwWsSbB.+*?()[]{}^$|/-";
  const bool pattern = end == i + 2 && kOfPatterns.find(c) != std::string_view::npos;
  const std::size_t start_pos = pos_;
  const std::uint32_t start_column = column_;
  skip_to(i);
  report("bad-escape", end, "\"" + shorten(slice(i, end)) + "\" means nothing inside quotes",
         pattern ? "write `\\" + std::string(slice(i, end)) + "`"
                 : "there are \\\" \\\\ \\n \\t and \\u{1F600}");
  pos_ = start_pos;
  column_ = start_column;
  return end;
}

void Lexer::string() {
  bad_escapes_ = 0;
  std::string value;
  std::size_t i = pos_ + 1;
  while (i < text_.size() && text_[i] != '"' && text_[i] != '\n') {
    if (text_[i] == '\\') {
      i = escape(i, value);
    } else {
      value.push_back(text_[i++]);
    }
  }
  if (at(i) == '"') {
    emit_text(TokenKind::kString, i + 1, std::move(value));
    return;
  }
  open_string(i, std::move(value));
}

// Text in quotes that goes on to the end of its line.
void Lexer::open_string(std::size_t end, std::string value) {
  if (pos_ > 0 && is_word(text_[pos_ - 1])) {  // so it rather ends something
    report("unterminated-string", pos_ + 1, "the quotation marks on this line do not pair",
           "each text stands between two of them");
    emit(TokenKind::kBad, pos_ + 1).broken = true;
    return;
  }
  if (const std::size_t curly = slice(pos_, end).find("\u201d"); curly != std::string_view::npos) {
    const std::size_t close = pos_ + curly;
    const std::string text(slice(pos_ + 1, close));
    report("curly-quotes", close + 3, "text stands in straight double quotes",
           "write \"" + shorten(text) + "\"");
    emit_text(TokenKind::kString, close + 3, text);
    return;
  }
  while (end > pos_ + 1 && is_blank(text_[end - 1])) {
    --end;
    value.resize(value.empty() ? 0 : value.size() - 1);
  }
  // A colon at the end was most likely meant as the colon of the rule.
  if (end > pos_ + 1 && text_[end - 1] == ':' && value.ends_with(':')) {
    --end;
    value.pop_back();
  }
  report("unterminated-string", end, "this text in quotes is not closed on its line",
         "close it with \"; longer texts stand between \"\"\" marks");
  emit_text(TokenKind::kString, end, std::move(value));
  out_.tokens.back().broken = true;
}

// Whether a block looks as if its end was forgotten: it holds a step, and the marks at `close` look
// like those that begin the next block.
bool Lexer::is_doubtful(std::size_t begin, std::size_t close) const {
  bool holds_step = false;
  std::size_t line = begin;
  for (std::size_t end = line_end(begin); end < close; end = line_end(end + 1)) {
    line = end + 1;
    const std::size_t first = blanks(line);
    holds_step = holds_step || starts("step \"", first) || starts("test \"", first);
  }
  std::string_view before = slice(line, close);
  while (!before.empty() && is_blank(before.back())) {
    before.remove_suffix(1);
  }
  return holds_step &&
         (before.ends_with("query") || before.ends_with('"') || is_word(at(close + 3)));
}

void Lexer::raw_block() {
  const std::size_t begin = pos_ + 3;
  std::size_t i = no_block_closes_ ? text_.size() : begin;
  while (i < text_.size() && !starts("\"\"\"", i)) {
    i += starts("\\\"\"\"", i) ? 4 : 1;
  }
  const bool closed = i < text_.size();
  const bool doubtful = closed && is_doubtful(begin, i);
  out_.doubtful_block = out_.doubtful_block || doubtful;
  if (closed && !(doubtful && blocks_ == Blocks::kDoubted)) {
    emit_text(TokenKind::kString, i + 3, raw_value(slice(begin, i)));
    return;
  }
  no_block_closes_ = !closed;
  // Not closed: go on at the next step or test, so that what follows is still looked at.
  std::size_t end = line_end(begin);
  for (; end < text_.size(); end = line_end(end + 1)) {
    const std::size_t first = blanks(end + 1);
    if (starts("step \"", first) || starts("test \"", first)) {
      break;
    }
  }
  report("unterminated-block", begin, "this block of text is never closed", "close it with \"\"\"");
  emit_text(TokenKind::kString, std::min(end, text_.size()), raw_value(slice(begin, end)));
  out_.tokens.back().broken = true;
}

// YYYY-MM-DD and what looks as if it was meant so.
bool Lexer::date() {
  const std::size_t year = digits(pos_);
  const std::size_t month = at(year) == '-' ? digits(year + 1) : year;
  const std::size_t day = at(month) == '-' ? digits(month + 1) : month;
  if (year - pos_ != 4 || month < year + 2 || day < month + 2) {
    return false;
  }
  std::size_t end = day;
  while (is_word(at(end)) || at(end) == ':' || at(end) == '+' || at(end) == '.') {
    ++end;
  }
  while (end > day && (at(end - 1) == ':' || at(end - 1) == '.')) {
    --end;
  }
  const auto value = base::parse_date(slice(pos_, end));
  if (value) {
    emit(TokenKind::kDate, end).count = value.value().days;
    return true;
  }
  const bool form = month - year == 3 && day - month == 3;
  std::string hint = date_hint(end);
  std::string message = "\"" + shorten(slice(pos_, end)) + "\" is not a date";
  if (form && end == day) {
    message = std::string(slice(pos_, end)) + " is no day of the calendar";
    hint.clear();
  }
  report("bad-date", end, std::move(message), std::move(hint));
  emit(TokenKind::kDate, end).told = true;
  return true;
}

// HH:MM or HH:MM:SS.
bool Lexer::time() {
  const std::size_t hour = digits(pos_);
  if (hour - pos_ > 2 || at(hour) != ':' || digits(hour + 1) != hour + 3) {
    return false;
  }
  std::size_t end = hour + 3;
  const bool has_seconds = at(end) == ':' && digits(end + 1) == end + 3;
  const auto part = [this](std::size_t begin, std::size_t stop) {
    std::int32_t value = 0;
    std::from_chars(text_.data() + begin, text_.data() + stop, value);
    return value;
  };
  const std::int32_t hours = part(pos_, hour);
  const std::int32_t minutes = part(hour + 1, hour + 3);
  const std::int32_t seconds = has_seconds ? part(end + 1, end + 3) : 0;
  end += has_seconds ? 3 : 0;
  // Fractions of seconds and offsets from UTC, as ISO 8601 has them.
  std::size_t tail = end;
  while (is_digit(at(tail)) || at(tail) == 'Z' ||
         (std::string_view("+-.:").find(at(tail)) != std::string_view::npos &&
          is_digit(at(tail + 1)))) {
    ++tail;
  }
  if (tail > end) {
    report("bad-time", tail, "\"" + shorten(slice(pos_, tail)) + "\" is not a time",
           "times are written 09:00 or 09:00:30, and a time zone as in [Europe/Berlin]");
    emit(TokenKind::kTime, tail).told = true;
    return true;
  }
  if (hours > 23 || minutes > 59 || seconds > 59) {
    report("bad-time", end, std::string(slice(pos_, end)) + " is no time of the day",
           "times go from 00:00 to 23:59:59");
    emit(TokenKind::kTime, end);
    return true;
  }
  emit(TokenKind::kTime, end).count = (hours * 60 + minutes) * 60 + seconds;
  return true;
}

void Lexer::number() {
  std::size_t end = digits(pos_ + (at(pos_) == '-' ? 1 : 0));
  if (at(end) == '.' && is_digit(at(end + 1))) {
    end = digits(end + 1);
  }
  if (at(end) == 'e' || at(end) == 'E') {
    const std::size_t exponent = end + (at(end + 1) == '+' || at(end + 1) == '-' ? 2 : 1);
    end = is_digit(at(exponent)) ? digits(exponent) : end;
  }
  double value = 0;
  const auto read = std::from_chars(text_.data() + pos_, text_.data() + end, value);
  std::size_t percent = end;
  while (at(percent) == ' ' || at(percent) == '\t') {
    ++percent;
  }
  const bool is_percent = at(percent) == '%';
  if (read.ec == std::errc::result_out_of_range) {
    // from_chars leaves the value alone both for what is too large and for what is too close to 0.
    report("bad-number", end, "this number is too large or too close to 0 to be kept",
           "numbers go up to 1.7e308 and down to 2.3e-308");
    value = 0;
  }
  emit(is_percent ? TokenKind::kPercent : TokenKind::kNumber, is_percent ? percent + 1 : end)
      .number = value;
}

void Lexer::zone() {
  constexpr std::size_t kLongest = 100;
  const std::size_t close =
      std::min(pos_ + slice(pos_, std::min(text_.size(), pos_ + kLongest)).find_first_of("]\n"),
               text_.size());
  std::size_t begin = pos_ + 1;
  std::size_t end = close;
  while (begin < end && is_blank(text_[begin])) {
    ++begin;
  }
  while (end > begin && is_blank(text_[end - 1])) {
    --end;
  }
  const std::string_view name = slice(begin, end);
  const bool form = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return is_word(c) || c == '/' || c == '+' || c == '-';
  });
  if (at(close) != ']' || !form) {
    const std::size_t stop = at(close) == ']' ? close + 1 : pos_ + 1;
    report("bad-zone", stop, "behind a time, brackets hold the name of a time zone",
           "for example [Europe/Berlin]");
    emit(TokenKind::kBad, stop);
    return;
  }
  emit_text(TokenKind::kZone, close + 1, std::string(name));
}

void Lexer::token() {
  const char c = text_[pos_];
  if (foreign()) {
    return;
  }
  if (is_letter(c) || is_beyond_ascii(c)) {
    word();
  } else if (is_digit(c)) {
    if (!date() && !time()) {
      number();
    }
  } else if (c == '-' && is_digit(at(pos_ + 1))) {
    number();
  } else if (c == '"') {
    starts("\"\"\"", pos_) ? raw_block() : string();
  } else if (c == '`') {
    backquoted();
  } else if (c == '[' && !out_.tokens.empty() && out_.tokens.back().kind == TokenKind::kTime) {
    zone();
  } else {
    symbol();
  }
}

Tokens Lexer::run() {
  if (starts("\uFEFF", 0)) {
    pos_ = 3;  // a byte order mark
  }
  while (pos_ < text_.size()) {
    const char c = text_[pos_];
    if (c == '\n' || is_blank(c)) {
      skip_to(pos_ + 1);
    } else if (c == '#') {
      comment();
    } else if (out_.tokens.size() >= kMaxTokens) {
      report("text-too-long", pos_ + 1,
             "the file goes on behind " + std::to_string(kMaxTokens) +
                 " words, which is the most that is read",
             "make several tracks of it");
      break;
    } else {
      token();
    }
  }
  emit(TokenKind::kEnd, pos_);
  return std::move(out_);
}

Tokens lex(std::string_view text, Blocks blocks) { return Lexer(text, blocks).run(); }

}  // namespace turnout::lang
