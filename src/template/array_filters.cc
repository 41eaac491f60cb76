// Filters for arrays.

#include <algorithm>
#include <cmath>
#include <set>

#include "template/convert.h"
#include "template/filters.h"
#include "template/property.h"
#include "template/text.h"

namespace turnout::tmpl {
namespace {

using base::Result;

Result<Value> join(const Value& input, const Arguments& arguments, Surroundings& s) {
  TRY(const auto items, items_of(input, s.budget));
  std::string between = " ";
  if (!arguments[0].is_nil()) {
    TRY(between, text_of(arguments[0], s.budget));
  }
  TRYV(s.budget.text(between.size() * items.size()));
  TRY(std::string text, joined_text_of(Value::array(items), between, s.budget));
  return Value(std::move(text));
}

Result<Value> sentence(const Value& input, const Arguments& arguments, Surroundings& s) {
  TRY(const auto items, items_of(input, s.budget));
  std::string connector = "and";
  if (!arguments[0].is_missing()) {
    TRY(connector, text_of(arguments[0], s.budget));
  }
  std::string out;
  for (std::size_t i = 0; i < items.size(); ++i) {
    TRY(const std::string text, joined_text_of(items[i], ",", s.budget));
    const bool last = i > 0 && i + 1 == items.size();
    if (i > 0) {
      out += items.size() > 2 ? ", " : " ";
    }
    if (last) {
      out += connector;
      out += ' ';
    }
    out += text;
    if (out.size() > kMaxTextBytes) {
      break;
    }
  }
  return made_text(std::move(out), s);
}

Result<Value> first(const Value& input, const Arguments& /*arguments*/, Surroundings& /*s*/) {
  if (input.is_array()) {
    return input.items().empty() ? Value() : input.items().front();
  }
  const std::string_view text = input.is_text() ? input.as_text() : std::string_view();
  return Value(text.substr(0, advance(text, 0, 1)));
}

Result<Value> last(const Value& input, const Arguments& /*arguments*/, Surroundings& /*s*/) {
  if (input.is_array()) {
    return input.items().empty() ? Value() : input.items().back();
  }
  const std::string_view text = input.is_text() ? input.as_text() : std::string_view();
  return Value(
      text.empty() ? text : text.substr(text.size() - code_point_before(text, text.size()).bytes));
}

Result<Value> reverse(const Value& input, const Arguments& /*arguments*/, Surroundings& s) {
  TRY(auto items, items_of(input, s.budget));
  std::reverse(items.begin(), items.end());
  return made_array(std::move(items), s);
}

Result<Value> map(const Value& input, const Arguments& arguments, Surroundings& s) {
  TRY(auto items, items_of(input, s.budget));
  TRY(const std::string text, text_of(arguments[0], s.budget));
  const std::vector<Value> path = dotted_property(text);
  TRYV(s.budget.steps(items.size() * path.size()));
  for (Value& item : items) {
    item = property_of(item, path);
  }
  return made_array(std::move(items), s);
}

Result<Value> sum(const Value& input, const Arguments& arguments, Surroundings& s) {
  TRY(const auto items, items_of(input, s.budget));
  TRY(const std::string text, text_of(arguments[0], s.budget));
  const std::vector<Value> path = text.empty() ? std::vector<Value>() : dotted_property(text);
  TRYV(s.budget.steps(items.size() * path.size()));
  double total = 0;
  for (const Value& item : items) {
    TRY(const double number, number_of(property_of(item, path), s.budget));
    total += number;
  }
  return Value::number(total);
}

Result<Value> compact(const Value& input, const Arguments& /*arguments*/, Surroundings& s) {
  TRY(auto items, items_of(input, s.budget));
  std::erase_if(items, [](const Value& item) { return item.is_nil(); });
  return made_array(std::move(items), s);
}

Result<Value> concat(const Value& input, const Arguments& arguments, Surroundings& s) {
  TRY(auto items, items_of(input, s.budget));
  TRY(const auto more, items_of(arguments[0], s.budget));
  items.insert(items.end(), more.begin(), more.end());
  return made_array(std::move(items), s);
}

Result<Value> push(const Value& input, const Arguments& arguments, Surroundings& s) {
  TRY(auto items, items_of(input, s.budget));
  items.push_back(arguments[0]);
  return made_array(std::move(items), s);
}

Result<Value> unshift(const Value& input, const Arguments& arguments, Surroundings& s) {
  TRY(auto items, items_of(input, s.budget));
  items.insert(items.begin(), arguments[0]);
  return made_array(std::move(items), s);
}

Result<Value> pop(const Value& input, const Arguments& /*arguments*/, Surroundings& s) {
  TRY(auto items, items_of(input, s.budget));
  if (!items.empty()) {
    items.pop_back();
  }
  return made_array(std::move(items), s);
}

Result<Value> shift(const Value& input, const Arguments& /*arguments*/, Surroundings& s) {
  TRY(auto items, items_of(input, s.budget));
  if (!items.empty()) {
    items.erase(items.begin());
  }
  return made_array(std::move(items), s);
}

Result<Value> uniq(const Value& input, const Arguments& /*arguments*/, Surroundings& s) {
  TRY(auto items, items_of(input, s.budget));
  std::set<std::string> seen;
  Value::Items kept;
  for (Value& item : items) {
    const std::string key = sameness(item);
    TRYV(s.budget.reading(key));
    if (seen.insert(key).second) {
      kept.push_back(std::move(item));
    }
  }
  return made_array(std::move(kept), s);
}

// An item with what it is sorted by.
struct Keyed {
  Value key;
  Value item;
};

// Whether `a` stands before `b`: nil comes last. `natural` compares texts in lower case.
Result<bool> before(const Value& a, const Value& b, Budget& budget) {
  if (a.is_nil() || b.is_nil()) {
    return !a.is_nil() && b.is_nil();
  }
  TRY(const Order found, order(a, b, budget));
  return found == Order::kLess;
}

// Merge sort, stable: what cannot be compared (a text that is no number with a number) makes no
// sense of an order, and must not make any algorithm of the standard library go astray.
Result<void> sort_keyed(std::vector<Keyed>& items, Budget& budget) {
  std::vector<Keyed> merged(items.size());
  for (std::size_t width = 1; width < items.size(); width *= 2) {
    for (std::size_t begin = 0; begin < items.size(); begin += 2 * width) {
      const std::size_t middle = std::min(begin + width, items.size());
      const std::size_t end = std::min(begin + 2 * width, items.size());
      std::size_t left = begin;
      std::size_t right = middle;
      for (std::size_t to = begin; to < end; ++to) {
        bool from_right = left == middle;
        if (!from_right && right < end) {
          TRY(from_right, before(items[right].key, items[left].key, budget));
        }
        merged[to] = std::move(from_right ? items[right++] : items[left++]);
      }
    }
    std::swap(items, merged);
  }
  return base::ok();
}

template <bool kNatural>
Result<Value> sorted(const Value& input, const Arguments& arguments, Surroundings& s) {
  TRY(const auto items, items_of(input, s.budget));
  TRY(const std::string text, text_of(arguments[0], s.budget));
  const std::vector<Value> path = text.empty() ? std::vector<Value>() : dotted_property(text);
  TRYV(s.budget.steps(items.size() * path.size()));
  std::vector<Keyed> keyed;
  keyed.reserve(items.size());
  for (const Value& item : items) {
    Value key = property_of(item, path);
    if (kNatural && !key.is_nil()) {
      TRY(const std::string whole_key, joined_text_of(key, ",", s.budget));
      key = Value(lower(whole_key));
    }
    keyed.push_back({std::move(key), item});
  }
  TRYV(sort_keyed(keyed, s.budget));
  Value::Items result;
  result.reserve(keyed.size());
  for (Keyed& one : keyed) {
    result.push_back(std::move(one.item));
  }
  return made_array(std::move(result), s);
}

constexpr FilterSpec kArrayFilters[] = {
    {"join", 0, 1, join},
    {"array_to_sentence_string", 0, 1, sentence},
    {"first", 0, 0, first},
    {"last", 0, 0, last},
    {"reverse", 0, 0, reverse},
    {"map", 1, 1, map},
    {"sum", 0, 1, sum},
    {"compact", 0, 0, compact},
    {"concat", 1, 1, concat},
    {"push", 1, 1, push},
    {"unshift", 1, 1, unshift},
    {"pop", 0, 0, pop},
    {"shift", 0, 0, shift},
    {"uniq", 0, 0, uniq},
    {"sort", 0, 1, sorted<false>},
    {"sort_natural", 0, 1, sorted<true>},
};

}  // namespace

std::span<const FilterSpec> array_filters() { return kArrayFilters; }

}  // namespace turnout::tmpl
