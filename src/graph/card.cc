#include "graph/card.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

namespace turnout::graph {
namespace {

constexpr double kBoxWidth = 320;
constexpr double kEntryWidth = 300;    // at most
constexpr double kOutcomeWidth = 170;  // at most
constexpr double kPadding = 12;
constexpr double kHeaderPadding = 8;
constexpr double kRowPadding = 6;
constexpr double kRowHeight = 34;      // at least: an outcome of one line has room beside it
constexpr double kWaitRowHeight = 42;  // at least, where a wait of two lines is beside it
constexpr double kStayMark = 26;       // room for the loop of a rule that stays
constexpr double kWaitWidth = 130;

// Writes lines one under the other.
class Column {
 public:
  Column(double left, double top) : left_(left), bottom_(top) {}

  void add(std::vector<TextLine>& lines, const std::string& text, TextStyle style, double width,
           std::size_t max_lines) {
    const Font font = font_of(style);
    for (std::string& line : wrap_evenly(text, font, width, max_lines)) {
      widest_ = std::max(widest_, text_width(line, font));
      lines.push_back({{left_, bottom_ + baseline(font)}, Anchor::kStart, style, std::move(line)});
      bottom_ += font.line;
    }
  }
  double bottom() const { return bottom_; }
  double widest() const { return widest_; }

 private:
  static double baseline(const Font& font) { return font.line / 2 + font.size * 0.35; }

  double left_;
  double bottom_;
  double widest_ = 0;
};

// Lines break between actions; within one only where it is long.
std::string joined_actions(const Rule& rule) {
  constexpr std::size_t kLong = 36;
  constexpr std::string_view kNoBreak = "\u00A0";
  std::string out;
  for (const std::string& action : rule.actions) {
    out += out.empty() ? "" : std::string(kNoBreak) + "· ";
    for (const char c : action) {
      out += c == ' ' && action.size() < kLong ? kNoBreak : std::string_view(&c, 1);
    }
  }
  return out;
}

double least_height(const Rule& rule) {
  return wait_lines(rule).size() > 1 ? kWaitRowHeight : kRowHeight;
}

Row measure_row(const Rule& rule, const std::string& target, double top) {
  Row row;
  row.top = top;
  const double width = kBoxWidth - 2 * kPadding - (rule.stay.empty() ? 0 : kStayMark);
  Column column(kPadding, top + kRowPadding);
  column.add(row.lines, rule.head, TextStyle::kHead, width, 3);
  column.add(row.lines, joined_actions(rule), TextStyle::kAction, width, 3);
  column.add(row.lines, rule.stay, TextStyle::kWait, width, 1);
  column.add(row.lines, target.empty() ? "" : "→ " + target, TextStyle::kTarget, width, 1);
  const double used = column.bottom() + kRowPadding - top;
  row.height = std::max(used, least_height(rule));
  for (TextLine& line : row.lines) {
    line.at.y += (row.height - used) / 2;
  }
  return row;
}

PlacedNode measure_sink(const Node& node) {
  PlacedNode box;
  Column column(0, 5);
  const bool unknown = node.kind == NodeKind::kUnknownStep;
  column.add(box.lines, unknown ? "no step \"" + node.name + "\"" : node.name, TextStyle::kOutcome,
             kOutcomeWidth - 2 * kPadding - 4, 2);
  box.width = std::max(44.0, std::ceil(column.widest()) + 2 * kPadding + 4);
  box.height = column.bottom() + 5;
  box.header = box.height;
  for (TextLine& line : box.lines) {
    line.at.x = box.width / 2;
    line.anchor = Anchor::kMiddle;
  }
  return box;
}

}  // namespace

PlacedNode measure(const Node& node, const std::vector<std::string>& targets) {
  if (node.kind == NodeKind::kOutcome || node.kind == NodeKind::kUnknownStep) {
    return measure_sink(node);
  }
  PlacedNode box;
  const bool entry = node.kind == NodeKind::kEntry;
  const double width = (entry ? kEntryWidth : kBoxWidth) - 2 * kPadding;
  Column column(kPadding, kHeaderPadding);
  column.add(box.lines, node.name, TextStyle::kTitle, width, 2);
  column.add(box.lines, node.about, TextStyle::kAbout, width, 3);
  for (const std::string& note : node.notes) {
    column.add(box.lines, note, TextStyle::kNote, width, 2);
  }
  box.width =
      entry ? std::max(std::ceil(column.widest()), 2 * kEntryPort) + 2 * kPadding : kBoxWidth;
  box.header = column.bottom() + kHeaderPadding;
  box.height = box.header;
  for (std::size_t rule = 0; rule < node.rules.size(); ++rule) {
    box.rows.push_back(measure_row(node.rules[rule], targets[rule], box.height));
    box.height += box.rows.back().height;
  }
  return box;
}

double entry_port(const Node& node, const PlacedNode& box) {
  const bool sink = node.kind == NodeKind::kOutcome || node.kind == NodeKind::kUnknownStep;
  return sink ? box.width / 2 : kEntryPort;
}

std::vector<std::string> wait_lines(const Rule& rule) {
  return wrap_evenly(rule.wait, font_of(TextStyle::kWait), kWaitWidth, 2);
}

double wait_width(const Rule& rule) {
  double width = 0;
  for (const std::string& line : wait_lines(rule)) {
    width = std::max(width, text_width(line, font_of(TextStyle::kWait)));
  }
  return std::ceil(width);
}

}  // namespace turnout::graph
