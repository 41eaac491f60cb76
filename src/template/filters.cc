#include "template/filters.h"

#include <algorithm>

namespace turnout::tmpl {
namespace {

using FilterGroup = std::span<const FilterSpec> (*)();
constexpr FilterGroup kGroups[] = {html_filters,  number_filters, text_filters, word_filters,
                                   array_filters, search_filters, date_filters, code_filters};

}  // namespace

const Value& Arguments::operator[](std::size_t i) const {
  static const Value kMissing;
  return i < values.size() ? values[i] : kMissing;
}

const FilterSpec* find_filter(std::string_view name) {
  for (const FilterGroup group : kGroups) {
    const std::span<const FilterSpec> filters = group();
    const auto found = std::find_if(filters.begin(), filters.end(),
                                    [&](const FilterSpec& filter) { return filter.name == name; });
    if (found != filters.end()) {
      return &*found;
    }
  }
  return nullptr;
}

const std::vector<std::string>& filter_names() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names;
    for (const FilterGroup group : kGroups) {
      for (const FilterSpec& filter : group()) {
        names.emplace_back(filter.name);
      }
    }
    return names;
  }();
  return kNames;
}

std::string why_no_filter(std::string_view name) {
  if (name == "sample") {
    return "the filter \"sample\" draws at random, and a message that is tried again must be the "
           "same; take \"first\", or choose in the track";
  }
  return {};
}

base::Result<Value> made_text(std::string text, Surroundings& surroundings) {
  TRYV(surroundings.budget.text(text.size()));
  return Value(std::move(text));
}

base::Result<Value> made_array(Value::Items items, Surroundings& surroundings) {
  TRYV(surroundings.budget.array(items.size()));
  Value array = Value::array(std::move(items));
  if (array.depth() > kMaxValueDepth) {
    return base::fail(base::ErrorCode::kExhausted,
                      "arrays may be " + std::to_string(kMaxValueDepth) + " deep at most");
  }
  return array;
}

}  // namespace turnout::tmpl
