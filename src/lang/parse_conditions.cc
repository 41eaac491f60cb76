// Conditions.

#include <utility>

#include "base/text.h"
#include "lang/codes.h"
#include "lang/parser_impl.h"
#include "lang/words.h"

namespace turnout::lang {
namespace {

using track::Compare;
using track::Condition;
using track::Operand;

template <class Node>
Condition joined(std::vector<Condition> operands, track::Span span) {
  Condition result;
  result.node = Node{std::move(operands)};
  result.span = span;
  return result;
}

}  // namespace

std::optional<Condition> Parser::where() {
  if (!accept("where")) {
    return std::nullopt;
  }
  return condition();
}

Condition Parser::condition() {
  const std::size_t first = index_;
  Condition one = conjunction();
  if (!at_word("or")) {
    return one;
  }
  std::vector<Condition> operands;
  operands.push_back(std::move(one));
  while (accept("or")) {
    operands.push_back(conjunction());
    if (operands.size() > kMaxListItems) {
      too_many("conditions joined by `or`", kMaxListItems);
    }
  }
  return joined<track::Or>(std::move(operands), panic_ ? track::Span() : span_from(first));
}

Condition Parser::conjunction() {
  const std::size_t first = index_;
  Condition one = unary();
  if (!at_word("and")) {
    return one;
  }
  std::vector<Condition> operands;
  operands.push_back(std::move(one));
  while (accept("and")) {
    operands.push_back(unary());
    if (operands.size() > kMaxListItems) {
      too_many("conditions joined by `and`", kMaxListItems);
    }
  }
  return joined<track::And>(std::move(operands), panic_ ? track::Span() : span_from(first));
}

Condition Parser::unary() {
  const std::size_t first = index_;
  Condition result;
  if (too_deep()) {
    return result;
  }
  ++depth_;
  if (accept("not")) {
    result.node = track::Not{unary()};
  } else if (accept_symbol('(')) {
    result = condition();
    if (!accept_symbol(')')) {
      fail("missing-bracket", "`)`, `and` or `or`", "close what `(` opened");
    }
  } else {
    result = test();
  }
  if (!panic_) {
    --depth_;
    result.span = span_from(first);
  }
  return result;
}

// A condition that cannot be read, when a word at its beginning says why.
bool Parser::foreign_condition() {
  const Habit* other = habit(Place::kCondition);
  if (other == nullptr || peek().first_on_line) {
    return false;
  }
  const bool text_behind = at(TokenKind::kString, 1) && !peek(1).first_on_line;
  const bool begins = at_any({"has", "did", "on", "in", "true", "false", "now", "today"});
  const bool wrong = is_reserved(source(peek())) && !begins;
  if (!wrong && !text_behind && !other->two_words()) {
    return false;
  }
  fail_by(*other, "expected-condition", "a condition");
  return true;
}

Condition Parser::test() {
  Condition result;
  if (foreign_condition()) {
    return result;
  }
  if (at_any({"has", "did", "on", "in"}) && at_predicate(1)) {
    fail("reserved-word", "a condition",
         "`" + std::string(source(peek())) +
             "` belongs to the language; a field of that name stands in backquotes");
    return result;
  }
  if (at_word("has")) {
    next();
    expect("tag", "`has tag`");
    result.node = track::HasTag{name("the name of a tag")};
    return result;
  }
  if (at_word("did")) {
    return did();
  }
  if (at_word("on")) {
    next();
    expect("track", "`on track`");
    track::OnTrack on{name("the name of a track"), std::nullopt};
    if (accept("at")) {
      on.step = name("the name of a step");
    }
    result.node = std::move(on);
    return result;
  }
  if (at_word("in")) {
    next();
    expect("arm", "`in arm`");
    result.node = track::InArm{name("the name of an arm")};
    return result;
  }
  if (!at_value() && (at(TokenKind::kSymbol) || at(TokenKind::kEnd) || peek().first_on_line)) {
    fail("expected-condition", "a condition, such as `plan is \"trial\"` or `has tag \"new\"`");
    return result;
  }
  return predicate(operand());
}

Condition Parser::did() {
  next();
  track::DidEvent did;
  if (accept("not")) {
    expect("do", "`did not do`");
    did.negated = true;
  }
  did.event = name("the name of an event", hint_for(Place::kDid));
  if (accept("at")) {
    expect("least", "`at least`");
    did.at_least = number("the number of times");
    if (!accept("time")) {  // "at least 1 time"
      expect("times", "`at least … times`");
    }
  }
  if (accept("within")) {
    expect("the", "`within the last`");
    expect("last", "`within the last`");
    did.span = track::DidEvent::Span::kWithinLast;
    did.within = duration();
  } else if (accept("since")) {
    if (accept("step")) {
      did.span = track::DidEvent::Span::kSinceStep;
    } else {
      did.span = track::DidEvent::Span::kSinceEntering;
      if (!accept("entering")) {
        fail("expected-word", "`entering` or `step` behind `since`");
      }
    }
  }
  if (accept("where")) {
    did.where = track::Box<Condition>(unary());
  }
  Condition result;
  result.node = std::move(did);
  return result;
}

bool Parser::at_symbol_comparison() const {
  return at_symbol('=') || at_symbol('!') || at_symbol('<') || at_symbol('l') || at_symbol('>') ||
         at_symbol('g');
}

// Whether a predicate begins there.
bool Parser::at_predicate(std::size_t ahead) const {
  return at_any({"is", "contains", "does", "starts", "ends", "matches"}, ahead) ||
         at_symbol('=', ahead) || at_symbol('!', ahead) || at_symbol('<', ahead) ||
         at_symbol('l', ahead) || at_symbol('>', ahead) || at_symbol('g', ahead);
}

// How many tokens the plain value that begins there has; 0 when there is none, or a field.
std::size_t Parser::value_length(std::size_t ahead) const {
  switch (peek(ahead).kind) {
    case TokenKind::kString:
    case TokenKind::kNumber:
      return 1;
    case TokenKind::kDate:
      return !at(TokenKind::kTime, ahead + 1) ? 1 : at(TokenKind::kZone, ahead + 2) ? 3 : 2;
    case TokenKind::kWord:
      return at_any({"true", "false", "now", "today"}, ahead) ? 1 : 0;
    default:
      return 0;
  }
}

// What stands alone where it should be compared.
Condition Parser::uncompared(const Operand& left) {
  constexpr const char* kComparisons =
      "a comparison (`is`, `is not`, `is at least`, `is one of`, `contains` and the like)";
  const bool field = std::holds_alternative<track::FieldRef>(left.value);
  if (field || told()) {
    fail("expected-comparison", kComparisons);
  } else if (std::holds_alternative<bool>(left.value)) {
    fail_at(left.span, "expected-comparison", "a value alone is no condition",
            "a rule for everybody is written otherwise:");
  } else {
    fail_at(left.span, "expected-comparison", "this value is compared with nothing",
            "several values to compare with stand behind `is one of`, with commas between");
  }
  return {};
}

Condition Parser::predicate(Operand left) {
  Condition result;
  const auto* alone = panic_ ? nullptr : std::get_if<track::FieldRef>(&left.value);
  const Habit* other =
      alone == nullptr || peek().first_on_line ? nullptr : habit(Place::kComparison);
  if (other != nullptr) {
    fail_by(*other, "expected-comparison", "a comparison");
    return result;
  }
  if (alone != nullptr && at_symbol('[')) {
    fail("expected-comparison", "a comparison", "a property is named as in event.size");
    return result;
  }
  const auto compare = [&](char symbol, Compare op) {
    if (!accept_symbol(symbol)) {
      return false;
    }
    result.node = track::Comparison{left, op, false, operand()};
    return true;
  };
  if (accept("is")) {
    return after_is(std::move(left));
  }
  if (accept("contains")) {
    result.node = track::TextMatch{std::move(left), false, track::TextTest::kContains, operand()};
  } else if (at_any({"starts", "ends"})) {
    const auto kind = at_word("starts") ? track::TextTest::kStartsWith : track::TextTest::kEndsWith;
    next();
    expect("with", kind == track::TextTest::kStartsWith ? "`starts with`" : "`ends with`");
    result.node = track::TextMatch{std::move(left), false, kind, operand()};
  } else if (accept("matches")) {
    result.node = track::RegexMatch{std::move(left), false, text_block("a regular expression")};
  } else if (accept("does")) {
    return does_not(std::move(left));
  } else if (compare('=', Compare::kIs) || compare('!', Compare::kIsNot) ||
             compare('<', Compare::kLess) || compare('l', Compare::kAtMost) ||
             compare('>', Compare::kMore) || compare('g', Compare::kAtLeast)) {
    return result;
  } else if (auto* field = std::get_if<track::FieldRef>(&left.value);
             field != nullptr && value_length(0) == 0) {
    result.node = track::BooleanField{std::move(*field)};
  } else {
    return uncompared(left);
  }
  return result;
}

Condition Parser::does_not(Operand left) {
  Condition result;
  expect("not", "`does not`");
  if (accept("contain")) {
    result.node = track::TextMatch{std::move(left), true, track::TextTest::kContains, operand()};
  } else if (accept("match")) {
    result.node = track::RegexMatch{std::move(left), true, text_block("a regular expression")};
  } else if (at_any({"start", "end"})) {
    const auto kind = at_word("start") ? track::TextTest::kStartsWith : track::TextTest::kEndsWith;
    next();
    expect("with", "`does not … with`");
    result.node = track::TextMatch{std::move(left), true, kind, operand()};
  } else {
    fail("expected-word", "`contain`, `start with`, `end with` or `match` behind `does not`");
  }
  return result;
}

// Behind `is`: words that are no value, which what stands behind them tells.
bool Parser::foreign_predicate() {
  constexpr const char* kExpected = "a value or `at least`, `more than`, `one of` and the like";
  const Habit* other = peek().first_on_line ? nullptr : habit(Place::kIs);
  const bool value_behind = value_length(1) > 0 && !peek(1).first_on_line;
  if (other != nullptr && (other->two_words() || value_behind || is_reserved(source(peek())))) {
    fail_by(*other, "expected-comparison", kExpected);
    return true;
  }
  if (at_symbol_comparison()) {
    fail("expected-comparison", kExpected,
         "write the symbol alone, or words such as `is at least`");
    return true;
  }
  if (at_any({"than", "to"}, 1)) {
    fail("expected-comparison", kExpected);
    return true;
  }
  return false;
}

// Behind `is`.
Condition Parser::after_is(Operand left) {
  Condition result;
  const bool negated = accept("not");
  if (at_any({"missing", "present"})) {
    const bool present = at_word("present");
    next();
    result.node = track::IsMissing{std::move(left), present, negated};
  } else if (accept("one")) {
    expect("of", "`is one of`");
    result.node = track::OneOf{std::move(left), negated, one_of()};
  } else if (accept("at")) {
    const Compare op = at_word("most") ? Compare::kAtMost : Compare::kAtLeast;
    if (!accept("most") && !accept("least")) {
      fail("expected-word", "`least` or `most` behind `at`");
    } else if (at_duration()) {
      fail("expected-value", "a value", "write as in is more than 14 days ago");
    }
    result.node = track::Comparison{std::move(left), op, negated, operand()};
  } else if (at_any({"more", "less"})) {
    return more_or_less(std::move(left), negated);
  } else if (accept("between")) {
    Operand low = operand();
    expect("and", "`between … and …`");
    result.node = track::Between{std::move(left), negated, std::move(low), operand()};
  } else if (at_any({"before", "after"})) {
    const bool after = at_word("after");
    next();
    result.node = track::BeforeAfter{std::move(left), negated, after, operand()};
  } else if (accept("within")) {
    if (at(TokenKind::kNumber)) {
      fail("expected-word", "the word `the` of `within the last` or `within the next`",
           "write `the last` or `the next` before it");
    }
    expect("the", "`within the last` or `within the next`");
    const bool future = at_word("next");
    if (!accept("next") && !accept("last")) {
      fail("expected-word", "`last` or `next` behind `within the`");
    }
    result.node = track::Within{std::move(left), negated, future, duration()};
  } else if (accept("the")) {
    expect("anniversary", "`the anniversary of`");
    expect("of", "`the anniversary of`");
    result.node = track::Anniversary{std::move(left), negated, operand()};
  } else if (foreign_predicate()) {
    return result;
  } else {
    result.node = track::Comparison{std::move(left), negated ? Compare::kIsNot : Compare::kIs,
                                    false, operand()};
  }
  return result;
}

Condition Parser::more_or_less(Operand left, bool negated) {
  Condition result;
  const bool more = at_word("more");
  next();
  expect("than", more ? "`more than`" : "`less than`");
  const bool misspelt_unit = at(TokenKind::kNumber) && at(TokenKind::kWord, 1) &&
                             !is_reserved(source(peek(1))) && at_any({"ago", "from"}, 2);
  if (!at_duration() && !misspelt_unit) {
    result.node = track::Comparison{std::move(left), more ? Compare::kMore : Compare::kLess,
                                    negated, operand()};
    return result;
  }
  track::Relative relative{std::move(left), negated, more, duration(), false};
  if (accept("from")) {
    expect("now", "`from now`");
    relative.from_now = true;
  } else if (!accept("ago")) {
    fail("expected-word", "`ago` or `from now` behind the duration");
  }
  result.node = std::move(relative);
  return result;
}

// The values of `one of`. A value behind `or` that no comparison follows was meant as one of them.
std::vector<Operand> Parser::one_of() {
  std::vector<Operand> values;
  if (at_symbol('(') || at_symbol('[')) {
    fail("expected-value", "the values", "they stand without brackets");
  }
  values.push_back(operand());
  for (;;) {
    if (accept_symbol(',')) {
      if (at_any({"or", "and"}) && value_length(1) > 0) {
        fail("expected-value", "a value", "take it out: a comma is enough");
      }
      values.push_back(operand());
    } else if (const std::size_t length = at_word("or") ? value_length(1) : 0;
               length > 0 && !at_predicate(1 + length)) {
      add(diagnose("one-of-or", peek().span, "the values of `one of` are separated by commas",
                   "write `,`"));
      next();
      values.push_back(operand());
    } else {
      if (value_length(0) > 0 && !peek().first_on_line) {
        fail("expected-word", "`,` between the values of `one of`");
      }
      return values;
    }
    if (values.size() > kMaxListItems) {
      too_many("values", kMaxListItems);
    }
  }
}

}  // namespace turnout::lang
