#include "graph/cluster.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

#include "graph/card.h"
#include "graph/precedence.h"

namespace turnout::graph {
namespace {

constexpr double kStub = 14;            // the least way from a box to a track
constexpr double kWaitMargin = 14;      // beside the text on an edge, both sides together
constexpr double kBesideGap = 30;       // from the last track, or the box, to outcomes
constexpr double kBesideSpace = 6;      // between outcomes
constexpr std::size_t kMaxSorted = 64;  // trunks on a side that are sorted with care

Trunk& trunk_to(Cluster& cluster, Trunk::Kind kind, std::size_t target) {
  for (Trunk& trunk : cluster.trunks) {
    if (trunk.kind == kind && trunk.target == target) {
      return trunk;
    }
  }
  Trunk trunk;
  trunk.kind = kind;
  trunk.target = target;
  return cluster.trunks.emplace_back(std::move(trunk));
}

// How far a trunk reaches, and at which heights lines join it.
struct Extent {
  double low = 0;
  double high = 0;
  std::vector<double> joins;
};

Extent extent_of(const Trunk& trunk, const PlacedNode& box) {
  constexpr double kFar = std::numeric_limits<double>::infinity();
  Extent extent{kFar, -kFar, {}};
  for (const std::size_t rule : trunk.rules) {
    extent.joins.push_back(port_height(box.rows[rule]));
  }
  if (trunk.kind == Trunk::Kind::kReturn) {
    extent.joins.push_back(return_height(box));
  }
  for (const double y : extent.joins) {
    extent.low = std::min(extent.low, y);
    extent.high = std::max(extent.high, y);
  }
  extent.low = trunk.kind == Trunk::Kind::kUp ? -kFar : extent.low;
  extent.high = trunk.kind == Trunk::Kind::kDown || trunk.from_below ? kFar : extent.high;
  return extent;
}

std::size_t crossings_when_inside(const Extent& inner, const Extent& outer) {
  return static_cast<std::size_t>(
      std::count_if(outer.joins.begin(), outer.joins.end(),
                    [&](double y) { return y > inner.low && y < inner.high; }));
}

// From the box outwards, so that few lines cross.
std::vector<Trunk*> trunks_at(Cluster& cluster, const PlacedNode& box, bool right) {
  std::vector<Trunk*> trunks;
  for (Trunk& trunk : cluster.trunks) {
    if (trunk.right == right) {
      trunks.push_back(&trunk);
    }
  }
  // What begins further up stands further out, where nothing else is said.
  const auto height = [&](const Trunk* trunk) { return extent_of(*trunk, box).low; };
  std::ranges::stable_sort(trunks, std::ranges::greater(), height);
  std::vector<Extent> extents(trunks.size());
  std::ranges::transform(trunks, extents.begin(),
                         [&](const Trunk* trunk) { return extent_of(*trunk, box); });
  if (trunks.size() > kMaxSorted) {
    return trunks;
  }
  std::vector<Trunk*> sorted;
  for (const std::size_t next : least_cost_order(trunks.size(), [&](std::size_t a, std::size_t b) {
         return crossings_when_inside(extents[a], extents[b]);
       })) {
    sorted.push_back(trunks[next]);
  }
  return sorted;
}

double width_of_waits(const Node& node, const std::vector<Trunk*>& trunks) {
  double width = 0;
  for (const Trunk* trunk : trunks) {
    for (const std::size_t rule : trunk->rules) {
      width = std::max(width, wait_width(node.rules[rule]));
    }
  }
  return width;
}

double stub_width(double waits) { return waits == 0 ? kStub : waits + kWaitMargin; }

// Outcomes beside the box, each at the height of its first rule where there is room. Of lines that
// have to turn, those further down turn nearer to the box: then they do not cross.
void arrange_beside(const std::vector<PlacedNode>& boxes, const PlacedNode& box, double right,
                    Cluster& cluster) {
  double bottom = 0;
  double jog = right;
  for (Beside& beside : cluster.beside) {
    const double wanted =
        port_height(box.rows[beside.rules.front()]) - boxes[beside.node].height / 2;
    beside.y = std::max(wanted, bottom);
    bottom = beside.y + boxes[beside.node].height + kBesideSpace;
    jog += beside.y > wanted || beside.rules.size() > 1 ? kTrackPitch : 0;
  }
  const double left = jog + kBesideGap;
  cluster.width = left;
  for (Beside& beside : cluster.beside) {
    const double wanted =
        port_height(box.rows[beside.rules.front()]) - boxes[beside.node].height / 2;
    beside.x = left;
    beside.jog = jog;
    jog -= beside.y > wanted || beside.rules.size() > 1 ? kTrackPitch : 0;
    cluster.width = std::max(cluster.width, left + boxes[beside.node].width);
  }
  cluster.height = std::max(cluster.height, bottom - kBesideSpace);
}

}  // namespace

const Trunk* Cluster::find(Trunk::Kind kind, std::size_t target) const {
  for (const Trunk& trunk : trunks) {
    if (trunk.kind == kind && trunk.target == target) {
      return &trunk;
    }
  }
  return nullptr;
}

double port_height(const Row& row) { return std::floor(row.top + row.height / 2); }

double return_height(const PlacedNode& box) { return std::min(17.0, std::floor(box.header / 2)); }

std::vector<Cluster> make_clusters(const Graph& graph, const LayeredGraph& layered) {
  std::vector<Cluster> clusters(layered.places.size());
  for (std::size_t index = 0; index < graph.edges.size(); ++index) {
    const Edge& edge = graph.edges[index];
    if (!edge.rule) {
      continue;  // an entry's edge leaves it at the bottom
    }
    Cluster& cluster = clusters[layered.place_of[edge.from]];
    if (layered.courses[index] == EdgeCourse::kBeside) {
      const auto known = std::find_if(cluster.beside.begin(), cluster.beside.end(),
                                      [&](const Beside& b) { return b.node == edge.to; });
      Beside& beside = known != cluster.beside.end() ? *known : cluster.beside.emplace_back();
      beside.node = edge.to;
      beside.rules.push_back(*edge.rule);
    } else if (layered.courses[index] == EdgeCourse::kDown) {
      trunk_to(cluster, Trunk::Kind::kDown, edge.to).rules.push_back(*edge.rule);
    } else if (edge.from == edge.to) {
      trunk_to(cluster, Trunk::Kind::kReturn, edge.to).rules.push_back(*edge.rule);
    } else {
      trunk_to(cluster, Trunk::Kind::kUp, edge.to).rules.push_back(*edge.rule);
      Cluster& above = clusters[layered.place_of[edge.to]];
      trunk_to(above, Trunk::Kind::kReturn, edge.to).from_below = true;
    }
  }
  return clusters;
}

void arrange(const Graph& graph, const std::vector<PlacedNode>& boxes, std::size_t node,
             Cluster& cluster) {
  const PlacedNode& box = boxes[node];
  const std::vector<Trunk*> left = trunks_at(cluster, box, false);
  const std::vector<Trunk*> right = trunks_at(cluster, box, true);
  const auto tracks = [](const auto& side) {
    return static_cast<double>(std::max<std::size_t>(side.size(), 1) - 1) * kTrackPitch;
  };
  const double left_stub = stub_width(width_of_waits(graph.nodes[node], left));
  cluster.box_x = left.empty() ? 0 : left_stub + tracks(left);
  double x = cluster.box_x - left_stub;
  for (Trunk* trunk : left) {
    trunk->x = x;
    x -= kTrackPitch;
  }
  double waits = width_of_waits(graph.nodes[node], right);
  for (const Beside& beside : cluster.beside) {
    for (const std::size_t rule : beside.rules) {
      waits = std::max(waits, wait_width(graph.nodes[node].rules[rule]));
    }
  }
  const double box_right = cluster.box_x + box.width;
  x = box_right + stub_width(waits);
  for (Trunk* trunk : right) {
    trunk->x = x;
    x += kTrackPitch;
  }
  cluster.height = box.height;
  cluster.width = right.empty() ? box_right : x - kTrackPitch;
  if (!cluster.beside.empty()) {
    arrange_beside(boxes, box,
                   right.empty() && waits == 0
                       ? box_right
                       : std::max(cluster.width, box_right + stub_width(waits)),
                   cluster);
  }
}

}  // namespace turnout::graph
