#include "decide/scopes.h"

#include "base/check.h"
#include "decide/convert.h"

namespace turnout::decide {
namespace {

using nlohmann::json;
using track::Missing;
using track::Type;
using track::Value;

// An object, whatever stands in the text.
json object_in(const std::string& text) {
  const json parsed = text.empty() ? json() : json::parse(text, nullptr, false);
  return parsed.is_object() ? parsed : json::object();
}

const char* key_of(Scope scope) {
  switch (scope) {
    case Scope::kEntry:
      return "entry";
    case Scope::kRow:
      return "row";
    default:
      return "event";
  }
}

const json* member(const json& object, const std::string& name) {
  if (!object.is_object()) {
    return nullptr;
  }
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

}  // namespace

std::string data_of(const track::BlockEvent& event) {
  const json properties = object_in(event.properties);
  return json{{"entry", properties}, {"event", properties}}.dump();
}

std::string property_text(const track::BlockEvent& event, const std::string& property) {
  const json properties = object_in(event.properties);
  const json* const found = member(properties, property);
  return found == nullptr ? "" : found->dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<std::string> text_of(const track::BlockEvent& event, const std::string& property) {
  const json properties = object_in(event.properties);
  const json* const found = member(properties, property);
  return found != nullptr && found->is_string() ? std::optional(found->get<std::string>())
                                                : std::nullopt;
}

Value value_in(const std::string& data, const ScopedName& name) {
  const json all = object_in(data);
  const json* const scope = member(all, key_of(name.scope));
  const json* const found = scope == nullptr ? nullptr : member(*scope, name.name);
  return found == nullptr ? Value(Missing{}) : value_in(*found);
}

std::string with_value(const std::string& data, const ScopedName& name, const Value& value) {
  json all = object_in(data);
  all[key_of(name.scope)][name.name] = json_of(value);  // null is as good as nothing
  return all.dump(-1, ' ', false, json::error_handler_t::replace);
}

Scopes::Scopes(const Columns& columns, const track::ContactBlock& block, Rows& rows)
    : block_(block), rows_(rows) {
  if (!columns.scopes) {
    return;
  }
  const std::size_t count = block.rows();
  offered_.resize(count);
  properties_.resize(count);
  data_.reserve(count);
  for (std::size_t row = 0; row < count; ++row) {
    data_.push_back(object_in(block.data.empty() ? "" : block.data[row]));
  }
  for (const ScopedColumn& source : columns.scoped) {
    Filled& column = columns_.emplace_back();
    column.field = source.field;
    column.name = source.name;
    column.type = columns.fields[source.field].type;
    column.present.resize(count);
    column.number.resize(count);
    column.boolean.resize(count);
    column.time.resize(count);
    column.texts.resize(count);
    column.text.resize(count);
    counts_visits_ = counts_visits_ || column.name == ScopedName{Scope::kVisit, "times"};
    ColumnView& view = rows.column(column.field);
    view.present = column.present.data();
    view.number = column.number.data();
    view.boolean = column.boolean.data();
    view.time = column.time.data();
    view.changed_text = column.text.data();
  }
  for (std::size_t row = 0; row < count; ++row) {
    for (const Scope scope : {Scope::kEntry, Scope::kEvent, Scope::kRow}) {
      refresh(scope, row);
    }
    if (counts_visits_ && !data_[row].contains("visits")) {
      arrive(row, block.step[row]);
    }
  }
}

const json* Scopes::find(const ScopedName& name, std::size_t row) const {
  CHECK(row < data_.size());
  if (name.scope == Scope::kEvent && offered_[row] != nullptr) {
    return member(properties_[row], name.name);
  }
  const json* const scope = member(data_[row], key_of(name.scope));
  return scope == nullptr ? nullptr : member(*scope, name.name);
}

void Scopes::fill(Filled& column, std::size_t row, const Value& value) {
  const Value held = convert(value, column.type, rows_.zone(row));
  column.present[row] = std::holds_alternative<Missing>(held) ? 0 : 1;
  if (column.present[row] == 0) {
    return;
  }
  switch (column.type) {
    case Type::kNumber:
      column.number[row] = std::get<double>(held);
      break;
    case Type::kBoolean:
      column.boolean[row] = std::get<bool>(held) ? 1 : 0;
      break;
    case Type::kTimestamp:
      column.time[row] = std::get<base::Instant>(held).us;
      break;
    case Type::kDate:
      column.time[row] = std::get<base::Date>(held).days;
      break;
    default:
      column.texts[row] = std::get<std::string>(held);
      column.text[row] = column.texts[row];
  }
}

void Scopes::refresh(Scope scope, std::size_t row) {
  for (Filled& column : columns_) {
    if (column.name.scope == scope) {
      const json* const found = find(column.name, row);
      fill(column, row, found == nullptr ? Value(Missing{}) : value_in(*found));
    }
  }
}

const track::BlockEvent* Scopes::offer(std::size_t row, const track::BlockEvent* event) {
  if (data_.empty()) {
    return nullptr;
  }
  const track::BlockEvent* const before = offered_[row];
  if (before != event) {
    offered_[row] = event;
    properties_[row] = event == nullptr ? json() : object_in(event->properties);
    refresh(Scope::kEvent, row);
  }
  return before;
}

bool Scopes::is_of_another(std::size_t row, const std::string& property,
                           const track::BlockEvent& event) const {
  const json* const own = find({Scope::kEntry, property}, row);
  const json properties = object_in(event.properties);
  const json* const its = member(properties, property);
  return own != nullptr && its != nullptr && *own != *its;
}

void Scopes::keep(std::size_t row) {
  if (!data_.empty() && offered_[row] != nullptr) {
    data_[row]["event"] = std::move(properties_[row]);
    offered_[row] = nullptr;
    properties_[row] = json();
  }
}

void Scopes::set_entry(std::size_t row, const std::string& name, const Value& value) {
  CHECK(!data_.empty());
  json& entry = data_[row]["entry"];
  if (std::holds_alternative<Missing>(value)) {
    if (entry.is_object()) {
      entry.erase(name);
    }
  } else {
    entry[name] = json_of(value);
  }
  refresh(Scope::kEntry, row);
}

void Scopes::arrive(std::size_t row, std::int32_t step) {
  if (counts_visits_) {
    json& times = data_[row]["visits"][std::to_string(step)];
    times = times.is_number_integer() ? times.get<std::int64_t>() + 1 : 1;
  }
}

void Scopes::stand(std::size_t row, std::int32_t step, const std::string& name,
                   base::Instant step_at) {
  for (Filled& column : columns_) {
    if (column.name.scope != Scope::kVisit) {
      continue;
    }
    if (column.name.name == "step") {
      fill(column, row, name);
    } else if (column.name.name == "entered_at") {
      fill(column, row, block_.entered_at[row]);
    } else if (column.name.name == "step_entered_at") {
      fill(column, row, step_at);
    } else {
      const json* const visits = member(data_[row], "visits");
      const json* const times = visits == nullptr ? nullptr : member(*visits, std::to_string(step));
      fill(column, row, times == nullptr ? Value(0.0) : Value(times->get<double>()));
    }
  }
}

void Scopes::write(std::vector<std::string>& out) const {
  out.clear();
  for (const json& data : data_) {
    out.push_back(data.empty() ? "" : data.dump(-1, ' ', false, json::error_handler_t::replace));
  }
}

}  // namespace turnout::decide
