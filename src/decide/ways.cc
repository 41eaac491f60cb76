#include "decide/ways.h"

#include <algorithm>
#include <map>

#include "base/hash.h"
#include "decide/json.h"

namespace turnout::decide {
namespace {

using track::PositionState;
using track::Shape;
using track::Type;

void append_cell(std::string& out, const ColumnView& column, std::size_t row) {
  if (column.present[row] == 0) {
    out += "null";
    return;
  }
  switch (column.type) {
    case Type::kText:
      append_json_text(out, column.text_at(row));
      break;
    case Type::kNumber:
      append_json_number(out, column.number[row]);
      break;
    case Type::kBoolean:
      out += column.boolean[row] != 0 ? "true" : "false";
      break;
    case Type::kTimestamp:
      append_json_instant(out, {column.time[row]});
      break;
    case Type::kDate:
      append_json_date(out, {static_cast<std::int32_t>(column.time[row])});
      break;
    case Type::kUntyped:
      break;
  }
}

// Where a move leaves a contact.
void set_end(const CompiledTrack& compiled, std::size_t step, const CompiledMove& move,
             Shape& shape) {
  switch (move.kind) {
    case CompiledMove::Kind::kGo:
      shape.step = compiled.steps[move.step].number;
      shape.state = PositionState::kOpen;
      break;
    case CompiledMove::Kind::kWait:
      shape.step = compiled.steps[move.step].number;
      shape.state = PositionState::kClosed;
      break;
    case CompiledMove::Kind::kStop:
      shape.step = move.outcome;
      shape.state = PositionState::kStopped;
      break;
    case CompiledMove::Kind::kStay:
      shape.step = compiled.steps[step].number;
      shape.state = PositionState::kOpen;
      break;
    case CompiledMove::Kind::kRest:
      shape.step = compiled.steps[step].number;
      shape.state = PositionState::kClosed;
      break;
  }
}

void fold_tag(Shape& shape, const Shape::Tag& tag) {
  const auto known = std::find_if(shape.tags.begin(), shape.tags.end(),
                                  [&](const Shape::Tag& other) { return other.tag == tag.tag; });
  if (known == shape.tags.end()) {
    shape.tags.push_back(tag);
  } else {
    known->add = tag.add;
  }
}

}  // namespace

std::size_t Ways::KeyHash::operator()(const Key& key) const {
  return base::mix64(base::mix64(key.parent) ^
                     (std::uint64_t{key.step} << 32 | static_cast<std::uint32_t>(key.rule)));
}

Ways::Ways(const CompiledTrack& compiled, std::size_t rows) : compiled_(compiled), node_(rows) {}

void Ways::start(std::size_t row, std::int32_t step, PositionState state) {
  // Few kinds of starts in a block, and the rows of one often in succession.
  for (std::size_t i = nodes_.size(); i-- > 0;) {
    if (nodes_[i].number == step && nodes_[i].state == state) {
      node_[row] = static_cast<std::uint32_t>(i);
      return;
    }
  }
  node_[row] = static_cast<std::uint32_t>(nodes_.size());
  nodes_.push_back({node_[row], 0, 0, 0, step, state});
}

int Ways::extend(std::size_t step, std::int32_t rule, const RowNumber* selection,
                 std::size_t count) {
  ++call_;
  child_.resize(nodes_.size());
  stamp_.resize(nodes_.size());
  int most = 0;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t& node = node_[selection[i]];
    if (stamp_[node] != call_) {
      const Key key{node, static_cast<std::uint32_t>(step), rule};
      const auto [known, is_new] =
          children_.try_emplace(key, static_cast<std::uint32_t>(nodes_.size()));
      if (is_new) {
        nodes_.push_back({node, nodes_[node].moves + 1, step, rule, 0, PositionState::kOpen});
      }
      stamp_[node] = call_;
      child_[node] = known->second;
      most = std::max(most, nodes_[known->second].moves);
    }
    node = child_[node];
  }
  return most;
}

