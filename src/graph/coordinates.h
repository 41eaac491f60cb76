#pragma once

// The third part of the layout: where the places of a layer stand from left to right.

#include <vector>

#include "graph/cluster.h"
#include "graph/graph.h"
#include "graph/layers.h"

namespace turnout::graph {

inline constexpr double kDummyWidth = 4;

// Where a link meets its places: the upper at its lower border, the lower at its upper; from the
// left of their clusters.
struct LinkEnds {
  double upper = 0;
  double lower = 0;
};

std::vector<LinkEnds> link_ends(const Graph& graph, const LayeredGraph& layered,
                                const std::vector<PlacedNode>& boxes,
                                const std::vector<Cluster>& clusters);

// The left of each place's cluster, but of the one aside; the order within layers is kept and
// clusters do not touch. Sweeps down and up give every place the median of the positions at which
// its links would be straight (the priority method of Sugiyama, Tagawa, Toda 1981); where places
// compete, the sum of squares of what they are off is least, by pooling adjacent violators (Ayer et
// al. 1955). Linear in the links, up to sorting.
std::vector<double> assign_coordinates(const LayeredGraph& layered,
                                       const std::vector<Cluster>& clusters,
                                       const std::vector<LinkEnds>& ends);

}  // namespace turnout::graph
