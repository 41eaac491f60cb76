// Conditions: fields that exist, values that can be compared.

#include <algorithm>
#include <string>
#include <utility>

#include "base/text.h"
#include "base/time.h"
#include "lang/check_impl.h"
#include "lang/foreign.h"
#include "lang/formatter.h"
#include "lang/lexer.h"
#include "lang/words.h"

namespace turnout::lang {
namespace {

using track::Operand;
using track::Type;

bool can_compare(Type a, Type b) {
  return a == b || a == Type::kUntyped || b == Type::kUntyped || (is_time(a) && is_time(b));
}

std::string a_type(Type type) {
  switch (type) {
    case Type::kText:
      return "text";
    case Type::kNumber:
      return "a number";
    case Type::kBoolean:
      return "true or false";
    case Type::kTimestamp:
      return "a time";
    case Type::kDate:
      return "a date";
    case Type::kUntyped:
      break;
  }
  return "of no fixed type";
}

// What to write for text in quotes that was meant as a value of another type; empty when it was
// not.
std::string without_quotes(const Operand& operand, Type wanted) {
  const auto* text = std::get_if<std::string>(&operand.value);
  if (text == nullptr || base::first_invalid_utf8(*text) != std::string::npos) {
    return "";
  }
  const Tokens tokens = lex(*text);
  const TokenKind first = tokens.tokens[0].kind;
  const std::size_t count = tokens.tokens.size() - 1;
  const bool truth =
      base::equals_ignoring_case(*text, "true") || base::equals_ignoring_case(*text, "false");
  const bool fits =
      (wanted == Type::kNumber && count == 1 && first == TokenKind::kNumber) ||
      (wanted == Type::kBoolean && truth) ||
      (is_time(wanted) && first == TokenKind::kDate && count <= 2 && tokens.diagnostics.empty());
  return fits ? "write " + base::to_lower_ascii(*text) + " without quotes" : "";
}

}  // namespace

// ---- Fields -------------------------------------------------------------------------------------

Type Checker::field(const track::FieldRef& field, const Scope& scope) {
  const std::size_t dot = field.name.find('.');
  if (dot != std::string::npos) {
    return dotted_field(field, dot, scope);
  }
  const auto known = fields_.find(field.name);
  if (known != fields_.end()) {
    return known->second->type;
  }
  if (field.name.empty()) {
    return Type::kUntyped;
  }
  const Habit* other = find_habit(Place::kField, field.name);
  const std::string hint = means_missing(field.name) ? "a field that has no value `is missing`"
                           : other != nullptr        ? std::string(other->hint)
                                                     : suggest_field(field.name, field_names_);
  report("unknown-field", field.span, "field `" + shorten(field.name) + "` is not declared", hint);
  return Type::kUntyped;
}

Type Checker::dotted_field(const track::FieldRef& field, std::size_t dot, const Scope& scope) {
  static const std::vector<std::string> kScopes = {"entry", "event", "row", "visit"};
  static const std::vector<std::string> kVisit = {"visit.step", "visit.entered_at",
                                                  "visit.step_entered_at", "visit.times"};
  const std::string prefix = field.name.substr(0, dot);
  const std::string name = "`" + shorten(field.name) + "`";
  if (prefix == "event") {
    if (!scope.event) {
      report("event-unavailable", field.span,
             name + " can hold nothing here: no event brings a contact to this place",
             "only `gather on` and rules that begin with `on` bring one");
    }
    return Type::kUntyped;
  }
  if (prefix == "row") {
    if (!scope.row) {
      report(
          "row-unavailable", field.span,
          name + " can hold nothing here: there is neither `look up` nor `gather from` before it");
    }
    return Type::kUntyped;
  }
  if (prefix != "entry" && prefix != "visit") {
    const Habit* other = find_habit(Place::kScope, prefix);
    report("unknown-scope", field.span,
           name + ": before a dot stands `entry`, `event`, `row` or `visit`",
           other != nullptr ? std::string(other->hint) : suggest_field(prefix, kScopes));
    return Type::kUntyped;
  }
  if (!scope.entry) {
    report("entry-unavailable", field.span,
           name + " can hold nothing here: the contact is not on the track yet");
  }
  if (prefix == "entry") {
    return Type::kUntyped;
  }
  if (field.name == kVisit[0]) {
    return Type::kText;
  }
  if (field.name == kVisit[1] || field.name == kVisit[2]) {
    return Type::kTimestamp;
  }
  if (field.name == kVisit[3]) {
    return Type::kNumber;
  }
  report("unknown-field", field.span, name + " does not exist", suggest_field(field.name, kVisit));
  return Type::kUntyped;
}

bool Checker::undeclared(const Operand& operand) const {
  const auto* field = std::get_if<track::FieldRef>(&operand.value);
  return field != nullptr && !field->name.empty() && field->name.find('.') == std::string::npos &&
         !fields_.contains(field->name);
}

// The type of a value that stands behind `is`, `is not` (`equal` says which) or another comparison.
// A word there that is no field was meant as text, or as no value at all.
Type Checker::compared(const Operand& right, Type left, bool equal, const Scope& scope) {
  if (!undeclared(right)) {
    return type_of(right, scope);
  }
  const track::FieldRef& ref = std::get<track::FieldRef>(right.value);
  std::string hint = suggest_field(ref.name, field_names_);
  if (means_missing(ref.name) || means_present(ref.name)) {
    hint = means_missing(ref.name) == equal ? "a field that has no value `is missing`"
                                            : "a field that has a value `is present`";
  } else if (left == Type::kText && hint.empty()) {
    hint = "write " + format_string(shorten(ref.name));
  } else if (const Habit* other = find_habit(Place::kField, ref.name)) {
    hint = other->hint;
  }
  report("unknown-field", ref.span, "field `" + shorten(ref.name) + "` is not declared", hint);
  return Type::kUntyped;
}

// A field that is written.
Type Checker::target(const track::FieldRef& ref, const Scope& scope) {
  const std::string_view name = ref.name;
  if (name.starts_with("event.") || name.starts_with("row.") || name.starts_with("visit.")) {
    report("read-only-field", ref.span, "`" + shorten(name) + "` cannot be written",
           "contacts' fields and `entry.` can");
    return Type::kUntyped;
  }
  if (name == "key" || name == "created_at" || name == "updated_at") {
    report("read-only-field", ref.span,
           "`" + ref.name + "` belongs to the engine and cannot be written");
    return Type::kUntyped;
  }
  return field(ref, scope);
}

Type Checker::type_of(const Operand& operand, const Scope& scope) {
  struct TypeOf {
    Checker* checker;
    const Scope* scope;
    Type operator()(const std::string&) const { return Type::kText; }
    Type operator()(double) const { return Type::kNumber; }
    Type operator()(bool) const { return Type::kBoolean; }
    Type operator()(base::Date) const { return Type::kDate; }
    Type operator()(const track::DateTime&) const { return Type::kTimestamp; }
    Type operator()(const track::FieldRef& ref) const { return checker->field(ref, *scope); }
    Type operator()(track::Now) const { return Type::kTimestamp; }
    Type operator()(track::Today) const { return Type::kDate; }
  };
  return std::visit(TypeOf{this, &scope}, operand.value);
}

// ---- Types --------------------------------------------------------------------------------------

void Checker::comparable(const Operand& left, Type left_type, const Operand& right, Type right_type,
                         bool setting) {
  if (can_compare(left_type, right_type)) {
    return;
  }
  std::string hint = without_quotes(right, left_type);
  hint = hint.empty() ? without_quotes(left, right_type) : hint;
  if (hint.empty() && !setting && left_type == Type::kText && right_type == Type::kNumber &&
      !std::holds_alternative<track::FieldRef>(right.value)) {
    hint = "write it in quotes to compare it as text";
  }
  if (hint.empty() && !std::holds_alternative<track::FieldRef>(right.value)) {
    hint = is_time(left_type) && !setting
               ? "a time compares with 2026-12-01, or as in is more than 30 days ago"
           : left_type == Type::kBoolean ? "write true or false"
                                         : "";
  }
  report("types-differ", right.span,
         shown(left) + " is " + a_type(left_type) + " and " + shown(right) + " is " +
             a_type(right_type) +
             (setting ? ": it cannot be set to that" : ": they cannot be compared"),
         hint);
}

void Checker::want_time(const Operand& operand, Type type, std::string_view what,
                        const std::string& hint) {
  if (is_time(type) || type == Type::kUntyped) {
    return;
  }
  const std::string unquoted = std::holds_alternative<double>(operand.value)
                                   ? "dates are written 2026-12-01"
                                   : without_quotes(operand, Type::kTimestamp);
  report("wrong-type", operand.span,
         std::string(what) + " compares times, and " + shown(operand) + " is " + a_type(type),
         unquoted.empty() ? hint : unquoted);
}

void Checker::want_text(const Operand& operand, Type type, std::string_view what) {
  if (type != Type::kText && type != Type::kUntyped) {
    report("wrong-type", operand.span,
           std::string(what) + " is text, and " + shown(operand) + " is " + a_type(type));
  }
}

void Checker::want_order(const Operand& operand, Type type) {
  if (type == Type::kBoolean) {
    report("wrong-type", operand.span, shown(operand) + " is true or false, which have no order",
           "write `is` or `is not`");
  }
}

// ---- Conditions ---------------------------------------------------------------------------------

struct ConditionChecker {
  Checker* c;
  const Scope* scope;

