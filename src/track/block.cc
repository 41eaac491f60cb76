#include "track/block.h"

#include "base/check.h"

namespace turnout::track {

void Column::clear() {
  present.clear();
  number.clear();
  boolean.clear();
  time.clear();
  text.clear();
}

void Column::append(const Value& value) {
  const bool there = !std::holds_alternative<Missing>(value);
  present.push_back(there ? 1 : 0);
  switch (type) {
    case Type::kNumber:
      number.push_back(there ? std::get<double>(value) : 0);
      break;
    case Type::kBoolean:
      boolean.push_back(there && std::get<bool>(value) ? 1 : 0);
      break;
    case Type::kTimestamp:
      time.push_back(there ? std::get<base::Instant>(value).us : 0);
      break;
    case Type::kDate:
      time.push_back(there ? std::get<base::Date>(value).days : 0);
      break;
    case Type::kText:
      text.append(there ? std::string_view(std::get<std::string>(value)) : std::string_view());
      break;
    case Type::kUntyped:
      CHECK(type != Type::kUntyped);
  }
}

Value Column::at(std::size_t row) const {
  if (present[row] == 0) {
    return Missing{};
  }
  switch (type) {
    case Type::kNumber:
      return number[row];
    case Type::kBoolean:
      return boolean[row] != 0;
    case Type::kTimestamp:
      return base::Instant{time[row]};
    case Type::kDate:
      return base::Date{static_cast<std::int32_t>(time[row])};
    case Type::kText:
      return std::string(text[row]);
    case Type::kUntyped:
      break;
  }
  return Missing{};
}

void ContactBlock::clear() {
  contact.clear();
  entry.clear();
  move_no.clear();
  step.clear();
  version.clear();
  heard.clear();
  state.clear();
  entered_at.clear();
  step_at.clear();
  due_at.clear();
  stayed.clear();
  columns.clear();
  tags.clear();
  places.clear();
  events.clear();
  newest.clear();
  data.clear();
}

void BlockOutcome::clear() {
  shapes.clear();
  shape.clear();
  step_at.clear();
  due_at.clear();
  stayed.clear();
  heard.clear();
  data.clear();
  seen.clear();
  payload.clear();
  writes.clear();
}

const char* action_kind_name(ActionKind kind) {
  switch (kind) {
    case ActionKind::kEmail:
      return "email";
    case ActionKind::kWebhook:
      return "webhook";
    case ActionKind::kEvent:
      return "event";
    case ActionKind::kShow:
      return "show";
    case ActionKind::kPutOn:
      return "put on track";
    case ActionKind::kTakeOff:
      return "take off track";
    case ActionKind::kSql:
      return "sql";
  }
  return "?";
}

}  // namespace turnout::track
