#pragma once

// The conditions of a track's `leave` clauses.

#include <optional>
#include <vector>

#include "base/result.h"
#include "decide/condition.h"
#include "track/track.h"

namespace turnout::decide {

struct LeaveCondition {
  const track::Leave* clause = nullptr;
  // `no longer gathered`: met when none of the track's clauses would take the contact, where all of
  // them are `gather contacts`.
  bool by_gathering = false;
  Node condition;  // of `leave on`: none
};

// One for each `leave` clause, in file order. Pointers live as long as the track. kInvalid for what
// does not run yet.
base::Result<std::vector<LeaveCondition>> compile_leaves(const track::Track& track,
                                                         Columns& columns);

}  // namespace turnout::decide
