#pragma once

// The box of a node before it has a place: its text broken into lines, and its size.

#include <vector>

#include "graph/graph.h"
#include "graph/layout.h"

namespace turnout::graph {

inline constexpr double kEntryPort = 28;  // where edges from above meet a box, from its left border

// The box with its upper left corner at (0, 0). `targets`, one for each rule, names where its edge
// leads when that is too far away to be seen at a glance; else it is empty.
PlacedNode measure(const Node& node, const std::vector<std::string>& targets);

// Where edges from above meet the box, and those of entries leave it; from its left border.
double entry_port(const Node& node, const PlacedNode& box);

// The lines of the wait on an edge; at most two, one above and one under the line of the edge.
std::vector<std::string> wait_lines(const Rule& rule);
double wait_width(const Rule& rule);  // of the widest line

}  // namespace turnout::graph
