#include "template/parser.h"

#include <algorithm>
#include <deque>
#include <span>

#include "template/cutter.h"
#include "template/expression_parser.h"
#include "template/limits.h"
#include "template/source.h"
#include "template/text.h"

namespace turnout::tmpl {
namespace {

using base::Result;

const std::vector<std::string>& tag_names() {
  static const std::vector<std::string> kNames = {
      "assign",    "break",  "capture", "case",        "comment",    "continue", "cycle",
      "decrement", "echo",   "else",    "elsif",       "endcapture", "endcase",  "endcomment",
      "endfor",    "endif",  "endraw",  "endtablerow", "endunless",  "for",      "if",
      "increment", "liquid", "raw",     "tablerow",    "unless",     "when"};
  return kNames;
}

// The rules that hold for a list of tags: which end it, and how far in it is.
class TreeParser {
 public:
  explicit TreeParser(Tree& tree) : tree_(tree), names_(tree) {}

  Result<void> run() {
    TRY(pieces_, cut(tree_.source));
    return body(tree_.nodes, {});
  }

 private:
  std::size_t offset_of(const Piece& piece) const {
    return static_cast<std::size_t>(piece.whole.data() - tree_.source.data());
  }

  base::Error wrong(const Piece& piece, const std::string& what) const {
    return mistake(tree_.source, offset_of(piece), what);
  }

  ExpressionParser inside(const Piece& piece) {
    return {tree_.source, piece.inside, names_,
            piece.kind == Piece::Kind::kOutput ? "}}"
            : piece.whole.starts_with("{%")    ? "%}"
                                               : "the end of the line"};
  }

  Result<void> no_arguments(const Piece& piece) {
    return piece.inside.empty() ? Result<void>(base::ok())
                                : wrong(piece, "nothing can follow " + shown(piece.name) + " but " +
                                                   shown(piece.inside) + " does");
  }

  Piece take() {
    const Piece piece = pieces_.front();
    pieces_.pop_front();
    return piece;
  }

  // Reads up to the first of the tags `ends`, which is left; up to the end if there are none.
  Result<void> body(Nodes& into, std::span<const std::string_view> ends) {
    while (!pieces_.empty()) {
      const Piece& first = pieces_.front();
      if (first.kind == Piece::Kind::kTag &&
          std::find(ends.begin(), ends.end(), first.name) != ends.end()) {
        return base::ok();
      }
      TRYV(node(into, take()));
    }
    return base::ok();
  }

  // The body of a block that `opener` began. Its end is left.
  Result<void> block(const Piece& opener, Nodes& into, std::span<const std::string_view> ends) {
    if (++depth_ > kMaxNesting) {
      return base::fail(base::ErrorCode::kExhausted,
                        place_of(tree_.source, offset_of(opener)) + ": tags may be " +
                            std::to_string(kMaxNesting) + " deep at most");
    }
    TRYV(body(into, ends));
    --depth_;
    if (pieces_.empty()) {
      return wrong(opener, shown(opener.name) + " is not closed; write {% end" +
                               std::string(opener.name) + " %}");
    }
    return base::ok();
  }

  Result<void> node(Nodes& into, const Piece& piece) {
    if (piece.kind == Piece::Kind::kText) {
      add(into, piece, Text{piece.inside});
      return base::ok();
    }
    if (piece.kind == Piece::Kind::kOutput) {
      if (piece.inside.empty()) {
        return wrong(piece, "there is no field between {{ and }}; write {{ field }}");
      }
      return output(into, piece);
    }
    using TagReader = Result<void> (TreeParser::*)(Nodes&, const Piece&);
    constexpr std::pair<std::string_view, TagReader> kTags[] = {
        {"if", &TreeParser::read_if},           {"unless", &TreeParser::read_if},
        {"case", &TreeParser::read_case},       {"for", &TreeParser::read_loop},
        {"tablerow", &TreeParser::read_loop},   {"cycle", &TreeParser::read_cycle},
        {"assign", &TreeParser::read_assign},   {"capture", &TreeParser::read_capture},
        {"increment", &TreeParser::read_count}, {"decrement", &TreeParser::read_count},
        {"break", &TreeParser::read_leave},     {"continue", &TreeParser::read_leave},
        {"echo", &TreeParser::output},          {"liquid", &TreeParser::read_liquid},
        {"comment", &TreeParser::read_comment}, {"#", &TreeParser::read_remark},
        {"raw", &TreeParser::read_raw},
    };
    for (const auto& [name, reader] : kTags) {
      if (piece.name == name) {
        return (this->*reader)(into, piece);
      }
    }
    return wrong(piece, why_not(piece.name));
  }

  static std::string why_not(std::string_view name) {
    if (name == "render" || name == "include" || name == "layout" || name == "block") {
      return "the tag " + shown(name) +
             " takes another file in, which templates here cannot; write its text into this one";
    }
    const bool known = std::find(tag_names().begin(), tag_names().end(), name) != tag_names().end();
    if (name.starts_with("end") && known) {
      return shown(name) + " closes nothing here; its " + shown(name.substr(3)) +
             " is missing, or was closed before";
    }
    return known ? shown(name) + " stands in no tag that it belongs to"
                 : "there is no tag " + shown(name) + did_you_mean(name, tag_names());
  }

