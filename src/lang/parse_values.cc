// Leaves of the grammar: names, values, durations, times, days, JSON.

#include <array>
#include <cmath>
#include <utility>

#include "base/text.h"
#include "lang/parser_impl.h"
#include "lang/words.h"
#include "track/leaves.h"

namespace turnout::lang {
namespace {

using track::Unit;

struct UnitName {
  std::string_view singular;
  Unit unit;
  std::string_view short_form;  // not accepted, but understood well enough to say what to write
};

// From small to large, as the enum.
constexpr std::array kUnits = {UnitName{"second", Unit::kSecond, "s sec secs"},
                               UnitName{"minute", Unit::kMinute, "m min mins"},
                               UnitName{"hour", Unit::kHour, "h hr hrs"},
                               UnitName{"day", Unit::kDay, "d"},
                               UnitName{"week", Unit::kWeek, "w wk"},
                               UnitName{"month", Unit::kMonth, "mo mon mth"},
                               UnitName{"year", Unit::kYear, "y yr yrs"}};

bool has_word(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(' '), list.size());
    if (list.substr(0, end) == word) {
      return true;
    }
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

// What to write for `9` or `9.30` where a time should stand; empty for other numbers.
std::string time_of_number(std::string_view number) {
  const std::size_t dot = std::min(number.find('.'), number.size());
  const std::string hour = std::string(dot == 1 ? "0" : "") + std::string(number.substr(0, dot));
  const std::string_view minute = dot < number.size() ? number.substr(dot + 1) : "00";
  const bool form = hour.size() == 2 && minute.size() == 2 && hour <= "23" && minute <= "59" &&
                    hour.find_first_not_of("0123456789") == std::string::npos &&
                    minute.find_first_not_of("0123456789") == std::string_view::npos;
  return form ? "write `" + hour + ":" + std::string(minute) + "`" : "";
}

}  // namespace

// ---- Names --------------------------------------------------------------------------------------

track::Name Parser::text_block(std::string_view what, std::string_view hint) {
  if (!at(TokenKind::kString)) {
    return unquoted(what, hint);
  }
  track::Name name{tokens_.texts[peek().text], peek().span};
  next();
  return name;
}

// How many words here were meant as one text in quotes, which another may follow; 0 when that is
// not clear.
std::size_t Parser::words_of_text(bool before_text) const {
  constexpr std::size_t kMost = 20;
  const bool in_condition = depth_ > 0;
  const auto goes_on = [&](std::size_t i) {
    const std::string_view word = source(peek(i));
    const bool joins = at_any({"and", "or", "not"}, i) && !in_condition;
    const bool of_names =
        at_any({"the", "in", "one", "more", "less", "now", "today", "test", "hold", "look"}, i);
    return joins || of_names ||
           (!is_reserved(word) &&
            !at_any({"every", "once", "rrule", "continuously", "query", "with", "from", "to", "by",
                     "per", "since", "start", "check"},
                    i));
  };
  std::size_t count = 0;
  while (count < kMost && (count == 0 || !peek(count).first_on_line) &&
         ((at(TokenKind::kWord, count) && goes_on(count)) ||
          (count > 0 && at(TokenKind::kNumber, count)))) {
    ++count;
  }
  const bool ends = at(TokenKind::kEnd, count) || peek(count).first_on_line ||
                    (at(TokenKind::kWord, count) && !goes_on(count)) || at_symbol(':', count) ||
                    at_symbol(',', count) || at_symbol(')', count) || at_symbol('{', count) ||
                    (before_text && at(TokenKind::kString, count));
  return ends ? count : 0;
}

// Text without quotes: reported, and read as if it had them where it is clear how far it goes.
track::Name Parser::unquoted(std::string_view what, std::string_view hint) {
  const Token& token = peek();
  const bool word =
      (token.kind == TokenKind::kWord || token.kind == TokenKind::kQuoted) && !token.first_on_line;
  const std::size_t count = word && hint.empty() && !told() ? words_of_text(what == kDatabase) : 0;
  if (count == 0) {
    const bool extra = word && at(TokenKind::kString, 1) && !peek(1).first_on_line;
    fail("expected-text", std::string(what) + " in quotes",
         !hint.empty() ? std::string(hint)
         : extra       ? "take it out"
         : word        ? "write \"" + shorten(source(token)) + "\""
                       : "");
    return {};
  }
  track::Span span = token.span;
  span.end = peek(count - 1).span.end;
  std::string text(text_.substr(span.begin, span.end - span.begin));
  add(diagnose(
      "expected-text", span,
      expected_here(std::string(what) + " in quotes") + ", found \"" + shorten(text) + "\"",
      "write \"" + shorten(text) + "\""));
  index_ += count;
  return {std::move(text), span};
}

// A name in quotes, of one character at least.
track::Name Parser::name(std::string_view what, std::string_view hint) {
  const track::Span span = peek().span;
  track::Name name = text_block(what, hint);
  if (name.text.empty()) {
    fail_at(span, "empty-name", std::string(what) + " cannot be empty");
  }
  return name;
}

// A statement of SQL, which seldom stands without quotes by one word.
track::Name Parser::sql(std::string_view what) {
  if (!at(TokenKind::kWord) || peek().first_on_line || told()) {
    return name(what);
  }
  const std::uint32_t begin = peek().span.begin;
  std::uint32_t end = begin;
  constexpr std::size_t kMost = 1'000;
  for (std::size_t i = 0;
       i < kMost && !at(TokenKind::kEnd, i) && (i == 0 || !peek(i).first_on_line); ++i) {
    end = peek(i).span.end;
  }
  fail("expected-text", std::string(what) + " in quotes",
       "SQL stands in quotes, of several lines between \"\"\" marks");
  // Its own quotation marks are no mistakes.
  std::erase_if(out_.diagnostics, [begin, end](const Diagnostic& d) {
    return d.span.begin > begin && d.span.begin < end;
  });
  return {};
}

std::string Parser::plain_text(std::string_view what, std::string_view hint) {
  return text_block(what, hint).text;
}

bool Parser::behind_comma() const {
  const Token& before = tokens_.tokens[index_ == 0 ? 0 : index_ - 1];
  return before.kind == TokenKind::kSymbol && before.count == ',';
}

track::FieldRef Parser::field() {
  const Token& token = peek();
  if (token.kind == TokenKind::kQuoted) {
    track::FieldRef ref{tokens_.texts[token.text], token.span};
    next();
    return ref;
  }
  if (token.kind != TokenKind::kWord) {
    fail("expected-field", "the name of a field",
         token.kind == TokenKind::kString ? "fields stand without quotes" : "");
    return {};
  }
  const std::string word(source(token));
  if (is_reserved(word)) {
    if (token.first_on_line) {
      fail("expected-field", "the name of a field");
    } else {
      fail("reserved-word", "the name of a field",
           "`" + word + "` belongs to the language; a field of that name stands in backquotes");
    }
    return {};
  }
  track::FieldRef ref{word, token.span};
  next();
  return ref;
}

// ---- Values -------------------------------------------------------------------------------------

bool Parser::at_value(std::size_t ahead) const {
  switch (peek(ahead).kind) {
    case TokenKind::kString:
    case TokenKind::kNumber:
    case TokenKind::kDate:
    case TokenKind::kQuoted:
      return true;
    case TokenKind::kWord:
      return !is_reserved(source(peek(ahead))) || at_any({"true", "false", "now", "today"}, ahead);
    default:
      return false;
  }
}

track::Operand Parser::operand() {
  const std::size_t first = index_;
  const Token& token = peek();
  track::Operand result;
  switch (token.kind) {
    case TokenKind::kString:
      result.value = tokens_.texts[token.text];
      next();
      break;
    case TokenKind::kNumber:
      result.value = token.number;
      next();
      break;
    case TokenKind::kDate:
      if (at(TokenKind::kTime, 1)) {
        result.value = date_time();
      } else {
        result.value = base::Date{token.count};
        next();
      }
      break;
    case TokenKind::kQuoted:
      result.value = field();
      break;
    case TokenKind::kWord:
      if (accept("now")) {
        result.value = track::Now{};
      } else if (accept("today")) {
        result.value = track::Today{};
      } else if (accept("true")) {
        result.value = true;
      } else if (accept("false")) {
        result.value = false;
      } else if (is_reserved(source(token)) && token.first_on_line) {
        fail("expected-value", "a value");
      } else if (is_reserved(source(token))) {
        fail("reserved-word", "a value",
             "`" + std::string(source(token)) +
                 "` belongs to the language; a field of that name stands in backquotes");
      } else {
        result.value = field();
      }
      break;
    case TokenKind::kPercent:
      fail("expected-value", "a value", "percentages stand only behind `for` and `hold out`");
      break;
    case TokenKind::kTime:
      fail("expected-value", "a value", "a time needs its date, as in 2026-12-01 09:00");
      break;
    default:
      fail("expected-value", "a value, such as \"text\", 40, true, 2026-12-01 or a field",
           behind_comma() ? "take out the comma before it" : "");
  }
  if (!panic_) {
    result.span = span_from(first);
  }
  return result;
}

double Parser::number(std::string_view what) {
  if (!at(TokenKind::kNumber)) {
    fail("expected-number", std::string(what));
    return 0;
  }
  const double value = peek().number;
  next();
  return value;
}

double Parser::percent() {
  if (!at(TokenKind::kPercent)) {
    if (at(TokenKind::kWord) && at_word("in", 1)) {
      fail("expected-percent", "a percentage, such as 50%", "there are no loops");
    }
    const bool spelt = at(TokenKind::kNumber) && at_any({"percent", "pct"}, 1);
    fail("expected-percent", "a percentage, such as 50%",
         at(TokenKind::kNumber) ? "write " + shorten(source(peek())) + "%" : hint_for(Place::kArm),
         spelt ? 2 : 1);
    return 0;
  }
  const double value = peek().number;
  next();
  return value;
}

// ---- Durations ----------------------------------------------------------------------------------

std::optional<Unit> Parser::unit(std::string_view word) const {
  for (const UnitName& name : kUnits) {
    const std::string_view one = name.singular;
    if (base::equals_ignoring_case(word, one) ||
        (word.size() == one.size() + 1 && (word.back() == 's' || word.back() == 'S') &&
         base::equals_ignoring_case(word.substr(0, one.size()), one))) {
      return name.unit;
    }
  }
  return std::nullopt;
}

bool Parser::at_duration(std::size_t ahead) const {
  return at(TokenKind::kNumber, ahead) && at(TokenKind::kWord, ahead + 1) &&
         unit(source(peek(ahead + 1))).has_value();
}

// Reports the word (or its lack) behind the number of a duration.
void Parser::unit_missing() {
  const Token& token = peek();
  std::string hint = hint_for(Place::kUnit);
  if (token.kind == TokenKind::kNumber && !token.first_on_line) {
    hint = "a duration is one length of time";
  } else if (token.kind == TokenKind::kWord && !token.first_on_line && hint.empty()) {
    const std::string word = base::to_lower_ascii(shorten(source(token)));
    static const std::vector<std::string> kPlurals = {"seconds", "minutes", "hours", "days",
                                                      "weeks",   "months",  "years"};
    std::string_view meant = base::closest(word, kPlurals);
    for (std::size_t i = 0; i < kUnits.size(); ++i) {
      meant = has_word(kUnits.at(i).short_form, word) ? kPlurals[i] : meant;
    }
    hint = !meant.empty() ? "did you mean `" + std::string(meant) + "`?"
           : word.find_first_of("0123456789") != std::string::npos
               ? "units are words, as in 1 hour 30 minutes"
               : "";
  }
  fail("unknown-unit", "seconds, minutes, hours, days, weeks, months or years", hint);
}

track::DurationSpec Parser::duration() {
  const std::size_t first = index_;
  track::DurationSpec result;
  if (!at(TokenKind::kNumber)) {
    fail("expected-duration", "a duration, such as 2 days",
         at(TokenKind::kWord) && unit(source(peek()))
             ? (source(peek()).back() == 's' ? "write how many, as in 2 "
                                             : "write how many, as in 1 ") +
                   std::string(source(peek()))
             : hint_for(Place::kDuration));
    return result;
  }
  do {
    const Token count = peek();
    next();
    const std::optional<Unit> of = at(TokenKind::kWord) ? unit(source(peek())) : std::nullopt;
    if (!of) {
      unit_missing();
      return result;
    }
    next();
    if (count.number != std::floor(count.number) || count.number < 0) {
      fail_at(count.span, "duration-not-whole", "durations are counted in whole numbers from 0",
              "a smaller unit can take the rest, as in 1 day 12 hours");
      return result;
    }
    if (!result.parts.empty() && result.parts.back().second <= *of) {
      fail_at(span_from(first), "duration-order",
              "the units of a duration go from large to small, each once", "as in 1 day 12 hours");
      return result;
    }
    // A count that no integer holds is too long in any unit.
    constexpr double kMostCount = 1e12;
    result.parts.emplace_back(static_cast<std::int64_t>(std::min(count.number, kMostCount)), *of);
    if (track::is_too_long(result)) {
      fail_at(span_from(first), "duration-too-long", "this is longer than a thousand years");
      return result;
    }
  } while (at_duration());
  result.span = span_from(first);
  return result;
}

// ---- Times --------------------------------------------------------------------------------------

track::TimeOfDay Parser::time_of_day() {
  if (!at(TokenKind::kTime)) {
    fail("expected-time", "a time of the day, such as 09:00",
         at(TokenKind::kNumber) ? time_of_number(source(peek())) : hint_for(Place::kTime));
    return {};
  }
  const track::TimeOfDay result{peek().count};
  next();
  return result;
}

track::DateTime Parser::date_time() {
  const std::size_t first = index_;
  track::DateTime result;
  if (!at(TokenKind::kDate) || !at(TokenKind::kTime, 1)) {
    const bool unread = peek().told;
    if (at(TokenKind::kDate)) {
      next();
      if (unread) {
        return result;
      }
    }
    fail("expected-date", index_ == first ? "a date with a time, such as 2026-12-01 09:00"
                                          : "a time behind the date, such as 09:00");
    return result;
  }
  result.date = base::Date{peek().count};
  next();
  result.time = time_of_day();
  if (at(TokenKind::kZone)) {
    result.zone = tokens_.texts[peek().text];
    next();
  }
  result.span = span_from(first);
  return result;
}

// What to write for a word where a day should stand.
std::string Parser::hint_for_day() const {
  std::string hint = hint_for(Place::kDays);
  if (hint.empty() && at(TokenKind::kWord) && !peek().first_on_line) {
    std::vector<std::string> names(track::kDayNames.begin(), track::kDayNames.end());
    names.emplace_back("weekdays");
    names.emplace_back("day");
    const std::string_view meant = base::closest(shorten(source(peek())), names);
    hint = meant.empty() ? "" : "did you mean `" + std::string(meant) + "`?";
  }
  return hint;
}

// The bit of the weekday named by a token, 0 when it is none.
std::uint8_t Parser::weekday(std::size_t ahead) const {
  for (std::size_t i = 0; i < track::kDayNames.size(); ++i) {
    if (at_word(track::kDayNames.at(i), ahead)) {
      return static_cast<std::uint8_t>(1U << i);
    }
  }
  return 0;
}

bool Parser::at_days(std::size_t ahead) const {
  return at_word("weekdays", ahead) || weekday(ahead) != 0;
}

track::Days Parser::days() {
  if (accept("weekdays")) {
    return track::kMondayToFriday;
  }
  track::Days result;
  do {
    const std::uint8_t bit = weekday(0);
    if (bit == 0) {
      fail("expected-days", "`weekdays` or days from `monday` to `sunday`", hint_for_day());
      return result;
    }
    next();
    result.bits = static_cast<std::uint8_t>(result.bits | bit);
  } while (accept_symbol(','));
  return result;
}

// ---- JSON ---------------------------------------------------------------------------------------

bool Parser::too_deep() {
  if (depth_ < kMaxNesting) {
    return false;
  }
  fail_at(peek().span, "too-deep",
          "this is nested more than " + std::to_string(kMaxNesting) + " deep");
  return true;
}

std::optional<track::Json> Parser::with_json() {
  if (at_symbol('{')) {
    fail("expected-word", "the word `with` before the object");
  }
  if (!accept("with")) {
    return std::nullopt;
  }
  return json();
}

// An object.
track::Json Parser::json() {
  const std::size_t first = index_;
  track::Json result;
  track::Json::Object object;
  if (too_deep()) {
    return result;
  }
  if (!accept_symbol('{')) {
    fail("expected-json", "a JSON object", "for example { \"email\": email }");
    return result;
  }
  ++depth_;
  if (!at_symbol('}')) {
    do {
      std::string key = json_key();
      object.members.emplace_back(std::move(key), json_value());
      if (object.members.size() > kMaxListItems) {
        too_many("members of one object", kMaxListItems);
      }
    } while (accept_symbol(','));
  }
  if (!accept_symbol('}')) {
    fail("missing-bracket", "`,` or `}` to close the object");
    return result;
  }
  --depth_;
  result.value = std::move(object);
  result.span = span_from(first);
  return result;
}

// With the colon behind it.
std::string Parser::json_key() {
  if (at(TokenKind::kWord) && (at_symbol(',', 1) || at_symbol('}', 1))) {
    const std::string word = shorten(source(peek()));
    fail("expected-json", "a key and its value", "write \"" + word + "\": " + word);
  }
  std::string key =
      plain_text("a key", at_symbol('}') && behind_comma() ? "take out the comma before it" : "");
  if (!accept_symbol(':')) {
    fail("expected-json", "`:` behind the key", at_symbol('=') ? "write `:`" : "");
  }
  return key;
}

track::Json Parser::json_value() {
  if (at_symbol('{')) {
    return json();
  }
  const std::size_t first = index_;
  track::Json result;
  if (!at_symbol('[')) {
    result.value = operand();
    result.span = std::get<track::Operand>(result.value).span;
    return result;
  }
  if (too_deep()) {
    return result;
  }
  next();
  ++depth_;
  track::Json::List list;
  if (!at_symbol(']')) {
    do {
      list.items.push_back(json_value());
      if (list.items.size() > kMaxListItems) {
        too_many("values of one list", kMaxListItems);
      }
    } while (accept_symbol(','));
  }
  if (!accept_symbol(']')) {
    fail("missing-bracket", "`,` or `]` to close the list");
    return result;
  }
  --depth_;
  result.value = std::move(list);
  result.span = span_from(first);
  return result;
}

}  // namespace turnout::lang
