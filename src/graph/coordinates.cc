#include "graph/coordinates.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/check.h"
#include "graph/card.h"

namespace turnout::graph {
namespace {

constexpr int kRounds = 8;
constexpr int kRoundsOfLarge = 2;
constexpr double kBoxSpace = 48;    // between clusters
constexpr double kMixedSpace = 24;  // between a cluster and an edge that passes by

constexpr double kDummySpace = kTrackPitch - kDummyWidth;

// Edges that pass by are kept straight first, then the ways down, then the ways back.
constexpr double kDummyWeight = 8;
constexpr double kBackWeight = 0.25;
constexpr double kLooseWeight = 0.01;  // of a place that nothing draws

// Where a link should be straight: of boxes one under the other, their left borders.
LinkEnds alignment(const LayeredGraph& layered, const std::vector<Cluster>& clusters,
                   const Link& link, const LinkEnds& ends) {
  if (layered.places[link.upper].dummy || layered.places[link.lower].dummy) {
    return ends;
  }
  return {clusters[link.upper].box_x, clusters[link.lower].box_x};
}

double separation(const LayeredGraph& layered, std::size_t a, std::size_t b) {
  const int dummies = (layered.places[a].dummy ? 1 : 0) + (layered.places[b].dummy ? 1 : 0);
  return dummies == 2 ? kDummySpace : dummies == 1 ? kMixedSpace : kBoxSpace;
}

// A position that something asks for, and how strongly.
struct Wish {
  double at = 0;
  double weight = 0;
};

// The wishes' weighted median, the lower of two.
Wish median(std::vector<Wish>& wishes) {
  std::sort(wishes.begin(), wishes.end(), [](Wish a, Wish b) { return a.at < b.at; });
  double sum = 0;
  for (const Wish& wish : wishes) {
    sum += wish.weight;
  }
  double below = 0;
  for (const Wish& wish : wishes) {
    below += wish.weight;
    if (below >= sum / 2) {
      return {wish.at, sum};
    }
  }
  return {};
}

// Places that have to move as one.
struct Pool {
  double at = 0;  // mean of the wishes
  double weight = 0;
  std::size_t count = 0;
};

// The increasing sequence next to the wishes.
std::vector<double> pool_adjacent_violators(const std::vector<Wish>& wishes) {
  std::vector<Pool> pools;
  for (const Wish& wish : wishes) {
    pools.push_back({wish.at, wish.weight, 1});
    while (pools.size() > 1 && pools[pools.size() - 2].at > pools.back().at) {
      const Pool last = pools.back();
      pools.pop_back();
      Pool& joined = pools.back();
      joined.at =
          (joined.at * joined.weight + last.at * last.weight) / (joined.weight + last.weight);
      joined.weight += last.weight;
      joined.count += last.count;
    }
  }
  std::vector<double> values;
  for (const Pool& pool : pools) {
    values.insert(values.end(), pool.count, pool.at);
  }
  return values;
}

class Coordinates {
 public:
  Coordinates(const LayeredGraph& layered, const std::vector<Cluster>& clusters,
              const std::vector<LinkEnds>& ends)
      : layered_(layered),
        clusters_(clusters),
        above_(layered.places.size()),
        below_(layered.places.size()),
        x_(layered.places.size()) {
    for (std::size_t i = 0; i < layered.links.size(); ++i) {
      const Link& link = layered.links[i];
      const LinkEnds at = alignment(layered, clusters, link, ends[i]);
      const bool passing = layered.places[link.upper].dummy && layered.places[link.lower].dummy;
      const double weight = passing ? kDummyWeight : link.back ? kBackWeight : 1;
      above_[link.lower].push_back({link.upper, at.upper - at.lower, weight});
      below_[link.upper].push_back({link.lower, at.lower - at.upper, weight});
    }
  }

  std::vector<double> assign() {
    for (const auto& layer : layered_.layers) {
      pack(layer);
    }
    const std::size_t count = layered_.layers.size();
    const int rounds = layered_.places.size() < kLargeGraph ? kRounds : kRoundsOfLarge;
    for (int round = 0; round < rounds; ++round) {
      for (std::size_t i = count; i-- > 0;) {
        settle(layered_.layers[i], below_);
      }
      for (std::size_t i = 0; i < count; ++i) {
        settle(layered_.layers[i], above_);
      }
    }
    move_to_origin();
    return std::move(x_);
  }

