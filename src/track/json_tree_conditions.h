#pragma once

// Part of the description of the tree: conditions (json_tree.h).

#include "track/json_shape.h"

namespace turnout::track::json {

template <>
struct Shape<And> {
  static constexpr std::tuple parts{list("conditions", &And::operands, 2, kMaxListItems)};
};
template <>
struct Shape<Or> {
  static constexpr std::tuple parts{list("conditions", &Or::operands, 2, kMaxListItems)};
};
template <>
struct Shape<Not> {
  static constexpr std::tuple parts{member("condition", &Not::operand)};
};
template <>
struct Shape<IsMissing> {
  static constexpr auto flag = &IsMissing::present;
  static constexpr std::tuple parts{member("left", &IsMissing::left),
                                    member("negated", &IsMissing::negated)};
};
template <>
struct Shape<Comparison> {
  static constexpr std::tuple parts{
      member("left", &Comparison::left),
      words("op", &Comparison::op, "is", "is not", "less than", "at most", "more than", "at least"),
      member("negated", &Comparison::negated), member("right", &Comparison::right)};
  static constexpr std::array rules{Tie{Tie::Kind::kNeverWhen, "negated", "op", "is", "is not"}};
};
template <>
struct Shape<OneOf> {
  static constexpr std::tuple parts{member("left", &OneOf::left),
                                    member("negated", &OneOf::negated),
                                    list("values", &OneOf::values, 1, kMaxListItems)};
};
template <>
struct Shape<Between> {
  static constexpr std::tuple parts{member("left", &Between::left),
                                    member("negated", &Between::negated),
                                    member("low", &Between::low), member("high", &Between::high)};
};
template <>
struct Shape<BeforeAfter> {
  static constexpr auto flag = &BeforeAfter::after;
  static constexpr std::tuple parts{member("left", &BeforeAfter::left),
                                    member("negated", &BeforeAfter::negated),
                                    member("right", &BeforeAfter::right)};
};
template <>
struct Shape<Relative> {
  static constexpr std::tuple parts{member("left", &Relative::left),
                                    member("negated", &Relative::negated),
                                    words("op", &Relative::more, "less than", "more than"),
                                    member("duration", &Relative::duration),
                                    words("direction", &Relative::from_now, "ago", "from now")};
};
template <>
struct Shape<Within> {
  static constexpr std::tuple parts{
      member("left", &Within::left), member("negated", &Within::negated),
      words("direction", &Within::next, "last", "next"), member("duration", &Within::duration)};
};
template <>
struct Shape<Anniversary> {
  static constexpr std::tuple parts{member("left", &Anniversary::left),
                                    member("negated", &Anniversary::negated),
                                    member("of", &Anniversary::right)};
};
template <>
struct Shape<TextMatch> {
  static constexpr std::tuple parts{
      member("left", &TextMatch::left), member("negated", &TextMatch::negated),
      words("op", &TextMatch::test, "contains", "starts with", "ends with"),
      member("right", &TextMatch::right)};
};
template <>
struct Shape<RegexMatch> {
  static constexpr std::tuple parts{member("left", &RegexMatch::left),
                                    member("negated", &RegexMatch::negated),
                                    text("pattern", &RegexMatch::pattern)};
};
template <>
struct Shape<BooleanField> {
  static constexpr std::tuple parts{member("field", &BooleanField::field)};
};
template <>
struct Shape<HasTag> {
  static constexpr std::tuple parts{member("tag", &HasTag::tag)};
};
template <>
struct Shape<DidEvent> {
  static constexpr std::tuple parts{
      member("event", &DidEvent::event),
      member("negated", &DidEvent::negated),
      member("at_least", &DidEvent::at_least),
      Words<DidEvent, DidEvent::Span, 4>{
          "span", &DidEvent::span, {"ever", "within", "since entering", "since step"}, 0},
      member("within", &DidEvent::within),
      member("where", &DidEvent::where)};
  static constexpr std::array rules{Tie{Tie::Kind::kExactlyWhen, "within", "span", "within"}};
};
template <>
struct Shape<OnTrack> {
  static constexpr std::tuple parts{member("track", &OnTrack::track),
                                    member("step", &OnTrack::step)};
};
template <>
struct Shape<InArm> {
  static constexpr std::tuple parts{member("arm", &InArm::arm)};
};
template <>
struct Alternatives<decltype(Condition::node)> {
  static constexpr std::string_view tag = "test";
  static constexpr std::array<Alternative, 18> names{
      "and",        "or",     "not",         {"missing", "present"},
      "comparison", "one of", "between",     {"before", "after"},
      "relative",   "within", "anniversary", "text",
      "matches",    "field",  "has tag",     "did",
      "on track",   "in arm"};
};
template <>
struct Shape<Condition> {
  static constexpr std::string_view def = "condition";
  static constexpr std::tuple parts{flat(&Condition::node)};
};

}  // namespace turnout::track::json
