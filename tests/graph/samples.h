#pragma once

// What the tests of this room share.

#include <cstdint>
#include <string>
#include <string_view>

#include "graph/graph.h"

namespace turnout::graph {

// The graph of a track's text, which must parse without errors.
Graph graph_of(std::string_view text);

// The graph of a file in the tree.
Graph graph_of_file(const std::string& path);

// A track of so many steps with random rules, the same for the same seed: moves to steps up to
// `reach` away (a few to any, or to none that there is), stops, stays, waits, texts of all lengths.
std::string random_track_text(std::uint64_t seed, int steps, int reach);

}  // namespace turnout::graph
