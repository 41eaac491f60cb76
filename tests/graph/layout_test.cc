// What every layout keeps, on random tracks and on those of the documentation.

#include "graph/layout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ctime>

#include "graph/layers.h"
#include "graph/ordering.h"
#include "samples.h"

namespace turnout::graph {
namespace {

struct Area {
  double left = 0;
  double top = 0;
  double right = 0;
  double bottom = 0;
};

Area area_of(const PlacedNode& box) {
  return {box.x, box.y, box.x + box.width, box.y + box.height};
}

// Whether they share more than a border.
bool overlap(const Area& a, const Area& b) {
  constexpr double kBorder = 0.01;
  return a.left + kBorder < b.right && b.left + kBorder < a.right && a.top + kBorder < b.bottom &&
         b.top + kBorder < a.bottom;
}

Area area_of(Point a, Point b) {
  return {std::min(a.x, b.x), std::min(a.y, b.y), std::max(a.x, b.x), std::max(a.y, b.y)};
}

bool touches_nothing(const Area& area, const Layout& layout) {
  return std::ranges::none_of(layout.nodes,
                              [&](const PlacedNode& box) { return overlap(area, area_of(box)); });
}

void check_boxes(const Layout& layout) {
  for (std::size_t a = 0; a < layout.nodes.size(); ++a) {
    const Area area = area_of(layout.nodes[a]);
    EXPECT_GT(area.right, area.left) << a;
    EXPECT_GT(area.bottom, area.top) << a;
    EXPECT_TRUE(area.left >= 0 && area.top >= 0 && area.right <= layout.width &&
                area.bottom <= layout.height)
        << "node " << a << " is off the page";
    for (std::size_t b = 0; b < a; ++b) {
      EXPECT_FALSE(overlap(area, area_of(layout.nodes[b]))) << "nodes " << a << " and " << b;
    }
  }
}

void check_text(const Layout& layout) {
  const auto fits = [](const PlacedNode& box, const TextLine& line) {
    const double width = text_width(line.text, font_of(line.style));
    const double left = line.anchor == Anchor::kMiddle ? line.at.x - width / 2 : line.at.x;
    EXPECT_TRUE(left >= box.x && left + width <= box.x + box.width && line.at.y > box.y &&
                line.at.y < box.y + box.height)
        << line.text;
  };
  for (const PlacedNode& box : layout.nodes) {
    for (const TextLine& line : box.lines) {
      fits(box, line);
    }
    double bottom = box.y + box.header;
    for (const Row& row : box.rows) {
      EXPECT_DOUBLE_EQ(row.top, bottom);
      bottom += row.height;
      for (const TextLine& line : row.lines) {
        fits(box, line);
        EXPECT_TRUE(line.at.y > row.top && line.at.y < row.top + row.height) << line.text;
      }
    }
    EXPECT_NEAR(bottom, box.y + box.height, 0.01);
  }
}

void check_layers(const Graph& graph, const Layout& layout) {
  for (std::size_t i = 0; i < graph.edges.size(); ++i) {
    const PlacedNode& from = layout.nodes[graph.edges[i].from];
    const PlacedNode& to = layout.nodes[graph.edges[i].to];
    switch (layout.edges[i].course) {
      case EdgeCourse::kDown:
        EXPECT_GT(to.layer, from.layer) << i;
        EXPECT_GT(to.y, from.y + from.height) << i;
        break;
      case EdgeCourse::kBack:
        EXPECT_LE(to.layer, from.layer) << i;
        EXPECT_LE(to.y, from.y) << i;
        break;
      case EdgeCourse::kBeside:
        EXPECT_EQ(to.layer, from.layer) << i;
        EXPECT_TRUE(to.beside) << i;
        EXPECT_GT(to.x, from.x + from.width) << i;
        break;
    }
  }
}

bool is_on_border(Point p, const PlacedNode& box) {
  constexpr double kNear = 0.01;
  const Area a = area_of(box);
  const bool within = p.x > a.left - kNear && p.x < a.right + kNear && p.y > a.top - kNear &&
                      p.y < a.bottom + kNear;
  return within && (std::abs(p.x - a.left) < kNear || std::abs(p.x - a.right) < kNear ||
                    std::abs(p.y - a.top) < kNear || std::abs(p.y - a.bottom) < kNear);
}

void check_edges(const Graph& graph, const Layout& layout) {
  ASSERT_EQ(layout.edges.size(), graph.edges.size());
  for (std::size_t i = 0; i < graph.edges.size(); ++i) {
    const Edge& edge = graph.edges[i];
    const std::vector<Point>& points = layout.edges[i].points;
    ASSERT_GE(points.size(), 2U) << i;
    const PlacedNode& from = layout.nodes[edge.from];
    EXPECT_TRUE(is_on_border(points.front(), from)) << "edge " << i << " begins off its box";
    EXPECT_TRUE(is_on_border(points.back(), layout.nodes[edge.to]))
        << "edge " << i << " ends off its box";
    if (edge.rule) {
      const Row& row = from.rows[*edge.rule];
      EXPECT_NEAR(points.front().y, row.top + row.height / 2, 1) << i;
    }
    for (std::size_t p = 1; p < points.size(); ++p) {
      const Point a = points[p - 1];
      const Point b = points[p];
      EXPECT_NE(a.x == b.x, a.y == b.y) << "edge " << i << " is neither level nor upright";
      EXPECT_TRUE(touches_nothing(area_of(a, b), layout)) << "edge " << i << " runs through a box";
    }
    for (const TextLine& line : layout.edges[i].wait) {
      const double width = text_width(line.text, font_of(line.style));
      const double left = line.anchor == Anchor::kEnd ? line.at.x - width : line.at.x;
      const Area area{left, line.at.y - 8, left + width, line.at.y + 2};
      EXPECT_TRUE(touches_nothing(area, layout)) << "edge " << i << ": " << line.text;
    }
  }
}

void check_layout(const Graph& graph) {
  const Layout layout = lay_out(graph);
  ASSERT_EQ(layout.nodes.size(), graph.nodes.size());
  check_boxes(layout);
  check_text(layout);
  check_layers(graph, layout);
  check_edges(graph, layout);
}

TEST(LayoutTest, KeepsItsPromisesOnRandomTracks) {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    const int steps = static_cast<int>(1 + seed % 40);
    const int reach = static_cast<int>(1 + seed % 7);
    check_layout(graph_of(random_track_text(seed, steps, reach)));
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
}

TEST(LayoutTest, KeepsItsPromisesWhereEverythingLeadsAnywhere) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    check_layout(graph_of(random_track_text(seed, 60, 60)));
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
}

// Pieces of two edges that lie on each other though they lead to different nodes: how long.
double shared_length(const Graph& graph, const Layout& layout) {
  double shared = 0;
  for (std::size_t i = 0; i < graph.edges.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const auto& a = layout.edges[i].points;
      const auto& b = layout.edges[j].points;
      for (std::size_t p = 1; p < a.size() && graph.edges[i].to != graph.edges[j].to; ++p) {
        for (std::size_t q = 1; q < b.size(); ++q) {
          const Area x = area_of(a[p - 1], a[p]);
          const Area y = area_of(b[q - 1], b[q]);
          const double wide = std::min(x.right, y.right) - std::max(x.left, y.left);
          const double high = std::min(x.bottom, y.bottom) - std::max(x.top, y.top);
          shared += wide >= 0 && high >= 0 ? std::max(wide, high) : 0;
        }
      }
    }
  }
  return shared;
}

