// Conditions as text.

#include <string>

#include "lang/format_parts.h"
#include "lang/formatter.h"

namespace turnout::lang {
namespace {

using track::Condition;

bool is_and(const Condition& c) { return std::holds_alternative<track::And>(c.node); }
bool is_or(const Condition& c) { return std::holds_alternative<track::Or>(c.node); }

std::string in_brackets(const Condition& condition, bool brackets) {
  return brackets ? "(" + format_condition(condition) + ")" : format_condition(condition);
}

// One operand of `and` or `or`. Brackets around an `and` in an `and` are kept: they are part of the
// tree.
std::string part_of_and(const Condition& c) { return in_brackets(c, is_and(c) || is_or(c)); }
std::string part_of_or(const Condition& c) { return in_brackets(c, is_or(c)); }

std::string is(bool negated) { return negated ? " is not " : " is "; }

struct Printer {
  std::string operator()(const track::And& n) const {
    std::string out;
    for (const Condition& c : n.operands) {
      out += (out.empty() ? "" : " and ") + part_of_and(c);
    }
    return out;
  }
  std::string operator()(const track::Or& n) const {
    std::string out;
    for (const Condition& c : n.operands) {
      out += (out.empty() ? "" : " or ") + part_of_or(c);
    }
    return out;
  }
  std::string operator()(const track::Not& n) const { return "not " + part_of_and(*n.operand); }
  std::string operator()(const track::IsMissing& n) const {
    return format_operand(n.left) + is(n.negated) + (n.present ? "present" : "missing");
  }
  std::string operator()(const track::Comparison& n) const {
    const char* words = "";
    switch (n.op) {
      case track::Compare::kIs:
        break;
      case track::Compare::kIsNot:
        words = "not ";
        break;
      case track::Compare::kLess:
        words = "less than ";
        break;
      case track::Compare::kAtMost:
        words = "at most ";
        break;
      case track::Compare::kMore:
        words = "more than ";
        break;
      case track::Compare::kAtLeast:
        words = "at least ";
        break;
    }
    return format_operand(n.left) + is(n.negated) + words + format_operand(n.right);
  }
  std::string operator()(const track::OneOf& n) const {
    std::string out;
    for (const track::Operand& value : n.values) {
      out += (out.empty() ? "" : ", ") + format_operand(value);
    }
    return format_operand(n.left) + is(n.negated) + "one of " + out;
  }
  std::string operator()(const track::Between& n) const {
    return format_operand(n.left) + is(n.negated) + "between " + format_operand(n.low) + " and " +
           format_operand(n.high);
  }
  std::string operator()(const track::BeforeAfter& n) const {
    return format_operand(n.left) + is(n.negated) + (n.after ? "after " : "before ") +
           format_operand(n.right);
  }
  std::string operator()(const track::Relative& n) const {
    return format_operand(n.left) + is(n.negated) + (n.more ? "more than " : "less than ") +
           format_duration(n.duration) + (n.from_now ? " from now" : " ago");
  }
  std::string operator()(const track::Within& n) const {
    return format_operand(n.left) + is(n.negated) + "within the " + (n.next ? "next " : "last ") +
           format_duration(n.duration);
  }
  std::string operator()(const track::Anniversary& n) const {
    return format_operand(n.left) + is(n.negated) + "the anniversary of " + format_operand(n.right);
  }
  std::string operator()(const track::TextMatch& n) const {
    const char* words = "";
    switch (n.test) {
      case track::TextTest::kContains:
        words = n.negated ? " does not contain " : " contains ";
        break;
      case track::TextTest::kStartsWith:
        words = n.negated ? " does not start with " : " starts with ";
        break;
      case track::TextTest::kEndsWith:
        words = n.negated ? " does not end with " : " ends with ";
        break;
    }
    return format_operand(n.left) + words + format_operand(n.right);
  }
  std::string operator()(const track::RegexMatch& n) const {
    const std::string& text = n.pattern.text;
    // In a block, backslashes stand for themselves.
    const bool block =
        text.find_first_of("\\\"") != std::string::npos && text.find('\n') == std::string::npos;
    return format_operand(n.left) + (n.negated ? " does not match " : " matches ") +
           (block ? format_block(text, "") : format_string(text));
  }
  std::string operator()(const track::BooleanField& n) const { return format_field(n.field.name); }
  std::string operator()(const track::HasTag& n) const {
    return "has tag " + format_string(n.tag.text);
  }
  std::string operator()(const track::DidEvent& n) const {
    std::string out = (n.negated ? "did not do " : "did ") + format_string(n.event.text);
    if (n.at_least) {
      out += " at least " + format_number(*n.at_least) + " times";
    }
    switch (n.span) {
      case track::DidEvent::Span::kEver:
        break;
      case track::DidEvent::Span::kWithinLast:
        out += " within the last " + (n.within ? format_duration(*n.within) : "");
        break;
      case track::DidEvent::Span::kSinceEntering:
        out += " since entering";
        break;
      case track::DidEvent::Span::kSinceStep:
        out += " since step";
        break;
    }
    return n.where ? out + " where " + part_of_and(**n.where) : out;
  }
  std::string operator()(const track::OnTrack& n) const {
    const std::string out = "on track " + format_string(n.track.text);
    return n.step ? out + " at " + format_string(n.step->text) : out;
  }
  std::string operator()(const track::InArm& n) const {
    return "in arm " + format_string(n.arm.text);
  }
};

}  // namespace

std::string format_condition(const Condition& condition) {
  return std::visit(Printer(), condition.node);
}

std::string format_condition_lines(std::string_view before, const Condition& condition,
                                   std::string_view behind, std::string_view indent) {
  std::string line = std::string(before) + format_condition(condition) + std::string(behind);
  if (line.size() <= kFormatWidth || !(is_and(condition) || is_or(condition))) {
    return line;
  }
  const bool all = is_and(condition);
  const auto& operands = all ? std::get<track::And>(condition.node).operands
                             : std::get<track::Or>(condition.node).operands;
  const std::string join = "\n" + std::string(indent) + "    " + (all ? "and " : "or ");
  std::string out(before);
  for (std::size_t i = 0; i < operands.size(); ++i) {
    out += (i > 0 ? join : "") + (all ? part_of_and(operands[i]) : part_of_or(operands[i]));
  }
  return out + std::string(behind);
}

}  // namespace turnout::lang
