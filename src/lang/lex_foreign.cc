// What other languages and programs write: quotation marks of word processors, comments of C and
// SQL, bullets, merge fields, dates of other countries. Nothing of it can stand in a track, so each
// is reported with what to write instead; where the meaning is clear, a token for that goes on to
// the parser.

#include <array>
#include <charconv>
#include <utility>

#include "base/text.h"
#include "base/time.h"
#include "lang/foreign.h"
#include "lang/lexer_impl.h"

namespace turnout::lang {
namespace {

bool is_foreign_quote(std::string_view text) {
  static constexpr std::array<std::string_view, 10> kQuotes = {
      "\u201c", "\u201d", "\u201e", "\u00ab", "\u00bb",
      "\u2018", "\u2019", "\u201a", "\u2039", "\u203a"};
  return std::any_of(kQuotes.begin(), kQuotes.end(),
                     [text](std::string_view quote) { return text.starts_with(quote); });
}

// Bytes of the space that is none of ASCII's; 0 when there is none.
std::size_t hard_space_size(std::string_view text) {
  static constexpr std::array<std::string_view, 7> kSpaces = {
      "\u00a0", "\u2007", "\u2009", "\u200b", "\u202f", "\u3000", "\ufeff"};
  for (const std::string_view space : kSpaces) {
    if (text.starts_with(space)) {
      return space.size();
    }
  }
  return 0;
}

// `contact.` of `contact.plan`: a contact's field stands alone.
std::size_t size_of_person(std::string_view name) {
  static constexpr std::array<std::string_view, 6> kPersons = {"contact.", "customer.",   "lead.",
                                                               "person.",  "subscriber.", "user."};
  for (const std::string_view person : kPersons) {
    if (base::to_lower_ascii(name.substr(0, person.size())) == person) {
      return person.size();
    }
  }
  return 0;
}

std::string two_digits(std::size_t number) {
  return (number < 10 ? "0" : "") + std::to_string(number);
}

constexpr const char* kDates = "dates are written 2026-12-01, dates with a time 2026-12-01 09:00";

}  // namespace

// The rest of the line, as far as one form of another language goes.
std::string_view Lexer::near(std::size_t begin) const {
  constexpr std::size_t kMost = 300;
  const std::string_view rest = text_.substr(begin, kMost);
  return rest.substr(0, rest.find('\n'));
}

// Reads one such form, if it begins here.
bool Lexer::foreign() {
  const char c = text_[pos_];
  if (!line_has_token_ && foreign_line()) {
    return true;
  }
  if (is_letter(c)) {
    return foreign_word();
  }
  if (is_digit(c)) {
    return foreign_number() || foreign_date() || foreign_time();
  }
  if (is_beyond_ascii(c)) {
    return hard_space() || foreign_quotes();
  }
  switch (c) {
    case '\'':
      return foreign_quotes();
    case '/':
      return foreign_comment() || foreign_regex();
    case '-':
      return foreign_comment();
    case '{':
    case '$':
    case '%':
      return foreign_merge_field();
    default:
      return false;
  }
}

// Whether a character of no plain word stands there that may have been meant as part of one.
bool Lexer::foreign_letter(std::size_t i) const {
  return i < text_.size() && is_beyond_ascii(text_[i]) && !is_foreign_quote(text_.substr(i)) &&
         hard_space_size(text_.substr(i)) == 0;
}

// ---- Lines --------------------------------------------------------------------------------------

// Bullets and numbers before a statement, and lines that are marks only.
bool Lexer::foreign_line() {
  const char c = text_[pos_];
  if (std::string_view("=<>|~*`").find(c) != std::string_view::npos) {
    std::size_t end = pos_;
    while (at(end) == c) {
      ++end;
    }
    constexpr std::size_t kMergeMarks = 7;
    const bool merge = end - pos_ == kMergeMarks && c != '~' && c != '*' && c != '`';
    if (end - pos_ >= 3) {
      report("unexpected-character", end,
             merge ? "a merge has left this mark" : "a line of marks is not part of the language",
             merge ? "take it out, and one of the two versions" : "take it out");
      skip_to(line_end(pos_));
      return true;
    }
  }
  std::size_t end = pos_;
  for (const std::string_view bullet : {"-", "*", "+", "\u2022", "\u2013", "\u2014", "\u00b7"}) {
    end = starts(bullet, pos_) ? pos_ + bullet.size() : end;
  }
  const std::size_t number = digits(pos_);
  end = number > pos_ && at(number) == '.' ? number + 1 : end;
  if (end == pos_ || !(is_blank(at(end)) || hard_space_size(text_.substr(end)) > 0)) {
    return false;
  }
  report("unexpected-character", end,
         number > pos_ ? "statements are not numbered" : "statements begin without a bullet",
         "take it out");
  skip_to(end);
  return true;
}

bool Lexer::foreign_comment() {
  constexpr std::string_view kHint = "write `#`";
  if (starts("/*", pos_)) {
    const std::size_t close =
        no_comment_closes_ ? std::string_view::npos : text_.find("*/", pos_ + 2);
    no_comment_closes_ = close == std::string_view::npos;
    report("unexpected-character", pos_ + 2, "a comment begins with \"#\", not with \"/*\"",
           "write # before each of its lines");
    skip_to(no_comment_closes_ ? line_end(pos_) : close + 2);
    return true;
  }
  if (!starts("//", pos_) && !starts("--", pos_)) {
    return false;
  }
  std::size_t end = pos_ + 2;
  while (at(end) == at(pos_)) {
    ++end;
  }
  report("unexpected-character", end,
         "a comment begins with \"#\", not with \"" + shorten(slice(pos_, end)) + "\"",
         std::string(kHint));
  skip_to(line_end(pos_));
  return true;
}

// ---- Words --------------------------------------------------------------------------------------

// Whether behind the token before this place nothing but text in quotes can stand.
bool Lexer::text_stands_here() const {
  for (const std::string_view word : {"track", "step", "test", "email", "webhook", "tag", "event",
                                      "arm", "as", "about", "query", "zone"}) {
    if (previous_is(word)) {
      return true;
    }
  }
  return (previous_is("to") && previous_is("go", 2)) ||
         (previous_is("at") && previous_is("start", 2));
}

bool Lexer::foreign_word() {
  std::size_t end = word_end(pos_);
  if (starts("://", end)) {
    while (end < text_.size() && !is_blank(text_[end]) && text_[end] != '\n' && text_[end] != '"' &&
           text_[end] != ')') {
      ++end;
    }
    report("bad-name", end, "an address on the web stands in quotes",
           "a track calls a webhook by its name, as in call webhook \"sales\"");
    emit(TokenKind::kBad, end);
    return true;
  }
  if (contraction(end) || foreign_zone()) {
    return true;
  }
  const bool path = at(end) == '/' && is_letter(at(end + 1));
  const bool hyphen = at(end) == '-' && is_letter(at(end + 1)) && text_stands_here();
  if (!path && !hyphen) {
    return false;
  }
  while (is_word(at(end)) || ((at(end) == '/' || at(end) == '-') && is_word(at(end + 1)))) {
    ++end;
  }
  std::string text(slice(pos_, end));
  report("expected-text", end, "text stands in quotes", "write \"" + shorten(text) + "\"");
  emit_text(TokenKind::kString, end, std::move(text));
  return true;
}

// `doesn't`, `day's`.
bool Lexer::contraction(std::size_t end) {
  const std::size_t mark = at(end) == '\'' ? 1 : starts("\u2019", end) ? 3 : 0;
  if (mark == 0 || !is_letter(at(end + mark))) {
    return false;
  }
  const std::string before(slice(pos_, end));
  const std::size_t stop = word_end(end + mark);
  const std::string whole = before + std::string(slice(end + mark, stop));
  const Habit* habit = find_habit(Place::kContraction, whole);
  report(
      "bad-name", stop,
      "\"" + shorten(slice(pos_, stop)) + "\" is neither a word of the language nor a field's name",
      habit != nullptr ? std::string(habit->hint) : "did you mean `" + shorten(whole) + "`?");
  emit(TokenKind::kBad, stop);
  return true;
}

// The name of a time zone behind a time, without its brackets.
bool Lexer::foreign_zone() {
  const Token* time = previous();
  if (time == nullptr || time->kind != TokenKind::kTime) {
    return false;
  }
  std::size_t end = pos_;
  while (is_word(at(end)) || ((at(end) == '/' || at(end) == '+') && is_word(at(end + 1)))) {
    ++end;
  }
  const std::string name(slice(pos_, end));
  static constexpr std::array<std::string_view, 10> kZones = {"UTC", "GMT", "CET", "CEST", "EST",
                                                              "EDT", "CST", "PST", "PDT",  "BST"};
  if (name.find('/') == std::string::npos &&
      std::find(kZones.begin(), kZones.end(), name) == kZones.end()) {
    return false;
  }
  const Token* date = previous(2);
  const bool dated = date != nullptr && date->kind == TokenKind::kDate;
  report("bad-zone", end, "a time zone stands in brackets behind a date and its time",
         dated ? "write `[" + shorten(name) + "]`"
               : "times of the day are those of the track's `time zone`");
  if (dated) {
    emit_text(TokenKind::kZone, end, name);
  } else {
    emit(TokenKind::kBad, end);
  }
  return true;
}

// `{{ contact.plan }}`, `${plan}`, `%plan%`.
bool Lexer::foreign_merge_field() {
  struct Marks {
    std::string_view open;
    std::string_view close;
  };
  static constexpr Marks kMarks[] = {{"{{", "}}"}, {"${", "}"}, {"%", "%"}};
  for (const Marks& marks : kMarks) {
    if (!starts(marks.open, pos_)) {
      continue;
    }
    std::size_t begin = pos_ + marks.open.size();
    begin = marks.open == "%" ? begin : blanks(begin);
    const std::size_t end = is_letter(at(begin)) ? word_end(begin) : begin;
    const std::size_t close = near(end).find(marks.close);
    if (end == begin || close == std::string_view::npos || (marks.open == "%" && close != 0)) {
      continue;
    }
    const std::size_t stop = end + close + marks.close.size();
    begin += size_of_person(slice(begin, end));
    report("unexpected-character", stop,
           "\"" + shorten(slice(pos_, stop)) + "\" is not part of the language",
           "write `" + shorten(slice(begin, end)) + "`");
    skip_to(begin);
    emit(TokenKind::kWord, end).told = true;
    skip_to(stop);
    return true;
  }
  return false;
}

// `matches /…/i`.
bool Lexer::foreign_regex() {
  if (!previous_is("matches") && !previous_is("match")) {
    return false;
  }
  const std::size_t line = pos_ + near(pos_).size();
  std::size_t close = pos_ + 1;
  while (close < line && text_[close] != '/') {
    close += text_[close] == '\\' ? 2 : 1;
  }
  if (close >= line) {
    return false;
  }
  const std::size_t end = word_end(close + 1);
  std::string pattern = slice(close + 1, end).find('i') == std::string_view::npos ? "" : "(?i)";
  pattern += slice(pos_ + 1, close);
  std::string written;
  for (const char c : pattern) {
    written += c == '\\' ? "\\\\" : c == '"' ? "\\\"" : std::string(1, c);
  }
  report("unexpected-character", end, "a regular expression stands in quotes",
         "write \"" + shorten(written) + "\"");
  emit_text(TokenKind::kString, end, std::move(pattern));
  return true;
}

// ---- Numbers, dates, times ----------------------------------------------------------------------

// `1_000`, `0x1F`.
bool Lexer::foreign_number() {
  std::size_t end = digits(pos_);
  const bool hexadecimal = slice(pos_, end) == "0" && (at(end) == 'x' || at(end) == 'X');
  if (!hexadecimal && !(at(end) == '_' && is_digit(at(end + 1)))) {
    return false;
  }
  while (is_word(at(end))) {
    ++end;
  }
  std::string plain(slice(pos_, end));
  std::erase(plain, '_');
  const bool whole = plain.find_first_not_of("0123456789") == std::string::npos;
  report("bad-number", end, "\"" + shorten(slice(pos_, end)) + "\" is not a number",
         whole ? "write `" + shorten(plain) + "`" : "numbers are written 40, -3.5 or 1e6");
  emit(TokenKind::kNumber, end).told = true;
  return true;
}

// 24.12.2026, 12/24/2026, 2026/12/24.
bool Lexer::foreign_date() {
  const std::size_t first = digits(pos_);
  const char mark = at(first);
  const std::size_t second = digits(first + 1);
  const std::size_t third = digits(second + 1);
  const auto length = [](std::size_t begin, std::size_t end) { return end - begin; };
  constexpr std::size_t kYear = 4;
  if ((mark != '/' && mark != '.' && mark != '-') || at(second) != mark || is_word(at(third)) ||
      second == first + 1 || length(first, second) > 3) {
    return false;
  }
  const bool year_first = length(pos_, first) == kYear && length(second, third) <= 3;
  const bool year_last = length(second, third) == kYear + 1 && length(pos_, first) <= 2;
  if ((!year_first || mark == '-' || third == second + 1) && !year_last) {
    return false;
  }
  const auto number = [this](std::size_t begin, std::size_t end) {
    std::size_t value = 0;
    std::from_chars(text_.data() + begin, text_.data() + end, value);
    return value;
  };
  const std::size_t a = number(pos_, first);
  const std::size_t b = number(first + 1, second);
  const std::size_t c = number(second + 1, third);
  const auto written = [](std::size_t year, std::size_t month, std::size_t day) {
    const std::string text = std::to_string(year) + "-" + two_digits(month) + "-" + two_digits(day);
    return base::parse_date(text) ? "`" + text + "`" : std::string();
  };
  std::string hint = year_first ? written(a, b, c) : written(c, b, a);
  const std::string other = year_first || mark == '.' || a == b ? "" : written(c, a, b);
  hint += hint.empty() || other.empty() ? other : " or " + other;
  report("bad-date", third, "\"" + shorten(slice(pos_, third)) + "\" is not a date",
         hint.empty() ? kDates : "write " + hint);
  emit(TokenKind::kDate, third).told = true;
  return true;
}

// How to write what stands from here to `end` and looks like a timestamp of ISO 8601.
std::string Lexer::date_hint(std::size_t end) const {
  constexpr std::size_t kDate = 10;
  const std::string_view text = slice(pos_, end);
  if (text.size() <= kDate || text[kDate] != 'T') {
    return kDates;
  }
  const std::string_view time = text.substr(kDate + 1);
  const std::string_view clock = time.substr(0, time.find_first_of(".Z+"));
  std::string_view rest = time.substr(clock.size());
  if (rest.starts_with('.')) {
    rest.remove_prefix(std::min(rest.find_first_not_of("0123456789", 1), rest.size()));
  }
  const bool form = clock.size() == 5 || clock.size() == 8;
  if (!form || clock.find_first_not_of("0123456789:") != std::string_view::npos ||
      !(rest.empty() || rest == "Z")) {
    return std::string(kDates) + ", with a zone 2026-12-01 09:00 [Europe/Berlin]";
  }
  return "write `" + std::string(text.substr(0, kDate)) + " " + std::string(clock) +
         (rest == "Z" ? " [UTC]`" : "`");
}

// 9am, 9:30 pm.
bool Lexer::foreign_time() {
  const std::size_t hour = digits(pos_);
  std::size_t end = hour;
  const bool minutes = (at(hour) == ':' || at(hour) == '.') && digits(hour + 1) == hour + 3;
  end += minutes ? 3 : 0;
  const std::size_t word = blanks(end);
  const std::string half = base::to_lower_ascii(slice(word, std::min(word + 4, text_.size())));
  const bool dots = half == "a.m." || half == "p.m.";
  const bool plain = (half.starts_with("am") || half.starts_with("pm")) && !is_word(at(word + 2)) &&
                     at(word + 2) != '.';
  std::size_t hours = 0;
  std::from_chars(text_.data() + pos_, text_.data() + hour, hours);
  if (hour - pos_ > 2 || (!dots && !plain) || hours > 23) {
    return false;
  }
  hours = hours % 12 + (half.starts_with('p') ? 12 : 0);
  const std::string written =
      two_digits(hours) + ":" + (minutes ? std::string(slice(hour + 1, hour + 3)) : "00");
  end = word + (dots ? 4 : 2);
  report("bad-time", end, "\"" + shorten(slice(pos_, end)) + "\" is not a time",
         "write `" + written + "`");
  emit(TokenKind::kTime, end).told = true;
  return true;
}

// ---- Spaces and quotation marks -----------------------------------------------------------------

// Reported once a line; what it parts is read on.
bool Lexer::hard_space() {
  const std::size_t size = hard_space_size(text_.substr(pos_));
  if (size == 0) {
    return false;
  }
  if (line_of_hard_space_ != line_) {
    line_of_hard_space_ = line_;
    report("unexpected-character", pos_ + size, "this space is not the plain one",
           "type it anew, and others on this line");
  }
  skip_to(pos_ + size);
  return true;
}

// Where the mark stands that closes what `open` opened, on the same line, and how long it is; the
// end of the text when there is none.
std::size_t Lexer::closing_quote(std::size_t begin, std::string_view open,
                                 std::size_t& size) const {
  static constexpr std::array<std::string_view, 6> kDouble = {"\u201c", "\u201d", "\u201e",
                                                              "\u00ab", "\u00bb", "\""};
  static constexpr std::array<std::string_view, 6> kSingle = {"\u2018", "\u2019", "\u201a",
                                                              "\u2039", "\u203a", "'"};
  const bool single = std::find(kSingle.begin(), kSingle.end(), open) != kSingle.end();
  for (std::size_t i = begin; i < text_.size() && text_[i] != '\n'; ++i) {
    if (open == "'" && (starts("\\'", i) || starts("''", i))) {
      ++i;  // stands for one mark inside
      continue;
    }
    for (const std::string_view mark : single ? kSingle : kDouble) {
      if (starts(mark, i)) {
        size = mark.size();
        return i;
      }
    }
  }
  return text_.size();
}

// Text in quotation marks that are not the language's: reported, and read as if they were.
bool Lexer::foreign_quotes() {
  const bool straight = text_[pos_] == '\'';
  if (!straight && !is_foreign_quote(text_.substr(pos_))) {
    return false;
  }
  const CodeId code = straight ? CodeId("single-quotes") : CodeId("curly-quotes");
  constexpr std::size_t kCurlySize = 3;
  const std::size_t open_size =
      straight ? 1 : (static_cast<unsigned char>(text_[pos_]) == 0xC2U ? 2 : kCurlySize);
  const std::size_t begin = pos_ + open_size;
  std::size_t size = 0;
  const std::size_t close = closing_quote(begin, slice(pos_, begin), size);
  if (size == 0) {
    report(code, begin, "text stands in straight double quotes", "write \"");
    emit(TokenKind::kBad, begin).broken = true;
    return true;
  }
  std::string value;
  for (std::size_t i = begin; i < close; ++i) {
    i += straight && (starts("\\'", i) || starts("''", i)) ? 1 : 0;
    value.push_back(text_[i]);
  }
  report(code, close + size, "text stands in straight double quotes",
         "write \"" + shorten(value) + "\"");
  emit_text(TokenKind::kString, close + size, std::move(value));
  return true;
}

// ---- Symbols ------------------------------------------------------------------------------------

void Lexer::symbol() {
  struct Spelling {
    std::string_view text;
    char meaning;
    const char* hint;  // null: right as it is
  };
  constexpr const char* kAdd = "to add to a field write increase score by 5";
  static constexpr Spelling kSpellings[] = {
      {"===", '=', "write `is`"},
      {"!==", '!', "write `is not`"},
      {"==", '=', "write `is`"},
      {"!=", '!', nullptr},
      {"<>", '!', "write `is not`"},
      {"<=", 'l', nullptr},
      {"=<", 'l', "write `is at most`"},
      {">=", 'g', nullptr},
      {"=>", 'g', "write `is at least`"},
      {"=~", 0, "write `matches`"},
      {"!~", 0, "write `does not match`"},
      {"+=", 0, kAdd},
      {"++", 0, kAdd},
      {"-=", 0, "to take from a field write decrease score by 5"},
      {"->", 0, "to go on write go to \"Step\""},
      {"=", '=', nullptr},
      {"<", '<', nullptr},
      {">", '>', nullptr},
      {":", ':', nullptr},
      {",", ',', nullptr},
      {"(", '(', nullptr},
      {")", ')', nullptr},
      {"{", '{', nullptr},
      {"}", '}', nullptr},
      {"[", '[', nullptr},
      {"]", ']', nullptr},
      {"&&", 0, "write `and`"},
      {"||", 0, "write `or`"},
      {"&", 0, "write `and`"},
      {"|", 0, "write `or`"},
      {"~", 0, "write `matches`"},
      {"!", 0, "write `not`"}};
  const Token* before = previous();
  if (starts("=>", pos_) && before != nullptr && before->kind == TokenKind::kString) {
    report("unknown-symbol", pos_ + 2, "\"=>\" is not part of the language", "write `:`");
    emit(TokenKind::kSymbol, pos_ + 2).count = ':';
    return;
  }
  for (const Spelling& s : kSpellings) {
    if (!starts(s.text, pos_)) {
      continue;
    }
    const std::size_t end = pos_ + s.text.size();
    if (s.hint != nullptr) {
      report("unknown-symbol", end, "\"" + std::string(s.text) + "\" is not part of the language",
             s.hint);
    }
    Token& token = emit(s.meaning == 0 ? TokenKind::kBad : TokenKind::kSymbol, end);
    token.count = s.meaning;
    token.told = s.hint != nullptr;
    return;
  }
  strange();
}

// A run of characters that begin nothing. What only decorates a word or a statement is passed over.
void Lexer::strange() {
  const char c = text_[pos_];
  std::size_t end = pos_;
  do {
    ++end;
  } while (end < text_.size() && (foreign_letter(end) || text_[end] == c));
  const bool before_word = is_letter(at(end));
  const bool behind_word = pos_ > 0 && is_word(text_[pos_ - 1]);
  const Token* before = previous();
  const bool behind_value =
      before != nullptr &&
      (before->kind == TokenKind::kWord || before->kind == TokenKind::kNumber ||
       before->kind == TokenKind::kString || before->count == ')');
  std::string hint;
  if (c == ';') {
    hint = "statements need no mark at their end";
  } else if (c == '.' && is_digit(at(end))) {
    hint = "write 0." + shorten(slice(end, digits(end)));
  } else if (c == '$' && before_word) {
    hint = "a field's name stands alone";
  } else if ((c == '@' && before_word) || (c == '?' && behind_word)) {
    hint = "take it out";
  } else if (c == '+' && is_digit(at(end))) {
    hint = "numbers over 0 have no sign";
  } else if (c == '-' && (previous_is("now") || previous_is("today"))) {
    hint = "the past is asked for as in is more than 3 days ago, or is within the last 3 days";
  } else if (behind_value && std::string_view("+-*/%").find(c) != std::string_view::npos) {
    hint = "values are not calculated; increase and decrease change a number in a field";
  }
  report("unexpected-character", end,
         "\"" + shorten(slice(pos_, end)) + "\" is not part of the language", std::move(hint));
  const bool decorates = c == ';' || (c == '$' && before_word) || (c == '?' && behind_word) ||
                         (c == '+' && !behind_word && is_digit(at(end)));
  if (decorates) {
    skip_to(end);
  } else {
    emit(TokenKind::kBad, end);
  }
}

}  // namespace turnout::lang
