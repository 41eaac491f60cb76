#pragma once

// Part of the description of the tree: comments and the clauses of a track (json_tree.h).

#include "track/json_shape.h"

namespace turnout::track::json {

using HoursPair = std::pair<TimeOfDay, TimeOfDay>;

template <>
struct Shape<Comments> {
  static constexpr std::string_view def = "comments";
  static constexpr std::tuple parts{comment_lines("before", &Comments::before),
                                    member("behind", &Comments::behind, Spec{TextKind::kComment})};
};

template <>
struct Shape<OnceAt> {
  static constexpr std::tuple parts{member("at", &OnceAt::at)};
};
template <>
struct Shape<EveryDuration> {
  static constexpr std::tuple parts{member("every", &EveryDuration::every),
                                    member("from", &EveryDuration::from)};
};
template <>
struct Shape<EveryDays> {
  static constexpr std::tuple parts{member("days", &EveryDays::days), member("at", &EveryDays::at)};
};
template <>
struct Shape<EveryMonth> {
  static constexpr std::tuple parts{member("day", &EveryMonth::day), member("at", &EveryMonth::at)};
};
template <>
struct Shape<Rrule> {
  static constexpr std::tuple parts{member("rule", &Rrule::rule)};
};
template <>
struct Shape<Continuously> {
  static constexpr std::tuple parts{};
};
template <>
struct Alternatives<Schedule> {
  static constexpr std::string_view tag = "repeat";
  static constexpr std::string_view def = "schedule";
  static constexpr std::array<Alternative, 6> names{"once",    "interval", "weekly",
                                                    "monthly", "rrule",    "continuously"};
};
template <>
struct Shape<GatherContacts> {
  static constexpr std::tuple parts{member("where", &GatherContacts::where),
                                    member("schedule", &GatherContacts::schedule)};
};
template <>
struct Shape<GatherFrom> {
  static constexpr std::tuple parts{member("database", &GatherFrom::database),
                                    member("query", &GatherFrom::query),
                                    member("schedule", &GatherFrom::schedule)};
};
template <>
struct Shape<GatherOn> {
  static constexpr std::tuple parts{member("event", &GatherOn::event),
                                    member("where", &GatherOn::where)};
};
template <>
struct Alternatives<decltype(Gather::what)> {
  static constexpr std::string_view tag = "from";
  static constexpr std::array<Alternative, 3> names{"contacts", "database", "event"};
};
template <>
struct Shape<Gather> {
  static constexpr std::tuple parts{flat(&Gather::what), member("for_each", &Gather::for_each),
                                    member("start_at", &Gather::start_at),
                                    member("comments", &Gather::comments)};
};
template <>
struct Shape<About> {
  static constexpr std::tuple parts{text("text", &About::text),
                                    member("comments", &About::comments)};
};
template <>
struct Shape<TimeZone> {
  static constexpr std::tuple parts{member("of", &TimeZone::of), member("zone", &TimeZone::zone),
                                    member("comments", &TimeZone::comments)};
};
template <>
struct Shape<Enter> {
  static constexpr std::tuple parts{words("how", &Enter::kind, "once", "again after", "every time"),
                                    member("after", &Enter::after),
                                    member("comments", &Enter::comments)};
  static constexpr std::array rules{Tie{Tie::Kind::kExactlyWhen, "after", "how", "again after"}};
};
template <>
struct Shape<Leave::When> {
  static constexpr std::tuple parts{member("condition", &Leave::When::condition)};
};
template <>
struct Shape<Leave::NoLongerGathered> {
  static constexpr std::tuple parts{};
};
template <>
struct Shape<Leave::On> {
  static constexpr std::tuple parts{member("event", &Leave::On::event),
                                    member("where", &Leave::On::where)};
};
template <>
struct Alternatives<decltype(Leave::why)> {
  static constexpr std::string_view tag = "why";
  static constexpr std::array<Alternative, 3> names{"condition", "no longer gathered", "event"};
};
template <>
struct Shape<Leave> {
  static constexpr std::tuple parts{flat(&Leave::why), member("as", &Leave::as),
                                    member("comments", &Leave::comments)};
};
template <>
struct Shape<HoldOut> {
  static constexpr std::tuple parts{member("percent", &HoldOut::percent),
                                    member("as", &HoldOut::as), member("for", &HoldOut::duration),
                                    member("comments", &HoldOut::comments)};
};
template <>
struct Shape<Cap> {
  static constexpr std::tuple parts{member("count", &Cap::count),
                                    words("what", &Cap::messages, "emails", "messages"),
                                    member("per", &Cap::per), member("comments", &Cap::comments)};
};
template <>
struct Shape<HoursPair> {
  static constexpr std::tuple parts{member("from", &HoursPair::first),
                                    member("to", &HoursPair::second)};
};
template <>
struct Shape<Quiet> {
  static constexpr std::tuple parts{member("hours", &Quiet::hours), member("days", &Quiet::days),
                                    member("in", &Quiet::zone_field),
                                    member("comments", &Quiet::comments)};
  static constexpr std::array rules{Tie{Tie::Kind::kEither, "hours", "days"}};
};
template <>
struct Alternatives<Clause> {
  static constexpr std::string_view tag = "clause";
  static constexpr std::string_view def = "clause";
  static constexpr std::array<Alternative, 8> names{"about", "time zone", "gather",       "enter",
                                                    "leave", "hold out",  "send at most", "quiet"};
};

}  // namespace turnout::track::json
