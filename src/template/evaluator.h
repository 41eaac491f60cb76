#pragma once

// Variables and expressions of one rendering.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "template/budget.h"
#include "template/loop_values.h"
#include "template/template.h"
#include "template/tree.h"

namespace turnout::tmpl {

// Used by one thread. What it was made of must outlive it.
class Evaluator {
 public:
  // What absence means where a value is used: kAsked when the template asks about it.
  enum class Absence { kReported, kAsked };

  Evaluator(const Tree& tree, const Lookup& lookup, const RenderOptions& options);

  base::Result<Value> value(const Filtered& filtered, Absence absence);
  base::Result<Value> value(const Operand& operand, Absence absence);

  void assign(const std::string& name, Value value) {
    assigned_.insert_or_assign(name, std::move(value));
  }
  // The count of that name before it goes up, or after it has gone down.
  base::Result<double> count(const std::string& name, bool up);

  // A variable that only exists while a loop or a question is open; the innermost is found first.
  void enter(const std::string& variable, std::unique_ptr<LoopState> loop);
  void turn(Value item, std::size_t index);
  void leave() { frames_.pop_back(); }

  Budget& budget() { return budget_; }
  std::vector<std::string> take_unknown() { return std::move(unknown_); }

 private:
  struct Frame {
    std::string variable;
    Value item;
    std::unique_ptr<LoopState> loop;  // none: of a question
  };

  base::Result<Value> expression(const Expression& expression, Absence absence);
  base::Result<Value> operate(Operator op, const Value& left, const Value& right);
  base::Result<Value> filter(const FilterCall& call, const Value& input);
  base::Result<Value> path(const Path& path, Absence absence);
  base::Result<Value> range(const Range& range);
  base::Result<Value> members(const Path& path, Value value, std::size_t from, Absence absence);
  // A variable of the template itself; `used` becomes the number of keys that led to the value.
  std::optional<Value> own(const std::string& root, const Path& path, std::size_t& used) const;
  Value loop_value(std::size_t frame, const Path& path, std::size_t& used) const;
  std::optional<std::size_t> outer_loop(std::size_t frame) const;
  base::Result<Value> made_items(Value::Items items);
  // The value from outside of the longest leading part of a dotted name; `used` as above, 0 if
  // none.
  base::Result<Value> outside(std::string_view dotted, std::size_t& used);
  base::Result<std::optional<Value>> ask(std::string_view name);
  void report(const std::string& name);

  const Tree& tree_;
  const Lookup& lookup_;
  const RenderOptions& options_;
  Budget budget_;
  std::vector<Frame> frames_;
  std::map<std::string, Value, std::less<>> assigned_;
  std::map<std::string, double, std::less<>> counts_;
  std::map<std::string, std::optional<Value>, std::less<>> asked_;
  std::vector<std::string> unknown_;
  std::set<std::string, std::less<>> reported_;
};

}  // namespace turnout::tmpl
