#include "decide/leave.h"

namespace turnout::decide {
namespace {

using base::Result;

// Nobody is in an arm that has no share.
Node nobody() {
  Node node;
  node.kind = Node::Kind::kArm;
  return node;
}

// Where a clause has no condition.
Node everybody() {
  Node node = nobody();
  node.negated = true;
  return node;
}

Result<Node> no_longer_gathered(const track::Track& track, Columns& columns) {
  Node none;
  none.kind = Node::Kind::kOr;
  none.negated = true;
  for (const track::Clause& clause : track.clauses) {
    const auto* const gather = std::get_if<track::Gather>(&clause);
    if (gather == nullptr) {
      continue;
    }
    const auto* const contacts = std::get_if<track::GatherContacts>(&gather->what);
    if (contacts == nullptr) {
      return nobody();  // an event does not end, and what a query gives is known to its run alone
    }
    Node taken = everybody();
    if (contacts->where) {
      TRY(taken, compile_condition(*contacts->where, columns));
    }
    none.children.push_back(std::move(taken));
  }
  return none.children.empty() ? nobody() : none;
}

}  // namespace

Result<std::vector<LeaveCondition>> compile_leaves(const track::Track& track, Columns& columns) {
  std::vector<LeaveCondition> leaves;
  for (const track::Clause& clause : track.clauses) {
    const auto* const leave = std::get_if<track::Leave>(&clause);
    if (leave == nullptr) {
      continue;
    }
    LeaveCondition& made = leaves.emplace_back();
    made.clause = leave;
    if (const auto* const when = std::get_if<track::Leave::When>(&leave->why)) {
      TRY(made.condition, compile_condition(when->condition, columns));
    } else if (std::holds_alternative<track::Leave::NoLongerGathered>(leave->why)) {
      made.by_gathering = true;
      TRY(made.condition, no_longer_gathered(track, columns));
    }
  }
  return leaves;
}

}  // namespace turnout::decide
