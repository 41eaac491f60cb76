#include "graph/graph.h"

#include <unordered_map>
#include <utility>

#include "base/overloaded.h"
#include "graph/label.h"
#include "lang/formatter.h"

namespace turnout::graph {
namespace {

using lang::format_string;

// `where …`, `for each …`: how entries and clauses are told in a picture.
std::string where_label(const std::optional<track::Condition>& where) {
  return where ? "where " + lang::format_condition(*where) : "";
}

Node entry_node(const track::Gather& gather) {
  Node node;
  node.kind = NodeKind::kEntry;
  node.text = lang::format_clause(gather);
  std::visit(base::Overloaded{
                 [&](const track::GatherContacts& g) {
                   node.name = "gather contacts";
                   node.about = where_label(g.where);
                   node.notes.push_back(lang::format_schedule(g.schedule));
                 },
                 [&](const track::GatherFrom& g) {
                   node.name = "gather from " + format_string(g.database.text);
                   node.notes.push_back(lang::format_schedule(g.schedule));
                 },
                 [&](const track::GatherOn& g) {
                   node.name = "gather on " + format_string(g.event.text);
                   node.about = where_label(g.where);
                 },
             },
             gather.what);
  if (gather.for_each) {
    node.notes.push_back("for each " + lang::format_field(gather.for_each->name));
  }
  return node;
}

class GraphBuilder {
 public:
  explicit GraphBuilder(const track::Track& track) : track_(track), steps_(track.steps()) {}

  Graph make() {
    graph_.name = track_.name.text;
    for (const track::Clause& clause : track_.clauses) {
      if (const auto* about = std::get_if<track::About>(&clause)) {
        graph_.about = about->text;
      } else if (const auto* gather = std::get_if<track::Gather>(&clause)) {
        graph_.nodes.push_back(entry_node(*gather));
      }
    }
    add_track_wide();
    first_step_ = graph_.nodes.size();
    for (const track::Step* step : steps_) {
      add_step(*step);
    }
    add_edges();
    return std::move(graph_);
  }

 private:
  using Names = std::unordered_map<std::string, std::size_t>;

  void add_step(const track::Step& step) {
    step_nodes_.emplace(step.name.text, graph_.nodes.size());
    Node node;
    node.name = step.name.text;
    node.about = step.about.value_or("");
    if (step.look_up) {
      node.notes.push_back("look up from " + format_string(step.look_up->database.text));
    }
    if (step.check_every) {
      node.notes.push_back("check every " + lang::format_duration(*step.check_every));
    }
    for (const track::Rule& rule : step.rules) {
      node.rules.push_back(rule_of(rule));
    }
    graph_.nodes.push_back(std::move(node));
  }

  static Rule rule_of(const track::Rule& rule) {
    Rule out;
    out.head = lang::format_head(rule.head);
    out.text = rule_text(rule);
    for (const track::Action& action : rule.actions) {
      out.actions.push_back(action_label(action));
    }
    if (rule.move) {
      const auto* go = std::get_if<track::GoTo>(&rule.move->what);
      out.wait = go != nullptr && go->due ? lang::format_due(*go->due) : "";
      out.stay =
          std::holds_alternative<track::Stay>(rule.move->what) ? lang::format_move(*rule.move) : "";
    }
    return out;
  }

  // Clauses about contacts wherever they are; those that end an entry are its rules.
  void add_track_wide() {
    Node node;
    node.kind = NodeKind::kTrackWide;
    node.name = "whole track";
    for (const track::Clause& clause : track_.clauses) {
      std::visit(base::Overloaded{
                     [](const track::About&) {},
                     [](const track::Gather&) {},
                     [&](const track::Leave& leave) {
                       node.rules.push_back(clause_rule(clause, leave_head(leave)));
                       ends_.push_back(leave.as ? leave.as->text : track::kLeft);
                     },
                     [&](const track::HoldOut& hold) {
                       node.rules.push_back(clause_rule(clause, hold_head(hold)));
                       node.rules.back().wait =
                           hold.duration ? "for " + lang::format_duration(*hold.duration) : "";
                       ends_.push_back(hold.as.text);
                     },
                     [&](const auto&) { node.notes.push_back(lang::format_clause(clause)); },
                 },
                 clause);
    }
    if (!node.rules.empty() || !node.notes.empty()) {
      track_wide_ = graph_.nodes.size();
      graph_.nodes.push_back(std::move(node));
    }
  }

