#pragma once

// The layout between its parts: everything has its place, edges are yet to be drawn.

#include <cstddef>
#include <map>
#include <vector>

#include "graph/cluster.h"
#include "graph/coordinates.h"
#include "graph/layers.h"
#include "graph/layout.h"
#include "graph/routing.h"

namespace turnout::graph {

inline constexpr double kChannelMargin = 20;  // above the first track of a channel, below the last

struct Frame {
  LayeredGraph layered;
  std::vector<PlacedNode> boxes;  // of nodes
  std::vector<Cluster> clusters;  // of places
  std::vector<LinkEnds> ends;     // of links
  std::vector<double> x;          // of places: the left
  std::vector<Channel> channels;  // beneath layers
  std::vector<double> tops;       // of layers
  std::vector<double> bottoms;
};

// The lines of all edges.
std::vector<PlacedEdge> draw_edges(const Graph& graph, const Frame& frame);

}  // namespace turnout::graph