  template <class What>
  void add(Nodes& into, const Piece& piece, What what) const {
    into.push_back(Node{offset_of(piece), std::move(what)});
  }

  Result<void> output(Nodes& into, const Piece& piece) {
    if (piece.inside.empty()) {
      return base::ok();  // {% echo %}
    }
    ExpressionParser parser = inside(piece);
    TRY(auto value, whole_value(parser));
    add(into, piece, Output{std::move(value)});
    return base::ok();
  }

  // A value with filters, and nothing behind it.
  static Result<Filtered> whole_value(ExpressionParser& parser) {
    TRY(auto value, parser.filtered());
    TRYV(parser.expect_end());
    return value;
  }

  Result<Branch> read_branch(const Piece& piece, bool holds) {
    ExpressionParser parser = inside(piece);
    TRY(auto condition, whole_value(parser));
    return Branch{std::move(condition), holds, {}};
  }

  Result<void> read_if(Nodes& into, const Piece& opener) {
    constexpr std::string_view kIfEnds[] = {"elsif", "else", "endif"};
    constexpr std::string_view kUnlessEnds[] = {"elsif", "else", "endunless"};
    const bool holds = opener.name == "if";
    const std::span<const std::string_view> ends = holds ? kIfEnds : kUnlessEnds;
    If result;
    TRY(auto first, read_branch(opener, holds));
    result.branches.push_back(std::move(first));
    TRYV(block(opener, result.branches.back().body, ends));
    while (pieces_.front().name == "elsif") {
      TRY(auto branch, read_branch(take(), true));
      result.branches.push_back(std::move(branch));
      TRYV(block(opener, result.branches.back().body, ends));
    }
    if (pieces_.front().name == "else") {
      TRYV(no_arguments(take()));
      TRYV(block(opener, result.otherwise, ends.last(1)));
    }
    TRYV(no_arguments(take()));
    add(into, opener, std::move(result));
    return base::ok();
  }

  Result<When> read_when(const Piece& piece) {
    ExpressionParser parser = inside(piece);
    When result;
    do {
      TRY(auto value, parser.operand());
      result.values.push_back(std::move(value));
    } while (parser.take(',') || parser.take_word("or"));
    TRYV(parser.expect_end());
    return result;
  }

  Result<void> read_case(Nodes& into, const Piece& opener) {
    constexpr std::string_view kEnds[] = {"when", "else", "endcase"};
    ExpressionParser parser = inside(opener);
    Case result;
    TRY(result.value, whole_value(parser));
    Nodes before;  // what stands before the first `when` never comes out
    TRYV(block(opener, before, kEnds));
    while (pieces_.front().name == "when") {
      TRY(auto branch, read_when(take()));
      result.branches.push_back(std::move(branch));
      TRYV(block(opener, result.branches.back().body, kEnds));
    }
    if (pieces_.front().name == "else") {
      TRYV(no_arguments(take()));
      TRYV(block(opener, result.otherwise, std::span(kEnds).last(1)));
    }
    TRYV(no_arguments(take()));
    add(into, opener, std::move(result));
    return base::ok();
  }

  Result<void> read_loop_arguments(ExpressionParser& parser, Loop& loop) {
    while (!parser.at_end()) {
      parser.take(',');
      const std::size_t offset = parser.offset();
      const std::string name = parser.name();
      if (name == "reversed" && !loop.table) {
        loop.reversed = true;
        continue;
      }
      const bool known = name == "limit" || name == "offset" || (loop.table && name == "cols");
      if (!known || !parser.take(':')) {
        return parser.wrong_at(offset, loop.table ? "write cols: 3, limit: 3 or offset: 3 here"
                                                  : "write limit: 3, offset: 3 or reversed here");
      }
      if (name == "offset" && !loop.table && parser.take_word("continue")) {
        loop.continues = true;
        continue;
      }
      TRY(auto value, parser.operand());
      (name == "limit"    ? loop.limit
       : name == "offset" ? loop.offset
                          : loop.columns) = std::move(value);
    }
    return base::ok();
  }

  Result<void> read_loop(Nodes& into, const Piece& opener) {
    constexpr std::string_view kForEnds[] = {"else", "endfor"};
    constexpr std::string_view kTableEnds[] = {"endtablerow"};
    ExpressionParser parser = inside(opener);
    Loop loop;
    loop.table = opener.name == "tablerow";
    loop.variable = parser.name();
    if (loop.variable.empty() || !parser.take_word("in")) {
      return parser.wrong("write {% " + std::string(opener.name) + " item in items %}");
    }
    const std::string_view from = parser.rest();
    TRY(loop.items, parser.operand());
    const std::string_view behind = parser.rest();
    loop.name =
        loop.variable + "-" + std::string(trim_right(from.substr(0, from.size() - behind.size())));
    TRYV(read_loop_arguments(parser, loop));
    names_.enter(loop.variable);
    names_.enter(loop.table ? "tablerowloop" : "forloop");
    TRYV(block(opener, loop.body,
               loop.table ? std::span<const std::string_view>(kTableEnds) : kForEnds));
    names_.leave();
    names_.leave();
    if (pieces_.front().name == "else") {
      TRYV(no_arguments(take()));
      TRYV(block(opener, loop.otherwise, std::span(kForEnds).last(1)));
    }
    TRYV(no_arguments(take()));
    add(into, opener, std::move(loop));
    return base::ok();
  }

