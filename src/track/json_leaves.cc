#include "track/json_leaves.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time.h"
#include "track/json_members.h"
#include "track/leaves.h"

namespace turnout::track::json {
namespace {

const std::string* read_text(Input& in, const JsonValue& value, const char* wanted) {
  const auto* const text = std::get_if<std::string>(&value.data);
  if (text == nullptr) {
    in.expected(wanted, value);
  }
  return text;
}

// Reads a leaf that has a function in leaves.h.
template <class T>
void read_leaf(Input& in, const JsonValue& value, const char* wanted,
               std::string (*parse)(std::string_view, T&), T& out) {
  if (const std::string* const text = read_text(in, value, wanted)) {
    if (const std::string wrong = parse(*text, out); !wrong.empty()) {
      in.wrong(what_it_is(value) + " " + wrong);
    }
  }
}

std::string read_date(std::string_view text, base::Date& date) {
  const auto parsed = base::parse_date(text);
  if (!parsed) {
    return "is not a date that exists, such as \"2026-12-01\"";
  }
  date = parsed.value();
  return {};
}

std::string complaint_about(const std::string& text, TextKind kind) {
  if (text.find('\0') != std::string::npos) {
    return "a text cannot have a zero character";
  }
  if (kind == TextKind::kName && text.empty()) {
    return "this text cannot be empty";
  }
  if (kind == TextKind::kComment && text.find('\n') != std::string::npos) {
    return "a comment has one line; write several comments";
  }
  constexpr std::string_view kBlanks = " \t\r\v\f";
  if (kind == TextKind::kComment && !text.empty() && kBlanks.find(text.back()) != kBlanks.npos) {
    return "a comment has no blanks at its end";
  }
  return {};
}

constexpr const char* kOperandForms =
    "a value: a text, a number, true, false, or an object {\"field\": …}, {\"date\": …}, "
    "{\"datetime\": …}, {\"now\": true} or {\"today\": true}";

// Of an object with one member: that one.
const JsonMember* only_member(const JsonValue& value) {
  const auto* const object = std::get_if<JsonObject>(&value.data);
  return object != nullptr && object->size() == 1 ? &object->front() : nullptr;
}

void read_true(Input& in, const JsonValue& value) {
  const bool* const truth = std::get_if<bool>(&value.data);
  if (truth == nullptr || !*truth) {
    in.expected("true", value);
  }
}

template <class T>
void read_into(Input& in, const JsonMember& member, Operand& out) {
  T leaf;
  read(in, member.value, leaf, Spec());
  out.value = std::move(leaf);
}

void read_operand_object(Input& in, const JsonValue& value, Operand& out, const char* forms) {
  const JsonMember* const member = only_member(value);
  if (member == nullptr) {
    in.expected(forms, value);
    return;
  }
  const Input::At at(in, member->name);
  if (member->name == kField) {
    read_into<FieldRef>(in, *member, out);
  } else if (member->name == kDateTime) {
    read_into<DateTime>(in, *member, out);
  } else if (member->name == kDate) {
    base::Date date;
    read_leaf(in, member->value, "a date such as \"2026-12-01\"", read_date, date);
    out.value = date;
  } else if (member->name == kNow) {
    read_true(in, member->value);
    out.value = Now{};
  } else if (member->name == kToday) {
    read_true(in, member->value);
    out.value = Today{};
  } else {
    static const std::vector<std::string> kForms = {std::string(kField), std::string(kDate),
                                                    std::string(kDateTime), std::string(kNow),
                                                    std::string(kToday)};
    const std::string_view meant = base::closest(member->name.substr(0, 20), kForms);
    in.wrong(fmt::format("this member is not known here{}",
                         meant.empty() ? "" : fmt::format("; did you mean \"{}\"?", meant)));
  }
}

void read_operand(Input& in, const JsonValue& value, Operand& out, const char* forms) {
  if (const auto* const text = std::get_if<std::string>(&value.data)) {
    std::string copy;
    read(in, value, copy, Spec{TextKind::kText});
    out.value = std::move(copy);
  } else if (const auto* const number = std::get_if<double>(&value.data)) {
    out.value = *number;
  } else if (const auto* const truth = std::get_if<bool>(&value.data)) {
    out.value = *truth;
  } else {
    read_operand_object(in, value, out, forms);
  }
}

}  // namespace

void read(Input& in, const JsonValue& value, std::string& out, const Spec& spec) {
  if (const std::string* const text = read_text(in, value, "a text")) {
    std::string complaint = complaint_about(*text, spec.text);
    if (complaint.empty()) {
      out = *text;
    } else {
      in.wrong(std::move(complaint));
    }
  }
}

void read(Input& in, const JsonValue& value, Name& out, const Spec& spec) {
  read(in, value, out.text, spec);
}

void read(Input& in, const JsonValue& value, FieldRef& out, const Spec& /*spec*/) {
  if (const std::string* const text = read_text(in, value, "the name of a field")) {
    if (is_field_name(*text)) {
      out.name = *text;
    } else {
      in.wrong(what_it_is(value) +
               " is not the name of a field: those are made of the letters a-z, digits, \"_\" and "
               "\".\"");
    }
  }
}

void read(Input& in, const JsonValue& value, bool& out, const Spec& /*spec*/) {
  if (const bool* const truth = std::get_if<bool>(&value.data)) {
    out = *truth;
  } else {
    in.expected("true or false", value);
  }
}

void read(Input& in, const JsonValue& value, double& out, const Spec& /*spec*/) {
  if (const double* const number = std::get_if<double>(&value.data)) {
    out = *number;
  } else {
    in.expected("a number", value);
  }
}

void read(Input& in, const JsonValue& value, DurationSpec& out, const Spec& /*spec*/) {
  read_leaf(in, value, "a duration such as \"1 day 12 hours\"", read_duration, out);
}

void read(Input& in, const JsonValue& value, TimeOfDay& out, const Spec& /*spec*/) {
  read_leaf(in, value, "a time of the day such as \"09:00\"", read_time, out);
}

void read(Input& in, const JsonValue& value, DateTime& out, const Spec& /*spec*/) {
  read_leaf(in, value, "a date and time such as \"2026-12-01T09:00\"", read_date_time, out);
}

void read(Input& in, const JsonValue& value, Days& out, const Spec& /*spec*/) {
  const auto* const list = std::get_if<JsonList>(&value.data);
  if (list == nullptr || list->empty() || list->size() > kDayNames.size()) {
    in.expected("a list of days such as [\"monday\", \"friday\"], each once", value);
    return;
  }
  static const std::vector<std::string> kDays(kDayNames.begin(), kDayNames.end());
  Days days;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const Input::At at(in, i);
    const auto* const name = std::get_if<std::string>(&(*list)[i].data);
    const auto day = name == nullptr ? kDays.end() : std::find(kDays.begin(), kDays.end(), *name);
    if (day == kDays.end()) {
      in.none_of(kDays, (*list)[i]);
      continue;
    }
    const auto bit = static_cast<std::uint8_t>(1U << (day - kDays.begin()));
    if ((days.bits & bit) != 0) {
      in.wrong("this day stands twice");
    }
    days.bits = static_cast<std::uint8_t>(days.bits | bit);
  }
  out = days;
}

