// `turnout explain`: what a track would do, before it runs.

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/known_names.h"
#include "cli/runnable_track.h"
#include "cli/screen.h"
#include "decide/explain.h"
#include "lang/formatter.h"

namespace turnout::cli {
namespace {

using Ordered = nlohmann::ordered_json;

std::string value_text(const track::Value& value) {
  if (const auto* const text = std::get_if<std::string>(&value)) {
    return lang::format_string(*text);
  }
  if (const auto* const number = std::get_if<double>(&value)) {
    return lang::format_number(*number);
  }
  if (const auto* const at = std::get_if<base::Instant>(&value)) {
    return base::format_instant(*at);
  }
  if (const auto* const date = std::get_if<base::Date>(&value)) {
    return base::format_date(*date);
  }
  const auto* const truth = std::get_if<bool>(&value);
  return truth == nullptr ? "null" : *truth ? "true" : "false";
}

std::string listed(const std::vector<std::string>& names) {
  return names.empty() ? "nothing" : fmt::format("{}", fmt::join(names, ", "));
}

std::vector<std::string> quoted(const std::vector<std::string>& names) {
  std::vector<std::string> all;
  all.reserve(names.size());
  for (const std::string& name : names) {
    all.push_back(lang::format_string(name));
  }
  return all;
}

// The `gather contacts` and the `leave` clauses, in file order.
struct Clauses {
  std::vector<const track::Gather*> gathers;
  std::vector<const track::Leave*> leaves;
};

Clauses clauses_of(const track::Track& track) {
  Clauses found;
  for (const track::Clause& clause : track.clauses) {
    if (const auto* const gather = std::get_if<track::Gather>(&clause);
        gather != nullptr && std::holds_alternative<track::GatherContacts>(gather->what)) {
      found.gathers.push_back(gather);
    } else if (const auto* const leave = std::get_if<track::Leave>(&clause)) {
      found.leaves.push_back(leave);
    }
  }
  return found;
}

const track::Step* step_named(const track::Track& track, const std::string& name) {
  for (const track::Step* const step : track.steps()) {
    if (step->name.text == name) {
      return step;
    }
  }
  return nullptr;
}

// `place on track "Trial" at "Reminded"`.
std::vector<std::string> place_names(const std::vector<track::OtherPlace>& places) {
  std::vector<std::string> names;
  names.reserve(places.size());
  for (const track::OtherPlace& place : places) {
    names.push_back("place on track " + lang::format_string(place.track) +
                    (place.step.empty() ? "" : " at " + lang::format_string(place.step)));
  }
  return names;
}

class Printer {
 public:
  Printer(const track::Track& track, const decide::TrackPlan& plan)
      : track_(track), plan_(plan), clauses_(clauses_of(track)) {}

  void print() const {
    fmt::print("track {}\n", lang::format_string(track_.name.text));
    fmt::print("  reads   {}\n", listed(plan_.reads));
    fmt::print("  writes  {}\n", listed(plan_.writes));
    fmt::print("  tests tags  {}\n", listed(quoted(plan_.tags)));
    for (std::size_t i = 0; i < plan_.gathers.size(); ++i) {
      print_gather(plan_.gathers[i], *clauses_.gathers[i]);
    }
    for (const std::string& event : plan_.gathers_on) {
      fmt::print("\ngather on {}: as it comes\n", lang::format_string(event));
    }
    if (!clauses_.leaves.empty()) {
      std::vector<std::string> what = plan_.leaves_by;
      std::ranges::copy(place_names(plan_.leaves_at), std::back_inserter(what));
      const std::string when = changes(what, plan_.leaves_on);
      fmt::print("\nleave: asked of everybody{}{}\n", when.empty() ? "" : " when " + when,
                 plan_.timed_leaves.empty() ? ""
                 : when.empty()             ? " by a timer:"
                                            : ", and by a timer:");
      for (const std::size_t i : plan_.timed_leaves) {
        fmt::print("  timer  line {}: {}\n", clauses_.leaves[i]->span.line,
                   lang::format_cause(track_, "", track::leave_rule(i)));
      }
    }
    for (const decide::StepPlan& step : plan_.steps) {
      print_step(step);
    }
  }

