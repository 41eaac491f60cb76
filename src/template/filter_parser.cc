// Filters and quoted texts (expression_parser.h).

#include <algorithm>
#include <optional>

#include "template/expression_parser.h"
#include "template/filters.h"
#include "template/limits.h"
#include "template/source.h"
#include "template/text.h"

namespace turnout::tmpl {
namespace {

using base::Result;

// The number of at most `most` digits of that base at `at`, which moves on.
char32_t read_code(std::string_view text, std::size_t& at, std::size_t most, unsigned radix) {
  char32_t value = 0;
  for (std::size_t i = 0; i < most && at < text.size(); ++i, ++at) {
    const char c = text[at];
    unsigned digit = radix;
    if (is_ascii_digit(c)) {
      digit = static_cast<unsigned>(c - '0');
    } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
      digit = static_cast<unsigned>((c | 0x20) - 'a') + 10;
    }
    if (digit >= radix) {
      break;
    }
    value = value * radix + digit;
  }
  return value;
}

// \uXXXX; two that are the halves of one code point (UTF-16) become that.
char32_t read_unicode(std::string_view text, std::size_t& at) {
  const char32_t first = read_code(text, at, 4, 16);
  if (first < 0xd800 || first > 0xdbff || !text.substr(at).starts_with("\\u")) {
    return first;
  }
  std::size_t ahead = at + 2;
  const char32_t second = read_code(text, ahead, 4, 16);
  if (second < 0xdc00 || second > 0xdfff) {
    return first;
  }
  at = ahead;
  return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
}

// What the backslash at `at` and what follows it stand for.
void append_escape(std::string& to, std::string_view text, std::size_t& at) {
  constexpr std::string_view kLetters = "bfnrtv";
  constexpr std::string_view kMeant = "\b\f\n\r\t\v";
  const char c = ++at < text.size() ? text[at] : '\\';
  if (const std::size_t found = kLetters.find(c); found != std::string_view::npos) {
    to += kMeant[found];
    ++at;
  } else if (c == 'u') {
    append_utf8(to, read_unicode(text, ++at));
  } else if (c >= '0' && c <= '7') {
    append_utf8(to, read_code(text, at, 3, 8));
  } else {
    to += c;
    ++at;
  }
}

}  // namespace

Result<std::string> ExpressionParser::quoted() {
  const char quote = next();
  std::size_t end = at_ + 1;
  while (end < part_.size() && part_[end] != quote) {
    end += part_[end] == '\\' ? 2 : 1;
  }
  if (end >= part_.size()) {
    return wrong(std::string("the quote ") + quote + " is not closed");
  }
  const std::string_view inside = part_.substr(at_ + 1, end - at_ - 1);
  std::string text;
  for (std::size_t at = 0; at < inside.size();) {
    if (inside[at] == '\\') {
      append_escape(text, inside, at);
    } else {
      text += inside[at++];
    }
  }
  at_ = end + 1;
  return text;
}

Result<FilterCall> ExpressionParser::filter() {
  skip_space();
  const std::size_t begin = offset();
  const std::string_view name = peek_name();
  if (name.empty()) {
    return wrong("a filter is missing behind |");
  }
  FilterCall call;
  call.filter = find_filter(name);
  if (call.filter == nullptr) {
    const std::string why = why_no_filter(name);
    return wrong(why.empty()
                     ? "there is no filter " + shown(name) + did_you_mean(name, filter_names())
                     : why);
  }
  at_ += name.size();
  if (take(':')) {
    TRYV(arguments(call));
  }
  TRYV(check_arguments(call, begin));
  if (call.filter->takes == Takes::kQuestion) {
    TRYV(read_question(call, begin));
  }
  if (const char c = next(); c != 0 && c != '|' && c != ',') {
    return wrong(shown(rest()) + " cannot follow the filter " + shown(name) +
                 "; its arguments stand behind a colon, with commas between them");
  }
  return call;
}

Result<void> ExpressionParser::arguments(FilterCall& call) {
  do {
    skip_space();
    const std::size_t before = at_;
    const std::size_t before_offset = offset();
    const std::string_view word = peek_name();
    at_ += word.size();
    if (!word.empty() && take(':')) {
      TRY(auto value, operand());
      if (word != call.filter->named) {
        return wrong_at(before_offset, "the filter " + shown(call.filter->name) +
                                           " has no argument named " + shown(word));
      }
      call.named.emplace_back(std::string(word), std::move(value));
      continue;
    }
    at_ = before;
    TRY(auto value, operand());
    call.arguments.push_back(std::move(value));
  } while (take(','));
  return base::ok();
}

Result<void> ExpressionParser::check_arguments(const FilterCall& call, std::size_t offset) const {
  const FilterSpec& filter = *call.filter;
  const std::size_t count = call.arguments.size();
  if (count >= filter.fewest && count <= filter.most) {
    return base::ok();
  }
  const std::size_t bound = count < filter.fewest ? filter.fewest : filter.most;
  const std::string words = filter.fewest == filter.most ? "takes "
                            : count < filter.fewest      ? "takes at least "
                                                         : "takes at most ";
  return wrong_at(
      offset, "the filter " + shown(filter.name) + " " + words +
                  (bound == 0 ? "no arguments"
                              : std::to_string(bound) + (bound == 1 ? " argument" : " arguments")) +
                  "; here " + (count == 1 ? "is " : "are ") + std::to_string(count));
}

// The expression of where_exp and its like must be written in the template: a text that comes with
// a contact is never run.
Result<void> ExpressionParser::read_question(FilterCall& call, std::size_t offset) {
  const auto text_of = [](const Operand& operand) {
    const Value* const value = std::get_if<Value>(&operand.what);
    return value != nullptr && value->is_text() ? value->as_text() : std::string();
  };
  call.item = text_of(call.arguments[0]);
  const std::string question = text_of(call.arguments[1]);
  if (call.item.empty() || question.empty()) {
    return wrong_at(offset, "the filter " + shown(call.filter->name) +
                                " takes a name and an expression, both in quotes: \"item\", "
                                "\"item.price > 5\"");
  }
  if (depth_ + 1 > kMaxNesting) {
    return base::fail(base::ErrorCode::kExhausted,
                      place_of(source_, offset) + ": expressions may be " +
                          std::to_string(kMaxNesting) + " deep at most");
  }
  names_.enter(call.item);
  ExpressionParser inner(source_, question, names_, "the quote");
  inner.fixed_offset_ = offset;
  inner.depth_ = depth_ + 1;
  auto parsed = inner.filtered();
  names_.leave();
  TRY(auto value, std::move(parsed));
  TRYV(inner.expect_end());
  call.question = std::make_shared<const Filtered>(std::move(value));
  return base::ok();
}

}  // namespace turnout::tmpl
