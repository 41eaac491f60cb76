#pragma once

// The filters of Liquid: what each takes and what it does. One file per kind of filter.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "template/budget.h"
#include "template/template.h"
#include "template/value.h"

namespace turnout::tmpl {

// What a filter may use beside its input and arguments.
struct Surroundings {
  Budget& budget;
  const RenderOptions& options;
};

struct Arguments {
  std::vector<Value> values;  // as many as were written, at least FilterSpec::fewest
  bool allow_false = false;   // of `default`
  // Of filters that ask a question about each item.
  std::function<base::Result<Value>(const Value& item)> question;

  std::size_t size() const { return values.size(); }
  // The argument, or a missing value.
  const Value& operator[](std::size_t i) const;
};

using FilterFunction = base::Result<Value> (*)(const Value& input, const Arguments& arguments,
                                               Surroundings& surroundings);

enum class Takes : std::uint8_t { kValues, kQuestion };
enum class Makes : std::uint8_t { kValue, kRaw, kJson };  // kRaw: is not escaped

struct FilterSpec {
  std::string_view name;
  std::uint8_t fewest = 0;  // arguments
  std::uint8_t most = 0;
  FilterFunction apply = nullptr;
  Takes takes = Takes::kValues;
  Makes makes = Makes::kValue;
  std::string_view named = {};  // the one argument that is given by its name
};

// Null if there is none of that name.
const FilterSpec* find_filter(std::string_view name);
const std::vector<std::string>& filter_names();
// Why a filter that others have is not here; empty if nobody has it.
std::string why_no_filter(std::string_view name);

// By file.
std::span<const FilterSpec> html_filters();
std::span<const FilterSpec> number_filters();
std::span<const FilterSpec> text_filters();
std::span<const FilterSpec> word_filters();
std::span<const FilterSpec> array_filters();
std::span<const FilterSpec> search_filters();
std::span<const FilterSpec> date_filters();
std::span<const FilterSpec> code_filters();

// A text that a filter has made.
base::Result<Value> made_text(std::string text, Surroundings& surroundings);
base::Result<Value> made_array(Value::Items items, Surroundings& surroundings);

}  // namespace turnout::tmpl
