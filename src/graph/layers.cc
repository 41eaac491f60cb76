#include "graph/layers.h"

#include <algorithm>
#include <map>
#include <queue>
#include <tuple>
#include <utility>

namespace turnout::graph {
namespace {

using Lists = std::vector<std::vector<std::size_t>>;

// Edges by the node that they begin at.
Lists edges_from(const Graph& graph) {
  Lists out(graph.nodes.size());
  for (std::size_t edge = 0; edge < graph.edges.size(); ++edge) {
    out[graph.edges[edge].from].push_back(edge);
  }
  return out;
}

// Outcomes that one node alone leads to stand beside it.
std::vector<std::size_t> find_hosts(const Graph& graph) {
  std::vector<std::size_t> hosts(graph.nodes.size(), kNowhere);
  std::vector<bool> shared(graph.nodes.size());
  for (const Edge& edge : graph.edges) {
    const NodeKind kind = graph.nodes[edge.to].kind;
    if ((kind != NodeKind::kOutcome && kind != NodeKind::kUnknownStep) || !edge.rule ||
        (hosts[edge.to] != kNowhere && hosts[edge.to] != edge.from)) {
      shared[edge.to] = true;
    }
    hosts[edge.to] = edge.from;
  }
  for (std::size_t node = 0; node < hosts.size(); ++node) {
    hosts[node] = shared[node] ? kNowhere : hosts[node];
  }
  return hosts;
}

// Depth-first, entries first, rules in their order: says which edges go back, and in which order
// nodes are discovered.
class Search {
 public:
  Search(const Graph& graph, const Lists& out, std::vector<EdgeCourse>& courses)
      : graph_(graph),
        out_(out),
        courses_(courses),
        rank_(graph.nodes.size(), kNowhere),
        open_(graph.nodes.size()) {}

  std::vector<std::size_t> ranks() {
    for (std::size_t node = 0; node < graph_.nodes.size(); ++node) {
      visit(node);
    }
    return std::move(rank_);
  }

 private:
  void enter(std::size_t node) {
    rank_[node] = count_++;
    open_[node] = true;
    stack_.emplace_back(node, 0);
  }

  void visit(std::size_t root) {
    if (rank_[root] == kNowhere) {
      enter(root);
    }
    while (!stack_.empty()) {
      auto& [node, next] = stack_.back();
      if (next == out_[node].size()) {
        open_[node] = false;
        stack_.pop_back();
        continue;
      }
      const std::size_t edge = out_[node][next++];
      const std::size_t to = graph_.edges[edge].to;
      if (open_[to]) {
        courses_[edge] = EdgeCourse::kBack;
      } else if (rank_[to] == kNowhere) {
        enter(to);
      }
    }
  }

  const Graph& graph_;
  const Lists& out_;
  std::vector<EdgeCourse>& courses_;
  std::vector<std::size_t> rank_;
  std::vector<bool> open_;
  std::vector<std::pair<std::size_t, std::size_t>> stack_;  // node, next of its edges
  std::size_t count_ = 0;
};

// Puts nodes into layers, those first that may stand highest.
class Layering {
 public:
  Layering(const Graph& graph, const LayeredGraph& layered, const Lists& out,
           const std::vector<std::size_t>& ranks)
      : graph_(graph),
        layered_(layered),
        out_(out),
        ranks_(ranks),
        layer_(graph.nodes.size()),
        waits_for_(graph.nodes.size()) {}

  std::vector<std::size_t> layers() {
    for (std::size_t edge = 0; edge < graph_.edges.size(); ++edge) {
      waits_for_[graph_.edges[edge].to] += layered_.courses[edge] == EdgeCourse::kDown ? 1 : 0;
    }
    const std::vector<std::size_t> sources = waits_for_;
    for (std::size_t node = 0; node < layer_.size(); ++node) {
      layer_[node] = graph_.nodes[node].kind == NodeKind::kEntry ? 0 : 1;
      if (waits_for_[node] == 0 && layered_.hosts[node] == kNowhere) {
        ready_.emplace(layer_[node], ranks_[node], node);
      }
    }
    while (!ready_.empty()) {
      const std::size_t node = std::get<2>(ready_.top());
      ready_.pop();
      settle(node);
    }
    for (std::size_t node = 0; node < layer_.size(); ++node) {
      if (sources[node] == 0) {
        lower(node);
      }
    }
    close_gaps();
    return std::move(layer_);
  }

