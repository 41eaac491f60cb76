#include "template/expression_parser.h"

#include <algorithm>

#include "template/filters.h"
#include "template/limits.h"
#include "template/number.h"
#include "template/source.h"
#include "template/text.h"

namespace turnout::tmpl {
namespace {

using base::Result;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// Length of the name that `text` begins with. Names of outside data may be of any script.
std::size_t name_length(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (is_letter(c) || is_ascii_digit(c) || c == '-' || c == '?') {
      ++at;
      continue;
    }
    const CodePoint point = code_point_at(text, at);
    const bool quote = point.value >= 0x2018 && point.value <= 0x201f;
    if (point.value < 0x80 || is_space(point.value) || quote) {
      break;
    }
    at += point.bytes;
  }
  return at;
}

bool begins_variable(std::string_view name) {
  return !name.empty() && !is_ascii_digit(name[0]) && name[0] != '-' && name[0] != '?';
}

bool is_plain_name(std::string_view text) {
  return begins_variable(text) && name_length(text) == text.size();
}

std::optional<Value> word_value(std::string_view word) {
  if (word == "true" || word == "false") {
    return Value::boolean(word == "true");
  }
  if (word == "nil" || word == "null") {
    return Value::nil();
  }
  if (word == "empty") {
    return Value::word(Value::Kind::kEmpty);
  }
  return word == "blank" ? std::optional(Value::word(Value::Kind::kBlank)) : std::nullopt;
}

}  // namespace

void Names::use(const std::string& dotted) {
  const std::string root = dotted.substr(0, dotted.find('.'));
  if (tree_.own.contains(root) || std::find(open_.begin(), open_.end(), root) != open_.end()) {
    return;
  }
  if (used_.insert(dotted).second) {
    tree_.names.push_back(dotted);
  }
}

ExpressionParser::ExpressionParser(std::string_view source, std::string_view part, Names& names,
                                   std::string_view close)
    : source_(source), part_(part), names_(names), close_(close) {}

void ExpressionParser::skip_space() { at_ = part_.size() - trim_left(part_.substr(at_)).size(); }

std::size_t ExpressionParser::offset() const {
  return fixed_offset_ != std::string_view::npos
             ? fixed_offset_
             : static_cast<std::size_t>(part_.data() - source_.data()) + at_;
}

base::Error ExpressionParser::wrong_at(std::size_t offset, const std::string& what) const {
  return mistake(source_, offset, what);
}

bool ExpressionParser::at_end() {
  skip_space();
  return at_ >= part_.size();
}

char ExpressionParser::next() { return at_end() ? '\0' : part_[at_]; }

std::string_view ExpressionParser::rest() {
  skip_space();
  return part_.substr(at_);
}

std::string_view ExpressionParser::peek_name() const {
  const std::string_view here = part_.substr(at_);
  return here.substr(0, name_length(here));
}

bool ExpressionParser::take_word(std::string_view word) {
  skip_space();
  if (peek_name() != word) {
    return false;
  }
  at_ += word.size();
  return true;
}

bool ExpressionParser::take(char sign) {
  if (next() != sign) {
    return false;
  }
  ++at_;
  return true;
}

std::string ExpressionParser::name() {
  skip_space();
  const std::string_view found = peek_name();
  if (!begins_variable(found) || found.size() > kMaxNameBytes) {
    return {};
  }
  at_ += found.size();
  return std::string(found);
}

Result<std::string> ExpressionParser::name_or_text() {
  if (next() == '"' || next() == '\'') {
    return quoted();
  }
  return name();
}

Result<void> ExpressionParser::expect_end() {
  if (at_end()) {
    return base::ok();
  }
  return wrong(shown(rest()) + " cannot stand here; close it with " + std::string(close_));
}

Result<Filtered> ExpressionParser::filtered() {
  skip_space();
  Filtered result;
  result.offset = offset();
  TRY(result.expression, expression());
  while (take('|')) {
    TRY(auto call, filter());
    result.filters.push_back(std::move(call));
  }
  return result;
}

// The algorithm is Dijkstra's shunting yard. Comparisons bind tightest, then not; and and or bind
// alike, from the right.
Result<Expression> ExpressionParser::expression() {
  const auto binding = [](Operator op) {
    return op == Operator::kAnd || op == Operator::kOr ? 0 : op == Operator::kNot ? 1 : 2;
  };
  Expression result;
  std::vector<Operator> waiting;
  while (true) {
    while (take_word("not")) {
      waiting.push_back(Operator::kNot);
    }
    TRY(auto value, operand());
    result.emplace_back(std::move(value));
    Operator op{};
    TRY(const bool goes_on, take_operator(op));
    if (!goes_on) {
      break;
    }
    while (!waiting.empty() && binding(waiting.back()) > binding(op)) {
      result.emplace_back(waiting.back());
      waiting.pop_back();
    }
    waiting.push_back(op);
  }
  for (; !waiting.empty(); waiting.pop_back()) {
    result.emplace_back(waiting.back());
  }
  return result;
}

