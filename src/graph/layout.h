#pragma once

// Where everything of a graph goes, as a layered drawing: steps in layers from top to bottom, moves
// on the way down at the left of a box, ends at its right. How it is done is the method of
// Sugiyama, Tagawa and Toda ("Methods for visual understanding of hierarchical system structures",
// 1981):
//
//   1. cycles are broken, nodes put in layers, long edges cut at each layer   layers.h
//   2. nodes are ordered within layers so that few edges cross               ordering.h
//   3. nodes get coordinates, edges their channels                           coordinates.h,
//   routing.h
//
// Where we depart from it: an edge leaves its box at the row of its rule, not at the bottom
// (cluster.h); an outcome that one box alone leads to stands beside that box; and all edges to one
// node that come from the same side share one line from where they meet, so that a step that forty
// rules go to has one arrow and not forty.
//
// Pure and deterministic: the same graph has the same layout on every machine. Lengths are pixels,
// y grows downwards.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/text.h"

namespace turnout::graph {

// What can be laid out in a time that somebody waits for. Every outcome and entry is a node.
inline constexpr std::size_t kMaxNodes = 2'000;
inline constexpr std::size_t kMaxEdges = 20'000;

struct Point {
  double x = 0;
  double y = 0;
};

// One line of text, and which part of it is at the point on its baseline.
enum class Anchor { kStart, kMiddle, kEnd };
struct TextLine {
  Point at;
  Anchor anchor = Anchor::kStart;
  TextStyle style = TextStyle::kHead;
  std::string text;
};

// A rule within its box: a strip as wide as the box. Its edge begins at the middle of a side.
struct Row {
  double top = 0;
  double height = 0;
  std::vector<TextLine> lines;
};

// A node. Text and rows within the box.
struct PlacedNode {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
  double header = 0;      // height of what is above the rows
  std::size_t layer = 0;  // from the top; an outcome beside a box is in the box's layer
  bool beside = false;    // an outcome beside the one box that leads to it
  std::vector<TextLine> lines;
  std::vector<Row> rows;  // like the rules of the node
};

enum class EdgeCourse {
  kDown,    // to a lower layer
  kBack,    // to a layer above or back to its own box, against the flow
  kBeside,  // to the outcome beside the box
};

// From the border of one box to the border of the other: the corners of a line whose parts are
// level or upright. No part of it runs through a box. The arrow is at the last point.
struct PlacedEdge {
  EdgeCourse course = EdgeCourse::kDown;
  std::vector<Point> points;
  std::vector<TextLine> wait;  // on the line, where it leaves the box
};

struct Layout {
  double width = 0;
  double height = 0;
  std::vector<TextLine> heading;  // name of the track, and what it is about
  std::vector<PlacedNode> nodes;  // like the nodes of the graph
  std::vector<PlacedEdge> edges;  // like the edges of the graph
};

// Whether the graph is within the limits above.
bool can_lay_out(const Graph& graph);

// The graph must be within the limits. Linear in the layers that edges pass by, so for the usual
// track in its size; 500 steps that go to each other at random take about one second.
Layout lay_out(const Graph& graph);

}  // namespace turnout::graph