 private:
  void settle(std::size_t node) {
    if (graph_.nodes[node].kind == NodeKind::kStep) {
      while (boxes_[layer_[node]] >= kBoxesPerLayer) {
        ++layer_[node];
      }
      ++boxes_[layer_[node]];
    }
    for (const std::size_t edge : out_[node]) {
      const std::size_t to = graph_.edges[edge].to;
      if (layered_.courses[edge] == EdgeCourse::kDown) {
        layer_[to] = std::max(layer_[to], layer_[node] + 1);
        if (--waits_for_[to] == 0) {
          ready_.emplace(layer_[to], ranks_[to], to);
        }
      }
    }
  }

  bool is_aside(std::size_t node) const {
    return graph_.nodes[node].kind == NodeKind::kTrackWide &&
           std::ranges::all_of(out_[node], [&](std::size_t edge) {
             return layered_.courses[edge] == EdgeCourse::kBeside;
           });
  }

  // To right above the highest node that it leads to.
  void lower(std::size_t node) {
    std::size_t next = kNowhere;
    for (const std::size_t edge : out_[node]) {
      if (layered_.courses[edge] == EdgeCourse::kDown) {
        next = std::min(next, layer_[graph_.edges[edge].to]);
      }
    }
    if (next != kNowhere && graph_.nodes[node].kind != NodeKind::kTrackWide) {
      layer_[node] = std::max(layer_[node], next - 1);
    }
  }

  // Renumbers the layers so that none is empty.
  void close_gaps() {
    std::map<std::size_t, std::size_t> used;
    for (std::size_t node = 0; node < layer_.size(); ++node) {
      if (layered_.hosts[node] == kNowhere && !is_aside(node)) {
        used.emplace(layer_[node], 0);
      }
    }
    std::size_t number = 0;
    for (auto& [layer, now] : used) {
      now = number++;
    }
    for (std::size_t node = 0; node < layer_.size(); ++node) {
      const bool placed = layered_.hosts[node] == kNowhere && !is_aside(node);
      layer_[node] = placed ? used.at(layer_[node]) : 0;
    }
  }

  const Graph& graph_;
  const LayeredGraph& layered_;
  const Lists& out_;
  const std::vector<std::size_t>& ranks_;
  std::vector<std::size_t> layer_;
  std::vector<std::size_t> waits_for_;        // edges down to it from nodes without a layer yet
  std::map<std::size_t, std::size_t> boxes_;  // steps in a layer
  using Ready = std::tuple<std::size_t, std::size_t, std::size_t>;  // layer, rank, node
  std::priority_queue<Ready, std::vector<Ready>, std::greater<>> ready_;
};

// Cuts the edges to each node into links.
class ChainMaker {
 public:
  ChainMaker(const Graph& graph, LayeredGraph& layered) : graph_(graph), layered_(layered) {}

  void make() {
    Lists into(graph_.nodes.size());
    for (std::size_t edge = 0; edge < graph_.edges.size(); ++edge) {
      into[graph_.edges[edge].to].push_back(edge);
    }
    for (std::size_t node = 0; node < into.size(); ++node) {
      make_chain(node, into[node], EdgeCourse::kDown);
      make_chain(node, into[node], EdgeCourse::kBack);
    }
    std::stable_sort(layered_.links.begin(), layered_.links.end(),
                     [&](const Link& a, const Link& b) {
                       return layered_.places[a.upper].layer < layered_.places[b.upper].layer;
                     });
  }

 private:
  std::size_t layer_of(std::size_t node) const {
    return layered_.places[layered_.place_of[node]].layer;
  }