  static Rule clause_rule(const track::Clause& clause, std::string head) {
    Rule rule;
    rule.head = std::move(head);
    rule.text = lang::format_clause(clause);
    return rule;
  }

  // The clauses without what their edges show: the outcome, the wait.
  static std::string leave_head(track::Leave leave) {
    leave.as.reset();
    return lang::format_clause(leave);
  }
  static std::string hold_head(track::HoldOut hold) {
    hold.duration.reset();
    return lang::format_clause(hold);
  }

  void add_edges() {
    std::size_t entry = 0;
    for (const track::Clause& clause : track_.clauses) {
      const auto* gather = std::get_if<track::Gather>(&clause);
      if (gather != nullptr && gather->start_at) {
        graph_.edges.push_back({entry++, std::nullopt, step_named(gather->start_at->text)});
      } else if (gather != nullptr && !steps_.empty()) {
        graph_.edges.push_back({entry++, std::nullopt, first_step_});
      } else if (gather != nullptr) {
        graph_.edges.push_back({entry++, std::nullopt, outcome(track::kCompleted)});
      }
    }
    for (std::size_t rule = 0; rule < ends_.size(); ++rule) {
      graph_.edges.push_back({track_wide_, rule, outcome(ends_[rule])});
    }
    for (std::size_t step = 0; step < steps_.size(); ++step) {
      for (std::size_t rule = 0; rule < steps_[step]->rules.size(); ++rule) {
        add_move(step, rule, steps_[step]->rules[rule].move);
      }
    }
  }

  void add_move(std::size_t step, std::size_t rule, const std::optional<track::Move>& move) {
    const std::size_t from = first_step_ + step;
    if (!move) {
      const bool last = step + 1 == steps_.size();
      graph_.edges.push_back({from, rule, last ? outcome(track::kCompleted) : from + 1});
    } else if (const auto* go = std::get_if<track::GoTo>(&move->what)) {
      graph_.edges.push_back({from, rule, step_named(go->step.text)});
    } else if (const auto* stop = std::get_if<track::Stop>(&move->what)) {
      graph_.edges.push_back({from, rule, outcome(stop->as ? stop->as->text : track::kCompleted)});
    }
  }

  std::size_t step_named(const std::string& name) {
    const auto found = step_nodes_.find(name);
    return found != step_nodes_.end() ? found->second
                                      : named(unknown_, NodeKind::kUnknownStep, name);
  }
  std::size_t outcome(const std::string& name) {
    return named(outcomes_, NodeKind::kOutcome, name);
  }
  std::size_t named(Names& names, NodeKind kind, const std::string& name) {
    const auto [found, fresh] = names.emplace(name, graph_.nodes.size());
    if (fresh) {
      Node node;
      node.kind = kind;
      node.name = name;
      graph_.nodes.push_back(std::move(node));
    }
    return found->second;
  }

  const track::Track& track_;
  std::vector<const track::Step*> steps_;
  Graph graph_;
  std::size_t first_step_ = 0;
  std::size_t track_wide_ = 0;
  std::vector<std::string> ends_;  // outcomes of the rules of kTrackWide
  Names step_nodes_;
  Names outcomes_;
  Names unknown_;
};

}  // namespace

Graph make_graph(const track::Track& track) { return GraphBuilder(track).make(); }

}  // namespace turnout::graph
