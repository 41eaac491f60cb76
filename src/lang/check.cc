// The checker's frame, names, and clauses.

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "base/text.h"
#include "lang/check_impl.h"
#include "lang/codes.h"
#include "lang/formatter.h"
#include "lang/parser.h"
#include "lang/words.h"

namespace turnout::lang {
namespace {

// The names of one kind that were declared, to find those that stand again or differ only in case.
class Declared {
 public:
  enum class Clash { kNone, kSame, kOtherCase };

  Clash add(const track::Name& name, const track::Name** earlier) {
    const auto [it, fresh] = names_.emplace(base::to_lower_ascii(name.text), &name);
    *earlier = it->second;
    if (fresh) {
      return Clash::kNone;
    }
    return it->second->text == name.text ? Clash::kSame : Clash::kOtherCase;
  }

 private:
  std::unordered_map<std::string, const track::Name*> names_;
};

std::string on_line(track::Span span) { return "on line " + std::to_string(span.line); }

}  // namespace

std::string shown(const track::Operand& operand) {
  if (const auto* text = std::get_if<std::string>(&operand.value)) {
    return format_string(shorten(*text));
  }
  if (const auto* field = std::get_if<track::FieldRef>(&operand.value)) {
    return "`" + shorten(field->name) + "`";
  }
  return format_operand(operand);
}

Checker::Checker(const track::Track& track, const track::Catalogue& catalogue, Depth depth)
    : track_(track), catalogue_(catalogue), depth_(depth), steps_(track.steps()) {
  for (const track::Field& field : catalogue.fields) {
    fields_.emplace(field.name, &field);
    field_names_.push_back(field.name);
  }
}

void Checker::report(CodeId code, track::Span span, std::string message, std::string hint) {
  if (diagnostics_.size() < kMaxDiagnostics) {
    diagnostics_.push_back(diagnose(code, span, std::move(message), std::move(hint)));
  }
}

// Looking costs much where there are many names, so not every mistake gets a suggestion.
std::string_view Checker::nearest(std::string_view word, const std::vector<std::string>& names) {
  constexpr int kMostSuggestions = 100;
  constexpr std::size_t kShortest = 3;  // of two letters one is no likeness
  constexpr std::size_t kLongest = 200;
  if (word.size() < kShortest || word.size() > kLongest || ++suggestions_ > kMostSuggestions) {
    return {};
  }
  return base::closest(word, names);
}

// `did you mean "…"?`, or nothing.
std::string Checker::suggest(std::string_view word, const std::vector<std::string>& names) {
  const std::string_view meant = nearest(word, names);
  return meant.empty() ? "" : "did you mean " + format_string(shorten(meant)) + "?";
}

std::string Checker::suggest_field(std::string_view word, const std::vector<std::string>& names) {
  const std::string_view meant = nearest(word, names);
  return meant.empty() ? "" : "did you mean `" + shorten(meant) + "`?";
}

std::vector<Diagnostic> Checker::run() {
  collect_names();
  collect_arms_and_outcomes();
  duplicate_clauses();
  build_graph();
  for (const track::Clause& c : track_.clauses) {
    clause(c);
  }
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    step(*steps_[i], i);
  }
  for (const auto& part : track_.parts) {
    if (const auto* test = std::get_if<track::TestCase>(&part)) {
      test_case(*test);
    }
  }
  if (whole()) {
    check_graph();
  }
  sort_by_place(diagnostics_);
  return std::move(diagnostics_);
}

void Checker::collect_names() {
  Declared steps;
  Declared tests;
  const track::Name* earlier = nullptr;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const track::Name& name = steps_[i]->name;
    if (name.text.empty()) {
      a_step_is_unread_ = true;
      continue;
    }
    step_index_.emplace(name.text, i);
    step_names_.push_back(name.text);
    switch (steps.add(name, &earlier)) {
      case Declared::Clash::kNone:
        break;
      case Declared::Clash::kSame:
        a_step_is_twice_ = true;
        report("duplicate-step", name.span,
               "there is a step " + shown({name.text, {}}) + " already, " + on_line(earlier->span),
               "give it another name");
        break;
      case Declared::Clash::kOtherCase:
        report("step-in-other-case", name.span,
               "this name differs only in case from the step " + shown({earlier->text, {}}) + " " +
                   on_line(earlier->span),
               "give it another name");
        break;
    }
  }
  for (const auto& part : track_.parts) {
    const auto* test = std::get_if<track::TestCase>(&part);
    if (test != nullptr && !test->name.text.empty() &&
        tests.add(test->name, &earlier) != Declared::Clash::kNone) {
      report("duplicate-test", test->name.span,
             "there is a test of this name already, " + on_line(earlier->span));
    }
  }
}

