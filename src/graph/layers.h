#pragma once

// The first part of the layout: the graph without cycles, in layers, with long edges cut into
// pieces from layer to layer. The pieces of all edges that go down to one node are one chain of
// dummies, and so are those of all edges that go back up to it.

#include <cstddef>
#include <limits>
#include <optional>
#include <vector>

#include "graph/graph.h"
#include "graph/layout.h"

namespace turnout::graph {

// A layer takes no more boxes of steps than this where that can be helped: pages are scrolled
// downwards.
inline constexpr std::size_t kBoxesPerLayer = 4;

// From how many places on time is saved: fewer sweeps.
inline constexpr std::size_t kLargeGraph = 3'000;

inline constexpr std::size_t kNowhere = std::numeric_limits<std::size_t>::max();

// A node of the layered graph: a box with the outcomes beside it, or a dummy where a chain passes
// by a layer.
struct Place {
  std::size_t layer = 0;
  std::size_t node = 0;  // of a dummy, where its chain leads
  bool dummy = false;
  bool back = false;  // of a dummy: of the chain up to the node
};

// Between places of adjacent layers: part of the chain to `target`, to its arrow at the lower end
// or, when `back`, at the upper.
struct Link {
  std::size_t upper = 0;  // index in `places`
  std::size_t lower = 0;
  std::size_t target = 0;  // a node
  bool back = false;
};

struct LayeredGraph {
  std::vector<EdgeCourse> courses;    // like the edges
  std::vector<std::size_t> hosts;     // the node that an outcome stands beside, or kNowhere
  std::vector<std::size_t> place_of;  // of a node; kNowhere for one beside another
  std::vector<Place> places;          // boxes, then dummies
  std::vector<Link> links;            // by the layer of their upper end
  std::vector<std::vector<std::size_t>> layers;  // places from left to right, in order of discovery
  std::size_t aside = kNowhere;  // the place of kTrackWide, in no layer, where no link leads away
};

// - Cycles: an edge to a node that the depth-first search from the entries is still in is a back
//   edge (Gansner, Koutsofios, North, Vo: "A technique for drawing directed graphs", 1993). So a
//   track without loops has none, in whatever order its steps stand.
// - Layers: the longest path from the entries, but no more than kBoxesPerLayer steps in one, the
//   rest further down. What nothing leads to stands right above where it leads.
LayeredGraph make_layers(const Graph& graph);

}  // namespace turnout::graph
