// Actions and moves.

#include <utility>

#include "lang/parser_impl.h"

namespace turnout::lang {

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
    run.database = name(kDatabase);
    run.statement = sql("a statement");
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
    go.step = name("the name of a step", hint_behind_go_to());
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

// What a word says that stands before the name of the step.
std::string Parser::hint_behind_go_to() const {
  return at(TokenKind::kString, 1) && !peek(1).first_on_line ? hint_for(Place::kGoTo) : "";
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
