#include "template/renderer.h"

#include <algorithm>
#include <utility>

#include "template/convert.h"
#include "template/filters.h"
#include "template/number.h"
#include "template/source.h"

namespace turnout::tmpl {
namespace {

using base::Result;
using Absence = Evaluator::Absence;

// Items from `begin` up to `end`; negative positions count from the end (Array.prototype.slice).
Value::Items sliced(Value::Items items, std::ptrdiff_t begin, std::ptrdiff_t end) {
  const std::ptrdiff_t size = std::ssize(items);
  const auto held = [&](std::ptrdiff_t at) {
    return std::clamp<std::ptrdiff_t>(at < 0 ? size + at : at, 0, size);
  };
  begin = held(begin);
  end = std::max(begin, held(end));
  items.erase(items.begin() + end, items.end());
  items.erase(items.begin(), items.begin() + begin);
  return items;
}

}  // namespace

Result<Rendered> Renderer::run() {
  // A break outside all loops ends the text.
  TRY([[maybe_unused]] const Flow flow, render(tree_.nodes));
  return Rendered{std::move(text_), values_.take_unknown()};
}

Result<Renderer::Flow> Renderer::render(const Nodes& nodes) {
  for (const Node& node : nodes) {
    auto flow = [&]() -> Result<Flow> {
      TRYV(values_.budget().steps(1));
      return std::visit([&](const auto& tag) { return render(tag); }, node.what);
    }();
    if (!flow) {
      base::Error error = flow.error();
      if (!error.message.starts_with("line ")) {
        error.message = place_of(tree_.source, node.offset) + ": " + error.message;
      }
      return error;
    }
    if (flow.value() != Flow::kOn) {
      return flow;
    }
  }
  return Flow::kOn;
}

Result<void> Renderer::write(std::string_view text) {
  text_ += text;
  if (text_.size() > kMaxOutputBytes) {
    return base::fail(base::ErrorCode::kExhausted, "the text filled in would be longer than " +
                                                       std::to_string(kMaxOutputBytes) + " bytes");
  }
  return base::ok();
}

Result<void> Renderer::write_value(const Filtered& filtered) {
  TRY(const Value value, values_.value(filtered, Absence::kReported));
  TRY(const std::string text, text_of(value, values_.budget()));
  const Makes makes =
      filtered.filters.empty() ? Makes::kValue : filtered.filters.back().filter->makes;
  const bool as_it_is = (makes == Makes::kRaw && tree_.escape != Escape::kHeader) ||
                        (makes == Makes::kJson && tree_.escape == Escape::kJson);
  append_escaped(text_, text, as_it_is ? Escape::kNone : tree_.escape);
  return write("");
}

Result<Renderer::Flow> Renderer::render(const Text& text) {
  TRYV(write(text.text));
  return Flow::kOn;
}

Result<Renderer::Flow> Renderer::render(const Output& output) {
  TRYV(write_value(output.value));
  return Flow::kOn;
}

Result<Renderer::Flow> Renderer::render(const If& tag) {
  for (const Branch& branch : tag.branches) {
    TRY(const Value value, values_.value(branch.condition, Absence::kAsked));
    if (value.truthy() == branch.holds) {
      return render(branch.body);
    }
  }
  return render(tag.otherwise);
}

// All branches that fit come out, not only the first.
Result<Renderer::Flow> Renderer::render(const Case& tag) {
  TRY(const Value target, values_.value(tag.value, Absence::kAsked));
  bool hit = false;
  for (const When& branch : tag.branches) {
    for (const Operand& operand : branch.values) {
      TRY(const Value value, values_.value(operand, Absence::kAsked));
      TRY(const bool same, equal(target, value, values_.budget()));
      if (same) {
        hit = true;
        TRY(const Flow flow, render(branch.body));
        if (flow != Flow::kOn) {
          return flow;
        }
        break;
      }
    }
  }
  return hit ? Result<Flow>(Flow::kOn) : render(tag.otherwise);
}

// Which of the items the loop goes through, in its order.
Result<Value::Items> Renderer::turns_of(const Loop& tag, Value::Items items) {
  Budget& budget = values_.budget();
  const auto number = [&](const Operand& operand, Value& given) -> Result<std::ptrdiff_t> {
    TRY(given, values_.value(operand, Absence::kReported));
    TRY(const double value, number_of(given, budget));
    return whole(value);
  };
  std::ptrdiff_t begin = 0;
  std::ptrdiff_t end = std::ssize(items);
  Value given;
  if (tag.continues) {
    const auto ended = ended_.find(tag.name);
    begin = ended == ended_.end() ? 0 : static_cast<std::ptrdiff_t>(ended->second);
  } else if (tag.offset) {
    TRY(begin, number(*tag.offset, given));
  }
  items = sliced(std::move(items), begin, end);
  if (tag.limit) {
    TRY(end, number(*tag.limit, given));
    if (!given.is_missing()) {
      items = sliced(std::move(items), 0, end);
    }
  }
  if (tag.reversed) {
    std::reverse(items.begin(), items.end());
  }
  ended_[tag.name] = static_cast<std::size_t>(std::max<std::ptrdiff_t>(begin, 0)) + items.size();
  return items;
}

Result<Renderer::Flow> Renderer::render(const Loop& tag) {
  TRY(const Value collection, values_.value(tag.items, Absence::kReported));
  TRY(auto all, loop_items_of(collection, values_.budget()));
  if (all.empty()) {
    return render(tag.otherwise);
  }
  TRY(const auto items, turns_of(tag, std::move(all)));
  LoopState loop{tag.table, tag.name, 0, items.size(), std::max<std::size_t>(items.size(), 1)};
  if (tag.columns) {
    TRY(const Value given, values_.value(*tag.columns, Absence::kReported));
    TRY(const double columns, number_of(given, values_.budget()));
    loop.columns = columns >= 1 ? static_cast<std::size_t>(whole(columns)) : loop.columns;
  }
  values_.enter(tag.variable, std::make_unique<LoopState>(loop));
  for (; loop.index < items.size(); ++loop.index) {
    TRYV(values_.budget().iteration());
    values_.turn(items[loop.index], loop.index);
    if (tag.table) {
      TRYV(open_cell(loop));
    }
    TRY(const Flow flow, render(tag.body));
    if (tag.table) {
      TRYV(write("</td>"));
    }
    if (flow == Flow::kBreak) {
      break;
    }
  }
  values_.leave();
  if (tag.table && !items.empty()) {
    TRYV(write("</tr>"));
  }
  return Flow::kOn;
}

Result<void> Renderer::open_cell(const LoopState& loop) {
  const std::size_t column = loop.index % loop.columns;
  if (column == 0) {
    const std::string row = std::to_string(loop.index / loop.columns + 1);
    TRYV(write((loop.index == 0 ? "<tr class=\"row" : "</tr><tr class=\"row") + row + "\">"));
  }
  return write("<td class=\"col" + std::to_string(column + 1) + "\">");
}

Result<Renderer::Flow> Renderer::render(const Cycle& tag) {
  std::string name = tag.text;
  if (tag.group) {
    TRY(const Value group, values_.value(*tag.group, Absence::kReported));
    TRY(const std::string text, text_of(group, values_.budget()));
    name = text + ":" + name;
  }
  std::size_t& turn = cycles_[name];
  const Filtered& value = tag.values[turn];
  turn = (turn + 1) % tag.values.size();
  TRYV(write_value(value));
  return Flow::kOn;
}

Result<Renderer::Flow> Renderer::render(const Assign& tag) {
  TRY(auto value, values_.value(tag.value, Absence::kReported));
  values_.assign(tag.name, std::move(value));
  return Flow::kOn;
}

Result<Renderer::Flow> Renderer::render(const Capture& tag) {
  std::string outer = std::exchange(text_, std::string());
  TRY(const Flow flow, render(tag.body));
  std::swap(text_, outer);
  TRYV(values_.budget().text(outer.size()));
  values_.assign(tag.name, Value(std::move(outer)));
  return flow;
}

Result<Renderer::Flow> Renderer::render(const Count& tag) {
  TRY(const double count, values_.count(tag.name, tag.up));
  TRYV(write(number_text(count)));
  return Flow::kOn;
}

Result<Renderer::Flow> Renderer::render(const Leave& tag) {
  return tag.loop ? Flow::kBreak : Flow::kContinue;
}

}  // namespace turnout::tmpl