 private:
  void print_gather(const decide::GatherPlan& plan, const track::Gather& clause) const {
    fmt::print("\ngather contacts (line {}){}\n", clause.span.line,
               plan.depends_on_time ? ", looked at again as time passes" : "");
    print_sql("SQLite", plan.sqlite);
    print_sql("PostgreSQL", plan.postgres);
    for (const std::string& reason : plan.sqlite.because) {
      fmt::print("  the rest is tested here: {}\n", reason);
    }
  }
  static void print_sql(const char* database, const decide::SqlCondition& sql) {
    fmt::print("  {:10}  {}\n", database, sql.text.empty() ? "every contact" : sql.text);
    for (std::size_t i = 0; i < sql.values.size(); ++i) {
      fmt::print("  {:10}    {}{} = {}\n", "", database[0] == 'S' ? '?' : '$', i + 1,
                 value_text(sql.values[i]));
    }
  }
  void print_step(const decide::StepPlan& plan) const {
    fmt::print("\nstep {}\n  wakes when  {}\n", lang::format_string(plan.step), wakes(plan));
    const track::Step* const step = step_named(track_, plan.step);
    for (const std::size_t rule : plan.timed) {
      if (step == nullptr) {
        fmt::print("  timer       at the end of the hold-out\n");
      } else {
        fmt::print("  timer       line {}: {}\n", step->rules[rule].span.line,
                   lang::format_head(step->rules[rule].head));
      }
    }
    if (step != nullptr && step->look_up) {
      fmt::print("  looks up    from {}\n", lang::format_string(step->look_up->database.text));
    }
    if (step != nullptr && step->check_every) {
      fmt::print("  timer       every {}\n", lang::format_duration(*step->check_every));
    }
  }
  static std::string wakes(const decide::StepPlan& plan) {
    std::vector<std::string> what = plan.fields;
    for (const std::string& tag : plan.tags) {
      what.push_back("tag " + lang::format_string(tag));
    }
    std::ranges::copy(place_names(plan.places), std::back_inserter(what));
    const std::string when = changes(what, plan.events);
    return when.empty() ? "(reads nothing of the contact, and hears no event)" : when;
  }
  // "score, tag "vip" changes, or event "bought" comes".
  static std::string changes(const std::vector<std::string>& what,
                             const std::vector<std::string>& events) {
    std::string text = what.empty() ? "" : listed(what) + " changes";
    if (!events.empty()) {
      text += (text.empty() ? "event " : ", or event ") + listed(quoted(events)) + " comes";
    }
    return text;
  }

  const track::Track& track_;
  const decide::TrackPlan& plan_;
  const Clauses clauses_;
};

Ordered sql_json(const decide::SqlCondition& sql) {
  Ordered values = Ordered::array();
  for (const track::Value& value : sql.values) {
    values.push_back(value_text(value));
  }
  return {{"where", sql.text}, {"values", std::move(values)}};
}

Ordered to_json(const track::Track& track, const decide::TrackPlan& plan) {
  const Clauses clauses = clauses_of(track);
  Ordered gathers = Ordered::array();
  for (std::size_t i = 0; i < plan.gathers.size(); ++i) {
    const decide::GatherPlan& gather = plan.gathers[i];
    gathers.push_back({{"line", clauses.gathers[i]->span.line},
                       {"sqlite", sql_json(gather.sqlite)},
                       {"postgresql", sql_json(gather.postgres)},
                       {"exact", gather.sqlite.exact},
                       {"because", gather.sqlite.because},
                       {"depends_on_time", gather.depends_on_time}});
  }
  Ordered steps = Ordered::array();
  for (const decide::StepPlan& step : plan.steps) {
    steps.push_back({{"step", step.step},
                     {"fields", step.fields},
                     {"tags", step.tags},
                     {"places", place_names(step.places)},
                     {"events", step.events},
                     {"timed_rules", step.timed}});
  }
  return {{"track", track.name.text},
          {"reads", plan.reads},
          {"writes", plan.writes},
          {"tags", plan.tags},
          {"gather", std::move(gathers)},
          {"gather_on", plan.gathers_on},
          {"leave",
           {{"reads", plan.leaves_by},
            {"places", place_names(plan.leaves_at)},
            {"events", plan.leaves_on},
            {"timed", plan.timed_leaves}}},
          {"steps", std::move(steps)}};
}

}  // namespace

int explain_track(const ExplainOptions& options) {
  KnownNames known;
  if (const int learnt = known.learn(options.known, options.file); learnt != kExitDone) {
    return learnt;
  }
  const std::optional<track::Track> track = read_runnable(options.file, known);
  if (!track) {
    return kExitWrong;
  }
  const auto plan = decide::explain(*track, known.catalogue, machine_now());
  if (!plan) {
    print_error(fmt::format("{}: {}", options.file, plan.error().message));
    return kExitWrong;
  }
  if (options.json) {
    fmt::print("{}\n", to_json(*track, plan.value()).dump(2));
  } else {
    Printer(*track, plan.value()).print();
  }
  return kExitDone;
}

}  // namespace turnout::cli
