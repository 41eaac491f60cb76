#pragma once

// The names in a tree, told by where they stand in it. The room tells them from the tokens; the two
// must agree on every text without mistakes.

#include <string>
#include <vector>

#include "edit/reading.h"
#include "track/track.h"

namespace turnout::edit {

// Ordered by place; `token` is not set.
std::vector<NameUse> names_in_tree(const track::Track& track);

}  // namespace turnout::edit
