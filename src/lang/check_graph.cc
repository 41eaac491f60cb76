// The graph of steps: what can be reached, left, and gone round.

#include <algorithm>
#include <string>
#include <utility>

#include "lang/check_impl.h"
#include "lang/formatter.h"
#include "lang/words.h"

namespace turnout::lang {
namespace {

bool is_zero(const track::DurationSpec& duration) {
  return std::all_of(duration.parts.begin(), duration.parts.end(),
                     [](const auto& part) { return part.first == 0; });
}

// Whether a rule with this head can only fire after something has happened or time has passed since
// the contact came. `once at` is met from its instant on, so it needs no wait once that has passed.
bool head_waits(const track::Head& head) {
  if (const auto* after = std::get_if<track::After>(&head)) {
    return !is_zero(after->duration);
  }
  return std::holds_alternative<track::OnEvent>(head) ||
         std::holds_alternative<track::EveryDays>(head);
}

// Whether the move surely waits. What counts from a field or a date may be past already: due at
// once.
bool due_waits(const std::optional<track::Due>& due) {
  if (!due) {
    return false;
  }
  if (const auto* after = std::get_if<track::Due::AfterDuration>(&due->when)) {
    return after->clock || !is_zero(after->duration);
  }
  return std::holds_alternative<track::Clock>(due->when);
}

bool due_delays(const std::optional<track::Due>& due) {
  if (!due) {
    return false;
  }
  const auto* after = std::get_if<track::Due::AfterDuration>(&due->when);
  return after == nullptr || after->clock || !is_zero(after->duration);
}

// Whether the condition holds a limited number of times only: `visit.times is less than 3`, alone
// or in an `and`.
bool limits_visits(const track::Condition& condition) {
  if (const auto* all = std::get_if<track::And>(&condition.node)) {
    return std::any_of(all->operands.begin(), all->operands.end(), limits_visits);
  }
  const auto* test = std::get_if<track::Comparison>(&condition.node);
  if (test == nullptr) {
    return false;
  }
  const auto* field = std::get_if<track::FieldRef>(&test->left.value);
  const bool number = std::holds_alternative<double>(test->right.value);
  const bool below = test->op == track::Compare::kLess || test->op == track::Compare::kAtMost;
  const bool above = test->op == track::Compare::kMore || test->op == track::Compare::kAtLeast;
  const bool bound = test->op == track::Compare::kIs || (test->negated ? above : below);
  return field != nullptr && field->name == "visit.times" && number && bound;
}

}  // namespace

void Checker::build_graph() {
  const std::size_t n = steps_.size();
  graph_.out.resize(n);
  graph_.entered.resize(n);
  graph_.entered_delayed.resize(n);
  graph_.reachable.resize(n);
  graph_.event.resize(n);
  graph_.row.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    add_edges(i);
  }
  add_entries();
  find_reachable();
  spread_scopes();
}

void Checker::add_edges(std::size_t index) {
  for (const track::Rule& rule : steps_[index]->rules) {
    Edge edge;
    edge.from = index;
    edge.span = rule.span;
    edge.by_event = std::holds_alternative<track::OnEvent>(rule.head);
    const auto* when = std::get_if<track::When>(&rule.head);
    edge.bounded = when != nullptr && limits_visits(when->condition);
    edge.waits = head_waits(rule.head);
    if (!rule.move) {
      edge.to = index + 1;
      if (edge.to == steps_.size()) {
        continue;
      }
    } else if (const auto* go = std::get_if<track::GoTo>(&rule.move->what)) {
      const auto to = step_index_.find(go->step.text);
      if (to == step_index_.end()) {
        continue;
      }
      edge.to = to->second;
      edge.span = go->step.span;
      edge.waits = edge.waits || due_waits(go->due);
      edge.delayed = due_delays(go->due);
    } else {
      continue;
    }
    graph_.entered[edge.to] = true;
    graph_.entered_delayed[edge.to] = graph_.entered_delayed[edge.to] || edge.delayed;
    graph_.out[index].push_back(graph_.edges.size());
    graph_.edges.push_back(edge);
  }
}