Result<bool> ExpressionParser::take_operator(Operator& found) {
  constexpr std::pair<std::string_view, Operator> kSigns[] = {
      {"==", Operator::kEqual},     {"!=", Operator::kUnequal},      {"<>", Operator::kUnequal},
      {"<=", Operator::kLessEqual}, {">=", Operator::kGreaterEqual}, {"<", Operator::kLess},
      {">", Operator::kGreater},
  };
  constexpr std::pair<std::string_view, Operator> kWords[] = {
      {"contains", Operator::kContains}, {"and", Operator::kAnd}, {"or", Operator::kOr}};
  const std::string_view here = rest();
  for (const auto& [sign, op] : kSigns) {
    if (here.starts_with(sign)) {
      at_ += sign.size();
      found = op;
      return true;
    }
  }
  for (const auto& [word, op] : kWords) {
    if (take_word(word)) {
      found = op;
      return true;
    }
  }
  if (here.starts_with("=")) {
    return wrong("= gives a value; to compare, write ==");
  }
  if (here.starts_with("&&") || here.starts_with("||")) {
    return wrong(shown(here.substr(0, 2)) + " is no operator; write " +
                 (here[0] == '&' ? "and" : "or"));
  }
  return false;
}

Result<Operand> ExpressionParser::operand() {
  if (++depth_ > kMaxNesting) {
    return base::fail(base::ErrorCode::kExhausted,
                      place_of(source_, offset()) + ": brackets may be " +
                          std::to_string(kMaxNesting) + " deep at most");
  }
  skip_space();
  const std::string_view from = part_.substr(at_);
  Path path;
  bool variable = false;
  TRY(auto first, plain_operand(variable));
  if (variable) {
    path.keys.push_back(std::move(first));
  } else {
    path.base = std::make_unique<Operand>(std::move(first));
  }
  TRYV(members(path, from));
  --depth_;
  if (!variable && path.keys.empty()) {
    return std::move(*path.base);
  }
  return Operand{std::move(path)};
}

// A value; or, `variable`, what names one.
Result<Operand> ExpressionParser::plain_operand(bool& variable) {
  const char c = next();
  if (c == '"' || c == '\'') {
    TRY(auto text, quoted());
    return Operand{Value(std::move(text))};
  }
  if (c == '(') {
    return range();
  }
  double number = 0;
  std::size_t length = 0;
  if (number_ahead(number, length)) {
    at_ += length;
    return Operand{Value::number(number)};
  }
  if (c == '[') {
    ++at_;
    variable = true;
    TRY(auto key, operand());
    if (!take(']')) {
      return wrong("[ is not closed; write ]");
    }
    return key;
  }
  const std::string_view word = peek_name();
  if (auto value = word_value(word)) {
    at_ += word.size();
    return Operand{*value};
  }
  if (!begins_variable(word)) {
    if (c == 0) {
      return wrong("a value is missing before " + std::string(close_));
    }
    return wrong(shown(rest()) +
                 " is no field; write a name such as {{ email }}, or two joined by a dot");
  }
  at_ += word.size();
  variable = true;
  return Operand{Value(word)};
}

bool ExpressionParser::number_ahead(double& value, std::size_t& length) const {
  const std::string_view here = part_.substr(at_);
  std::size_t at = !here.empty() && (here[0] == '-' || here[0] == '+') ? 1 : 0;
  const std::size_t digits = at;
  while (at < here.size() && is_ascii_digit(here[at])) {
    ++at;
  }
  if (at == digits) {
    return false;
  }
  if (at < here.size() && here[at] == '.' && !here.substr(at).starts_with("..")) {
    ++at;
    while (at < here.size() && is_ascii_digit(here[at])) {
      ++at;
    }
  }
  if (name_length(here.substr(at)) > 0) {
    return false;
  }
  length = at;
  value = text_number(here.substr(0, at));
  return true;
}

Result<Operand> ExpressionParser::range() {
  ++at_;
  Range range;
  TRY(auto low, operand());
  if (!rest().starts_with("..")) {
    return wrong(
        "a range is written (1..5); parentheses for anything else are not known in Liquid");
  }
  at_ += 2;
  TRY(auto high, operand());
  if (!take(')')) {
    return wrong("( is not closed; a range is written (1..5)");
  }
  range.low = std::make_unique<Operand>(std::move(low));
  range.high = std::make_unique<Operand>(std::move(high));
  return Operand{std::move(range)};
}

// The `.name` and `[…]` behind a value, `from` being where that begins.
Result<void> ExpressionParser::members(Path& path, std::string_view from) {
  while (at_ < part_.size()) {
    if (part_[at_] == '[') {
      ++at_;
      TRY(auto key, operand());
      if (!take(']')) {
        return wrong("[ is not closed; write ]");
      }
      path.keys.push_back(std::move(key));
      continue;
    }
    if (part_[at_] != '.' || part_.substr(at_).starts_with("..")) {
      break;
    }
    ++at_;
    const std::string_view name = peek_name();
    if (name.empty()) {
      --at_;
      return wrong("a name is missing behind the dot");
    }
    path.keys.push_back(Operand{Value(name)});
    at_ += name.size();
  }
  path.text = from.substr(0, from.size() - (part_.size() - at_));
  return path.base == nullptr ? fix_name(path) : base::ok();
}

// Finds the leading names and notes them.
Result<void> ExpressionParser::fix_name(Path& path) const {
  for (const Operand& key : path.keys) {
    const Value* const name = std::get_if<Value>(&key.what);
    if (name == nullptr || !name->is_text() ||
        (path.fixed.empty() && !is_plain_name(name->as_text())) ||
        name_length(name->as_text()) != name->as_text().size()) {
      break;
    }
    path.fixed += (path.fixed.empty() ? "" : ".") + name->as_text();
  }
  if (path.fixed.size() > kMaxNameBytes) {
    return wrong_at(offset(),
                    "a name may have " + std::to_string(kMaxNameBytes) + " bytes at most");
  }
  if (!path.fixed.empty()) {
    names_.use(path.fixed);
  }
  return base::ok();
}

}  // namespace turnout::tmpl
