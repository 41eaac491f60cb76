// Filters that change texts character by character, or by parts of them.

#include <algorithm>
#include <functional>

#include "template/convert.h"
#include "template/filters.h"
#include "template/text.h"

namespace turnout::tmpl {
namespace {

using base::Result;

template <std::string (*kOf)(std::string_view)>
Result<Value> mapped(const Value& input, const Arguments& /*arguments*/, Surroundings& s) {
  TRY(const std::string text, text_of(input, s.budget));
  return made_text(kOf(text), s);
}

std::string capitalized(std::string_view text) {
  const std::size_t first = advance(text, 0, 1);
  return upper(text.substr(0, first)) + lower(text.substr(first));
}

std::string squished(std::string_view text) { return with_single_blanks(trim(text)); }

std::string without_newlines(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool pair = text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
    if (!pair && text[i] != '\n') {
      out += text[i];
    }
  }
  return out;
}

Result<Value> append(const Value& input, const Arguments& arguments, Surroundings& s) {
  TRY(const std::string text, text_of(input, s.budget));
  TRY(const std::string more, text_of(arguments[0], s.budget));
  return made_text(text + more, s);
}

Result<Value> prepend(const Value& input, const Arguments& arguments, Surroundings& s) {
  TRY(const std::string text, text_of(input, s.budget));
  TRY(const std::string more, text_of(arguments[0], s.budget));
  return made_text(more + text, s);
}

enum class Side { kLeft, kRight, kBoth };

// Takes white space, or the characters given, from the ends.
template <Side kSide>
Result<Value> stripped(const Value& input, const Arguments& arguments, Surroundings& s) {
  TRY(const std::string all, text_of(input, s.budget));
  TRY(const std::string chars, text_of(arguments[0], s.budget));
  std::vector<char32_t> set = code_points(chars);
  std::sort(set.begin(), set.end());
  const auto goes = [&](char32_t point) {
    return set.empty() ? is_space(point) : std::binary_search(set.begin(), set.end(), point);
  };
  std::string_view text = all;
  while (kSide != Side::kRight && !text.empty() && goes(code_point_at(text, 0).value)) {
    text.remove_prefix(code_point_at(text, 0).bytes);
  }
  while (kSide != Side::kLeft && !text.empty() &&
         goes(code_point_before(text, text.size()).value)) {
    text.remove_suffix(code_point_before(text, text.size()).bytes);
  }
  return made_text(std::string(text), s);
}

// Replaces all; a text of no characters stands between any two.
Result<std::string> all_replaced(std::string_view text, std::string_view from, std::string_view to,
                                 Budget& budget) {
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t found =
        from.empty() ? advance(text, at, 1) : std::min(text.find(from, at), text.size());
    out += text.substr(at, found - at);
    at = found;
    if (found < text.size()) {
      out += to;
      at += from.size();
    }
    if (out.size() > kMaxTextBytes) {
      TRYV(budget.text(out.size()));
    }
  }
  return out;
}

Result<Value> replace(const Value& input, const Arguments& arguments, Surroundings& s) {
  TRY(const std::string text, text_of(input, s.budget));
  TRY(const std::string from, text_of(arguments[0], s.budget));
  TRY(const std::string to, text_of(arguments[1], s.budget));
  TRY(std::string out, all_replaced(text, from, to, s.budget));
  return made_text(std::move(out), s);
}

template <bool kLast>
Result<Value> replace_one(const Value& input, const Arguments& arguments, Surroundings& s) {
  TRY(std::string text, text_of(input, s.budget));
  TRY(const std::string from, text_of(arguments[0], s.budget));
  TRY(const std::string to, text_of(arguments[1], s.budget));
  const std::size_t at = kLast ? text.rfind(from) : text.find(from);
  if (at != std::string::npos) {
    text.replace(at, from.size(), to);
  }
  return made_text(std::move(text), s);
}

constexpr FilterSpec kTextFilters[] = {
    {"upcase", 0, 0, mapped<upper>},
    {"downcase", 0, 0, mapped<lower>},
    {"capitalize", 0, 0, mapped<capitalized>},
    {"strip_newlines", 0, 0, mapped<without_newlines>},
    {"normalize_whitespace", 0, 0, mapped<with_single_blanks>},
    {"squish", 0, 0, mapped<squished>},
    {"append", 1, 1, append},
    {"prepend", 1, 1, prepend},
    {"strip", 0, 1, stripped<Side::kBoth>},
    {"lstrip", 0, 1, stripped<Side::kLeft>},
    {"rstrip", 0, 1, stripped<Side::kRight>},
    {"replace", 1, 2, replace},
    {"replace_first", 1, 2, replace_one<false>},
    {"replace_last", 1, 2, replace_one<true>},
    {"remove", 1, 1, replace},
    {"remove_first", 1, 1, replace_one<false>},
    {"remove_last", 1, 1, replace_one<true>},
};

}  // namespace

std::span<const FilterSpec> text_filters() { return kTextFilters; }

}  // namespace turnout::tmpl
