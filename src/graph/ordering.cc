#include "graph/ordering.h"

#include <algorithm>
#include <utility>

namespace turnout::graph {
namespace {

constexpr int kSweeps = 16;
constexpr int kSweepsOfLarge = 4;
constexpr int kExchanges = 8;

using Neighbours = std::vector<std::vector<std::size_t>>;

class Ordering {
 public:
  explicit Ordering(LayeredGraph& layered)
      : layered_(layered),
        above_(layered.places.size()),
        below_(layered.places.size()),
        position_(layered.places.size()) {
    for (const Link& link : layered.links) {
      above_[link.lower].push_back(link.upper);
      below_[link.upper].push_back(link.lower);
    }
    for (const auto& layer : layered.layers) {
      number(layer);
    }
  }

  void improve() {
    const bool large = layered_.places.size() >= kLargeGraph;
    auto best = layered_.layers;
    std::size_t fewest = count_crossings(layered_);
    const int sweeps = large ? kSweepsOfLarge : kSweeps;
    for (int sweep = 0; sweep < sweeps && fewest > 0; ++sweep) {
      sweep_once(sweep % 2 == 0);
      if (!large) {
        exchange();
      }
      const std::size_t crossings = count_crossings(layered_);
      if (crossings < fewest) {
        fewest = crossings;
        best = layered_.layers;
      }
    }
    layered_.layers = std::move(best);
  }

 private:
  void number(const std::vector<std::size_t>& layer) {
    for (std::size_t i = 0; i < layer.size(); ++i) {
      position_[layer[i]] = static_cast<double>(i);
    }
  }

  void sweep_once(bool down) {
    const std::size_t count = layered_.layers.size();
    for (std::size_t i = 1; i < count; ++i) {
      std::vector<std::size_t>& layer = layered_.layers[down ? i : count - 1 - i];
      sort_by_barycentre(layer, down ? above_ : below_);
    }
  }

  // Places without neighbours on that side keep their position.
  void sort_by_barycentre(std::vector<std::size_t>& layer, const Neighbours& neighbours) {
    std::vector<std::pair<double, std::size_t>> keyed;
    for (const std::size_t place : layer) {
      double sum = 0;
      for (const std::size_t neighbour : neighbours[place]) {
        sum += position_[neighbour];
      }
      const auto n = static_cast<double>(neighbours[place].size());
      keyed.emplace_back(n == 0 ? position_[place] : sum / n, place);
    }
    std::stable_sort(keyed.begin(), keyed.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::transform(keyed.begin(), keyed.end(), layer.begin(),
                   [](const auto& k) { return k.second; });
    number(layer);
  }

  // Crossings of the links of two places, the one left of the other.
  std::size_t crossings_of(std::size_t left, std::size_t right,
                           const Neighbours& neighbours) const {
    std::size_t crossings = 0;
    for (const std::size_t a : neighbours[left]) {
      for (const std::size_t b : neighbours[right]) {
        crossings += position_[a] > position_[b] ? 1 : 0;
      }
    }
    return crossings;
  }
  std::size_t crossings_of(std::size_t left, std::size_t right) const {
    return crossings_of(left, right, above_) + crossings_of(left, right, below_);
  }

  void exchange() {
    bool better = true;
    for (int round = 0; round < kExchanges && better; ++round) {
      better = false;
      for (auto& layer : layered_.layers) {
        for (std::size_t i = 0; i + 1 < layer.size(); ++i) {
          if (crossings_of(layer[i + 1], layer[i]) < crossings_of(layer[i], layer[i + 1])) {
            std::swap(layer[i], layer[i + 1]);
            std::swap(position_[layer[i]], position_[layer[i + 1]]);
            better = true;
          }
        }
      }
    }
  }

  LayeredGraph& layered_;
  Neighbours above_;
  Neighbours below_;
  std::vector<double> position_;  // in its layer
};

// Counts pairs that stand the wrong way round, with a binary indexed tree (Fenwick 1994).
std::size_t inversions(const std::vector<std::size_t>& sequence, std::size_t values) {
  std::vector<std::size_t> tree(values + 1);
  std::size_t found = 0;
  for (std::size_t seen = 0; seen < sequence.size(); ++seen) {
    found += seen;
    for (std::size_t i = sequence[seen] + 1; i > 0; i -= i & (~i + 1)) {
      found -= tree[i];  // not greater
    }
    for (std::size_t i = sequence[seen] + 1; i <= values; i += i & (~i + 1)) {
      ++tree[i];
    }
  }
  return found;
}

}  // namespace

std::size_t count_crossings(const LayeredGraph& layered) {
  std::vector<std::size_t> position(layered.places.size());
  for (const auto& layer : layered.layers) {
    for (std::size_t i = 0; i < layer.size(); ++i) {
      position[layer[i]] = i;
    }
  }
  std::size_t crossings = 0;
  for (std::size_t begin = 0; begin < layered.links.size();) {
    const std::size_t upper = layered.places[layered.links[begin].upper].layer;
    std::vector<std::pair<std::size_t, std::size_t>> pairs;
    for (;
         begin < layered.links.size() && layered.places[layered.links[begin].upper].layer == upper;
         ++begin) {
      const Link& link = layered.links[begin];
      pairs.emplace_back(position[link.upper], position[link.lower]);
    }
    std::sort(pairs.begin(), pairs.end());
    std::vector<std::size_t> lower(pairs.size());
    std::transform(pairs.begin(), pairs.end(), lower.begin(),
                   [](const auto& p) { return p.second; });
    crossings += inversions(lower, layered.layers[upper + 1].size());
  }
  return crossings;
}

void order_layers(LayeredGraph& layered) {
  Ordering(layered).improve();
  std::vector<bool> linked(layered.places.size());
  for (const Link& link : layered.links) {
    linked[link.upper] = true;
    linked[link.lower] = true;
  }
  for (auto& layer : layered.layers) {
    std::stable_partition(layer.begin(), layer.end(),
                          [&](std::size_t place) { return linked[place]; });
  }
}

}  // namespace turnout::graph
