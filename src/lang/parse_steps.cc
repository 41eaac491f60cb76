// Steps and rules.

#include <array>
#include <utility>

#include "base/text.h"
#include "lang/codes.h"
#include "lang/parser_impl.h"
#include "lang/words.h"

namespace turnout::lang {
namespace {

// The head of a rule that could not be read: a condition that tests nothing.
track::Head unread_head() {
  track::Condition nothing;
  nothing.node = track::And{};
  return track::When{std::move(nothing)};
}

}  // namespace

// ---- Steps --------------------------------------------------------------------------------------

bool Parser::at_part() const {
  return at_any({"step", "test"}) || (!panic_ && index_ == misspelt_step_);
}

bool Parser::at_head() const {
  return at_any({"when", "on", "after", "once", "every", "for", "otherwise"});
}

bool Parser::at_action() const {
  return at_any({"send", "call", "show", "run", "set", "clear", "increase", "decrease", "add",
                 "remove", "record", "put", "take"}) &&
         !at_clause();
}

bool Parser::at_move() const { return at_any({"go", "stop", "stay"}); }

void Parser::step() {
  if (++steps_ > kMaxSteps) {
    too_many("steps", kMaxSteps);
    return;
  }
  const bool foreign = index_ == misspelt_step_;
  colon_behind_word();
  const std::size_t first = index_;
  next();
  track::Step step;
  if (foreign && at(TokenKind::kWord)) {  // the rest of the line is of another language
    step.name = {std::string(source(peek())), peek().span};
    panic_ = true;
  } else {
    step.name = name("the name of the step");
    block_mark("step");
  }
  step.span = panic_ ? tokens_.tokens[first].span : span_from(first);
  attach(step.comments, first);
  if (panic_) {
    recover(Context::kStep, first);
    count_braces(first);
  }
  step_body(step);
  out_.track.parts.emplace_back(std::move(step));
}

void Parser::step_body(track::Step& step) {
  while (!at(TokenKind::kEnd) && !at_part()) {
    if (step.rules.size() == kMaxRulesPerStep) {
      too_many("rules in one step", kMaxRulesPerStep);
    } else if (at_word("about")) {
      step_about(step);
    } else if (at_word("look")) {
      step_look_up(step);
    } else if (at_word("check")) {
      step_check(step);
    } else if (at_head()) {
      step.rules.push_back(rule());
    } else if (at_clause()) {
      misplaced_clause();
      if ((at_action() || at_move()) && !step.rules.empty() && !step.rules.back().move) {
        rule_body(step.rules.back());  // it stood in that rule
      }
    } else if (at_action() || at_move()) {
      add(diagnose("action-outside-rule", peek().span, "an action or move stands in a rule",
                   "write `otherwise:` before it"));
      step.rules.emplace_back().head = unread_head();
      rule_body(step.rules.back());
    } else {
      unknown_in_step(&step);
    }
  }
}

void Parser::step_about(track::Step& step) {
  const std::size_t first = index_;
  if (step.about) {
    fail_at(peek().span, "duplicate-part", "a step has one `about`");
  }
  next();
  std::string text = plain_text("what the step is about");
  if (!panic_) {
    step.about = std::move(text);
    attach(step.about_comments, first);
  }
  recover(Context::kStep, first);
}

void Parser::step_look_up(track::Step& step) {
  const std::size_t first = index_;
  if (step.look_up) {
    fail_at(peek().span, "duplicate-part", "a step has one `look up`");
  }
  next();
  track::LookUp result;
  expect("up", "`look up`");
  expect("from", "`look up from`");
  result.database = name(kDatabase);
  expect("query", "`look up from … query`");
  result.query = sql("a query");
  if (!panic_) {
    result.span = span_from(first);
    attach(result.comments, first);
    step.look_up = std::move(result);
  }
  recover(Context::kStep, first);
}

void Parser::step_check(track::Step& step) {
  const std::size_t first = index_;
  if (step.check_every) {
    fail_at(peek().span, "duplicate-part", "a step has one `check every`");
  }
  next();
  expect("every", "`check every`");
  track::DurationSpec every = duration();
  if (!panic_) {
    attach(step.check_comments, first);
    step.check_every = std::move(every);
  }
  recover(Context::kStep, first);
}

void Parser::misplaced_clause() {
  add(diagnose("clause-after-step", peek().span, "clauses of the track stand before its first step",
               "move it up"));
  clause();
}

// What is neither a rule nor an action. `step` is null inside a rule.
void Parser::unknown_in_step(track::Step* step) {
  const std::size_t first = index_;
  const Habit* other = habit(Place::kStatement);
  if (other != nullptr && behind_action() && other->go_on != GoOn::kAtNextStatement) {
    fail_at(peek().span, "expected-action", "a condition stands before the actions, not behind one",
            "write it into the head of the rule");
    recover(Context::kStep, first);
    return;
  }
  if (close_brace() || (other == nullptr && second_track("expected-step"))) {
    return;
  }
  static const std::vector<std::string> kWords = {
      "when",   "on",     "after", "once", "every", "for",   "otherwise", "step",     "test",
      "send",   "call",   "show",  "run",  "set",   "clear", "increase",  "decrease", "add",
      "remove", "record", "put",   "take", "go",    "stop",  "stay",      "look",     "check"};
  const Token token = peek();
  std::string hint;
  std::string_view meant;
  if (other != nullptr) {
    hint = other->hint;
  } else if (at(TokenKind::kWord) && at_symbol('=', 1)) {
    hint = "a field is changed as in set " + shorten(source(token)) + " to 5";
  } else if (at(TokenKind::kWord)) {
    meant = base::closest(shorten(source(token)), kWords);
    hint = meant.empty() ? "" : "did you mean `" + std::string(meant) + "`?";
  } else if (at(TokenKind::kPercent)) {
    hint = "write `for " + shorten(source(token)) + "`";
  } else if (at_symbol('(')) {
    hint = "remarks begin with #";
  }
  const std::size_t words = other != nullptr && other->two_words() ? 2 : 1;
  if (!reported_already() || other != nullptr) {
    fail_at(
        span_of(words), step == nullptr ? CodeId("expected-action") : CodeId("expected-rule"),
        (step == nullptr ? "expected an action, a move or the next rule here, found "
                         : "expected a rule, such as `when …:`, or the next step here, found ") +
            found(words),
        hint);
  }
  go_on_behind_unknown(step, first, meant == "step", other);
}

// Behind what unknown_in_step() has reported, which began with the token `first`.
void Parser::go_on_behind_unknown(track::Step* step, std::size_t first, bool misspelt,
                                  const Habit* other) {
  panic_ = false;
  const TokenKind behind = tokens_.tokens[std::min(first + 1, tokens_.tokens.size() - 1)].kind;
  const bool foreign_step = other != nullptr && other->go_on == GoOn::kAsStep &&
                            (behind == TokenKind::kString || behind == TokenKind::kWord);
  const bool head = line_ends_with_colon() || (other != nullptr && other->go_on == GoOn::kAsHead);
  panic_ = true;
  if (foreign_step || (misspelt && behind == TokenKind::kString)) {
    panic_ = false;
    misspelt_step_ = first;
  } else if (step != nullptr && other != nullptr && other->go_on == GoOn::kAsWhen) {
    foreign_when(*step, first, *other);
  } else if (step != nullptr && head) {
    recover_head(first);
    count_braces(first);
    step->rules.emplace_back().head = unread_head();
    rule_body(step->rules.back());
  } else {
    recover(Context::kStep, first);
  }
}

// A rule whose first words, reported already, were meant as `when`.
void Parser::foreign_when(track::Step& step, std::size_t first, const Habit& other) {
  panic_ = false;
  index_ = first + (other.two_words() ? 2 : 1);
  track::Rule& rule = step.rules.emplace_back();
  rule.head = track::When{condition()};
  colon();
  if (panic_) {
    const std::size_t read = index_;
    recover_head(first);
    count_braces(read);
    rule.head = unread_head();
  }
  rule_body(rule);
}

// ---- Rules --------------------------------------------------------------------------------------

track::Rule Parser::rule() {
  if (!at_word("otherwise")) {
    colon_behind_word();
  }
  const std::size_t first = index_;
  track::Rule result;
  result.head = head();
  colon();
  if (panic_) {
    recover_head(first);
    result.head = unread_head();
  }
  result.span = span_from(first);
  attach(result.comments, first);
  const Token& head = tokens_.tokens[first];
  if (at_head() && head.first_on_line && peek().first_on_line &&
      peek().span.column > head.span.column) {
    const bool both = at_word("when") && std::holds_alternative<track::When>(result.head);
    add(diagnose(
        "nested-rule", peek().span,
        "this rule stands beside the one on line " + std::to_string(head.span.line) + ", not in it",
        both ? "join their conditions with `and`"
             : "a rule holds actions and a move, and no rules"));
  }
  rule_body(result);
  return result;
}

track::Head Parser::head() {
  if (accept("when")) {
    return track::When{condition()};
  }
  if (accept("on")) {
    track::OnEvent on;
    on.event = name("the name of an event", hint_behind_on());
    on.where = where();
    return on;
  }
  if (accept("after")) {
    return track::After{duration()};
  }
  if (accept("once")) {
    expect("at", "`once at`");
    return track::OnceAt{date_time()};
  }
  if (accept("for")) {
    track::Share share;
    share.percent = percent();
    if (accept("as")) {
      share.as = name("the name of an arm");
    }
    return share;
  }
  if (accept("otherwise")) {
    return track::Otherwise{};
  }
  expect("every", "a rule");
  track::EveryDays every;
  if (accept("day")) {
    every.days = track::kEveryDay;
  } else if (accept("weekday")) {
    every.days = track::kMondayToFriday;
  } else if (at_days()) {
    every.days = days();
  } else {
    fail("expected-days", "`day`, `weekday` or days from `monday` to `sunday` behind `every`",
         at(TokenKind::kNumber) ? "a rule that waits for a time is written `after 2 days:`"
                                : hint_for_day());
  }
  expect("at", "`at` a time");
  every.at = time_of_day();
  return every;
}

// What to write instead of days or a date, which begin no rule behind `on`.
std::string Parser::hint_behind_on() const {
  if (at(TokenKind::kDate)) {
    return "a date is waited for as in once at 2026-12-01 09:00:";
  }
  if (at_word("email", 0) && at_any({"opened", "clicked", "bounced", "delivered"}, 1)) {
    return "events have names such as \"email.opened\"";
  }
  const bool days = at_days() || habit(Place::kDays) != nullptr;
  return days && !peek().first_on_line ? "days stand behind a time, as in at 09:00 on weekdays"
                                       : "";
}

void Parser::colon() {
  if (accept_symbol(':') || panic_) {
    return;
  }
  const Token& token = peek();
  if (told()) {
    panic_ = !tokens_.tokens[index_ - 1].broken;  // else the colon may stand in the open quotes
    return;
  }
  if (token.first_on_line || token.kind == TokenKind::kEnd || at_action() || at_move()) {
    add(diagnose("missing-colon", behind_previous(), "the head of a rule ends in a colon",
                 "write `:`"));
    return;
  }
  const bool action_behind =
      at_any({"send", "call", "show", "run", "set", "clear", "increase", "decrease", "add",
              "remove", "record", "put", "take", "go", "stop", "stay"},
             1);
  if (at_symbol('{') || ((at_symbol(',') || at_any({"then", "do"})) && action_behind)) {
    open_braces_ += at_symbol('{') ? 1 : 0;
    add(diagnose("missing-colon", token.span, "the head of a rule ends in a colon", "write `:`"));
    next();
    return;
  }
  fail_behind_head();
}

// Something that goes on with a head which could end here.
void Parser::fail_behind_head() {
  const Token& before = tokens_.tokens[index_ - 1];
  const Habit* other = habit(Place::kRule);
  std::string hint;
  if (at_symbol(',') && before.kind == TokenKind::kNumber) {
    hint = "numbers are written without separators";
  } else if (at_symbol(',') && value_length(1) > 0) {
    hint = "several values stand behind `is one of`";
  } else if (at_symbol_comparison()) {
    hint = "between two values is written as in score is between 10 and 20";
  } else if (at_symbol(')')) {
    hint = "no `(` stands before it";
  } else if (other != nullptr) {
    hint = other->hint;
  }
  const bool field = before.kind == TokenKind::kWord || before.kind == TokenKind::kQuoted;
  if (field && at(TokenKind::kWord) && other == nullptr) {
    fail("expected-comparison", "`:` or a comparison", hint);
  } else {
    fail("missing-colon", "`:` behind the head of the rule", hint);
  }
}

// Whether an action or a move stands before this on the same line.
bool Parser::behind_action() const {
  const Token& before = tokens_.tokens[index_ == 0 ? 0 : index_ - 1];
  const bool mark =
      before.kind == TokenKind::kSymbol && (before.count == ':' || before.count == '}');
  return !peek().first_on_line && !mark;
}

// Whether a rule begins here with a word of another language.
bool Parser::at_foreign_head() const {
  const Habit* other = habit(Place::kStatement);
  return other != nullptr && !behind_action() &&
         (other->go_on == GoOn::kAsHead || other->go_on == GoOn::kAsWhen);
}

// `after 2 days` on a line among the actions of a rule, without the colon of a head.
void Parser::wait_in_rule() {
  const std::size_t first = index_;
  next();
  duration();
  if (!panic_) {
    fail_at(span_from(first), "expected-action", "a rule does not wait between its actions",
            std::string(find_habit(Place::kStatement, "wait")->hint));
  }
  recover(Context::kStep, first);
}

void Parser::rule_body(track::Rule& rule) {
  bool move_told = false;    // that something stands behind the move
  std::uint32_t column = 0;  // of the actions
  while (!at(TokenKind::kEnd) && !at_part() && !at_clause() && !at_any({"look", "check"})) {
    const bool in_column = peek().first_on_line && peek().span.column == column;
    if (in_column && at_word("after") && !after_is_a_head()) {
      wait_in_rule();
    } else if (at_head()) {
      return;
    } else if (at_action() || at_move()) {
      column = peek().first_on_line ? peek().span.column : column;
      rule_line(rule, move_told);
    } else if (line_ends_with_colon() || at_foreign_head()) {
      return;  // a broken head: the step's business
    } else {
      unknown_in_step(nullptr);
    }
  }
}

// An action or a move.
void Parser::rule_line(track::Rule& rule, bool& move_told) {
  const bool is_move = at_move();
  if (rule.move && !move_told) {
    move_told = true;
    add(diagnose("action-after-move", peek().span, "the move before this ends the rule",
                 is_move ? "a rule has one move; another rule has its own head"
                         : "put it before the move, or write the head of another rule before it"));
  }
  colon_behind_word();
  const std::size_t first = index_;
  if (rule.actions.size() == kMaxActionsPerRule) {
    too_many("actions in one rule", kMaxActionsPerRule);
  } else if (is_move) {
    track::Move result = move();
    attach(result.comments, first);
    if (!panic_ && !rule.move) {
      rule.move = std::move(result);
    }
  } else {
    track::Action result = action();
    attach(result.comments, first);
    if (!panic_) {
      rule.actions.push_back(std::move(result));
    }
  }
  if (at_symbol(':') && !peek().first_on_line) {
    needless("no colon stands behind an action or a move");
  }
  recover(Context::kStep, first);
}

}  // namespace turnout::lang
