#pragma once

// A template as a syntax tree: plain data, made by parse_tree() and walked by Renderer.

#include <array>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "template/escape.h"
#include "template/value.h"

namespace turnout::tmpl {

struct FilterSpec;
struct Operand;

// `order.lines[0].price`: a variable, or a value, and the members that lead on from it.
struct Path {
  std::string text;   // as written, for reports
  std::string fixed;  // the leading part that is names joined by dots; empty if it begins otherwise
  std::vector<Operand> keys;  // keys[0] names the variable, unless there is a base
  std::unique_ptr<Operand> base;
};

struct Range {
  std::unique_ptr<Operand> low;
  std::unique_ptr<Operand> high;
};

struct Operand {
  std::variant<Value, Path, Range> what;
};

enum class Operator {
  kEqual,
  kUnequal,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kContains,
  kNot,
  kAnd,
  kOr
};

// Operands and operators in the order in which a stack takes them (postfix), so that no chain, long
// as it is, makes evaluation recurse.
using Expression = std::vector<std::variant<Operand, Operator>>;

struct Filtered;

struct FilterCall {
  const FilterSpec* filter = nullptr;
  std::vector<Operand> arguments;
  std::vector<std::pair<std::string, Operand>> named;
  // Of where_exp and its like: what is asked of each item, and the item's name there.
  std::shared_ptr<const Filtered> question;
  std::string item;
};

// An expression and the filters behind it.
struct Filtered {
  std::size_t offset = 0;  // in the template
  Expression expression;
  std::vector<FilterCall> filters;
};

struct Node;
using Nodes = std::vector<Node>;

struct Text {
  std::string_view text;
};

struct Output {
  Filtered value;
};

struct Branch {
  Filtered condition;
  bool holds = true;  // or, as in unless, does not hold
  Nodes body;
};

struct If {
  std::vector<Branch> branches;
  Nodes otherwise;
};

struct When {
  std::vector<Operand> values;
  Nodes body;
};

struct Case {
  Filtered value;
  std::vector<When> branches;
  Nodes otherwise;
};

// `for` and `tablerow`.
struct Loop {
  bool table = false;
  std::string variable;
  Operand items;
  std::string name;  // "item-order.lines": what offset: continue goes by
  std::optional<Operand> offset;
  std::optional<Operand> limit;
  std::optional<Operand> columns;
  bool continues = false;  // offset: continue
  bool reversed = false;
  Nodes body;
  Nodes otherwise;
};

struct Cycle {
  std::optional<Operand> group;
  std::vector<Filtered> values;
  std::string text;  // of the values, as written
};

struct Assign {
  std::string name;
  Filtered value;
};

struct Capture {
  std::string name;
  Nodes body;
};

// `increment` and `decrement`.
struct Count {
  std::string name;
  bool up = true;
};

struct Leave {
  bool loop = true;  // break; or continue
};

struct Node {
  std::size_t offset = 0;
  std::variant<Text, Output, If, Case, Loop, Cycle, Assign, Capture, Count, Leave> what;
};

struct Tree {
  std::string source;  // what all views point into
  Escape escape = Escape::kNone;
  Nodes nodes;
  std::vector<std::string> names;          // of variables from outside, in order of appearance
  std::set<std::string, std::less<>> own;  // variables that the template itself gives values
};

}  // namespace turnout::tmpl
