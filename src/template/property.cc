#include "template/property.h"

#include <cmath>

#include "template/convert.h"
#include "template/number.h"
#include "template/text.h"

namespace turnout::tmpl {
namespace {

// The key between brackets.
Value bracket_key(std::string_view inside) {
  inside = trim(inside);
  if (inside.size() >= 2 && (inside.front() == '"' || inside.front() == '\'') &&
      inside.back() == inside.front()) {
    return Value(inside.substr(1, inside.size() - 2));
  }
  const double number = text_number(inside);
  return std::isnan(number) || inside.empty() ? Value(inside) : Value::number(number);
}

}  // namespace

std::vector<Value> dotted_property(std::string_view text) {
  std::vector<Value> keys;
  while (true) {
    const std::size_t dot = text.find('.');
    keys.emplace_back(text.substr(0, dot));
    if (dot == std::string_view::npos) {
      return keys;
    }
    text.remove_prefix(dot + 1);
  }
}

std::vector<Value> property_path(std::string_view text) {
  std::vector<Value> keys;
  text = trim(text);
  while (!text.empty()) {
    if (text.front() == '[') {
      const std::size_t close = text.find(']');
      if (close == std::string_view::npos) {
        break;
      }
      keys.push_back(bracket_key(text.substr(1, close - 1)));
      text.remove_prefix(close + 1);
      continue;
    }
    if (text.front() == '.') {
      text.remove_prefix(1);
    }
    const std::size_t end = std::min(text.find_first_of(".["), text.size());
    if (end == 0) {
      break;
    }
    keys.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return keys;
}

Value property_of(const Value& item, const std::vector<Value>& keys) {
  Value value = item;
  for (const Value& key : keys) {
    value = value.is_nil() ? value : member(value, key);
  }
  return value;
}

}  // namespace turnout::tmpl
