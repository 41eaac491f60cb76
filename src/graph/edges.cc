// The lines of edges: from their rows along trunks, channels and chains.

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "base/check.h"
#include "graph/card.h"
#include "graph/frame.h"

namespace turnout::graph {
namespace {

constexpr double kWaitInset = 7;  // from the box to the wait on an edge

class EdgeDrawing {
 public:
  EdgeDrawing(const Graph& graph, const Frame& frame) : graph_(graph), frame_(frame) {
    for (std::size_t place = 0; place < frame.layered.places.size(); ++place) {
      const Place& at = frame.layered.places[place];
      if (at.dummy) {
        chains_.emplace(std::pair(at.node, at.back), place);  // the uppermost comes first
      }
    }
  }

  PlacedEdge draw(std::size_t index) const {
    const Edge& edge = graph_.edges[index];
    PlacedEdge out;
    out.course = frame_.layered.courses[index];
    if (out.course == EdgeCourse::kBeside) {
      run_beside(out, edge);
    } else if (out.course == EdgeCourse::kDown) {
      run_down(out, edge);
    } else {
      run_back(out, edge);
    }
    return out;
  }

 private:
  // A corner; one that the line goes straight on at is none.
  static void turn_at(PlacedEdge& edge, Point to) {
    constexpr double kSame = 0.01;
    std::vector<Point>& points = edge.points;
    if (!points.empty() && std::hypot(points.back().x - to.x, points.back().y - to.y) < kSame) {
      return;
    }
    if (points.size() > 1) {
      const Point before = points[points.size() - 2];
      const bool upright =
          std::abs(before.x - points.back().x) < kSame && std::abs(to.x - before.x) < kSame;
      const bool level =
          std::abs(before.y - points.back().y) < kSame && std::abs(to.y - before.y) < kSame;
      if (upright || level) {
        points.pop_back();
      }
    }
    points.push_back(to);
  }

  // Out of the box beside the row, with the wait on the line.
  void leave(PlacedEdge& edge, std::size_t node, std::size_t rule, bool right) const {
    const PlacedNode& box = frame_.boxes[node];
    const double x = right ? box.x + box.width : box.x;
    const double y = port_height(box.rows[rule]);
    turn_at(edge, {x, y});
    const Font font = font_of(TextStyle::kWait);
    const double start = right ? x + kWaitInset : x - kWaitInset;
    const Anchor anchor = right ? Anchor::kStart : Anchor::kEnd;
    double baseline = y - 4;
    for (std::string& line : wait_lines(graph_.nodes[node].rules[rule])) {
      edge.wait.push_back({{start, baseline}, anchor, TextStyle::kWait, std::move(line)});
      baseline += font.line + 1;
    }
  }

  void run_beside(PlacedEdge& out, const Edge& edge) const {
    CHECK(edge.rule.has_value());
    const std::size_t place = frame_.layered.place_of[edge.from];
    const auto& all = frame_.clusters[place].beside;
    const auto beside =
        std::ranges::find_if(all, [&](const Beside& b) { return b.node == edge.to; });
    leave(out, edge.from, *edge.rule, true);
    const PlacedNode& end = frame_.boxes[edge.to];
    const double y = end.y + end.height / 2;
    if (std::abs(y - out.points.back().y) > 0.5) {
      turn_at(out, {frame_.x[place] + beside->jog, out.points.back().y});
      turn_at(out, {frame_.x[place] + beside->jog, y});
    }
    turn_at(out, {end.x, y});
  }

  void run_down(PlacedEdge& out, const Edge& edge) const {
    const std::size_t place = frame_.layered.place_of[edge.from];
    const PlacedNode& from = frame_.boxes[edge.from];
    double x = from.x + entry_port(graph_.nodes[edge.from], from);
    if (edge.rule) {
      const Trunk& trunk = *frame_.clusters[place].find(Trunk::Kind::kDown, edge.to);
      leave(out, edge.from, *edge.rule, trunk.right);
      x = frame_.x[place] + trunk.x;
      turn_at(out, {x, out.points.back().y});
    } else {
      turn_at(out, {x, from.y + from.height});
    }
    const PlacedNode& to = frame_.boxes[edge.to];
    for (std::size_t layer = from.layer; layer < to.layer; ++layer) {
      const double next = layer + 1 == to.layer ? to.x + entry_port(graph_.nodes[edge.to], to)
                                                : chain_x(edge.to, false, layer + 1);
      cross_channel(out, layer, edge.to, false, x, next);
      x = next;
    }
    turn_at(out, {x, to.y});
  }

  void run_back(PlacedEdge& out, const Edge& edge) const {
    CHECK(edge.rule.has_value());
    const std::size_t own = frame_.layered.place_of[edge.from];
    const std::size_t target = frame_.layered.place_of[edge.to];
    const Trunk& back = *frame_.clusters[target].find(Trunk::Kind::kReturn, edge.to);
    const double end = frame_.x[target] + back.x;
    if (edge.from == edge.to) {
      leave(out, edge.from, *edge.rule, back.right);
    } else {
      const Trunk& trunk = *frame_.clusters[own].find(Trunk::Kind::kUp, edge.to);
      leave(out, edge.from, *edge.rule, trunk.right);
      double x = frame_.x[own] + trunk.x;
      turn_at(out, {x, out.points.back().y});
      for (std::size_t layer = frame_.layered.places[own].layer;
           layer-- > frame_.layered.places[target].layer;) {
        const double next =
            layer == frame_.layered.places[target].layer ? end : chain_x(edge.to, true, layer);
        cross_channel(out, layer, edge.to, true, x, next);
        x = next;
      }
    }
    const PlacedNode& box = frame_.boxes[edge.to];
    const double y = box.y + return_height(box);
    turn_at(out, {end, out.points.back().y});
    turn_at(out, {end, y});
    turn_at(out, {back.right ? box.x + box.width : box.x, y});
  }

  // Where the chain to a node passes by a layer.
  double chain_x(std::size_t target, bool back, std::size_t layer) const {
    const std::size_t first = chains_.at({target, back});
    const std::size_t place = first + layer - frame_.layered.places[first].layer;
    CHECK(frame_.layered.places[place].node == target &&
          frame_.layered.places[place].layer == layer);
    return frame_.x[place] + kDummyWidth / 2;
  }

  // Level from one x to the other, in the track of the chain.
  void cross_channel(PlacedEdge& out, std::size_t layer, std::size_t target, bool back, double from,
                     double to) const {
    if (std::abs(from - to) < 0.01) {
      return;
    }
    const Net& net = frame_.channels[layer].nets.at({target, back});
    const double y =
        frame_.bottoms[layer] + kChannelMargin + static_cast<double>(net.track) * kTrackPitch;
    turn_at(out, {from, y});
    turn_at(out, {to, y});
  }

  const Graph& graph_;
  const Frame& frame_;
  std::map<Channel::Key, std::size_t> chains_;  // the uppermost dummy of each
};

}  // namespace

std::vector<PlacedEdge> draw_edges(const Graph& graph, const Frame& frame) {
  const EdgeDrawing drawing(graph, frame);
  std::vector<PlacedEdge> edges;
  edges.reserve(graph.edges.size());
  for (std::size_t edge = 0; edge < graph.edges.size(); ++edge) {
    edges.push_back(drawing.draw(edge));
  }
  return edges;
}

}  // namespace turnout::graph
