// Filters that cut texts: into words, items and lengths.

#include <algorithm>
#include <cmath>

#include "template/convert.h"
#include "template/filters.h"
#include "template/number.h"
#include "template/text.h"

namespace turnout::tmpl {
namespace {

using base::Result;

Result<double> number_or(const Value& value, double otherwise, Budget& budget) {
  return value.is_missing() ? Result<double>(otherwise) : number_of(value, budget);
}

Result<std::string> text_or(const Value& value, const char* otherwise, Budget& budget) {
  return value.is_missing() ? Result<std::string>(otherwise) : text_of(value, budget);
}

Result<Value> truncate(const Value& input, const Arguments& arguments, Surroundings& s) {
  TRY(const std::string text, text_of(input, s.budget));
  TRY(const double given, number_or(arguments[0], 50, s.budget));
  TRY(const std::string end, text_or(arguments[1], "...", s.budget));
  const std::ptrdiff_t most = whole(std::ceil(given));
  if (static_cast<std::ptrdiff_t>(count_points(text)) <= most) {
    return input;
  }
  const std::ptrdiff_t kept = most - static_cast<std::ptrdiff_t>(count_points(end));
  const std::size_t bytes =
      advance(text, 0, static_cast<std::size_t>(std::max<std::ptrdiff_t>(kept, 0)));
  return made_text(text.substr(0, bytes) + end, s);
}

// Parts between runs of white space; a run at the end has an empty part behind it.
std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    if (!is_space(point.value)) {
      at += point.bytes;
      continue;
    }
    words.push_back(text.substr(begin, at - begin));
    at = begin = text.size() - trim_left(text.substr(at)).size();
  }
  words.push_back(text.substr(begin));
  return words;
}

Result<Value> truncatewords(const Value& input, const Arguments& arguments, Surroundings& s) {
  TRY(const std::string text, text_of(input, s.budget));
  TRY(const double given, number_or(arguments[0], 15, s.budget));
  TRY(const std::string end, text_or(arguments[1], "...", s.budget));
  const auto words = words_of(trim_left(text));
  const auto most = static_cast<std::size_t>(std::max<std::ptrdiff_t>(whole(given), 1));
  std::string out;
  for (std::size_t i = 0; i < std::min(most, words.size()); ++i) {
    out += i == 0 ? "" : " ";
    out += words[i];
  }
  return made_text(words.size() >= most ? out + end : out, s);
}

// Chinese, Japanese and Korean characters, which count as a word each.
bool is_cjk(char32_t point) {
  return (point >= 0x4e00 && point <= 0x9fff) || (point >= 0xf900 && point <= 0xfaff) ||
         (point >= 0x3400 && point <= 0x4dbf) || (point >= 0x3040 && point <= 0x30ff) ||
         (point >= 0xac00 && point <= 0xd7af);
}

Result<Value> number_of_words(const Value& input, const Arguments& arguments, Surroundings& s) {
  TRY(const std::string all, text_of(input, s.budget));
  TRY(const std::string mode, text_of(arguments[0], s.budget));
  const std::string_view text = trim(all);
  std::size_t plain = 0;
  std::size_t cjk = 0;
  std::size_t between = 0;  // runs of other characters, which CJK characters end too
  bool in_word = false;
  bool in_run = false;
  for (const char32_t point : code_points(text)) {
    const bool space = is_space(point);
    const bool one = is_cjk(point);
    plain += !space && !in_word ? 1 : 0;
    in_word = !space;
    cjk += one ? 1 : 0;
    between += !space && !one && !in_run ? 1 : 0;
    in_run = !space && !one;
  }
  const bool by_character = mode == "cjk" || (mode == "auto" && cjk > 0);
  return Value::number(static_cast<double>(by_character ? cjk + between : plain));
}

Result<Value> split(const Value& input, const Arguments& arguments, Surroundings& s) {
  TRY(const std::string text, text_of(input, s.budget));
  TRY(const std::string by, text_of(arguments[0], s.budget));
  std::vector<std::string_view> parts;
  const std::string_view view = text;
  for (std::size_t at = 0; at < view.size() || (at == 0 && !by.empty());) {
    const std::size_t end = by.empty() ? advance(view, at, 1) : view.find(by, at);
    parts.push_back(view.substr(at, end == std::string_view::npos ? end : end - at));
    if (end == std::string_view::npos) {
      break;
    }
    at = end + by.size();
  }
  while (!parts.empty() && parts.back().empty()) {
    parts.pop_back();
  }
  TRYV(s.budget.array(parts.size()));
  Value::Items items;
  for (const std::string_view part : parts) {
    items.emplace_back(part);
  }
  return made_array(std::move(items), s);
}

Result<Value> slice_array(const Value& input, double begin, double length) {
  const Value::Items& items = input.items();
  const std::ptrdiff_t size = std::ssize(items);
  const std::ptrdiff_t from = std::min(whole(begin), size);
  const std::ptrdiff_t to = std::min(from + whole(length), size);
  return Value::array(Value::Items(items.begin() + from, items.begin() + to));
}

Result<Value> slice(const Value& input, const Arguments& arguments, Surroundings& s) {
  if (input.is_nil()) {
    return Value::array({});
  }
  TRY(double begin, number_of(arguments[0], s.budget));
  TRY(const double length, number_or(arguments[1], 1, s.budget));
  const bool array = input.is_array();
  std::string text;
  if (array) {
    TRYV(s.budget.array(input.items().size()));
  } else {
    TRY(text, text_of(input, s.budget));
  }
  if (begin < 0) {
    begin += static_cast<double>(array ? input.items().size() : count_points(text));
  }
  if (begin < 0 || length < 0) {
    // Not as one expression: GCC 12 warns of a value that it takes for uninitialized.
    if (array) {
      return Value::array({});
    }
    return Value("");
  }
  if (array) {
    return slice_array(input, begin, length);
  }
  const std::size_t from = advance(text, 0, static_cast<std::size_t>(whole(std::ceil(begin))));
  const std::size_t to = advance(text, from, static_cast<std::size_t>(whole(std::ceil(length))));
  return made_text(text.substr(from, to - from), s);
}

Result<Value> size_of(const Value& input, const Arguments& /*arguments*/, Surroundings& /*s*/) {
  if (input.is_array()) {
    return Value::number(static_cast<double>(input.items().size()));
  }
  return Value::number(input.is_text() ? static_cast<double>(count_points(input.as_text())) : 0.0);
}

constexpr FilterSpec kWordFilters[] = {
    {"truncate", 0, 2, truncate},
    {"truncatewords", 0, 2, truncatewords},
    {"number_of_words", 0, 1, number_of_words},
    {"split", 1, 1, split},
    {"slice", 1, 2, slice},
    {"size", 0, 0, size_of},
};

}  // namespace

std::span<const FilterSpec> word_filters() { return kWordFilters; }

}  // namespace turnout::tmpl
