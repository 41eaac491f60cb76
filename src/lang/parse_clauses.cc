// The head of a track and its clauses.

#include <utility>

#include "base/text.h"
#include "lang/codes.h"
#include "lang/parser_impl.h"
#include "lang/words.h"

namespace turnout::lang {
void Parser::track_head() {
  if (at_word("track")) {
    colon_behind_word();
  }
  const std::size_t first = index_;
  if (accept("track")) {
    out_.track.name = name("the name of the track");
    block_mark("track");
    attach(out_.track.comments, first);
    recover(Context::kClauses, first);
    return;
  }
  if (at(TokenKind::kString, 1) && !at_part() && !at_clause()) {  // a misspelt `track`
    fail_at(peek().span, "expected-track", "a file begins with the word `track`, found " + found(),
            "did you mean `track`?");
    recover(Context::kClauses, first);
    return;
  }
  add(diagnose("expected-track", peek().span, "a file begins with `track` and its name",
               "write track \"Name\" first"));
  if (!at_part() && !at_clause() && !at_head() && !at_action() && !at_move()) {
    panic_ = true;  // the line is of another language
    recover(Context::kClauses, first);
  }
}

bool Parser::at_clause() const {
  return at_any({"about", "gather", "enter", "leave", "hold", "quiet"}) ||
         (at_word("time") && at_word("zone", 1)) || (at_word("send") && at_word("at", 1));
}

void Parser::clause() {
  if (out_.track.clauses.size() == kMaxClauses) {
    too_many("clauses", kMaxClauses);
    return;
  }
  colon_behind_word();
  const std::size_t first = index_;
  const auto keep = [&](auto node) {
    if (!panic_) {
      node.span = span_from(first);
      attach(node.comments, first);
      out_.track.clauses.emplace_back(std::move(node));
    }
  };
  if (at_word("about")) {
    keep(about());
  } else if (at_word("time")) {
    keep(time_zone());
  } else if (at_word("gather")) {
    keep(gather());
  } else if (at_word("enter")) {
    keep(enter());
  } else if (at_word("leave")) {
    keep(leave());
  } else if (at_word("hold")) {
    keep(hold_out());
  } else if (at_word("quiet")) {
    keep(quiet());
  } else {
    keep(cap());
  }
  recover(Context::kClauses, first);
}

track::About Parser::about() {
  next();
  track::About result;
  result.text = plain_text("what the track is about");
  return result;
}

track::TimeZone Parser::time_zone() {
  next();
  next();
  track::TimeZone result;
  if (accept("of")) {
    result.of = field();
    expect("or", "`time zone of FIELD or \"ZONE\"`");
  }
  result.zone = name("the name of a time zone, such as \"Europe/Berlin\",");
  return result;
}

track::Gather Parser::gather() {
  next();
  track::Gather result;
  if (accept("contacts")) {
    track::GatherContacts contacts;
    contacts.where = where();
    contacts.schedule = schedule();
    result.what = std::move(contacts);
  } else if (accept("from")) {
    track::GatherFrom from;
    from.database = name(kDatabase);
    expect("query", "`gather from … query`");
    from.query = sql("a query");
    from.schedule = schedule();
    result.what = std::move(from);
  } else if (accept("on")) {
    track::GatherOn on;
    on.event = name("the name of an event");
    on.where = where();
    result.what = std::move(on);
  } else {
    fail_at_place(Place::kGather, "expected-word",
                  "`contacts`, `from` a database or `on` an event behind `gather`");
  }
  if (accept("for")) {
    expect("each", "`for each`");
    result.for_each = field();
  }
  if (accept("start")) {
    expect("at", "`start at`");
    result.start_at = name("the name of a step");
  }
  return result;
}

track::Schedule Parser::schedule() {
  if (accept("continuously")) {
    return track::Continuously{};
  }
  if (accept("once")) {
    expect("at", "`once at`");
    return track::OnceAt{date_time()};
  }
  if (accept("rrule")) {
    return track::Rrule{name("a recurrence rule")};
  }
  if (accept("every")) {
    return every();
  }
  const Token& token = peek();
  const bool word = token.kind == TokenKind::kWord && !token.first_on_line;
  static const std::vector<std::string> kWords = {"continuously", "every", "once", "rrule"};
  std::string hint = hint_for(Place::kSchedule);
  if (word && hint.empty()) {
    const std::string_view meant = base::closest(shorten(source(token)), kWords);
    hint = meant.empty() ? "" : "did you mean `" + std::string(meant) + "`?";
  }
  fail("expected-schedule",
       word ? "a comparison or a schedule, such as `continuously` or `every 15 minutes`,"
            : "a schedule, such as `continuously`, `every 15 minutes` or `every day at 06:00`,",
       std::move(hint));
  return track::Continuously{};
}

// Behind `every` of a schedule.
track::Schedule Parser::every() {
  if (at(TokenKind::kNumber)) {
    track::EveryDuration result{duration(), std::nullopt};
    if (accept("from")) {
      result.from = date_time();
    }
    return result;
  }
  if (accept("month")) {
    expect("on", "`every month on day`");
    expect("day", "`every month on day`");
    track::EveryMonth result;
    result.day = number("the day of the month, 1 to 31,");
    expect("at", "`at` a time");
    result.at = time_of_day();
    return result;
  }
  track::EveryDays result;
  if (accept("day")) {
    result.days = track::kEveryDay;
  } else if (accept("weekday")) {
    result.days = track::kMondayToFriday;
  } else if (at(TokenKind::kWord) && unit(source(peek()))) {
    fail("expected-duration", "a duration",
         "write how many, as in every 1 " + std::string(source(peek())));
  } else if (at_days()) {
    result.days = days();
  } else {
    fail("expected-schedule",
         "a duration, `day`, `weekday`, days from `monday` to `sunday`, or `month` behind `every`",
         at(TokenKind::kString) ? "write as in every weekday at 09:00, or rrule and a rule"
                                : hint_for_day());
  }
  expect("at", "`at` a time");
  result.at = time_of_day();
  return result;
}

track::Enter Parser::enter() {
  next();
  track::Enter result;
  if (accept("once")) {
    return result;
  }
  if (accept("again")) {
    result.kind = track::Enter::Kind::kAgainAfter;
    expect("after", "`enter again after`");
    result.after = duration();
  } else if (accept("every")) {
    result.kind = track::Enter::Kind::kEveryTime;
    expect("time", "`enter every time`");
  } else {
    fail_at_place(Place::kEnter, "expected-word",
                  "`once`, `again after` a duration or `every time` behind `enter`");
  }
  return result;
}

track::Leave Parser::leave() {
  next();
  track::Leave result;
  if (accept("when")) {
    if (at_word("no") && at_word("longer", 1)) {
      next();
      next();
      expect("gathered", "`no longer gathered`");
      result.why = track::Leave::NoLongerGathered{};
    } else {
      result.why = track::Leave::When{condition()};
    }
  } else if (accept("on")) {
    track::Leave::On on;
    on.event = name("the name of an event");
    on.where = where();
    result.why = std::move(on);
  } else {
    fail_at_place(Place::kLeave, "expected-word",
                  "`when` a condition or `on` an event behind `leave`");
  }
  if (accept("as")) {
    result.as = name("the name of an outcome");
  }
  return result;
}

track::HoldOut Parser::hold_out() {
  next();
  track::HoldOut result;
  expect("out", "`hold out`");
  result.percent = percent();
  expect("as", "`hold out … as`");
  result.as = name("a name for those held out");
  if (accept("for")) {
    result.duration = duration();
  }
  return result;
}

track::Cap Parser::cap() {
  next();
  track::Cap result;
  expect("at", "`send at most`");
  expect("most", "`send at most`");
  result.count = number("the number of messages");
  result.messages = at_any({"messages", "message"});
  if (!accept("messages") && !accept("emails") && !accept("message") && !accept("email")) {
    fail("expected-word", "`emails` or `messages`", at_word("per") ? "write emails before it" : "");
  }
  expect("per", "`per` a duration");
  result.per = duration();
  return result;
}

track::Quiet Parser::quiet() {
  next();
  track::Quiet result;
  if (accept("from")) {
    const track::TimeOfDay begin = time_of_day();
    expect("to", "`quiet from … to …`");
    result.hours.emplace(begin, time_of_day());
    if (accept("on")) {
      result.days = days();
    }
  } else if (accept("on")) {
    result.days = days();
  } else {
    fail_at_place(Place::kQuiet, "expected-word", "`from` a time or `on` days behind `quiet`");
  }
  if (accept("in")) {
    result.zone_field = field();
  }
  return result;
}

// What stands before the first step and is no clause.
void Parser::unknown_clause() {
  const std::size_t first = index_;
  const Token token = peek();
  if (close_brace() || second_track("expected-clause") || foreign_clause()) {
    return;
  }
  if (at_head()) {
    add(diagnose("rule-outside-step", token.span, "a rule stands in a step",
                 "write step \"Name\" before it"));
    track::Step nowhere;
    step_body(nowhere);
    return;
  }
  if (at_action() || at_move()) {
    fail_at(token.span, "action-outside-rule", "an action or move stands in a rule of a step",
            "write step \"Name\" and otherwise: before it");
    recover(Context::kClauses, first);
    return;
  }
  static const std::vector<std::string> kWords = {"about", "time",  "gather", "enter", "leave",
                                                  "hold",  "quiet", "send",   "step",  "test"};
  std::string_view meant;
  if (token.kind == TokenKind::kWord) {
    meant = base::closest(shorten(source(token)), kWords);
  }
  if (!reported_already()) {
    fail_at(token.span, "expected-clause", "expected a clause or a step here, found " + found(),
            !meant.empty()   ? "did you mean `" + std::string(meant) + "`?"
            : at_symbol('(') ? "remarks begin with #"
                             : "clauses begin with about, time zone, gather, enter, leave, hold "
                               "out, send at most or quiet");
  }
  panic_ = true;
  if (meant == "step" && tokens_.tokens[first + 1].kind == TokenKind::kString) {
    panic_ = false;  // what follows are the rules of that step
    misspelt_step_ = first;
    return;
  }
  recover(Context::kClauses, first);
}

// At a word that other languages begin such a part with.
bool Parser::foreign_clause() {
  const std::size_t first = index_;
  const Habit* other = habit(Place::kClause);
  if (other == nullptr) {
    return false;
  }
  const std::size_t words = other->two_words() ? 2 : 1;
  fail_at(span_of(words), "expected-clause",
          "expected a clause or a step here, found " + found(words), std::string(other->hint));
  const TokenKind behind = tokens_.tokens[first + 1].kind;
  if (other->go_on == GoOn::kAsStep &&
      (behind == TokenKind::kString || behind == TokenKind::kWord)) {
    panic_ = false;
    misspelt_step_ = first;
  } else {
    recover(Context::kClauses, first);
  }
  return true;
}

}  // namespace turnout::lang
