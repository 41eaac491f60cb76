// Steps and rules.

#include <array>
#include <utility>

#include "base/text.h"
#include "lang/codes.h"
#include "lang/parser_impl.h"
#include "lang/words.h"

namespace turnout::lang {
namespace {

// Words of other languages and habits, and what to write instead.
struct Instead {
  std::string_view word;
  std::string_view hint;
};
constexpr std::array kInstead = {
    Instead{"if", "write `when`"},
    Instead{"else", "write `otherwise:`"},
    Instead{"elseif", "write `when`"},
    Instead{"default", "write `otherwise:`"},
    Instead{"goto", "write `go to`"},
    Instead{"move", "write `go to`"},
    Instead{"wait", "write `go to \"Step\" after 2 days`, or a rule `after 2 days:`"},
    Instead{"email", "write `send email`"},
    Instead{"tag", "write `add tag`"},
    Instead{"untag", "write `remove tag`"},
    Instead{"webhook", "write `call webhook`"},
    Instead{"end", "write `stop`"},
    Instead{"exit", "write `stop`"},
    Instead{"in", "to wait write `after 2 days`"},
};
constexpr std::array kComparisonInstead = {
    Instead{"equals", "write `is`"},
    Instead{"equal", "write `is`"},
    Instead{"contain", "write `contains`"},
    Instead{"includes", "write `contains`"},
    Instead{"like", "write `contains` or `matches`"},
    Instead{"match", "write `matches`"},
    Instead{"start", "write `starts with`"},
    Instead{"begins", "write `starts with`"},
    Instead{"end", "write `ends with`"},
    Instead{"exists", "write `is present`"},
    Instead{"isnt", "write `is not`"},
    Instead{"has", "write `contains`"},
};

template <class Table>
std::string instead(const Table& table, std::string_view word) {
  for (const Instead& entry : table) {
    if (base::equals_ignoring_case(entry.word, word)) {
      return std::string(entry.hint);
    }
  }
  return "";
}

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
  const std::size_t first = index_;
  if (++steps_ > kMaxSteps) {
    too_many("steps", kMaxSteps);
    return;
  }
  next();
  track::Step step;
  const Token& token = peek();
  if (token.kind == TokenKind::kWord && !token.first_on_line) {
    add(diagnose("expected-text", token.span, "the name of a step stands in quotes",
                 "write \"" + shorten(source(token)) + "\""));
    step.name = {std::string(source(token)), token.span};
    next();
  } else {
    step.name = name("the name of the step");
  }
  step.span = panic_ ? tokens_.tokens[first].span : span_from(first);
  attach(step.comments, first);
  recover(Context::kStep, first);
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
  result.database = name("the name of a database");
  expect("query", "`look up from … query`");
  result.query = name("a query");
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
  const Token token = peek();
  if (token.kind == TokenKind::kBad) {
    panic_ = true;
    recover(Context::kStep, first);
    return;
  }
  static const std::vector<std::string> kWords = {
      "when",   "on",     "after", "once", "every", "for",   "otherwise", "step",     "test",
      "send",   "call",   "show",  "run",  "set",   "clear", "increase",  "decrease", "add",
      "remove", "record", "put",   "take", "go",    "stop",  "stay",      "look",     "check"};
  std::string hint;
  std::string_view meant;
  if (token.kind == TokenKind::kWord) {
    hint = instead(kInstead, source(token));
    meant = hint.empty() ? base::closest(shorten(source(token)), kWords) : std::string_view();
    hint = meant.empty() ? hint : "did you mean `" + std::string(meant) + "`?";
  }
  const bool broken_head = step != nullptr && line_ends_with_colon();
  if (at_word("track")) {
    fail_at(token.span, "expected-step", "a file holds one track",
            "put the other into its own file");
  } else if (step == nullptr) {
    fail_at(token.span, "expected-action",
            "expected an action, a move or the next rule here, found " + found(), hint);
  } else {
    fail_at(token.span, "expected-rule",
            "expected a rule, such as `when …:`, or the next step here, found " + found(), hint);
  }
  if (meant == "step" && tokens_.tokens[first + 1].kind == TokenKind::kString) {
    panic_ = false;
    misspelt_step_ = first;
  } else if (broken_head) {
    recover_head(first);
    step->rules.emplace_back().head = unread_head();
    rule_body(step->rules.back());
  } else {
    recover(Context::kStep, first);
  }
}

// ---- Rules --------------------------------------------------------------------------------------

track::Rule Parser::rule() {
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
  rule_body(result);
  return result;
}

track::Head Parser::head() {
  if (accept("when")) {
    return track::When{condition()};
  }
  if (accept("on")) {
    track::OnEvent on;
    on.event = name("the name of an event");
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
         at(TokenKind::kNumber) ? "a rule that waits for a time is written `after 2 days:`" : "");
  }
  expect("at", "`at` a time");
  every.at = time_of_day();
  return every;
}

void Parser::colon() {
  if (accept_symbol(':') || panic_) {
    return;
  }
  const Token& token = peek();
  if (tokens_.tokens[index_ - 1].broken) {
    return;  // the colon may stand in the open quotes
  }
  if (token.first_on_line || token.kind == TokenKind::kEnd || at_action() || at_move()) {
    add(diagnose("missing-colon", behind_previous(), "the head of a rule ends in a colon",
                 "write `:`"));
    return;
  }
  const TokenKind before = tokens_.tokens[index_ - 1].kind;
  if ((before == TokenKind::kWord || before == TokenKind::kQuoted) &&
      token.kind == TokenKind::kWord) {
    fail("expected-comparison", "`:` or a comparison", instead(kComparisonInstead, source(token)));
    return;
  }
  const bool separator = at_symbol(',') && before == TokenKind::kNumber;
  fail("missing-colon", "`:` behind the head of the rule",
       separator ? "numbers are written without separators" : "");
}

void Parser::rule_body(track::Rule& rule) {
  bool told = false;
  while (!at(TokenKind::kEnd) && !at_part() && !at_head() && !at_clause() &&
         !at_any({"look", "check"})) {
    const std::size_t first = index_;
    const bool is_move = at_move();
    if (!is_move && !at_action()) {
      if (line_ends_with_colon()) {
        return;  // a broken head: the step's business
      }
      unknown_in_step(nullptr);
      continue;
    }
    if (rule.move && !told) {
      told = true;
      add(diagnose("action-after-move", peek().span, "the move before this ends the rule",
                   is_move ? "a rule has one move" : "put it before the move"));
    }
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
    recover(Context::kStep, first);
  }
}

}  // namespace turnout::lang
