#include "graph/svg.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

namespace turnout::graph {
namespace {

constexpr double kCorner = 7;  // radius of an edge's corners

constexpr const char* kSvgStyle = R"(<style>
.ground{fill:#ffffff}.box{fill:#f6f8fa;stroke:#b9c4ce}.head{fill:#e3edf8}
.rule .row{fill:#f6f8fa;fill-opacity:0}
.rim{fill:none;stroke:#b9c4ce}.step .rim{stroke:#8fa9c4}.cut{stroke:#d8dfe5}
.entry .box{fill:#e2f3e7;stroke:#6fae84}.wide .box{stroke-dasharray:5 4}.wide .head{fill:none}
.wide .rim{stroke-dasharray:5 4}
.outcome .box{fill:#ece9f5;stroke:#a79bcb}
.unknown .box{fill:#fdeeea;stroke:#c2571a;stroke-dasharray:5 4}
text{fill:#1d2730}.about,.note,.action{fill:#51606e}.wait{fill:#7a4a10}.target{fill:#2f6db3}
.back .target{fill:#b04a12}.end .target{fill:#6a5aa5}.title,.heading{font-weight:600}
.edge,.loop{fill:none;stroke:#2f6db3;stroke-width:2}.tip{fill:#2f6db3}
.back .edge,.loop{stroke:#c2571a}.back .tip,.looptip{fill:#c2571a}
.end .edge{stroke:#7d6fb0}.end .tip{fill:#7d6fb0}
.rule:hover .edge{stroke-width:4}.rule:hover .row{fill:#2f6db3;fill-opacity:.1}
@media (prefers-color-scheme:dark){
.ground{fill:#14191e}.box{fill:#1c2329;stroke:#47535e}.head{fill:#22364b}.rim{stroke:#47535e}
.step .rim{stroke:#4d6c8c}.cut{stroke:#313b44}
.entry .box{fill:#183325;stroke:#4f8f68}.outcome .box{fill:#2b2740;stroke:#75699f}
.unknown .box{fill:#3a211a;stroke:#f0924c}
text{fill:#e6ebef}.about,.note,.action{fill:#a3b0bc}.wait{fill:#e3b577}.target{fill:#6ea8e6}
.back .target{fill:#f0924c}.end .target{fill:#aa9ddc}
.edge{stroke:#6ea8e6}.tip{fill:#6ea8e6}.back .edge,.loop{stroke:#f0924c}
.back .tip,.looptip{fill:#f0924c}
.end .edge{stroke:#9c8fd0}.end .tip{fill:#9c8fd0}.rule:hover .row{fill:#6ea8e6}}
</style>
)";

// Text within an element or attribute. What XML 1.0 does not let stand becomes U+FFFD.
std::string escaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::string_view noncharacter = text.substr(i, 3);
    if (text[i] == '<') {
      out += "&lt;";
    } else if (text[i] == '>') {
      out += "&gt;";
    } else if (text[i] == '&') {
      out += "&amp;";
    } else if (text[i] == '"') {
      out += "&quot;";
    } else if (byte < 0x20 && text[i] != '\n' && text[i] != '\t') {
      out += "\uFFFD";
    } else if (noncharacter == "\xEF\xBF\xBE" || noncharacter == "\xEF\xBF\xBF") {
      out += "\uFFFD";
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

const char* class_of(TextStyle style) {
  switch (style) {
    case TextStyle::kHeading:
      return "heading";
    case TextStyle::kTitle:
      return "title";
    case TextStyle::kAbout:
      return "about";
    case TextStyle::kNote:
      return "note";
    case TextStyle::kAction:
      return "action";
    case TextStyle::kTarget:
      return "target";
    case TextStyle::kWait:
      return "wait";
    case TextStyle::kHead:
    case TextStyle::kOutcome:
      break;
  }
  return "text";
}

const char* class_of(NodeKind kind) {
  switch (kind) {
    case NodeKind::kEntry:
      return "entry";
    case NodeKind::kTrackWide:
      return "wide";
    case NodeKind::kStep:
      return "step";
    case NodeKind::kOutcome:
      return "outcome";
    case NodeKind::kUnknownStep:
      break;
  }
  return "unknown";
}

// A point on the way from `from` to `to`, at most half of it away from `from`.
Point towards(Point from, Point to) {
  const double length = std::hypot(to.x - from.x, to.y - from.y);
  const double share = length == 0 ? 0 : std::min(kCorner, length / 2) / length;
  return {from.x + (to.x - from.x) * share, from.y + (to.y - from.y) * share};
}

std::string path_of(const std::vector<Point>& points) {
  std::string data = fmt::format("M{:.1f} {:.1f}", points.front().x, points.front().y);
  for (std::size_t i = 1; i + 1 < points.size(); ++i) {
    const Point in = towards(points[i], points[i - 1]);
    const Point out = towards(points[i], points[i + 1]);
    data += fmt::format("L{:.1f} {:.1f}Q{:.1f} {:.1f} {:.1f} {:.1f}", in.x, in.y, points[i].x,
                        points[i].y, out.x, out.y);
  }
  return data + fmt::format("L{:.1f} {:.1f}", points.back().x, points.back().y);
}

// The arrow's triangle at the end of a line.
std::string tip_of(const std::vector<Point>& points) {
  const Point end = points.back();
  const Point before = points[points.size() - 2];
  const double length = std::max(std::hypot(end.x - before.x, end.y - before.y), 1e-9);
  const Point along{(end.x - before.x) / length, (end.y - before.y) / length};
  const Point base{end.x - 8 * along.x, end.y - 8 * along.y};
  return fmt::format("M{:.1f} {:.1f}L{:.1f} {:.1f}L{:.1f} {:.1f}Z", end.x, end.y,
                     base.x - 4 * along.y, base.y + 4 * along.x, base.x + 4 * along.y,
                     base.y - 4 * along.x);
}

class SvgWriter {
 public:
  SvgWriter(const Graph& graph, const Layout& layout) : graph_(graph), layout_(layout) {}

  std::string write() {
    open();
    for (const TextLine& line : layout_.heading) {
      text(line);
    }
    for (std::size_t node = 0; node < graph_.nodes.size(); ++node) {
      write_box(node);
    }
    for (std::size_t edge = 0; edge < graph_.edges.size(); ++edge) {
      if (!graph_.edges[edge].rule) {
        out_ += "<g class=\"rule\">\n";
        write_edge(edge);
        out_ += "</g>\n";
      }
    }
    for (std::size_t node = 0, edge = 0; node < graph_.nodes.size(); ++node) {
      for (std::size_t rule = 0; rule < graph_.nodes[node].rules.size(); ++rule) {
        while (edge < graph_.edges.size() && is_before(graph_.edges[edge], node, rule)) {
          ++edge;
        }
        write_rule(node, rule, edge);
      }
    }
    return std::move(out_) + "</svg>\n";
  }

 private:
  static bool is_before(const Edge& edge, std::size_t node, std::size_t rule) {
    return edge.from < node || (edge.from == node && edge.rule && *edge.rule < rule);
  }

  std::size_t count(NodeKind kind) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(graph_.nodes, [&](const Node& node) { return node.kind == kind; }));
  }

  static std::string counted(std::size_t number, std::string_view one) {
    return fmt::format("{} {}{}", number, one, number == 1 ? "" : "s");
  }

  // For those who do not see it: how much there is, and where everything leads.
  std::string description() const {
    std::string out = fmt::format("{}, {}.", counted(count(NodeKind::kStep), "step"),
                                  counted(count(NodeKind::kOutcome), "outcome"));
    for (const Edge& edge : graph_.edges) {
      const Node& from = graph_.nodes[edge.from];
      const Rule* rule = edge.rule ? &from.rules[*edge.rule] : nullptr;
      out += "\n" + from.name + (rule != nullptr ? ", " + rule->head : "") + ": to " +
             graph_.nodes[edge.to].name +
             (rule != nullptr && !rule->wait.empty() ? " " + rule->wait : "") + ".";
    }
    return out;
  }

  void open() {
    out_ = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
        "width=\"{0:.0f}\" "
        "height=\"{1:.0f}\" role=\"img\" font-family=\"Helvetica, Arial, Liberation Sans, "
        "sans-serif\">\n<title>{2}</title>\n<desc>{3}</desc>\n",
        std::ceil(layout_.width), std::ceil(layout_.height), escaped(graph_.name),
        escaped(description()));
    out_ += kSvgStyle;
    out_ += fmt::format("<rect class=\"ground\" width=\"{:.0f}\" height=\"{:.0f}\"/>\n",
                        std::ceil(layout_.width), std::ceil(layout_.height));
  }

  void text(const TextLine& line) {
    const char* anchor = line.anchor == Anchor::kEnd      ? " text-anchor=\"end\""
                         : line.anchor == Anchor::kMiddle ? " text-anchor=\"middle\""
                                                          : "";
    out_ += fmt::format(
        "<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"{}\" font-size=\"{:g}\"{}>{}</text>\n", line.at.x,
        line.at.y, class_of(line.style), font_of(line.style).size, anchor, escaped(line.text));
  }

  void rectangle(const char* classes, const PlacedNode& box, double top, double height,
                 double radius) {
    out_ += fmt::format(
        "<rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" "
        "height=\"{:.1f}\" rx=\"{:.1f}\"/>\n",
        classes, box.x, top, box.width, height, radius);
  }

  void write_box(std::size_t index) {
    const Node& node = graph_.nodes[index];
    const PlacedNode& box = layout_.nodes[index];
    out_ += fmt::format("<g class=\"{}\">\n", class_of(node.kind));
    out_ += "<title>" + escaped(title_of(node)) + "</title>\n";
    const bool card = node.kind == NodeKind::kStep || node.kind == NodeKind::kTrackWide;
    const double radius = card ? 6 : node.kind == NodeKind::kEntry ? 12 : box.height / 2;
    rectangle("box", box, box.y, box.height, std::min(radius, 16.0));
    if (card) {
      rectangle("head", box, box.y, box.header, radius);
      for (const Row& row : box.rows) {
        out_ += fmt::format("<path class=\"cut\" d=\"M{:.1f} {:.1f}h{:.1f}\"/>\n", box.x, row.top,
                            box.width);
      }
      rectangle("rim", box, box.y, box.height, radius);
    }
    for (const TextLine& line : box.lines) {
      text(line);
    }
    out_ += "</g>\n";
  }

  static std::string title_of(const Node& node) {
    if (!node.text.empty()) {
      return node.text;
    }
    return node.about.empty() ? node.name : node.name + "\n" + node.about;
  }

  void write_edge(std::size_t index) {
    const PlacedEdge& edge = layout_.edges[index];
    out_ += fmt::format("<path class=\"edge\" d=\"{}\"/>\n<path class=\"tip\" d=\"{}\"/>\n",
                        path_of(edge.points), tip_of(edge.points));
    for (const TextLine& line : edge.wait) {
      text(line);
    }
  }

  const char* class_of_edge(std::size_t edge) const {
    if (layout_.edges[edge].course == EdgeCourse::kBack) {
      return " back";
    }
    return graph_.nodes[graph_.edges[edge].to].kind == NodeKind::kStep ? "" : " end";
  }

  // A rule with its edge, which is at `edge` if it has one.
  void write_rule(std::size_t node, std::size_t index, std::size_t edge) {
    const Rule& rule = graph_.nodes[node].rules[index];
    const PlacedNode& box = layout_.nodes[node];
    const Row& row = box.rows[index];
    const bool leads = edge < graph_.edges.size() && graph_.edges[edge].from == node &&
                       graph_.edges[edge].rule == index;
    out_ += fmt::format("<g class=\"rule{}\">\n<title>{}</title>\n",
                        leads ? class_of_edge(edge) : "", escaped(rule.text));
    rectangle("row", box, row.top, row.height, 0);
    for (const TextLine& line : row.lines) {
      text(line);
    }
    if (leads) {
      write_edge(edge);
    } else {
      // A loop within the row: it stays.
      const double x = box.x + box.width - 22;
      const double y = row.top + row.height / 2;
      out_ += fmt::format(
          "<path class=\"loop\" d=\"M{0:.1f} {1:.1f}a5.5 5.5 0 1 1 -5.5 -5.5\"/>\n"
          "<path class=\"looptip\" d=\"M{2:.1f} {3:.1f}v-7l5.5 3.5Z\"/>\n",
          x + 5.5, y, x - 0.5, y - 2);
    }
    out_ += "</g>\n";
  }

  const Graph& graph_;
  const Layout& layout_;
  std::string out_;
};

}  // namespace

std::string to_svg(const Graph& graph, const Layout& layout) {
  return SvgWriter(graph, layout).write();
}

}  // namespace turnout::graph
