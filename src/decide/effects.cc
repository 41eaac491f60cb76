#include "decide/effects.h"

#include <algorithm>
#include <cmath>
#include <ranges>

#include "base/check.h"
#include "decide/convert.h"
#include "decide/json.h"
#include "decide/scopes.h"

namespace turnout::decide {
namespace {

using track::Missing;
using track::Type;
using Written = track::BlockOutcome::Written;
using track::Value;

void append_json(std::string& out, const JsonTemplate& json, const Rows& rows, std::size_t row) {
  if (json.kind == JsonTemplate::Kind::kTerm && json.term.kind == Term::Kind::kScoped) {
    const nlohmann::json* const found = rows.scopes()->find(json.term.scoped, row);
    out += found == nullptr ? "null"
                            : found->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    return;
  }
  if (json.kind == JsonTemplate::Kind::kTerm) {
    append_value(out, value_of(json.term, rows, row));
    return;
  }
  const bool object = json.kind == JsonTemplate::Kind::kObject;
  out += object ? '{' : '[';
  for (std::size_t i = 0; i < json.items.size(); ++i) {
    if (i > 0) {
      out += ',';
    }
    if (object) {
      append_json_text(out, json.names[i]);
      out += ':';
    }
    append_json(out, json.items[i], rows, row);
  }
  out += object ? '}' : ']';
}

}  // namespace

Value value_of(const Term& term, const Rows& rows, std::size_t row) {
  switch (term.kind) {
    case Term::Kind::kConstant:
      return term.constant;
    case Term::Kind::kField: {
      const ColumnView& column = rows.column(term.field);
      if (column.present[row] == 0) {
        return Missing{};
      }
      switch (column.type) {
        case Type::kNumber:
          return column.number[row];
        case Type::kBoolean:
          return column.boolean[row] != 0;
        case Type::kText:
          return std::string(column.text_at(row));
        case Type::kTimestamp:
        case Type::kDate:
        case Type::kUntyped:
          break;
      }
      break;
    }
    case Term::Kind::kScoped: {
      const nlohmann::json* const found = rows.scopes()->find(term.scoped, row);
      return found == nullptr ? Value(Missing{}) : value_in(*found);
    }
    default:
      break;
  }
  const Moment at = moment(term, rows, row, rows.now());
  if (at.day) {
    return base::Date{static_cast<std::int32_t>(at.value)};
  }
  return base::Instant{at.value};
}

FieldEffects::FieldEffects(const CompiledTrack& compiled, Rows& rows) : rows_(rows) {
  const std::size_t count = rows.block().rows();
  copies_.reserve(compiled.written.size());  // the views point into the copies
  for (const std::size_t field : compiled.written) {
    const track::Column& column = rows.block().columns[field];
    Copy& copy = copies_.emplace_back();
    copy.field = field;
    copy.type = column.type;
    copy.written.assign(count, Written::kNot);
    copy.present = column.present;
    copy.number = column.number;
    copy.boolean = column.boolean;
    copy.time = column.time;
    ColumnView& view = rows.column(field);
    if (column.type == Type::kText) {
      copy.text.reserve(count);
      for (std::size_t row = 0; row < count; ++row) {
        copy.text.push_back(column.text[row]);
      }
      view.changed_text = copy.text.data();
    }
    view.present = copy.present.data();
    view.number = copy.number.data();
    view.boolean = copy.boolean.data();
    view.time = copy.time.data();
  }
}

FieldEffects::Copy& FieldEffects::copy_of(std::size_t field) {
  const auto copy = std::ranges::find(copies_, field, &Copy::field);
  CHECK(copy != copies_.end());
  return *copy;
}

void FieldEffects::put(Copy& copy, RowNumber row, const Value& value) {
  switch (copy.type) {
    case Type::kNumber:
      copy.number[row] = std::get<double>(value);
      break;
    case Type::kBoolean:
      copy.boolean[row] = std::get<bool>(value) ? 1 : 0;
      break;
    case Type::kTimestamp:
      copy.time[row] = std::get<base::Instant>(value).us;
      break;
    case Type::kDate:
      copy.time[row] = std::get<base::Date>(value).days;
      break;
    default:
      texts_.push_back(std::get<std::string>(value));
      copy.text[row] = texts_.back();
      break;
  }
  copy.present[row] = 1;
  copy.written[row] = Written::kSet;
  copy.any = true;
}

void FieldEffects::set(std::size_t field, const Term& value, const RowNumber* selection,
                       std::size_t count) {
  Copy& copy = copy_of(field);
  for (std::size_t i = 0; i < count; ++i) {
    const RowNumber row = selection[i];
    const Value converted = convert(value_of(value, rows_, row), copy.type, rows_.zone(row));
    if (!std::holds_alternative<Missing>(converted)) {
      put(copy, row, converted);
    }
  }
}

void FieldEffects::add(const CompiledAction& action, const RowNumber* selection,
                       std::size_t count) {
  Copy& copy = copy_of(action.field);
  for (std::size_t i = 0; i < count; ++i) {
    const RowNumber row = selection[i];
    const Zone& zone = rows_.zone(row);
    const Value before = held(copy, row);
    const Value by = action.delay ? Value() : value_of(action.value, rows_, row);
    const Value sum = action.delay ? moved_time(before, *action.delay, action.sign, zone)
                                   : added(before, by, action.sign, zone);
    if (std::holds_alternative<Missing>(sum)) {
      continue;
    }
    const Written was = copy.written[row];
    put(copy, row, sum);
    if (!action.delay && was != Written::kSet) {
      copy.added.resize(copy.number.size());
      copy.added[row] += action.sign * std::get<double>(convert(by, Type::kNumber, zone));
      copy.written[row] = Written::kAdded;
    }
  }
}

// The number or time of the copy's row.
Value FieldEffects::held(const Copy& copy, RowNumber row) {
  if (copy.present[row] == 0) {
    return Missing{};
  }
  switch (copy.type) {
    case Type::kNumber:
      return copy.number[row];
    case Type::kTimestamp:
      return base::Instant{copy.time[row]};
    case Type::kDate:
      return base::Date{static_cast<std::int32_t>(copy.time[row])};
    default:
      return Missing{};
  }
}

void FieldEffects::clear(std::size_t field, const RowNumber* selection, std::size_t count) {
  Copy& copy = copy_of(field);
  for (std::size_t i = 0; i < count; ++i) {
    copy.present[selection[i]] = 0;
    copy.written[selection[i]] = Written::kSet;
  }
  copy.any = copy.any || count > 0;
}

void FieldEffects::collect(std::vector<track::BlockOutcome::FieldWrite>& writes) const {
  for (const Copy& copy : copies_) {
    if (!copy.any) {
      continue;
    }
    track::BlockOutcome::FieldWrite& write = writes.emplace_back();
    write.field = copy.field;
    write.written = copy.written;
    write.value.type = copy.type;
    write.value.present = copy.present;
    for (std::size_t row = 0; row < copy.written.size(); ++row) {
      if (copy.written[row] == Written::kNot) {
        write.value.present[row] = 0;
      }
    }
    write.value.number = copy.number;
    for (std::size_t row = 0; row < copy.added.size(); ++row) {
      if (copy.written[row] == Written::kAdded) {
        write.value.number[row] = copy.added[row];
      }
    }
    write.value.boolean = copy.boolean;
    write.value.time = copy.time;
    for (std::size_t row = 0; row < copy.text.size(); ++row) {
      write.value.text.append(write.value.present[row] != 0 ? copy.text[row] : std::string_view());
    }
  }
}

void write_entry(const CompiledAction& action, const Rows& rows, std::size_t row, Scopes& scopes) {
  CHECK(action.entry.has_value());
  const std::string& name = *action.entry;
  if (action.kind == CompiledAction::Kind::kClear) {
    scopes.set_entry(row, name, Missing{});
    return;
  }
  Value value = action.delay ? Value() : value_of(action.value, rows, row);
  if (action.kind == CompiledAction::Kind::kAdd) {
    const nlohmann::json* const held = scopes.find({Scope::kEntry, name}, row);
    const Value before = held == nullptr ? Value() : value_in(*held);
    const Zone& zone = rows.zone(row);
    value = action.delay ? moved_time(before, *action.delay, action.sign, zone)
                         : added(before, value, action.sign, zone);
  }
  if (!std::holds_alternative<Missing>(value)) {
    scopes.set_entry(row, name, value);
  }
}

void Payloads::add(const JsonTemplate& payload, const Rows& rows, const RowNumber* selection,
                   std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const RowNumber row = selection[i];
    const std::size_t begin = chars_.size();
    append_json(chars_, payload, rows, row);
    pieces_.push_back({last_[row], begin, chars_.size()});
    last_[row] = static_cast<std::int32_t>(pieces_.size() - 1);
  }
}

void Payloads::write(const track::Shape& shape, std::size_t row, std::string& out) const {
  if (last_[row] < 0) {
    return;
  }
  std::vector<std::string_view> pieces;
  for (std::int32_t at = last_[row]; at >= 0; at = pieces_[static_cast<std::size_t>(at)].previous) {
    const Piece& piece = pieces_[static_cast<std::size_t>(at)];
    pieces.push_back(std::string_view(chars_).substr(piece.begin, piece.end - piece.begin));
  }
  auto next = pieces.rbegin();
  out += '[';
  for (std::size_t i = 0; i < shape.acts.size(); ++i) {
    if (i > 0) {
      out += ',';
    }
    if (shape.acts[i].has_payload) {
      CHECK(next != pieces.rend());
      out += *next++;
    } else {
      out += "null";
    }
  }
  out += ']';
}

}  // namespace turnout::decide
