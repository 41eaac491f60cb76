#include "graph/layout.h"

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "base/check.h"
#include "graph/card.h"
#include "graph/frame.h"
#include "graph/ordering.h"

namespace turnout::graph {
namespace {

constexpr double kMargin = 24;
constexpr double kHeadingWidth = 640;  // at least, where the graph is narrower
constexpr double kEmptyChannel = 40;
constexpr double kAsideSpace = 48;

// On which sides of their boxes edges run: towards where they go. What stays about the same column
// goes down at the left; up at the right, unless outcomes stand there.
void choose_sides(const LayeredGraph& layered, const std::vector<PlacedNode>& boxes,
                  const std::vector<LinkEnds>& ends, const std::vector<double>& x,
                  std::vector<Cluster>& clusters) {
  std::map<std::pair<std::size_t, std::size_t>, double> towards_lower;  // place, target
  std::map<std::pair<std::size_t, std::size_t>, double> towards_upper;
  for (std::size_t i = 0; i < layered.links.size(); ++i) {
    const Link& link = layered.links[i];
    if (link.back) {
      towards_upper[{link.lower, link.target}] = x[link.upper] + ends[i].upper;
    }
    towards_lower[{link.upper, link.target}] = x[link.lower] + ends[i].lower;
  }
  for (std::size_t place = 0; place < clusters.size(); ++place) {
    for (Trunk& trunk : clusters[place].trunks) {
      const double left = x[place] + clusters[place].box_x;
      const auto& towards = trunk.kind == Trunk::Kind::kUp ? towards_upper : towards_lower;
      const auto found = towards.find({place, trunk.target});
      const double to = found == towards.end() ? left : found->second;
      const bool usual = trunk.kind != Trunk::Kind::kDown && clusters[place].beside.empty();
      const double right = left + boxes[layered.places[place].node].width;
      trunk.right = to > right || (usual && to >= left - kTrackPitch);
    }
  }
}

// Where the edge of each rule leads, if that is neither beside its box nor on the next layer.
std::vector<std::vector<std::string>> far_targets(const Graph& graph, const LayeredGraph& layered) {
  std::vector<std::vector<std::string>> targets;
  targets.reserve(graph.nodes.size());
  for (const Node& node : graph.nodes) {
    targets.emplace_back(node.rules.size());
  }
  for (std::size_t i = 0; i < graph.edges.size(); ++i) {
    const Edge& edge = graph.edges[i];
    if (edge.rule && layered.courses[i] != EdgeCourse::kBeside && edge.from != edge.to) {
      const std::size_t from = layered.places[layered.place_of[edge.from]].layer;
      const std::size_t to = layered.places[layered.place_of[edge.to]].layer;
      targets[edge.from][*edge.rule] = to == from + 1 ? "" : graph.nodes[edge.to].name;
    }
  }
  return targets;
}

class Assembly {
 public:
  explicit Assembly(const Graph& graph) : graph_(graph) {}

  Layout make() {
    frame_.layered = make_layers(graph_);
    const auto targets = far_targets(graph_, frame_.layered);
    for (std::size_t node = 0; node < graph_.nodes.size(); ++node) {
      frame_.boxes.push_back(measure(graph_.nodes[node], targets[node]));
    }
    order_layers(frame_.layered);
    frame_.clusters = make_clusters(graph_, frame_.layered);
    place_across();
    choose_sides(frame_.layered, frame_.boxes, frame_.ends, frame_.x, frame_.clusters);
    place_across();
    frame_.channels = route_channels(frame_.layered, frame_.ends, frame_.x);
    place_heading();
    place_down();
    place_aside();
    place_nodes();
    layout_.edges = draw_edges(graph_, frame_);
    layout_.nodes = std::move(frame_.boxes);
    layout_.width += kMargin;
    layout_.height += kMargin;
    return std::move(layout_);
  }

 private:
  void place_across() {
    for (std::size_t place = 0; place < frame_.clusters.size(); ++place) {
      const Place& at = frame_.layered.places[place];
      if (!at.dummy) {
        arrange(graph_, frame_.boxes, at.node, frame_.clusters[place]);
      }
    }
    frame_.ends = link_ends(graph_, frame_.layered, frame_.boxes, frame_.clusters);
    frame_.x = assign_coordinates(frame_.layered, frame_.clusters, frame_.ends);
    for (double& x : frame_.x) {
      x += kMargin;
    }
  }

