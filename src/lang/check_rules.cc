// Steps: their rules, actions and moves; tests in a track.

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <utility>

#include "lang/check_impl.h"
#include "lang/foreign.h"
#include "lang/formatter.h"
#include "lang/words.h"
#include "track/sql_text.h"

namespace turnout::lang {
namespace {

using track::Type;

constexpr std::int64_t kAll = 10'000;

}  // namespace

std::int64_t hundredths(double percent) {
  constexpr double kMost = 1e6;
  return std::llround(std::clamp(percent, 0.0, kMost) * 100);
}

void Checker::step(const track::Step& step, std::size_t index) {
  Scope scope;
  if (whole()) {
    scope.event = graph_.event[index];
    scope.row = graph_.row[index];
  }
  if (step.look_up) {
    known(step.look_up->database, catalogue_.databases, "unknown-database", "database");
  }
  if (step.check_every) {
    not_zero(*step.check_every, "the time of `check every`");
  }
  for (const track::Rule& r : step.rules) {
    rule(r, scope);
  }
  arms(step);
  if (whole()) {
    rule_order(step);
  }
}

// Rules that come after one that takes everybody.
void Checker::rule_order(const track::Step& step) {
  std::int64_t sum = 0;
  const track::Rule* last = nullptr;  // takes everybody who comes to it
  for (const track::Rule& rule : step.rules) {
    if (last != nullptr) {
      const bool otherwise = std::holds_alternative<track::Otherwise>(last->head);
      if (!otherwise && std::holds_alternative<track::Share>(rule.head)) {
        continue;  // over 100 %, which is reported as such
      }
      const bool more = &rule != &step.rules.back();
      report("rule-after-otherwise", rule.span,
             std::string(more ? "this rule and those behind it are never reached: "
                              : "this rule is never reached: ") +
                 (otherwise ? "the `otherwise`" : "the arms up to the one") + " on line " +
                 std::to_string(last->span.line) + (otherwise ? " takes" : " take") + " everybody",
             more ? "move them up" : "move it up");
      return;
    }
    if (const auto* share = std::get_if<track::Share>(&rule.head)) {
      sum += hundredths(share->percent);
    }
    if (std::holds_alternative<track::Otherwise>(rule.head) || sum >= kAll) {
      last = &rule;
    }
    const auto* stay = rule.move ? std::get_if<track::Stay>(&rule.move->what) : nullptr;
    if (stay != nullptr && std::holds_alternative<track::Otherwise>(rule.head)) {
      for (const track::Action& action : rule.actions) {
        if (std::holds_alternative<track::SendEmail>(action.what)) {
          report(
              "otherwise-stays", action.span,
              "this is sent again whenever the step is tested again, since the contact stays on it",
              "put what follows the sending into another step");
        }
      }
    }
  }
}

void Checker::arms(const track::Step& step) {
  std::int64_t sum = 0;
  bool over = false;
  bool otherwise = false;
  const track::Rule* first = nullptr;
  std::set<std::string_view> names;
  for (const track::Rule& rule : step.rules) {
    otherwise = otherwise || std::holds_alternative<track::Otherwise>(rule.head);
    const auto* share = std::get_if<track::Share>(&rule.head);
    if (share == nullptr) {
      continue;
    }
    percent(share->percent, rule.span);
    first = first == nullptr ? &rule : first;
    sum += hundredths(share->percent);
    if (sum > kAll && !over) {
      over = true;
      report("arms-over-100", rule.span,
             "with this one the arms of the step add to " +
                 format_number(static_cast<double>(sum) / 100) + " %",
             "together they take 100 % at most");
    }
    if (share->as && !names.insert(share->as->text).second) {
      report("duplicate-arm", share->as->span, "this step has an arm of this name already",
             "give it another name");
    }
  }
  if (whole() && first != nullptr && sum < kAll && sum > 0 && !otherwise) {
    report("arms-under-100", first->span,
           "the arms of this step add to " + format_number(static_cast<double>(sum) / 100) +
               " %: the rest of the contacts waits here",
           "add `otherwise:` or more arms");
  }
}

void Checker::rule(const track::Rule& rule, Scope scope) {
  if (const auto* when = std::get_if<track::When>(&rule.head)) {
    condition(when->condition, scope);
  } else if (const auto* on = std::get_if<track::OnEvent>(&rule.head)) {
    scope.event = true;
    if (on->where) {
      condition(*on->where, scope);
    }
  }
  for (const track::Action& a : rule.actions) {
    action(a, scope);
  }
  if (rule.move) {
    move(*rule.move, scope);
  }
}

// ---- Actions ------------------------------------------------------------------------------------

void Checker::action(const track::Action& action, const Scope& scope) {
  if (const auto* send = std::get_if<track::SendEmail>(&action.what)) {
    known(send->email, catalogue_.templates, "unknown-template", "template");
    if (send->to) {
      want_text(*send->to, type_of(*send->to, scope), "an address");
    }
  } else if (const auto* call = std::get_if<track::CallWebhook>(&action.what)) {
    known(call->webhook, catalogue_.webhooks, "unknown-webhook", "webhook");
    if (call->with) {
      json(*call->with, scope);
    }
  } else if (const auto* show = std::get_if<track::Show>(&action.what)) {
    if (show->with) {
      json(*show->with, scope);
    }
  } else if (const auto* run = std::get_if<track::RunSql>(&action.what)) {
    known(run->database, catalogue_.databases, "unknown-database", "database");
    for (const track::BoundName& bound : track::bound_names(run->statement.text)) {
      type_of({track::FieldRef{bound.name, run->statement.span}, run->statement.span}, scope);
    }
  } else if (const auto* set = std::get_if<track::SetField>(&action.what)) {
    set_field(*set, scope);
  } else if (const auto* clear = std::get_if<track::ClearField>(&action.what)) {
    target(clear->field, scope);
  } else if (const auto* increase = std::get_if<track::IncreaseField>(&action.what)) {
    increase_field(*increase, scope);
  } else if (const auto* record = std::get_if<track::RecordEvent>(&action.what)) {
    if (record->with) {
      json(*record->with, scope);
    }
  } else if (const auto* put = std::get_if<track::PutOnTrack>(&action.what)) {
    other_track(put->track, put->at);
  } else if (const auto* take = std::get_if<track::TakeOffTrack>(&action.what)) {
    other_track(take->track, std::nullopt);
  }
}

void Checker::set_field(const track::SetField& set, const Scope& scope) {
  const Type to = target(set.field, scope);
  const auto* nothing = std::get_if<track::FieldRef>(&set.to.value);
  if (nothing != nullptr && undeclared(set.to) && means_missing(nothing->name)) {
    report("unknown-field", nothing->span, "field `" + shorten(nothing->name) + "` is not declared",
           "to take the value away write clear " + shorten(set.field.name));
    return;
  }
  const Type from = compared(set.to, to, true, scope);
  const bool text_field =
      from == Type::kText && std::holds_alternative<track::FieldRef>(set.to.value);
  // Text in a field is converted when it can be; anything becomes text.
  if (text_field || to == Type::kText || to == Type::kUntyped) {
    return;
  }
  comparable({set.field, set.field.span}, to, set.to, from, true);
}

void Checker::increase_field(const track::IncreaseField& increase, const Scope& scope) {
  const Type of = target(increase.field, scope);
  const std::string name = "`" + shorten(increase.field.name) + "`";
  if (of == Type::kUntyped) {
    return;
  }
  if (std::holds_alternative<track::DurationSpec>(increase.by)) {
    if (!is_time(of)) {
      report("wrong-type", increase.field.span,
             name + " is no time, so no duration can be added to it or taken from it");
    }
    return;
  }
  const auto& by = std::get<track::Operand>(increase.by);
  const Type by_type = type_of(by, scope);
  if (of != Type::kNumber) {
    report("wrong-type", increase.field.span, name + " is no number",
           is_time(of) ? "a time is changed by a duration, such as 2 days" : "");
  } else if (by_type != Type::kNumber && by_type != Type::kUntyped) {
    report("wrong-type", by.span, shown(by) + " is no number");
  }
}

void Checker::json(const track::Json& json, const Scope& scope) {
  if (const auto* operand = std::get_if<track::Operand>(&json.value)) {
    type_of(*operand, scope);
  } else if (const auto* list = std::get_if<track::Json::List>(&json.value)) {
    for (const track::Json& item : list->items) {
      this->json(item, scope);
    }
  } else {
    std::set<std::string_view> keys;
    for (const auto& [key, value] : std::get<track::Json::Object>(json.value).members) {
      if (!keys.insert(key).second) {
        report("duplicate-key", value.span,
               "the key " + shown({key, {}}) + " stands in this object already");
      }
      this->json(value, scope);
    }
  }
}

void Checker::move(const track::Move& move, const Scope& scope) {
  const auto* go = std::get_if<track::GoTo>(&move.what);
  if (go == nullptr) {
    return;
  }
  step_name(go->step);
  const auto* relative =
      go->due ? std::get_if<track::Due::RelativeToField>(&go->due->when) : nullptr;
  if (relative != nullptr) {
    const Type type = field(relative->field, scope);
    if (!is_time(type) && type != Type::kUntyped) {
      report("wrong-type", relative->field.span,
             "`" + shorten(relative->field.name) + "` is no time to count from");
    }
  }
}

// ---- Tests --------------------------------------------------------------------------------------

void Checker::test_case(const track::TestCase& test) {
  using Test = track::TestCase;
  for (const Test::Line& line : test.lines) {
    if (const auto* given = std::get_if<Test::Given>(&line.what)) {
      for (const auto& [ref, value] : given->fields) {
        test_field(ref, value);
      }
    } else if (const auto* place = std::get_if<Test::GivenPlace>(&line.what)) {
      given_place(*place);
    } else if (const auto* event = std::get_if<Test::Event>(&line.what)) {
      if (event->with) {
        json(*event->with, Scope{});
      }
    } else if (const auto* thing = std::get_if<Test::ExpectThing>(&line.what)) {
      if (thing->kind == Test::ExpectThing::Kind::kEmail) {
        known(thing->name, catalogue_.templates, "unknown-template", "template");
      } else if (thing->kind == Test::ExpectThing::Kind::kWebhook) {
        known(thing->name, catalogue_.webhooks, "unknown-webhook", "webhook");
      }
    } else if (const auto* on = std::get_if<Test::ExpectOnStep>(&line.what)) {
      step_name(on->step);
    } else if (const auto* stopped = std::get_if<Test::ExpectStopped>(&line.what)) {
      const bool judged = whole() && !unnamed_outcome_ && stopped->as;
      if (judged &&
          std::find(outcomes_.begin(), outcomes_.end(), stopped->as->text) == outcomes_.end()) {
        report("unknown-outcome", stopped->as->span,
               "the track never stops anybody as " + shown({stopped->as->text, {}}),
               suggest(stopped->as->text, outcomes_));
      }
    } else if (const auto* expect = std::get_if<Test::ExpectField>(&line.what)) {
      test_field(expect->field, expect->value);
    }
  }
}

// Where the contact stands on this track is what the test plays.
void Checker::given_place(const track::TestCase::GivenPlace& place) {
  if (place.track.text == track_.name.text && !place.track.text.empty()) {
    report("given-own-place", place.track.span,
           "a test comes on its own track by itself, and cannot be given a place there",
           "begin with what is `given` of the contact, and let time pass by `after`");
    return;
  }
  other_track(place.track, place.step);
}

void Checker::test_field(const track::FieldRef& ref, const track::Operand& value) {
  if (ref.name.starts_with("event.") || ref.name.starts_with("row.")) {
    report("not-a-test-field", ref.span, "a test speaks of contacts' fields, `entry.` and `visit.`",
           ref.name.starts_with("event.") ? "write event \"name\" with { … } before it" : "");
    return;
  }
  const Type type = field(ref, Scope{});
  comparable({ref, ref.span}, type, value, type_of(value, Scope{}));
}

}  // namespace turnout::lang