void read(Input& in, const JsonValue& value, Operand& out, const Spec& /*spec*/) {
  read_operand(in, value, out, kOperandForms);
}

void read(Input& in, const JsonValue& value, std::variant<Operand, DurationSpec>& out,
          const Spec& spec) {
  const JsonMember* const member = only_member(value);
  if (member != nullptr && member->name == kDuration) {
    const Input::At at(in, member->name);
    read(in, member->value, out.emplace<DurationSpec>(), spec);
  } else {
    read_operand(in, value, out.emplace<Operand>(),
                 "a value or an object {\"duration\": …}; a value is a text, a number, true, "
                 "false, {\"field\": …}, {\"date\": …}, {\"datetime\": …}, {\"now\": true} or "
                 "{\"today\": true}");
  }
}

// ---- JSON behind `with`

namespace {

void read_json(Input& in, const JsonValue& value, Json& out, std::size_t depth);

bool fits(Input& in, std::size_t items, const char* what, std::size_t depth) {
  if (items > kMaxListItems) {
    in.wrong(
        fmt::format("more than {} {} are too many", base::with_thousands(kMaxListItems), what));
  } else if (depth == kMaxNesting) {
    in.wrong(fmt::format("this is nested more than {} deep", kMaxNesting));
  } else {
    return true;
  }
  return false;
}

void read_pair(Input& in, const JsonValue& value, Json::Object& out, std::size_t depth) {
  const auto* const pair = std::get_if<JsonList>(&value.data);
  if (pair == nullptr || pair->size() != 2) {
    in.expected("a list of two: a name and a value", value);
    return;
  }
  Json::Member member;
  {
    const Input::At at(in, std::size_t{0});
    read(in, (*pair)[0], member.first, Spec{TextKind::kText});
  }
  const Input::At at(in, std::size_t{1});
  read_json(in, (*pair)[1], member.second, depth);
  out.members.push_back(std::move(member));
}

void read_object(Input& in, const JsonValue& value, Json& out, std::size_t depth) {
  Json::Object result;
  if (const auto* const object = std::get_if<JsonObject>(&value.data)) {
    if (!fits(in, object->size(), "members of one object", depth)) {
      return;
    }
    std::vector<std::string_view> names;
    for (const JsonMember& member : *object) {
      const Input::At at(in, member.name);
      if (member.name.find('\0') != std::string::npos) {
        in.wrong("a text cannot have a zero character");
      }
      names.push_back(member.name);
      result.members.push_back({member.name, {}});
      read_json(in, member.value, result.members.back().second, depth + 1);
    }
    std::sort(names.begin(), names.end());
    if (const auto twice = std::adjacent_find(names.begin(), names.end()); twice != names.end()) {
      const Input::At at(in, *twice);
      in.wrong("this member stands twice; where that is meant write a list of [name, value]");
    }
  } else if (const auto* const pairs = std::get_if<JsonList>(&value.data)) {
    if (!fits(in, pairs->size(), "members of one object", depth)) {
      return;
    }
    for (std::size_t i = 0; i < pairs->size(); ++i) {
      const Input::At at(in, i);
      read_pair(in, (*pairs)[i], result, depth + 1);
    }
  } else {
    in.expected("an object, or a list of [name, value]", value);
  }
  out.value = std::move(result);
}

void read_json(Input& in, const JsonValue& value, Json& out, std::size_t depth) {
  if (const JsonMember* const member = only_member(value);
      member != nullptr && member->name == kObject) {
    const Input::At at(in, member->name);
    read_object(in, member->value, out, depth);
    return;
  }
  const auto* const list = std::get_if<JsonList>(&value.data);
  if (list == nullptr) {
    Operand operand;
    read_operand(in, value, operand,
                 "a value: a text, a number, true, false, a list, or an object {\"field\": …}, "
                 "{\"date\": …}, {\"datetime\": …}, {\"now\": true}, {\"today\": true} or "
                 "{\"object\": {…}}");
    out.value = std::move(operand);
    return;
  }
  if (!fits(in, list->size(), "values of one list", depth)) {
    return;
  }
  Json::List result;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const Input::At at(in, i);
    read_json(in, (*list)[i], result.items.emplace_back(), depth + 1);
  }
  out.value = std::move(result);
}

}  // namespace

void read_with(Input& in, const JsonValue& value, Json& out) { read_object(in, value, out, 0); }

}  // namespace turnout::track::json