  // How far layers with their channels reach to the right; those that begin above `bottom`.
  double right_above(double bottom) const {
    double right = kMargin;
    for (std::size_t layer = 0; layer < frame_.tops.size() && frame_.tops[layer] < bottom;
         ++layer) {
      for (const std::size_t place : frame_.layered.layers[layer]) {
        right = std::max(right, frame_.x[place] + frame_.clusters[place].width);
      }
      for (const auto& [key, net] : frame_.channels[layer].nets) {
        right = std::max(right, net.high);
      }
    }
    return right;
  }

  void place_heading() {
    layout_.height = kMargin;
    const auto add = [&](const std::string& text, TextStyle style, std::size_t lines) {
      const Font font = font_of(style);
      for (std::string& line : wrap(text, font, kHeadingWidth, lines)) {
        layout_.width = std::max(layout_.width, kMargin + text_width(line, font));
        layout_.heading.push_back(
            {{kMargin, layout_.height + font.size}, Anchor::kStart, style, std::move(line)});
        layout_.height += font.line;
      }
    };
    add(graph_.name, TextStyle::kHeading, 2);
    add(graph_.about, TextStyle::kAbout, 4);
    layout_.height += kMargin;
  }

  // Layers and the channels between them.
  void place_down() {
    double y = layout_.height;
    const std::size_t count = frame_.layered.layers.size();
    for (std::size_t layer = 0; layer < count; ++layer) {
      frame_.tops.push_back(y);
      double height = 0;
      for (const std::size_t place : frame_.layered.layers[layer]) {
        height = std::max(height, frame_.clusters[place].height);
      }
      frame_.bottoms.push_back(y += height);
      const std::size_t tracks = frame_.channels[layer].tracks;
      const double channel =
          tracks == 0 ? kEmptyChannel
                      : 2 * kChannelMargin + static_cast<double>(tracks - 1) * kTrackPitch;
      y += layer + 1 < count ? channel : 0;
    }
    layout_.width = std::max(layout_.width, right_above(std::numeric_limits<double>::infinity()));
    aside_top_ = std::exchange(layout_.height, y);
  }

  // What is about the whole track, at the upper right.
  void place_aside() {
    if (frame_.layered.aside != kNowhere) {
      const Cluster& cluster = frame_.clusters[frame_.layered.aside];
      const double bottom = aside_top_ + cluster.height;
      double& x = frame_.x[frame_.layered.aside];
      x = frame_.tops.empty() ? kMargin : right_above(bottom + kAsideSpace) + kAsideSpace;
      layout_.width = std::max(layout_.width, x + cluster.width);
      layout_.height = std::max(layout_.height, bottom);
    }
  }

  void place_nodes() {
    for (std::size_t place = 0; place < frame_.clusters.size(); ++place) {
      const Place& at = frame_.layered.places[place];
      if (at.dummy) {
        continue;
      }
      const Cluster& cluster = frame_.clusters[place];
      const double x = frame_.x[place];
      const double y = place == frame_.layered.aside ? aside_top_ : frame_.tops[at.layer];
      put(at.node, x + cluster.box_x, y, at.layer);
      for (const Beside& beside : cluster.beside) {
        put(beside.node, x + beside.x, y + beside.y, at.layer);
        frame_.boxes[beside.node].beside = true;
      }
    }
  }

  void put(std::size_t node, double x, double y, std::size_t layer) {
    PlacedNode& box = frame_.boxes[node];
    box.x = x;
    box.y = y;
    box.layer = layer;
    const auto move = [&](TextLine& line) {
      line.at.x += x;
      line.at.y += y;
    };
    std::ranges::for_each(box.lines, move);
    for (Row& row : box.rows) {
      row.top += y;
      std::ranges::for_each(row.lines, move);
    }
  }

  const Graph& graph_;
  Frame frame_;
  Layout layout_;
  double aside_top_ = 0;
};

}  // namespace

bool can_lay_out(const Graph& graph) {
  return graph.nodes.size() <= kMaxNodes && graph.edges.size() <= kMaxEdges;
}

Layout lay_out(const Graph& graph) {
  CHECK(can_lay_out(graph));
  return Assembly(graph).make();
}

}  // namespace turnout::graph
