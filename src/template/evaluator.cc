#include "template/evaluator.h"

#include <algorithm>
#include <cmath>

#include "template/convert.h"
#include "template/filters.h"
#include "template/number.h"

namespace turnout::tmpl {

using base::Result;

Evaluator::Evaluator(const Tree& tree, const Lookup& lookup, const RenderOptions& options)
    : tree_(tree), lookup_(lookup), options_(options) {}

Result<Value> Evaluator::value(const Filtered& filtered, Absence absence) {
  const bool defaulted =
      !filtered.filters.empty() && filtered.filters.front().filter->name == "default";
  TRY(Value value, expression(filtered.expression, defaulted ? Absence::kAsked : absence));
  for (const FilterCall& call : filtered.filters) {
    TRY(value, filter(call, value));
  }
  return value;
}

Result<Value> Evaluator::value(const Operand& operand, Absence absence) {
  if (const auto* const constant = std::get_if<Value>(&operand.what)) {
    return *constant;
  }
  if (const auto* const found = std::get_if<Path>(&operand.what)) {
    return path(*found, absence);
  }
  return range(std::get<Range>(operand.what));
}

Result<Value> Evaluator::expression(const Expression& expression, Absence absence) {
  TRYV(budget_.steps(expression.size()));
  std::vector<Value> stack;
  for (const auto& step : expression) {
    if (const auto* const operand = std::get_if<Operand>(&step)) {
      TRY(auto found, value(*operand, absence));
      stack.push_back(std::move(found));
      continue;
    }
    const Operator op = std::get<Operator>(step);
    const Value right = std::move(stack.back());
    stack.pop_back();
    if (op == Operator::kNot) {
      stack.push_back(Value::boolean(!right.truthy()));
      continue;
    }
    const Value left = std::move(stack.back());
    TRY(stack.back(), operate(op, left, right));
  }
  return std::move(stack.back());
}

Result<Value> Evaluator::operate(Operator op, const Value& left, const Value& right) {
  switch (op) {
    case Operator::kAnd:
      return Value::boolean(left.truthy() && right.truthy());
    case Operator::kOr:
      return Value::boolean(left.truthy() || right.truthy());
    case Operator::kContains: {
      TRY(const bool holds, contains(left, right, budget_));
      return Value::boolean(holds);
    }
    case Operator::kEqual:
    case Operator::kUnequal: {
      TRY(const bool same, equal(left, right, budget_));
      return Value::boolean(same == (op == Operator::kEqual));
    }
    default:
      break;
  }
  TRY(const Order found, order(left, right, budget_));
  const bool with_equal = op == Operator::kLessEqual || op == Operator::kGreaterEqual;
  const Order wanted =
      op == Operator::kLess || op == Operator::kLessEqual ? Order::kLess : Order::kGreater;
  return Value::boolean(found == wanted || (with_equal && found == Order::kEqual));
}

Result<Value> Evaluator::filter(const FilterCall& call, const Value& input) {
  TRYV(budget_.steps(1));
  if (input.is_text()) {
    TRYV(budget_.reading(input.as_text()));
  }
  Arguments arguments;
  if (call.question != nullptr) {
    arguments.question = [&](const Value& item) -> Result<Value> {
      enter(call.item, nullptr);
      frames_.back().item = item;
      auto answer = value(*call.question, Absence::kReported);
      leave();
      return answer;
    };
  }
  for (const Operand& operand : call.arguments) {
    TRY(auto argument, value(operand, Absence::kReported));
    arguments.values.push_back(std::move(argument));
  }
  for (const auto& [name, operand] : call.named) {
    TRY(const auto argument, value(operand, Absence::kReported));
    arguments.allow_false = argument.truthy();
  }
  Surroundings surroundings{budget_, options_};
  return call.filter->apply(input, arguments, surroundings);
}

Result<Value> Evaluator::range(const Range& range) {
  TRY(const Value low_value, value(*range.low, Absence::kReported));
  TRY(const Value high_value, value(*range.high, Absence::kReported));
  TRY(const double low, number_in(low_value, budget_));
  TRY(const double high, number_in(high_value, budget_));
  if (!(low <= high)) {
    return Value::array({});
  }
  if (high - low >= static_cast<double>(kMaxItems)) {
    TRYV(budget_.array(kMaxItems + 1));
  }
  Value::Items items;
  for (double at = low; at < high + 1; ++at) {
    items.push_back(Value::number(at));
  }
  return made_items(std::move(items));
}

Result<Value> Evaluator::made_items(Value::Items items) {
  TRYV(budget_.array(items.size()));
  return Value::array(std::move(items));
}

Result<Value> Evaluator::path(const Path& path, Absence absence) {
  if (path.base != nullptr) {
    TRY(auto base, value(*path.base, absence));
    return members(path, std::move(base), 0, absence);
  }
  TRY(const Value root_value, value(path.keys[0], Absence::kReported));
  TRY(const std::string root, text_of(root_value, budget_));
  std::size_t used = 1;
  if (auto found = own(root, path, used)) {
    return members(path, std::move(*found), used, absence);
  }
  const std::string& dotted = path.fixed.empty() ? root : path.fixed;
  TRY(auto found, outside(dotted, used));
  if (used == 0) {
    if (absence == Absence::kReported && !tree_.own.contains(root)) {
      report(dotted);
    }
    return Value();
  }
  return members(path, std::move(found), used, absence);
}

Result<Value> Evaluator::members(const Path& path, Value value, std::size_t from, Absence absence) {
  for (std::size_t i = from; i < path.keys.size(); ++i) {
    TRYV(budget_.steps(1));
    TRY(const Value key, this->value(path.keys[i], Absence::kReported));
    if (value.is_nil()) {
      continue;
    }
    Value next = member(value, key);
    const bool named = std::holds_alternative<Value>(path.keys[i].what);
    if (next.is_missing() && value.is_object() && named && absence == Absence::kReported) {
      report(path.text);
    }
    value = std::move(next);
  }
  return value;
}

std::optional<Value> Evaluator::own(const std::string& root, const Path& path,
                                    std::size_t& used) const {
  for (std::size_t i = frames_.size(); i-- > 0;) {
    if (frames_[i].variable == root) {
      return frames_[i].item;
    }
    if (frames_[i].loop != nullptr &&
        root == (frames_[i].loop->table ? "tablerowloop" : "forloop")) {
      return loop_value(i, path, used);
    }
  }
  if (const auto found = assigned_.find(root); found != assigned_.end()) {
    return found->second;
  }
  if (const auto found = counts_.find(root); found != counts_.end()) {
    return Value::number(found->second);
  }
  return std::nullopt;
}

// Follows `forloop.parentloop.index` without making an object of each loop.
Value Evaluator::loop_value(std::size_t frame, const Path& path, std::size_t& used) const {
  for (; used < path.keys.size(); ++used) {
    const Value* const key = std::get_if<Value>(&path.keys[used].what);
    if (key == nullptr || !key->is_text()) {
      break;
    }
    if (key->as_text() != "parentloop") {
      Value found = loop_member(*frames_[frame].loop, key->as_text());
      ++used;
      return found;
    }
    const auto outer = outer_loop(frame);
    if (!outer) {
      ++used;
      return Value::nil();
    }
    frame = *outer;
  }
  return loop_object(*frames_[frame].loop);
}

std::optional<std::size_t> Evaluator::outer_loop(std::size_t frame) const {
  while (frame-- > 0) {
    if (frames_[frame].loop != nullptr && !frames_[frame].loop->table) {
      return frame;
    }
  }
  return std::nullopt;
}

Result<Value> Evaluator::outside(std::string_view dotted, std::size_t& used) {
  used = 1 + static_cast<std::size_t>(std::count(dotted.begin(), dotted.end(), '.'));
  for (std::string_view name = dotted; used > 0; --used) {
    TRY(auto found, ask(name));
    if (found) {
      return std::move(*found);
    }
    name = name.substr(0, name.rfind('.'));
  }
  return Value();
}

Result<std::optional<Value>> Evaluator::ask(std::string_view name) {
  auto found = asked_.find(name);
  if (found == asked_.end()) {
    found = asked_.emplace(name, lookup_(name)).first;
  }
  const std::optional<Value>& answer = found->second;
  if (answer && answer->depth() > kMaxValueDepth) {
    return base::fail(base::ErrorCode::kExhausted, "\"" + std::string(name) +
                                                       "\" has arrays and objects more than " +
                                                       std::to_string(kMaxValueDepth) + " deep");
  }
  return answer;
}

void Evaluator::report(const std::string& name) {
  if (reported_.insert(name).second) {
    unknown_.push_back(name);
  }
}

Result<double> Evaluator::count(const std::string& name, bool up) {
  auto found = counts_.find(name);
  if (found == counts_.end()) {
    // A count goes on from a number that comes from outside, as in liquidjs.
    TRY(const auto value, ask(name));
    found = counts_.emplace(name, value && value->is_number() ? value->as_number() : 0).first;
  }
  return up ? found->second++ : --found->second;
}

void Evaluator::enter(const std::string& variable, std::unique_ptr<LoopState> loop) {
  frames_.push_back({variable, Value(), std::move(loop)});
}

void Evaluator::turn(Value item, std::size_t index) {
  frames_.back().item = std::move(item);
  frames_.back().loop->index = index;
}

}  // namespace turnout::tmpl