// Where gathering puts contacts, and where this track puts them on itself.
void Checker::add_entries() {
  if (steps_.empty()) {
    return;
  }
  const auto enter = [this](const std::optional<track::Name>& name, bool event, bool row) {
    const auto at = name ? step_index_.find(name->text) : step_index_.end();
    if (name && at == step_index_.end()) {
      return;
    }
    const std::size_t index = name ? at->second : 0;
    graph_.entries.push_back(index);
    graph_.entered[index] = true;
    graph_.event[index] = graph_.event[index] || event;
    graph_.row[index] = graph_.row[index] || row;
  };
  bool gathers = false;
  for (const track::Clause& clause : track_.clauses) {
    if (const auto* gather = std::get_if<track::Gather>(&clause)) {
      gathers = true;
      enter(gather->start_at, std::holds_alternative<track::GatherOn>(gather->what),
            std::holds_alternative<track::GatherFrom>(gather->what));
    }
  }
  if (!gathers) {
    enter(std::nullopt, false, false);  // only other tracks put contacts on it
  }
  for (const track::Step* step : steps_) {
    for (const track::Rule& rule : step->rules) {
      for (const track::Action& action : rule.actions) {
        const auto* put = std::get_if<track::PutOnTrack>(&action.what);
        if (put != nullptr && put->track.text == track_.name.text) {
          enter(put->at, false, false);
        }
      }
    }
  }
}

void Checker::find_reachable() {
  std::vector<std::size_t> todo = graph_.entries;
  while (!todo.empty()) {
    const std::size_t step = todo.back();
    todo.pop_back();
    if (graph_.reachable[step]) {
      continue;
    }
    graph_.reachable[step] = true;
    for (const std::size_t edge : graph_.out[step]) {
      todo.push_back(graph_.edges[edge].to);
    }
  }
}

// Where an event or a row can have come with the contact: they stay with it from step to step.
void Checker::spread_scopes() {
  std::vector<std::size_t> todo;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const track::Step& step = *steps_[i];
    graph_.row[i] = graph_.row[i] || step.look_up.has_value();
    for (const track::Rule& rule : step.rules) {
      const bool stays = rule.move && std::holds_alternative<track::Stay>(rule.move->what);
      graph_.event[i] =
          graph_.event[i] || (stays && std::holds_alternative<track::OnEvent>(rule.head));
    }
    todo.push_back(i);
  }
  while (!todo.empty()) {
    const std::size_t step = todo.back();
    todo.pop_back();
    for (const std::size_t index : graph_.out[step]) {
      const Edge& edge = graph_.edges[index];
      const bool event = graph_.event[edge.to] || graph_.event[step] || edge.by_event;
      const bool row = graph_.row[edge.to] || graph_.row[step];
      if (event != graph_.event[edge.to] || row != graph_.row[edge.to]) {
        graph_.event[edge.to] = event;
        graph_.row[edge.to] = row;
        todo.push_back(edge.to);
      }
    }
  }
}

void Checker::check_graph() {
  if (steps_.empty()) {
    report("no-steps", track_.name.span, "a track has at least one step", "write step \"Name\"");
    return;
  }
  const bool can_be_left =
      std::any_of(track_.clauses.begin(), track_.clauses.end(),
                  [](const auto& c) { return std::holds_alternative<track::Leave>(c); });
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    // A name that leads nowhere, or to another step, was perhaps meant for this one.
    const bool lost = a_way_is_lost_ || a_step_is_twice_;
    if (!graph_.reachable[i] && !lost && !steps_[i]->name.text.empty()) {
      report("unreachable-step", steps_[i]->name.span,
             "nothing leads to step " + shown({steps_[i]->name.text, {}}),
             "only `put on track … at` in another track could");
    }
    never_left(i, can_be_left);
    dead_rules(i);
  }
  endless_loops();
}

void Checker::never_left(std::size_t index, bool track_can_be_left) {
  const track::Step& step = *steps_[index];
  const bool left = std::any_of(step.rules.begin(), step.rules.end(), [&](const track::Rule& rule) {
    const auto* go = rule.move ? std::get_if<track::GoTo>(&rule.move->what) : nullptr;
    return !rule.move || std::holds_alternative<track::Stop>(rule.move->what) ||
           (go != nullptr && go->step.text != step.name.text);
  });
  if (!left && !track_can_be_left && !a_step_is_twice_) {
    report("step-never-left", step.name.span,
           "step " + shown({step.name.text, {}}) + " can never be left: no rule leads out of it",
           step.rules.empty() ? "give it a rule, such as `otherwise:`"
                              : "give one of its rules a `go to` another step or a `stop`");
  }
}