void Checker::collect_arms_and_outcomes() {
  Declared arm_names;
  Declared outcome_names;
  const track::Name* earlier = nullptr;
  const auto outcome = [&](const track::Name& name) {
    outcomes_.push_back(name.text);
    if (outcome_names.add(name, &earlier) == Declared::Clash::kOtherCase) {
      report("outcome-in-other-case", name.span,
             "this outcome differs only in case from " + shown({earlier->text, {}}) + " " +
                 on_line(earlier->span) + ", and is counted apart from it");
    }
  };
  outcomes_.emplace_back(track::kCompleted);
  for (const track::Clause& c : track_.clauses) {
    if (const auto* leave = std::get_if<track::Leave>(&c)) {
      leave->as ? outcome(*leave->as) : void(unnamed_outcome_ = true);
    } else if (const auto* held = std::get_if<track::HoldOut>(&c)) {
      outcome(held->as);
    }
  }
  for (const track::Step* step : steps_) {
    for (const track::Rule& rule : step->rules) {
      const auto* share = std::get_if<track::Share>(&rule.head);
      if (share != nullptr && share->as) {
        arms_.push_back(share->as->text);
        if (arm_names.add(*share->as, &earlier) == Declared::Clash::kOtherCase) {
          report("arm-in-other-case", share->as->span,
                 "this name differs only in case from the arm " + shown({earlier->text, {}}) + " " +
                     on_line(earlier->span),
                 "give it another name");
        }
      }
      const auto* stop = rule.move ? std::get_if<track::Stop>(&rule.move->what) : nullptr;
      if (stop != nullptr && stop->as) {
        outcome(*stop->as);
      }
    }
  }
}

void Checker::duplicate_clauses() {
  std::vector<bool> seen(std::variant_size_v<track::Clause>);
  for (const track::Clause& c : track_.clauses) {
    const bool repeatable = std::holds_alternative<track::Gather>(c) ||
                            std::holds_alternative<track::Leave>(c) ||
                            std::holds_alternative<track::Quiet>(c);
    if (seen[c.index()] && !repeatable) {
      static constexpr const char* kNames[] = {"about", "time zone", "gather",       "enter",
                                               "leave", "hold out",  "send at most", "quiet"};
      static_assert(std::size(kNames) == std::variant_size_v<track::Clause>);
      const track::Span span = std::visit([](const auto& node) { return node.span; }, c);
      report(
          "duplicate-clause", span,
          "a track has one `" + std::string(kNames[c.index()]) + "`, and it stands above already",
          "take one of them out");
    }
    seen[c.index()] = true;
  }
}

// ---- Clauses ------------------------------------------------------------------------------------

void Checker::clause(const track::Clause& clause) {
  constexpr Scope kNoEvent{true, false, false};
  if (const auto* zone = std::get_if<track::TimeZone>(&clause)) {
    if (zone->of) {
      const track::Operand operand{*zone->of, zone->of->span};
      want_text(operand, type_of(operand, kNoEvent), "the name of a time zone");
    }
  } else if (const auto* g = std::get_if<track::Gather>(&clause)) {
    gather(*g);
  } else if (const auto* l = std::get_if<track::Leave>(&clause)) {
    leave(*l);
  } else if (const auto* held = std::get_if<track::HoldOut>(&clause)) {
    percent(held->percent, held->span);
  } else if (const auto* cap = std::get_if<track::Cap>(&clause)) {
    count(cap->count, cap->span, "the number of messages");
    not_zero(cap->per, "the time of `per`");
  } else if (const auto* quiet = std::get_if<track::Quiet>(&clause)) {
    if (quiet->zone_field) {
      const track::Operand operand{*quiet->zone_field, quiet->zone_field->span};
      want_text(operand, type_of(operand, kNoEvent), "the name of a time zone");
    }
  }
}

void Checker::gather(const track::Gather& gather) {
  Scope scope{false, false, false};
  if (const auto* contacts = std::get_if<track::GatherContacts>(&gather.what)) {
    if (contacts->where) {
      condition(*contacts->where, scope);
    }
    schedule(contacts->schedule, gather.span);
  } else if (const auto* from = std::get_if<track::GatherFrom>(&gather.what)) {
    scope.row = true;
    known(from->database, catalogue_.databases, "unknown-database", "database");
    schedule(from->schedule, gather.span);
  } else if (const auto* on = std::get_if<track::GatherOn>(&gather.what)) {
    scope.event = true;
    if (on->where) {
      condition(*on->where, scope);
    }
  }
  if (gather.for_each) {
    field(*gather.for_each, scope);
  }
  if (gather.start_at) {
    step_name(*gather.start_at);
  }
}