Shape Ways::shape_of(std::uint32_t node) const {
  Shape shape;
  std::vector<std::uint32_t> way;
  while (nodes_[node].moves > 0) {
    way.push_back(node);
    node = nodes_[node].parent;
  }
  shape.step = nodes_[node].number;
  shape.state = nodes_[node].state;
  std::map<std::pair<std::int32_t, std::int32_t>, std::int32_t> counts;
  for (auto at = way.rbegin(); at != way.rend(); ++at) {
    const Node& move = nodes_[*at];
    const CompiledStep& step = compiled_.steps[move.step];
    const CompiledRule& rule = compiled_.rule(move.step, move.rule);
    ++shape.moves;
    shape.path.push_back(step.number);
    shape.path.push_back(move.rule);
    shape.withdraws = track::is_leave_rule(move.rule);
    ++counts[{step.number, move.rule}];
    for (const CompiledAction& action : rule.actions) {
      if (action.kind == CompiledAction::Kind::kSend) {
        shape.acts.push_back(action.act);
        shape.acts.back().move = shape.moves;
      } else if (action.kind == CompiledAction::Kind::kTag) {
        fold_tag(shape, action.tag);
      }
    }
    set_end(compiled_, move.step, rule.move, shape);
  }
  for (const auto& [rule, times] : counts) {
    shape.counts.push_back({rule.first, rule.second, times});
  }
  if (shape.moves > 0) {
    shape.path.push_back(shape.step);
    for (const std::int32_t number : shape.path) {
      shape.path_json += shape.path_json.empty() ? '[' : ',';
      append_integer(shape.path_json, number);
    }
    shape.path_json += ']';
  }
  return shape;
}

std::vector<Ways::Seen> Ways::seen_of(std::uint32_t node) const {
  std::vector<std::uint8_t> read(compiled_.columns.fields.size());
  const auto add = [&read](const std::vector<std::size_t>& fields) {
    for (const std::size_t field : fields) {
      read[field] = 1;
    }
  };
  const Node& last = nodes_[node];
  const CompiledMove& move = compiled_.rule(last.step, last.rule).move;
  // It waits on the step it went to, where all rules were tested; unless it had moved too often.
  if (move.kind == CompiledMove::Kind::kGo && last.moves < kMaxMovesPerPassage) {
    add(compiled_.steps[move.step].tested);
  }
  for (std::uint32_t at = node; nodes_[at].moves > 0; at = nodes_[at].parent) {
    add(compiled_.rule(nodes_[at].step, nodes_[at].rule).tested);
  }
  std::vector<Seen> seen;
  for (std::size_t field = 0; field < read.size(); ++field) {
    if (read[field] != 0) {
      std::string key(1, seen.empty() ? '{' : ',');
      append_json_text(key, compiled_.columns.fields[field].name);
      seen.push_back({field, key + ':'});
    }
  }
  return seen;
}

void Ways::finish(const Rows& rows, const Payloads& payloads, track::BlockOutcome& out) const {
  // A contact's fields as they were loaded, dotted names as they are now.
  std::vector<ColumnView> columns;
  for (const track::Column& column : rows.block().columns) {
    columns.push_back(view_of(column));
  }
  for (const ScopedColumn& scoped : compiled_.columns.scoped) {
    columns[scoped.field] = rows.column(scoped.field);
  }
  std::vector<std::int32_t> shape_at(nodes_.size(), -1);
  std::vector<std::vector<Seen>> seen;
  out.shape.resize(node_.size());
  constexpr std::size_t kUsualSeen = 96;
  out.seen.reserve(node_.size(), node_.size() * kUsualSeen);
  std::string text;
  for (std::size_t row = 0; row < node_.size(); ++row) {
    std::int32_t& index = shape_at[node_[row]];
    if (index < 0) {
      index = static_cast<std::int32_t>(out.shapes.size());
      out.shapes.push_back(shape_of(node_[row]));
      seen.push_back(out.shapes.back().moves > 0 ? seen_of(node_[row]) : std::vector<Seen>());
    }
    out.shape[row] = index;
    const Shape& shape = out.shapes[static_cast<std::size_t>(index)];
    const std::vector<Seen>& fields = seen[static_cast<std::size_t>(index)];
    text.clear();
    for (const Seen& cell : fields) {
      text += cell.key;
      append_cell(text, columns[cell.field], row);
    }
    if (shape.moves > 0) {
      text += fields.empty() ? "{}" : "}";
    }
    out.seen.append(text);
    text.clear();
    payloads.write(shape, row, text);
    out.payload.append(text);
  }
}

}  // namespace turnout::decide