// Rules that could only be met by waiting on a step where nobody waits.
void Checker::dead_rules(std::size_t index) {
  const track::Step& step = *steps_[index];
  std::int64_t arms = 0;
  const track::Rule* taker = nullptr;
  for (const track::Rule& rule : step.rules) {
    if (rule.move && std::holds_alternative<track::Stay>(rule.move->what)) {
      return;  // so somebody may wait here
    }
    const auto* share = std::get_if<track::Share>(&rule.head);
    arms += share != nullptr ? hundredths(share->percent) : 0;
    const bool all = std::holds_alternative<track::Otherwise>(rule.head) || arms >= 10'000;
    taker = taker == nullptr && all ? &rule : taker;
  }
  if (taker == nullptr || !graph_.entered[index] || graph_.entered_delayed[index]) {
    return;
  }
  for (const track::Rule& rule : step.rules) {
    if (&rule == taker) {
      return;  // what stands behind it is reported as such
    }
    if (head_waits(rule.head)) {
      report("dead-rule", rule.span,
             "this rule is never met: everybody comes here at once and is taken on at once by the "
             "rule on line " +
                 std::to_string(taker->span.line),
             "put it into a step of its own that contacts wait on");
    }
  }
}

bool Checker::endless(const Edge& edge) { return !edge.waits && !edge.bounded; }

// The strongly connected part that each step belongs to, by the ways without a wait (Kosaraju):
// steps of one part have the same number.
std::vector<std::size_t> Checker::parts_without_wait() const {
  const std::size_t n = steps_.size();
  std::vector<std::vector<std::size_t>> in(n);
  for (std::size_t e = 0; e < graph_.edges.size(); ++e) {
    if (endless(graph_.edges[e])) {
      in[graph_.edges[e].to].push_back(e);
    }
  }
  std::vector<std::size_t> order;  // by when the search left them
  std::vector<std::size_t> next(n);
  std::vector<bool> seen(n);
  for (std::size_t root = 0; root < n; ++root) {
    std::vector<std::size_t> path;
    if (!seen[root]) {
      path.push_back(root);
      seen[root] = true;
    }
    while (!path.empty()) {
      const std::size_t step = path.back();
      if (next[step] == graph_.out[step].size()) {
        order.push_back(step);
        path.pop_back();
        continue;
      }
      const std::size_t e = graph_.out[step][next[step]++];
      const std::size_t to = graph_.edges[e].to;
      if (endless(graph_.edges[e]) && !seen[to]) {
        seen[to] = true;
        path.push_back(to);
      }
    }
  }
  std::vector<std::size_t> part(n, n);
  for (auto root = order.rbegin(); root != order.rend(); ++root) {
    std::vector<std::size_t> todo = {*root};
    while (!todo.empty()) {
      const std::size_t step = todo.back();
      todo.pop_back();
      if (part[step] != n) {
        continue;
      }
      part[step] = *root;
      for (const std::size_t e : in[step]) {
        todo.push_back(graph_.edges[e].from);
      }
    }
  }
  return part;
}

// Each round that needs no wait is reported once.
void Checker::endless_loops() {
  const std::size_t n = steps_.size();
  const std::vector<std::size_t> part = parts_without_wait();
  std::vector<std::vector<std::size_t>> members(n);
  for (std::size_t i = 0; i < n; ++i) {
    members[part[i]].push_back(i);
  }
  std::vector<bool> reported(n);
  for (std::size_t e = 0; e < graph_.edges.size(); ++e) {
    const Edge& edge = graph_.edges[e];
    if (!endless(edge) || part[edge.from] != part[edge.to] || reported[part[edge.from]]) {
      continue;
    }
    reported[part[edge.from]] = true;
    std::string names;
    const std::vector<std::size_t>& round = members[part[edge.from]];
    constexpr std::size_t kNamed = 4;
    for (std::size_t i = 0; i < std::min(kNamed, round.size()); ++i) {
      names += (names.empty() ? "" : ", ") + shown({steps_[round[i]]->name.text, {}});
    }
    names += round.size() > kNamed ? " and others" : "";
    report("endless-loop", edge.span,
           "a contact could go round " + std::string(round.size() == 1 ? "step " : "the steps ") +
               names + " for ever without waiting",
           "give one of the moves a wait, such as `after 1 day`");
  }
}

}  // namespace turnout::lang
