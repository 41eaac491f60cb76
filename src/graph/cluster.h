#pragma once

// A box with what stands right beside it: the channels in which its edges run up and down, the
// waits written on them, the outcomes that it alone leads to.
//
//     tracks  waits +-----------+ waits  tracks
//       |           | header    |          |
//       +-- 2 days--| row       |----------|---- (outcome)
//       |           | row       |--1 day---+
//       v           +-----------+          v
//
// All edges of a box to one node run in one track; so do all that come back up to the box.

#include <cstddef>
#include <vector>

#include "graph/graph.h"
#include "graph/layers.h"
#include "graph/layout.h"

namespace turnout::graph {

inline constexpr double kTrackPitch = 10;  // between edges that run beside each other

// An upright line beside a box, from the rows of its edges up or down.
struct Trunk {
  enum class Kind { kDown, kUp, kReturn };
  Kind kind = Kind::kDown;
  std::size_t target = 0;          // a node; of kReturn, the box itself
  bool right = false;              // of the box; else left
  bool from_below = false;         // of kReturn: others come back to this box as well
  std::vector<std::size_t> rules;  // that lead into it
  double x = 0;                    // from the left of the cluster
};

// An outcome beside the box.
struct Beside {
  std::size_t node = 0;
  std::vector<std::size_t> rules;  // that lead to it
  double x = 0;                    // from the left of the cluster
  double y = 0;                    // from its top
  double jog = 0;                  // where lines of rows at another height turn towards it
};

struct Cluster {
  double box_x = 0;  // of the box, from the left of the cluster; its y is the cluster's
  double width = 0;
  double height = 0;
  std::vector<Trunk> trunks;
  std::vector<Beside> beside;

  const Trunk* find(Trunk::Kind kind, std::size_t target) const;
};

// The clusters of all places (empty ones for dummies), all trunks at the left.
std::vector<Cluster> make_clusters(const Graph& graph, const LayeredGraph& layered);

// Gives everything in the cluster of a node its place; to be called again when trunks have changed
// sides. The boxes are those of all nodes, measured.
void arrange(const Graph& graph, const std::vector<PlacedNode>& boxes, std::size_t node,
             Cluster& cluster);

double port_height(const Row& row);           // where its edge begins, from the top of the box
double return_height(const PlacedNode& box);  // where edges that come back end

}  // namespace turnout::graph
