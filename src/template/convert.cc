#include "template/convert.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "template/json.h"
#include "template/number.h"
#include "template/text.h"

namespace turnout::tmpl {
namespace {

using base::Result;

constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();

// Appends a value that is no array; objects as JSON.
Result<void> append_single(std::string& to, const Value& value, Budget& budget) {
  switch (value.kind()) {
    case Value::Kind::kBoolean:
      to += value.as_boolean() ? "true" : "false";
      break;
    case Value::Kind::kNumber:
      to += number_text(value.as_number());
      break;
    case Value::Kind::kText:
      to += value.as_text();
      break;
    case Value::Kind::kObject: {
      TRYV(append_json(to, value, "", budget));
      break;
    }
    default:
      break;
  }
  if (to.size() > kMaxTextBytes) {
    return budget.text(to.size());
  }
  return base::ok();
}

Result<void> append_items(std::string& to, const Value& value, std::string_view between,
                          std::string_view between_inside, Budget& budget) {
  TRYV(budget.steps(1));
  if (!value.is_array()) {
    return append_single(to, value, budget);
  }
  bool first = true;
  for (const Value& item : value.items()) {
    if (!first) {
      to += between;
    }
    first = false;
    TRYV(append_items(to, item, between_inside, between_inside, budget));
  }
  return base::ok();
}

// Items and members: whether the word `empty` describes it.
bool is_empty(const Value& value) {
  return (value.is_text() && value.as_text().empty()) ||
         (value.is_array() && value.items().empty()) ||
         (value.is_object() && value.members().empty());
}

bool is_blank(const Value& value) {
  return value.is_nil() || (value.kind() == Value::Kind::kBoolean && !value.as_boolean()) ||
         (value.is_text() && trim(value.as_text()).empty()) || is_empty(value);
}

bool is_word(const Value& value) {
  return value.kind() == Value::Kind::kEmpty || value.kind() == Value::Kind::kBlank;
}

bool equals_word(Value::Kind word, const Value& value) {
  return word == Value::Kind::kEmpty ? is_empty(value) : is_blank(value);
}

Value item_at(const Value::Items& items, double index) {
  const auto size = static_cast<double>(items.size());
  const double at = index < 0 ? size + index : index;
  if (!(at >= 0) || at >= size || at != std::floor(at)) {
    return {};
  }
  return items[static_cast<std::size_t>(at)];
}

Value array_member(const Value& value, const std::string& name) {
  const Value::Items& items = value.items();
  if (name == "size") {
    return Value::number(static_cast<double>(items.size()));
  }
  if (name == "first") {
    return item_at(items, 0);
  }
  if (name == "last") {
    return item_at(items, -1);
  }
  const bool number = !name.empty() && name.size() < 10 &&
                      std::all_of(name.begin(), name.end(), is_ascii_digit) &&
                      (name.size() == 1 || name[0] != '0');
  return number ? item_at(items, text_number(name)) : Value();
}

}  // namespace

Result<std::string> text_of(const Value& value, Budget& budget) {
  if (value.is_text()) {
    return value.as_text();
  }
  std::string text;
  TRYV(append_items(text, value, "", "", budget));
  TRYV(budget.text(text.size()));
  return text;
}

Result<std::string> joined_text_of(const Value& value, std::string_view between, Budget& budget) {
  std::string text;
  TRYV(append_items(text, value, between, ",", budget));
  TRYV(budget.text(text.size()));
  return text;
}

Result<double> number_in(const Value& value, Budget& budget) {
  switch (value.kind()) {
    case Value::Kind::kNil:
    case Value::Kind::kEmpty:
    case Value::Kind::kBlank:
      return 0.0;
    case Value::Kind::kBoolean:
      return value.as_boolean() ? 1.0 : 0.0;
    case Value::Kind::kNumber:
      return value.as_number();
    case Value::Kind::kText: {
      TRYV(budget.reading(value.as_text()));
      return text_number(value.as_text());
    }
    case Value::Kind::kArray: {
      TRY(const std::string text, joined_text_of(value, ",", budget));
      return text_number(text);
    }
    default:
      return kNoNumber;
  }
}

Result<double> number_of(const Value& value, Budget& budget) {
  TRY(const double number, number_in(value, budget));
  return std::isnan(number) ? 0 : number;
}

Result<std::string> json_of(const Value& value, std::string_view indent, Budget& budget) {
  std::string text;
  TRYV(append_json(text, value, indent, budget));
  TRYV(budget.text(text.size()));
  return text;
}

Result<bool> equal(const Value& a, const Value& b, Budget& budget) {
  TRYV(budget.steps(1));
  if (is_word(a) || is_word(b)) {
    // A word equals what it describes, and no other word.
    return is_word(a) && is_word(b) ? false
           : is_word(a)             ? equals_word(a.kind(), b)
                                    : equals_word(b.kind(), a);
  }
  if (a.is_nil() || b.is_nil()) {
    return a.is_nil() && b.is_nil();
  }
  if (a.kind() != b.kind()) {
    return false;
  }
  switch (a.kind()) {
    case Value::Kind::kBoolean:
      return a.as_boolean() == b.as_boolean();
    case Value::Kind::kNumber:
      return a.as_number() == b.as_number();
    case Value::Kind::kText: {
      TRYV(budget.reading(a.as_text()));
      return a.as_text() == b.as_text();
    }
    case Value::Kind::kArray: {
      if (a.items().size() != b.items().size()) {
        return false;
      }
      for (std::size_t i = 0; i < a.items().size(); ++i) {
        TRY(const bool same, equal(a.items()[i], b.items()[i], budget));
        if (!same) {
          return false;
        }
      }
      return true;
    }
    default:
      return a.identity() == b.identity();
  }
}

Result<Order> order(const Value& a, const Value& b, Budget& budget) {
  TRYV(budget.steps(1));
  const auto comparable = [](const Value& value) {
    return value.is_text() || value.is_number() || value.kind() == Value::Kind::kBoolean;
  };
  if (!comparable(a) || !comparable(b)) {
    return Order::kNone;
  }
  if (a.is_text() && b.is_text()) {
    TRYV(budget.reading(a.as_text()));
    const int order = a.as_text().compare(b.as_text());
    return order < 0 ? Order::kLess : order > 0 ? Order::kGreater : Order::kEqual;
  }
  TRY(const double x, number_in(a, budget));
  TRY(const double y, number_in(b, budget));
  return x < y ? Order::kLess : x > y ? Order::kGreater : x == y ? Order::kEqual : Order::kNone;
}

Result<bool> contains(const Value& whole, const Value& part, Budget& budget) {
  if (whole.is_array()) {
    for (const Value& item : whole.items()) {
      TRY(const bool same, equal(item, part, budget));
      if (same) {
        return true;
      }
    }
    return false;
  }
  if (!whole.is_text() || part.is_nil() || part.is_object()) {
    return false;
  }
  TRYV(budget.reading(whole.as_text()));
  TRY(const std::string text, joined_text_of(part, ",", budget));
  return whole.as_text().find(text) != std::string::npos;
}

Result<Value::Items> items_of(const Value& value, Budget& budget) {
  if (value.is_array()) {
    TRYV(budget.array(value.items().size()));
    return value.items();
  }
  return value.is_nil() ? Value::Items() : Value::Items{value};
}

Result<Value::Items> loop_items_of(const Value& value, Budget& budget) {
  if (value.is_array()) {
    TRYV(budget.array(value.items().size()));
    return value.items();
  }
  if (value.is_text() && !value.as_text().empty()) {
    return Value::Items{value};
  }
  Value::Items items;
  if (value.is_object()) {
    TRYV(budget.array(value.members().size()));
    for (const auto& [name, of] : value.members()) {
      items.push_back(Value::array({Value(name), of}));
    }
  }
  return items;
}

std::string sameness(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kBoolean:
      return value.as_boolean() ? "t" : "f";
    case Value::Kind::kNumber:
      return "#" + number_text(value.as_number());
    case Value::Kind::kText:
      return "\"" + value.as_text();
    case Value::Kind::kArray:
    case Value::Kind::kObject:
      return "@" + std::to_string(reinterpret_cast<std::uintptr_t>(value.identity()));
    default:
      return "";
  }
}

Value member(const Value& value, const Value& key) {
  if (value.is_array() && key.is_number()) {
    return item_at(value.items(), key.as_number());
  }
  const std::string name = key.is_text()     ? key.as_text()
                           : key.is_number() ? number_text(key.as_number())
                           : key.kind() == Value::Kind::kBoolean
                               ? (key.as_boolean() ? "true" : "false")
                               : std::string();
  if (value.is_array()) {
    return array_member(value, name);
  }
  if (value.is_text()) {
    return name == "size" ? Value::number(static_cast<double>(count_points(value.as_text())))
                          : Value();
  }
  if (!value.is_object()) {
    return {};
  }
  if (const Value* const found = value.find(name)) {
    return *found;
  }
  return name == "size" ? Value::number(static_cast<double>(value.members().size())) : Value();
}

}  // namespace turnout::tmpl