void Checker::schedule(const track::Schedule& schedule, track::Span span) {
  if (const auto* every = std::get_if<track::EveryDuration>(&schedule)) {
    not_zero(every->every, "the time of `every`");
  } else if (const auto* month = std::get_if<track::EveryMonth>(&schedule)) {
    constexpr double kLastDay = 31;
    if (month->day < 1 || month->day > kLastDay || month->day != std::floor(month->day)) {
      report("bad-day-of-month", span,
             "a month has days 1 to 31, and no day " + format_number(month->day));
    }
  }
}

void Checker::leave(const track::Leave& leave) {
  Scope scope;
  scope.event =
      !whole() || std::find(graph_.event.begin(), graph_.event.end(), true) != graph_.event.end();
  scope.row = !whole() || std::find(graph_.row.begin(), graph_.row.end(), true) != graph_.row.end();
  if (const auto* when = std::get_if<track::Leave::When>(&leave.why)) {
    condition(when->condition, scope);
  } else if (const auto* on = std::get_if<track::Leave::On>(&leave.why)) {
    scope.event = true;
    if (on->where) {
      condition(*on->where, scope);
    }
  }
}

void Checker::percent(double percent, track::Span span) {
  constexpr double kHundredths = 100;
  const double scaled = percent * kHundredths;
  if (!(percent > 0) || percent > 100) {
    report("bad-percent", span,
           "a percentage is over 0 and at most 100, not " + format_number(percent));
  } else if (std::fabs(scaled - std::round(scaled)) > 1e-6) {
    report("bad-percent", span, "a percentage has at most two decimals");
  }
}

void Checker::count(double count, track::Span span, std::string_view what) {
  constexpr double kMost = 1e9;
  if (!(count >= 1) || count > kMost || count != std::floor(count)) {
    report("bad-count", span,
           std::string(what) + " is a whole number from 1 up, not " + format_number(count));
  }
}

void Checker::not_zero(const track::DurationSpec& duration, std::string_view what) {
  const bool zero = std::all_of(duration.parts.begin(), duration.parts.end(),
                                [](const auto& part) { return part.first == 0; });
  if (zero) {
    report("zero-duration", duration.span, std::string(what) + " cannot be 0");
  }
}

// ---- Names that must exist ----------------------------------------------------------------------

void Checker::step_name(const track::Name& name) {
  if (name.text.empty() || step_index_.contains(name.text) || (!whole() && a_step_is_unread_)) {
    return;
  }
  a_way_is_lost_ = true;
  std::string hint = suggest(name.text, step_names_);
  constexpr std::size_t kNamed = 4;
  if (hint.empty() && !step_names_.empty() && step_names_.size() <= kNamed) {
    for (const std::string& step : step_names_) {
      hint += (!hint.empty()             ? ", "
               : step_names_.size() == 1 ? "the only step is "
                                         : "the steps are ") +
              shown({step, {}});
    }
  }
  report("unknown-step", name.span, "step " + shown({name.text, {}}) + " does not exist", hint);
}

void Checker::known(const track::Name& name, const std::optional<std::vector<std::string>>& names,
                    CodeId code, std::string_view what) {
  if (name.text.empty() || !names ||
      std::find(names->begin(), names->end(), name.text) != names->end()) {
    return;
  }
  report(code, name.span, std::string(what) + " " + shown({name.text, {}}) + " does not exist",
         suggest(name.text, *names));
}

// A track named in `on track`, `put on track` and `take off track`: this one or one of the
// catalogue.
void Checker::other_track(const track::Name& track, const std::optional<track::Name>& step) {
  if (track.text == track_.name.text) {
    if (step) {
      step_name(*step);
    }
    return;
  }
  known(track, catalogue_.tracks, "unknown-track", "track");
}

// ---- The interface ------------------------------------------------------------------------------

std::vector<Diagnostic> check(const track::Track& track, const track::Catalogue& catalogue,
                              Depth depth) {
  return Checker(track, catalogue, depth).run();
}

Analysis analyse(std::string_view text, const track::Catalogue& catalogue) {
  Parsed parsed = parse(text);
  std::vector<Diagnostic> more =
      check(parsed.track, catalogue, parsed.ok() ? Depth::kWhole : Depth::kLocal);
  parsed.diagnostics.insert(parsed.diagnostics.end(), std::make_move_iterator(more.begin()),
                            std::make_move_iterator(more.end()));
  sort_by_place(parsed.diagnostics);
  return {std::move(parsed.track), std::move(parsed.diagnostics)};
}

}  // namespace turnout::lang