TEST(LayoutTest, TracksOfTheDocumentationAreDrawnWell) {
  for (const char* file : {"examples/term-deposit.track", "tests/lang/tracks/trial-welcome.track",
                           "tests/lang/tracks/overdue-invoices.track"}) {
    const Graph graph = graph_of_file(file);
    check_layout(graph);
    const Layout layout = lay_out(graph);
    EXPECT_EQ(shared_length(graph, layout), 0) << file;
    EXPECT_LT(layout.width, 1'300) << file;
    EXPECT_LT(layout.height, 2'000) << file;
  }
}

TEST(LayoutTest, IsTheSameEachTime) {
  const Graph graph = graph_of(random_track_text(7, 40, 5));
  const Layout first = lay_out(graph);
  const Layout second = lay_out(graph);
  EXPECT_EQ(first.width, second.width);
  for (std::size_t i = 0; i < first.edges.size(); ++i) {
    ASSERT_EQ(first.edges[i].points.size(), second.edges[i].points.size());
    for (std::size_t p = 0; p < first.edges[i].points.size(); ++p) {
      EXPECT_EQ(first.edges[i].points[p].x, second.edges[i].points[p].x);
      EXPECT_EQ(first.edges[i].points[p].y, second.edges[i].points[p].y);
    }
  }
}

TEST(LayoutTest, WithoutALoopNothingRunsBack) {
  // Steps stand in the file the other way round than contacts take them.
  std::string text = "track \"T\" gather contacts continuously start at \"S29\"\n";
  for (int step = 0; step < 30; ++step) {
    text += "step \"S" + std::to_string(step) + "\"\n";
    text += "  when a is 1: go to \"S" + std::to_string(step / 2) + "\"\n";
    text += step == 0 ? "" : "  otherwise: go to \"S" + std::to_string(step - 1) + "\"\n";
  }
  const Graph graph = graph_of(text);
  const Layout layout = lay_out(graph);
  for (std::size_t i = 0; i < graph.edges.size(); ++i) {
    const bool to_itself = graph.edges[i].from == graph.edges[i].to;
    EXPECT_EQ(layout.edges[i].course == EdgeCourse::kBack, to_itself) << i;
  }
}

TEST(LayoutTest, LoopsRunBackOnce) {
  const Graph graph = graph_of(R"(track "T" gather contacts continuously
    step "A" otherwise: go to "B"
    step "B" when a is 1: go to "A" after 1 day  otherwise: go to "C"
    step "C" otherwise: go to "B")");
  const Layout layout = lay_out(graph);
  std::vector<bool> back;
  for (const PlacedEdge& edge : layout.edges) {
    back.push_back(edge.course == EdgeCourse::kBack);
  }
  EXPECT_EQ(back, (std::vector<bool>{false, false, true, false, true}));
}

TEST(LayoutTest, NoLayerIsWiderThanItNeedBe) {
  std::string text = "track \"T\" gather contacts continuously step \"Fan\"\n";
  std::string steps;
  for (int step = 0; step < 30; ++step) {
    const std::string name = "\"S" + std::to_string(step) + "\"";
    text += "  when a is " + std::to_string(step) + ": go to " + name + "\n";
    steps += "step " + name + " otherwise: stay\n";
  }
  const Layout layout = lay_out(graph_of(text + steps));
  std::vector<std::size_t> boxes(40);
  for (const PlacedNode& node : layout.nodes) {
    ++boxes.at(node.layer);
  }
  EXPECT_EQ(*std::ranges::max_element(boxes), kBoxesPerLayer);
}

TEST(LayoutTest, OneLineLeadsToAStepThatManyGoTo) {
  std::string text = "track \"T\" gather contacts continuously\n";
  for (int step = 0; step < 12; ++step) {
    text += "step \"S" + std::to_string(step) + "\" when a is 1: go to \"Last\"  otherwise:\n";
  }
  const Graph graph = graph_of(text + "step \"Last\" otherwise: stop");
  const Layout layout = lay_out(graph);
  std::vector<Point> ends;
  for (std::size_t i = 0; i < graph.edges.size(); ++i) {
    if (graph.nodes[graph.edges[i].to].name == "Last") {
      ends.push_back(layout.edges[i].points.back());
    }
  }
  ASSERT_EQ(ends.size(), 13U);
  for (const Point& end : ends) {
    EXPECT_EQ(end.x, ends[0].x);
    EXPECT_EQ(end.y, ends[0].y);
  }
}

TEST(LayoutTest, OrderingTakesCrossingsAway) {
  std::size_t before = 0;
  std::size_t after = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    LayeredGraph layered = make_layers(graph_of(random_track_text(seed, 25, 6)));
    const std::size_t discovered = count_crossings(layered);
    order_layers(layered);
    const std::size_t ordered = count_crossings(layered);
    EXPECT_LE(ordered, discovered) << "seed " << seed;
    before += discovered;
    after += ordered;
  }
  EXPECT_LT(after, before * 2 / 3);
}

TEST(LayoutTest, CountsCrossings) {
  LayeredGraph layered;
  layered.places = {{0, 0}, {0, 1}, {0, 2}, {1, 3}, {1, 4}};
  layered.layers = {{0, 1, 2}, {3, 4}};
  layered.links = {{0, 4}, {1, 3}, {2, 3}, {2, 4}};
  EXPECT_EQ(count_crossings(layered), 2U);
  order_layers(layered);
  EXPECT_EQ(count_crossings(layered), 0U);
}

TEST(LayoutTest, FiveHundredStepsTakeLessThanASecond) {
  const Graph graph = graph_of(random_track_text(3, 500, 10));
  ASSERT_TRUE(can_lay_out(graph));
  const std::clock_t begun = std::clock();
  const Layout layout = lay_out(graph);
  EXPECT_LT(static_cast<double>(std::clock() - begun) / CLOCKS_PER_SEC, 1.0);
  check_boxes(layout);
}

TEST(LayoutTest, LimitsAreTold) {
  Graph graph;
  graph.nodes.resize(kMaxNodes);
  EXPECT_TRUE(can_lay_out(graph));
  graph.nodes.emplace_back();
  EXPECT_FALSE(can_lay_out(graph));
  graph.nodes.resize(2);
  graph.edges.resize(kMaxEdges);
  EXPECT_TRUE(can_lay_out(graph));
  graph.edges.emplace_back();
  EXPECT_FALSE(can_lay_out(graph));
}

TEST(LayoutTest, NothingHasALayoutToo) {
  const Layout layout = lay_out(graph_of("track \"T\""));
  EXPECT_GT(layout.width, 0);
  check_layout(graph_of("track \"T\" leave when gone quiet on sunday"));
}

}  // namespace
}  // namespace turnout::graph