  Result<void> read_cycle(Nodes& into, const Piece& piece) {
    Cycle result;
    ExpressionParser ahead = inside(piece);
    if (ahead.at_end()) {
      return wrong(piece, "cycle takes values: {% cycle \"odd\", \"even\" %}");
    }
    TRY(auto group, ahead.operand());
    if (ahead.take(':')) {
      result.group = std::move(group);
    }
    ExpressionParser parser = result.group ? ahead : inside(piece);
    do {
      const std::string_view from = parser.rest();
      TRY(auto value, parser.filtered());
      result.values.push_back(std::move(value));
      result.text += trim_right(from.substr(0, from.size() - parser.rest().size()));
      result.text += ',';
    } while (parser.take(','));
    TRYV(parser.expect_end());
    add(into, piece, std::move(result));
    return base::ok();
  }

  Result<void> read_assign(Nodes& into, const Piece& piece) {
    ExpressionParser parser = inside(piece);
    Assign result;
    result.name = parser.name();
    if (result.name.empty() || !parser.take('=')) {
      return parser.wrong("write {% assign name = value %}");
    }
    TRY(result.value, whole_value(parser));
    names_.give(result.name);
    add(into, piece, std::move(result));
    return base::ok();
  }

  Result<void> read_capture(Nodes& into, const Piece& opener) {
    constexpr std::string_view kEnds[] = {"endcapture"};
    ExpressionParser parser = inside(opener);
    Capture result;
    TRY(result.name, parser.name_or_text());
    if (result.name.empty()) {
      return parser.wrong("write {% capture name %}");
    }
    TRYV(parser.expect_end());
    TRYV(block(opener, result.body, kEnds));
    TRYV(no_arguments(take()));
    names_.give(result.name);
    add(into, opener, std::move(result));
    return base::ok();
  }

  Result<void> read_count(Nodes& into, const Piece& piece) {
    ExpressionParser parser = inside(piece);
    Count result{parser.name(), piece.name == "increment"};
    if (result.name.empty()) {
      return parser.wrong("write {% " + std::string(piece.name) + " name %}");
    }
    TRYV(parser.expect_end());
    names_.give(result.name);
    add(into, piece, std::move(result));
    return base::ok();
  }

  Result<void> read_leave(Nodes& into, const Piece& piece) {
    TRYV(no_arguments(piece));
    add(into, piece, Leave{piece.name == "break"});
    return base::ok();
  }

  Result<void> read_comment(Nodes& /*into*/, const Piece& opener) {
    while (!pieces_.empty()) {
      const Piece piece = take();
      if (piece.kind == Piece::Kind::kTag && piece.name == "endcomment") {
        return base::ok();
      }
    }
    return wrong(opener, "\"comment\" is not closed; write {% endcomment %}");
  }

  // {% # … %}: each of its lines begins with #.
  Result<void> read_remark(Nodes& /*into*/, const Piece& piece) {
    std::string_view lines = piece.inside;
    for (std::size_t end = lines.find('\n'); end != std::string_view::npos;
         end = lines.find('\n')) {
      lines = lines.substr(end + 1);
      const std::string_view line = trim_left(lines);
      if (!line.empty() && line.front() != '#') {
        return mistake(tree_.source, static_cast<std::size_t>(line.data() - tree_.source.data()),
                       "each line of a comment begins with #");
      }
    }
    return base::ok();
  }

  Result<void> read_raw(Nodes& into, const Piece& opener) {
    while (!pieces_.empty()) {
      const Piece piece = take();
      if (piece.kind == Piece::Kind::kTag && piece.name == "endraw") {
        return base::ok();
      }
      add(into, piece, Text{piece.whole});
    }
    return wrong(opener, "\"raw\" is not closed; write {% endraw %}");
  }

  Result<void> read_liquid(Nodes& into, const Piece& piece) {
    if (++depth_ > kMaxNesting) {
      return base::fail(base::ErrorCode::kExhausted,
                        place_of(tree_.source, offset_of(piece)) + ": tags may be " +
                            std::to_string(kMaxNesting) + " deep at most");
    }
    TRY(auto lines, cut_lines(tree_.source, piece.inside));
    std::swap(pieces_, lines);
    TRYV(body(into, {}));
    pieces_ = std::move(lines);
    --depth_;
    return base::ok();
  }

  Tree& tree_;
  Names names_;
  std::deque<Piece> pieces_;  // that are still to be read
  std::size_t depth_ = 0;
};

}  // namespace

Result<void> parse_tree(Tree& tree) { return TreeParser(tree).run(); }

}  // namespace turnout::tmpl
