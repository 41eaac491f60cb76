#pragma once

// The inside of the checker; included by check*.cc only.

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lang/checker.h"
#include "lang/codes.h"
#include "track/catalogue.h"
#include "track/track.h"

namespace turnout::lang {

// Percentages have two decimals, so hundredths are whole and add exactly. Bounded, whatever was
// written.
std::int64_t hundredths(double percent);

// Which names with a dot can hold a value at a place.
struct Scope {
  bool entry = true;  // entry.* and visit.*
  bool event = true;
  bool row = true;
};

// One way from a step to a step.
struct Edge {
  std::size_t from = 0;
  std::size_t to = 0;
  bool waits = false;    // time or an event is needed on the way, whatever the contact's fields are
  bool delayed = false;  // the contact arrives closed and opens later
  bool by_event = false;
  bool bounded = false;  // taken a limited number of times only
  track::Span span;
};

struct Graph {
  std::vector<Edge> edges;
  std::vector<std::vector<std::size_t>> out;  // edges by the step they leave
  std::vector<std::size_t> entries;           // steps on which contacts begin, some perhaps twice
  std::vector<bool> entered;                  // contacts arrive on the step one way or another
  std::vector<bool> entered_delayed;          // some of them closed
  std::vector<bool> reachable;
  std::vector<bool> event;  // event.* can hold something on the step
  std::vector<bool> row;    // likewise row.*
};

class Checker {
 public:
  Checker(const track::Track& track, const track::Catalogue& catalogue, Depth depth);

  std::vector<Diagnostic> run();

 private:
  // --- Names and clauses (check.cc)
  void report(CodeId code, track::Span span, std::string message, std::string hint = {});
  std::string suggest(std::string_view word, const std::vector<std::string>& names);
  std::string suggest_field(std::string_view word, const std::vector<std::string>& names);
  std::string_view nearest(std::string_view word, const std::vector<std::string>& names);
  bool whole() const { return depth_ == Depth::kWhole; }
  void collect_names();
  void collect_arms_and_outcomes();
  void duplicate_clauses();
  void clause(const track::Clause& clause);
  void gather(const track::Gather& gather);
  void schedule(const track::Schedule& schedule, track::Span span);
  void leave(const track::Leave& leave);
  void percent(double percent, track::Span span);
  void count(double count, track::Span span, std::string_view what);
  void not_zero(const track::DurationSpec& duration, std::string_view what);
  void step_name(const track::Name& name);
  void known(const track::Name& name, const std::optional<std::vector<std::string>>& names,
             CodeId code, std::string_view what);
  void other_track(const track::Name& track, const std::optional<track::Name>& step);

  // --- Rules, actions, tests (check_rules.cc)
  void step(const track::Step& step, std::size_t index);
  void rule_order(const track::Step& step);
  void arms(const track::Step& step);
  void rule(const track::Rule& rule, Scope scope);
  void action(const track::Action& action, const Scope& scope);
  void set_field(const track::SetField& set, const Scope& scope);
  void increase_field(const track::IncreaseField& increase, const Scope& scope);
  void move(const track::Move& move, const Scope& scope);
  void json(const track::Json& json, const Scope& scope);
  void test_case(const track::TestCase& test);
  void given_place(const track::TestCase::GivenPlace& place);
  void test_field(const track::FieldRef& field, const track::Operand& value);

  // --- Conditions and types (check_types.cc)
  track::Type field(const track::FieldRef& field, const Scope& scope);
  track::Type dotted_field(const track::FieldRef& field, std::size_t dot, const Scope& scope);
  track::Type target(const track::FieldRef& field, const Scope& scope);
  bool undeclared(const track::Operand& operand) const;
  track::Type compared(const track::Operand& right, track::Type left, bool equal,
                       const Scope& scope);
  track::Type type_of(const track::Operand& operand, const Scope& scope);
  void comparable(const track::Operand& left, track::Type left_type, const track::Operand& right,
                  track::Type right_type, bool setting = false);
  void want_time(const track::Operand& operand, track::Type type, std::string_view what,
                 const std::string& hint = {});
  void want_text(const track::Operand& operand, track::Type type, std::string_view what);
  void want_order(const track::Operand& operand, track::Type type);
  void condition(const track::Condition& condition, const Scope& scope);
  friend struct ConditionChecker;

  // --- The graph of steps (check_graph.cc)
  void build_graph();
  void add_edges(std::size_t index);
  void add_entries();
  void find_reachable();
  void spread_scopes();
  void check_graph();
  void never_left(std::size_t index, bool track_can_be_left);
  void dead_rules(std::size_t index);
  static bool endless(const Edge& edge);
  std::vector<std::size_t> parts_without_wait() const;
  void endless_loops();

  const track::Track& track_;
  const track::Catalogue& catalogue_;
  const Depth depth_;
  std::vector<Diagnostic> diagnostics_;
  int suggestions_ = 0;

  std::vector<const track::Step*> steps_;
  std::unordered_map<std::string_view, std::size_t> step_index_;  // the first of that name
  std::vector<std::string> step_names_;
  bool a_step_is_unread_ = false;
  bool a_step_is_twice_ = false;
  bool a_way_is_lost_ = false;  // to a step that does not exist
  std::unordered_map<std::string_view, const track::Field*> fields_;
  std::vector<std::string> field_names_;
  std::vector<std::string> arms_;
  std::vector<std::string> outcomes_;
  bool unnamed_outcome_ = false;  // a `leave` without `as`
  Graph graph_;
};

// How a value is called in messages: `score`, "text", 40.
std::string shown(const track::Operand& operand);

}  // namespace turnout::lang