  Type type(const Operand& operand) const { return c->type_of(operand, *scope); }

  void operator()(const track::And& n) const {
    for (const track::Condition& operand : n.operands) {
      c->condition(operand, *scope);
    }
  }
  void operator()(const track::Or& n) const {
    for (const track::Condition& operand : n.operands) {
      c->condition(operand, *scope);
    }
  }
  void operator()(const track::Not& n) const { c->condition(*n.operand, *scope); }
  void operator()(const track::IsMissing& n) const { type(n.left); }
  void operator()(const track::Comparison& n) const {
    const Type left = type(n.left);
    const Type right = c->compared(n.right, left, n.op == track::Compare::kIs, *scope);
    c->comparable(n.left, left, n.right, right);
    if (n.op != track::Compare::kIs && n.op != track::Compare::kIsNot && can_compare(left, right)) {
      c->want_order(left == Type::kBoolean ? n.left : n.right,
                    left == Type::kBoolean ? left : right);
    }
  }
  void operator()(const track::OneOf& n) const {
    const Type left = type(n.left);
    for (const Operand& value : n.values) {
      c->comparable(n.left, left, value, c->compared(value, left, true, *scope));
    }
  }
  void operator()(const track::Between& n) const {
    const Type left = type(n.left);
    c->comparable(n.left, left, n.low, type(n.low));
    c->comparable(n.left, left, n.high, type(n.high));
    c->want_order(n.left, left);
  }
  void operator()(const track::BeforeAfter& n) const {
    const char* what = n.after ? "`after`" : "`before`";
    c->want_time(
        n.left, type(n.left), what,
        n.after ? "numbers compare by `is more than`" : "numbers compare by `is less than`");
    c->want_time(n.right, type(n.right), what);
  }
  void operator()(const track::Relative& n) const {
    c->want_time(n.left, type(n.left), n.from_now ? "`from now`" : "`ago`");
  }
  void operator()(const track::Within& n) const {
    c->want_time(n.left, type(n.left), "`within the`");
  }
  void operator()(const track::Anniversary& n) const {
    c->want_time(n.left, type(n.left), "`the anniversary of`");
    c->want_time(n.right, type(n.right), "`the anniversary of`");
  }
  void operator()(const track::TextMatch& n) const {
    const char* what = n.test == track::TextTest::kContains     ? "what `contains` looks at"
                       : n.test == track::TextTest::kStartsWith ? "what `starts with` looks at"
                                                                : "what `ends with` looks at";
    c->want_text(n.left, type(n.left), what);
    c->want_text(n.right, type(n.right), what);
  }
  void operator()(const track::RegexMatch& n) const {
    c->want_text(n.left, type(n.left), "what `matches` looks at");
  }
  void operator()(const track::BooleanField& n) const {
    const Type t = c->field(n.field, *scope);
    if (t != Type::kBoolean && t != Type::kUntyped) {
      c->report("not-boolean", n.field.span,
                "`" + n.field.name + "` is " + a_type(t) + " and no condition by itself",
                "write a comparison behind it, such as `is present`");
    }
  }
  void operator()(const track::HasTag&) const {}
  void operator()(const track::DidEvent& n) const {
    if (n.at_least) {
      c->count(*n.at_least, n.event.span, "the number of times");
    }
    if (n.where) {
      Scope past = *scope;
      past.event = true;
      c->condition(**n.where, past);
    }
  }
  void operator()(const track::OnTrack& n) const { c->other_track(n.track, n.step); }
  void operator()(const track::InArm& n) const {
    const auto& arms = c->arms_;
    if (c->whole() && std::find(arms.begin(), arms.end(), n.arm.text) == arms.end()) {
      c->report("unknown-arm", n.arm.span, "no rule has the arm " + shown({n.arm.text, {}}),
                c->suggest(n.arm.text, arms));
    }
  }
};

void Checker::condition(const track::Condition& condition, const Scope& scope) {
  std::visit(ConditionChecker{this, &scope}, condition.node);
}

}  // namespace turnout::lang
