// Steps, rules, actions and moves.

#include <array>
#include <utility>

#include "base/text.h"
#include "lang/codes.h"
#include "lang/parser_impl.h"
#include "lang/words.h"

namespace turnout::lang {
namespace {

constexpr std::uint8_t kEveryDay = 0b1111111;
constexpr std::uint8_t kMondayToFriday = 0b0011111;

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
    every.days.bits = kEveryDay;
  } else if (accept("weekday")) {
    every.days.bits = kMondayToFriday;
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
  fail("missing-colon", "`:` behind the head of the rule");
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

// ---- Actions ------------------------------------------------------------------------------------

track::Action Parser::action() {
  const std::size_t first = index_;
  track::Action result;
  if (at_any({"set", "clear", "increase", "decrease", "add", "remove"})) {
    change_action(result);
  } else {
    action_body(result);
  }
  if (!panic_) {
    result.span = span_from(first);
  }
  return result;
}

// Actions on the world and on other tracks.
void Parser::action_body(track::Action& action) {
  if (accept("send")) {
    expect("email", "`send email`");
    track::SendEmail send{name("the name of a template"), std::nullopt};
    if (accept("to")) {
      send.to = operand();
    }
    action.what = std::move(send);
  } else if (accept("call")) {
    expect("webhook", "`call webhook`");
    track::CallWebhook call;
    call.webhook = name("the name of a webhook");
    call.with = with_json();
    action.what = std::move(call);
  } else if (accept("show")) {
    track::Show show;
    show.what = name("the name of what to show");
    show.with = with_json();
    action.what = std::move(show);
  } else if (accept("run")) {
    expect("on", "`run on`");
    track::RunSql run;
    run.database = name("the name of a database");
    run.statement = name("a statement");
    action.what = std::move(run);
  } else if (accept("record")) {
    expect("event", "`record event`");
    track::RecordEvent record;
    record.event = name("the name of an event");
    record.with = with_json();
    action.what = std::move(record);
  } else if (accept("put")) {
    expect("on", "`put on track`");
    expect("track", "`put on track`");
    track::PutOnTrack put;
    put.track = name("the name of a track");
    if (accept("at")) {
      put.at = name("the name of a step");
    }
    action.what = std::move(put);
  } else {
    expect("take", "an action");
    expect("off", "`take off track`");
    expect("track", "`take off track`");
    action.what = track::TakeOffTrack{name("the name of a track")};
  }
}

// Actions on the contact.
void Parser::change_action(track::Action& action) {
  if (accept("set")) {
    track::SetField set;
    set.field = field();
    expect("to", "`set … to`");
    set.to = operand();
    action.what = std::move(set);
  } else if (accept("clear")) {
    action.what = track::ClearField{field()};
  } else if (at_any({"increase", "decrease"})) {
    track::IncreaseField increase;
    increase.decrease = at_word("decrease");
    next();
    increase.field = field();
    expect("by", increase.decrease ? "`decrease … by`" : "`increase … by`");
    if (at_duration()) {
      increase.by = duration();
    } else {
      increase.by = operand();
    }
    action.what = std::move(increase);
  } else {
    const bool remove = at_word("remove");
    next();
    expect("tag", remove ? "`remove tag`" : "`add tag`");
    action.what = track::TagAction{remove, name("the name of a tag")};
  }
}

// ---- Moves --------------------------------------------------------------------------------------

track::Move Parser::move() {
  const std::size_t first = index_;
  track::Move result;
  if (accept("go")) {
    expect("to", "`go to`");
    track::GoTo go;
    go.step = name("the name of a step");
    go.due = due();
    result.what = std::move(go);
  } else if (accept("stop")) {
    track::Stop stop;
    if (accept("as")) {
      stop.as = name("the name of an outcome");
    }
    result.what = std::move(stop);
  } else {
    expect("stay", "a move");
    track::Stay stay;
    if (at_word("for") && !at(TokenKind::kPercent, 1)) {
      next();
      stay.duration = duration();
    }
    result.what = std::move(stay);
  }
  if (!panic_) {
    result.span = span_from(first);
  }
  return result;
}

// At `after` behind a `go to`: whether it is the head of the next rule, which only the colon can
// tell.
bool Parser::after_is_a_head() const {
  std::size_t i = 1;
  while (at_duration(i)) {
    i += 2;
  }
  return at_symbol(':', i);
}

std::optional<track::Due> Parser::due() {
  const std::size_t first = index_;
  track::Due result;
  if (at_word("after")) {
    if (after_is_a_head()) {
      return std::nullopt;
    }
    if (peek().first_on_line) {
      add(diagnose("after-on-own-line", peek().span,
                   "this `after` is read as the wait of the `go to` before it",
                   "put it on that line, or write `:` behind it if it begins a rule"));
    }
    next();
    track::Due::AfterDuration after{duration(), std::nullopt};
    if (at_word("at")) {
      after.clock = clock();
    }
    result.when = std::move(after);
  } else if (at(TokenKind::kNumber)) {
    track::Due::RelativeToField relative;
    relative.duration = duration();
    relative.before = at_word("before");
    if (!accept("before") && !accept("after")) {
      fail("expected-word", "`before` or `after` a field behind the duration",
           "to wait that long write `after` before it");
    }
    relative.field = field();
    if (at_word("at")) {
      relative.clock = clock();
    }
    result.when = std::move(relative);
  } else if (at_word("at") && at(TokenKind::kDate, 1)) {
    next();
    result.when = track::Due::AtDateTime{date_time()};
  } else if (at_word("at")) {
    result.when = clock().value_or(track::Clock());
  } else {
    return std::nullopt;
  }
  if (panic_) {
    return std::nullopt;
  }
  result.span = span_from(first);
  return result;
}

std::optional<track::Clock> Parser::clock() {
  expect("at", "`at` a time");
  track::Clock result;
  result.at = time_of_day();
  if (at_word("on") && !at(TokenKind::kString, 1)) {
    next();
    result.days = days();
  }
  return panic_ ? std::nullopt : std::optional(result);
}

}  // namespace turnout::lang