 private:
  struct Pull {
    std::size_t place = 0;
    double offset = 0;
    double weight = 0;
  };
  using Pulls = std::vector<std::vector<Pull>>;

  double width(std::size_t place) const {
    return layered_.places[place].dummy ? kDummyWidth : clusters_[place].width;
  }
  double pitch(std::size_t left, std::size_t right) const {
    return width(left) + separation(layered_, left, right);
  }

  void pack(const std::vector<std::size_t>& layer) {
    double x = 0;
    for (std::size_t i = 0; i < layer.size(); ++i) {
      x += i == 0 ? 0 : pitch(layer[i - 1], layer[i]);
      x_[layer[i]] = x;
    }
  }

  void settle(const std::vector<std::size_t>& layer, const Pulls& pulls) {
    std::vector<Wish> wishes;
    std::vector<Wish> all;
    std::vector<double> shifts;  // of a place when all stand as close as they may
    for (std::size_t i = 0; i < layer.size(); ++i) {
      shifts.push_back(i == 0 ? 0 : shifts.back() + pitch(layer[i - 1], layer[i]));
      all.clear();
      for (const Pull& pull : pulls[layer[i]]) {
        all.push_back({x_[pull.place] + pull.offset - shifts[i], pull.weight});
      }
      wishes.push_back(all.empty() ? Wish{x_[layer[i]] - shifts[i], kLooseWeight} : median(all));
    }
    const std::vector<double> values = pool_adjacent_violators(wishes);
    for (std::size_t i = 0; i < layer.size(); ++i) {
      x_[layer[i]] = values[i] + shifts[i];
    }
  }

  // What nothing draws moves up to its neighbour; then the leftmost place stands at 0.
  void move_to_origin() {
    for (const auto& layer : layered_.layers) {
      for (std::size_t i = 1; i < layer.size(); ++i) {
        if (above_[layer[i]].empty() && below_[layer[i]].empty()) {
          x_[layer[i]] = x_[layer[i - 1]] + pitch(layer[i - 1], layer[i]);
        }
      }
    }
    double least = std::numeric_limits<double>::infinity();
    for (const auto& layer : layered_.layers) {
      least = std::min(least, x_[layer.front()]);
    }
    for (double& x : x_) {
      x = std::round(x - least);  // whole pixels: edges that share a line cover the same ones
    }
  }

  const LayeredGraph& layered_;
  const std::vector<Cluster>& clusters_;
  Pulls above_;
  Pulls below_;
  std::vector<double> x_;
};

double upper_end(const Graph& graph, const Place& place, const std::vector<PlacedNode>& boxes,
                 const Cluster& cluster, const Link& link) {
  if (place.dummy) {
    return kDummyWidth / 2;
  }
  if (graph.nodes[place.node].kind == NodeKind::kEntry) {
    return cluster.box_x + entry_port(graph.nodes[place.node], boxes[place.node]);
  }
  const Trunk* trunk = link.back ? cluster.find(Trunk::Kind::kReturn, place.node)
                                 : cluster.find(Trunk::Kind::kDown, link.target);
  CHECK(trunk != nullptr);
  return trunk->x;
}

double lower_end(const Graph& graph, const Place& place, const std::vector<PlacedNode>& boxes,
                 const Cluster& cluster, const Link& link) {
  if (place.dummy) {
    return kDummyWidth / 2;
  }
  if (!link.back) {
    return cluster.box_x + entry_port(graph.nodes[place.node], boxes[place.node]);
  }
  const Trunk* trunk = cluster.find(Trunk::Kind::kUp, link.target);
  CHECK(trunk != nullptr);
  return trunk->x;
}

}  // namespace

std::vector<LinkEnds> link_ends(const Graph& graph, const LayeredGraph& layered,
                                const std::vector<PlacedNode>& boxes,
                                const std::vector<Cluster>& clusters) {
  std::vector<LinkEnds> ends;
  ends.reserve(layered.links.size());
  for (const Link& link : layered.links) {
    ends.push_back(
        {upper_end(graph, layered.places[link.upper], boxes, clusters[link.upper], link),
         lower_end(graph, layered.places[link.lower], boxes, clusters[link.lower], link)});
  }
  return ends;
}

std::vector<double> assign_coordinates(const LayeredGraph& layered,
                                       const std::vector<Cluster>& clusters,
                                       const std::vector<LinkEnds>& ends) {
  return Coordinates(layered, clusters, ends).assign();
}

}  // namespace turnout::graph
