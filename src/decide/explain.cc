#include "decide/explain.h"

#include <algorithm>
#include <set>

#include "decide/compiled.h"
#include "track/numbering.h"

namespace turnout::decide {
namespace {

using base::Result;

// The trackless numbers that a compiler wants; nothing of the plan depends on them.
constexpr base::TrackId kAnyTrack(1);
constexpr base::Version kAnyVersion(1);

class Explainer {
 public:
  explicit Explainer(const CompiledTrack& compiled) : compiled_(compiled) {}

  std::vector<std::string> fields(const std::set<std::size_t>& indices) const {
    std::vector<std::string> names;
    names.reserve(indices.size());
    for (const std::size_t index : indices) {
      names.push_back(compiled_.columns.fields[index].name);
    }
    return names;
  }
  std::vector<std::string> tags(const std::set<std::size_t>& indices) const {
    std::vector<std::string> names;
    names.reserve(indices.size());
    for (const std::size_t index : indices) {
      names.push_back(compiled_.columns.tags[index]);
    }
    return names;
  }
  std::vector<track::OtherPlace> places(const std::set<std::size_t>& indices) const {
    std::vector<track::OtherPlace> places;
    places.reserve(indices.size());
    for (const std::size_t index : indices) {
      places.push_back(compiled_.columns.places[index]);
    }
    return places;
  }
  // Events that some of the rules are `on` or ask for, each once.
  static std::vector<std::string> events(const std::vector<CompiledRule>& rules) {
    std::set<std::string> names;
    for (const CompiledRule& rule : rules) {
      names.insert(rule.reads.events.begin(), rule.reads.events.end());
      names.insert(rule.on_reads.events.begin(), rule.on_reads.events.end());
      if (rule.head == CompiledRule::Head::kOn) {
        names.insert(rule.event);
      }
    }
    return {names.begin(), names.end()};
  }
  static std::vector<std::size_t> timed(const std::vector<CompiledRule>& rules) {
    std::vector<std::size_t> indices;
    for (std::size_t i = 0; i < rules.size(); ++i) {
      if (rules[i].reads.time && rules[i].head != CompiledRule::Head::kOtherwise) {
        indices.push_back(i);
      }
    }
    return indices;
  }
  std::vector<std::string> writes() const {
    return fields({compiled_.written.begin(), compiled_.written.end()});
  }
  std::vector<std::string> reads() const {
    std::vector<std::string> names;
    names.reserve(compiled_.columns.fields.size());
    for (const track::Field& field : compiled_.columns.fields) {
      names.push_back(field.name);
    }
    return names;
  }

 private:
  const CompiledTrack& compiled_;
};

// Where it is not known what a field's column is called, as it would be.
track::Catalogue with_columns(track::Catalogue catalogue) {
  for (track::Field& field : catalogue.fields) {
    field.column = field.column.empty() ? field.name : field.column;
  }
  return catalogue;
}

}  // namespace

Result<TrackPlan> explain(const track::Track& track, const track::Catalogue& catalogue,
                          base::Instant now) {
  const track::Numbering numbering = track::extend({}, track);
  const track::Catalogue named = with_columns(catalogue);
  TRY(const CompiledTrack compiled, compile_track(track, named, numbering, kAnyTrack, kAnyVersion));
  TRY(const std::vector<GatherClause> gathers, compile_gathers(track, named, numbering));
  const Explainer explainer(compiled);
  TrackPlan plan;
  plan.reads = explainer.reads();
  plan.writes = explainer.writes();
  plan.tags = compiled.columns.tags;
  for (const GatherClause& gather : gathers) {
    plan.gathers.push_back({gather.sql(Dialect::kSqlite, now, 1),
                            gather.sql(Dialect::kPostgres, now, 1), gather.depends_on_time()});
  }
  plan.leaves_by = explainer.fields(compiled.leave_reads.fields);
  std::ranges::move(explainer.tags(compiled.leave_reads.tags), std::back_inserter(plan.leaves_by));
  plan.leaves_at = explainer.places(compiled.leave_reads.places);
  plan.timed_leaves = Explainer::timed(compiled.leaves);
  plan.leaves_on = Explainer::events(compiled.leaves);
  for (const CompiledRule& gather : compiled.gathers_on) {
    plan.gathers_on.push_back(gather.event);
  }
  for (const CompiledStep& step : compiled.steps) {
    if (step.number != track::kHeldOutStep || compiled.hold_out) {
      plan.steps.push_back({numbering.name_of(step.number), explainer.fields(step.reads.fields),
                            explainer.tags(step.reads.tags), explainer.places(step.reads.places),
                            Explainer::events(step.rules), Explainer::timed(step.rules)});
    }
  }
  return plan;
}

}  // namespace turnout::decide