  void make_chain(std::size_t target, const std::vector<std::size_t>& edges, EdgeCourse course) {
    std::vector<std::pair<std::size_t, std::size_t>> sources;  // layer, node
    for (const std::size_t edge : edges) {
      const std::size_t from = graph_.edges[edge].from;
      if (layered_.courses[edge] == course && from != target) {
        sources.emplace_back(layer_of(from), from);
      }
    }
    if (sources.empty()) {
      return;
    }
    const bool back = course == EdgeCourse::kBack;
    std::sort(sources.begin(), sources.end());
    sources.erase(std::unique(sources.begin(), sources.end()), sources.end());
    // From next to the target to the farthest source.
    std::map<std::size_t, std::size_t> at{{layer_of(target), layered_.place_of[target]}};
    const std::size_t farthest = back ? sources.back().first : sources.front().first;
    for (std::size_t layer = std::min(farthest, layer_of(target)) + 1;
         layer < std::max(farthest, layer_of(target)); ++layer) {
      at[layer] = layered_.places.size();
      layered_.places.push_back({layer, target, true, back});
    }
    for (const auto& [layer, place] : at) {
      const auto next = at.find(layer + 1);
      if (next != at.end()) {
        layered_.links.push_back({place, next->second, target, back});
      }
    }
    for (const auto& [layer, node] : sources) {
      const std::size_t place = layered_.place_of[node];
      const std::size_t toward = at.at(back ? layer - 1 : layer + 1);
      layered_.links.push_back(back ? Link{toward, place, target, back}
                                    : Link{place, toward, target, back});
    }
  }

  const Graph& graph_;
  LayeredGraph& layered_;
};

// In order of discovery. What is about the whole track stands behind all others, or aside.
void fill_layers(const Graph& graph, const std::vector<std::size_t>& ranks, LayeredGraph& layered) {
  std::vector<bool> linked(layered.places.size());
  for (const Link& link : layered.links) {
    linked[link.upper] = true;
  }
  const auto is_wide = [&](std::size_t place) {
    return graph.nodes[layered.places[place].node].kind == NodeKind::kTrackWide;
  };
  for (std::size_t place = 0; place < layered.places.size(); ++place) {
    if (is_wide(place) && !linked[place]) {
      layered.aside = place;
      continue;
    }
    layered.layers.resize(std::max(layered.layers.size(), layered.places[place].layer + 1));
    layered.layers[layered.places[place].layer].push_back(place);
  }
  const auto rank_of = [&](std::size_t place) {
    return is_wide(place) ? kNowhere : ranks[layered.places[place].node];
  };
  for (std::vector<std::size_t>& layer : layered.layers) {
    std::stable_sort(layer.begin(), layer.end(),
                     [&](std::size_t a, std::size_t b) { return rank_of(a) < rank_of(b); });
  }
}

}  // namespace

LayeredGraph make_layers(const Graph& graph) {
  LayeredGraph layered;
  const Lists out = edges_from(graph);
  layered.hosts = find_hosts(graph);
  layered.courses.assign(graph.edges.size(), EdgeCourse::kDown);
  const std::vector<std::size_t> ranks = Search(graph, out, layered.courses).ranks();
  for (std::size_t edge = 0; edge < graph.edges.size(); ++edge) {
    if (layered.hosts[graph.edges[edge].to] != kNowhere) {
      layered.courses[edge] = EdgeCourse::kBeside;
    }
  }
  const std::vector<std::size_t> layers = Layering(graph, layered, out, ranks).layers();
  layered.place_of.assign(graph.nodes.size(), kNowhere);
  for (std::size_t node = 0; node < graph.nodes.size(); ++node) {
    if (layered.hosts[node] == kNowhere) {
      layered.place_of[node] = layered.places.size();
      layered.places.push_back({layers[node], node, false, false});
    }
  }
  ChainMaker(graph, layered).make();
  fill_layers(graph, ranks, layered);
  return layered;
}

}  // namespace turnout::graph
