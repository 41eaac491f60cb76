#pragma once

// The drawing as SVG 1.1: one picture in light and dark, without scripts and outside references.
// Whoever points at a rule sees all of it as written and its edge in bold, where the picture is
// opened by itself; shown by <img>, it stands still.

#include <string>

#include "graph/graph.h"
#include "graph/layout.h"

namespace turnout::graph {

// The same bytes for the same graph and layout; well-formed XML whatever the names hold. Linear.
std::string to_svg(const Graph& graph, const Layout& layout);

}  // namespace turnout::graph
