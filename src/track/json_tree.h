#pragma once

// The description of the tree (json_shape.h): every struct and variant of track.h that is written
// as a JSON object; conditions and clauses have their own files. Operands, JSON behind `with` and
// the leaves have their forms in the writer, the reader and the schema. Names here are the public
// form: changing one changes kJsonFormat.

#include "track/json_shape.h"
#include "track/json_tree_clauses.h"
#include "track/json_tree_conditions.h"

namespace turnout::track::json {

using GivenPair = std::pair<FieldRef, Operand>;

// ---- Steps

template <>
struct Shape<When> {
  static constexpr std::tuple parts{member("condition", &When::condition)};
};
template <>
struct Shape<OnEvent> {
  static constexpr std::tuple parts{member("event", &OnEvent::event),
                                    member("where", &OnEvent::where)};
};
template <>
struct Shape<After> {
  static constexpr std::tuple parts{member("duration", &After::duration)};
};
template <>
struct Shape<Share> {
  static constexpr std::tuple parts{member("percent", &Share::percent), member("as", &Share::as)};
};
template <>
struct Shape<Otherwise> {
  static constexpr std::tuple parts{};
};
template <>
struct Alternatives<Head> {
  static constexpr std::string_view tag = "rule";
  static constexpr std::array<Alternative, 7> names{"when",  "on",    "after",    "once at",
                                                    "every", "share", "otherwise"};
};
template <>
struct Shape<SendEmail> {
  static constexpr std::tuple parts{member("template", &SendEmail::email),
                                    member("to", &SendEmail::to)};
};
template <>
struct Shape<CallWebhook> {
  static constexpr std::tuple parts{member("webhook", &CallWebhook::webhook),
                                    member("with", &CallWebhook::with)};
};
template <>
struct Shape<Show> {
  static constexpr std::tuple parts{member("what", &Show::what), member("with", &Show::with)};
};
template <>
struct Shape<RunSql> {
  static constexpr std::tuple parts{member("database", &RunSql::database),
                                    member("statement", &RunSql::statement)};
};
template <>
struct Shape<SetField> {
  static constexpr std::tuple parts{member("field", &SetField::field), member("to", &SetField::to)};
};
template <>
struct Shape<ClearField> {
  static constexpr std::tuple parts{member("field", &ClearField::field)};
};
template <>
struct Shape<IncreaseField> {
  static constexpr auto flag = &IncreaseField::decrease;
  static constexpr std::tuple parts{member("field", &IncreaseField::field),
                                    member("by", &IncreaseField::by)};
};
template <>
struct Shape<TagAction> {
  static constexpr auto flag = &TagAction::remove;
  static constexpr std::tuple parts{member("tag", &TagAction::tag)};
};
template <>
struct Shape<RecordEvent> {
  static constexpr std::tuple parts{member("event", &RecordEvent::event),
                                    member("with", &RecordEvent::with)};
};
template <>
struct Shape<PutOnTrack> {
  static constexpr std::tuple parts{member("track", &PutOnTrack::track),
                                    member("at", &PutOnTrack::at)};
};
template <>
struct Shape<TakeOffTrack> {
  static constexpr std::tuple parts{member("track", &TakeOffTrack::track)};
};
template <>
struct Alternatives<decltype(Action::what)> {
  static constexpr std::string_view tag = "do";
  static constexpr std::array<Alternative, 11> names{"send email",
                                                     "call webhook",
                                                     "show",
                                                     "run sql",
                                                     "set",
                                                     "clear",
                                                     {"increase", "decrease"},
                                                     {"add tag", "remove tag"},
                                                     "record event",
                                                     "put on track",
                                                     "take off track"};
};
template <>
struct Shape<Action> {
  static constexpr std::string_view def = "action";
  static constexpr std::tuple parts{flat(&Action::what), member("comments", &Action::comments)};
};

// ---- Moves

template <>
struct Shape<Clock> {
  static constexpr std::string_view def = "clock";
  static constexpr std::tuple parts{member("at", &Clock::at), member("days", &Clock::days)};
};
template <>
struct Shape<Due::AfterDuration> {
  static constexpr std::tuple parts{member("duration", &Due::AfterDuration::duration),
                                    member("clock", &Due::AfterDuration::clock)};
};
template <>
struct Shape<Due::RelativeToField> {
  static constexpr auto flag = &Due::RelativeToField::before;
  static constexpr std::tuple parts{member("duration", &Due::RelativeToField::duration),
                                    member("field", &Due::RelativeToField::field),
                                    member("clock", &Due::RelativeToField::clock)};
};
template <>
struct Shape<Due::AtDateTime> {
  static constexpr std::tuple parts{member("at", &Due::AtDateTime::at)};
};
template <>
struct Alternatives<decltype(Due::when)> {
  static constexpr std::string_view tag = "wait";
  static constexpr std::array<Alternative, 4> names{
      "after", {"after field", "before field"}, "clock", "until"};
};
template <>
struct Shape<Due> {
  static constexpr std::string_view def = "due";
  static constexpr std::tuple parts{flat(&Due::when)};
};
template <>
struct Shape<GoTo> {
  static constexpr std::tuple parts{member("step", &GoTo::step), member("due", &GoTo::due)};
};
template <>
struct Shape<Stop> {
  static constexpr std::tuple parts{member("as", &Stop::as)};
};
template <>
struct Shape<Stay> {
  static constexpr std::tuple parts{member("for", &Stay::duration)};
};
template <>
struct Alternatives<decltype(Move::what)> {
  static constexpr std::string_view tag = "move";
  static constexpr std::array<Alternative, 3> names{"go to", "stop", "stay"};
};
template <>
struct Shape<Move> {
  static constexpr std::string_view def = "move";
  static constexpr std::tuple parts{flat(&Move::what), member("comments", &Move::comments)};
};
template <>
struct Shape<Rule> {
  static constexpr std::string_view def = "rule";
  static constexpr std::tuple parts{
      flat(&Rule::head), list("actions", &Rule::actions, 0, kMaxActionsPerRule),
      member("then", &Rule::move), member("comments", &Rule::comments)};
};
template <>
struct Shape<LookUp> {
  static constexpr std::string_view def = "look_up";
  static constexpr std::tuple parts{member("database", &LookUp::database),
                                    member("query", &LookUp::query),
                                    member("comments", &LookUp::comments)};
};
template <>
struct Shape<Step> {
  static constexpr std::tuple parts{member("name", &Step::name),
                                    text("about", &Step::about),
                                    member("about_comments", &Step::about_comments),
                                    member("look_up", &Step::look_up),
                                    member("check_every", &Step::check_every),
                                    member("check_comments", &Step::check_comments),
                                    list("rules", &Step::rules, 0, kMaxRulesPerStep),
                                    member("comments", &Step::comments)};
  static constexpr std::array rules{Tie{Tie::Kind::kOnlyWith, "about_comments", "about"},
                                    Tie{Tie::Kind::kOnlyWith, "check_comments", "check_every"}};
};

// ---- Tests beside a track

template <>
struct Shape<GivenPair> {
  static constexpr std::tuple parts{member("field", &GivenPair::first),
                                    member("is", &GivenPair::second)};
};
template <>
struct Shape<TestCase::Given> {
  static constexpr std::tuple parts{list("fields", &TestCase::Given::fields, 1, kMaxListItems)};
};
template <>
struct Shape<TestCase::GivenTag> {
  static constexpr auto flag = &TestCase::GivenTag::no;
  static constexpr std::tuple parts{member("tag", &TestCase::GivenTag::tag)};
};
template <>
struct Shape<TestCase::GivenPlace> {
  static constexpr auto flag = &TestCase::GivenPlace::no;
  static constexpr std::tuple parts{member("track", &TestCase::GivenPlace::track),
                                    member("at", &TestCase::GivenPlace::step)};
};
template <>
struct Shape<TestCase::Event> {
  static constexpr std::tuple parts{member("event", &TestCase::Event::event),
                                    member("with", &TestCase::Event::with)};
};
template <>
struct Shape<TestCase::Pass> {
  static constexpr std::tuple parts{member("duration", &TestCase::Pass::duration)};
};
template <>
struct Shape<TestCase::ExpectThing> {
  static constexpr auto flag = &TestCase::ExpectThing::no;
  static constexpr std::tuple parts{
      words("what", &TestCase::ExpectThing::kind, "email", "webhook", "event", "tag"),
      member("name", &TestCase::ExpectThing::name)};
};
template <>
struct Shape<TestCase::ExpectOnStep> {
  static constexpr std::tuple parts{member("step", &TestCase::ExpectOnStep::step)};
};
template <>
struct Shape<TestCase::ExpectStopped> {
  static constexpr std::tuple parts{member("as", &TestCase::ExpectStopped::as)};
};
template <>
struct Shape<TestCase::ExpectField> {
  static constexpr std::tuple parts{member("field", &TestCase::ExpectField::field),
                                    member("is", &TestCase::ExpectField::value)};
};
template <>
struct Alternatives<decltype(TestCase::Line::what)> {
  static constexpr std::string_view tag = "line";
  static constexpr std::array<Alternative, 9> names{"given",
                                                    {"given tag", "given no tag"},
                                                    {"given on track", "given not on track"},
                                                    "event",
                                                    "after",
                                                    {"expect", "expect no"},
                                                    "expect on step",
                                                    "expect stopped",
                                                    "expect field"};
};
template <>
struct Shape<TestCase::Line> {
  static constexpr std::string_view def = "line";
  static constexpr std::tuple parts{flat(&TestCase::Line::what),
                                    member("comments", &TestCase::Line::comments)};
};
template <>
struct Shape<TestCase> {
  static constexpr std::tuple parts{member("name", &TestCase::name),
                                    list("lines", &TestCase::lines, 0, kMaxLinesPerTest),
                                    member("comments", &TestCase::comments)};
};

// ---- The whole

using Part = std::variant<Step, TestCase>;
template <>
struct Alternatives<Part> {
  static constexpr std::string_view tag = "part";
  static constexpr std::string_view def = "part";
  static constexpr std::array<Alternative, 2> names{"step", "test"};
};
// Behind the member "format".
template <>
struct Shape<Track> {
  static constexpr std::tuple parts{
      member("track", &Track::name), list("clauses", &Track::clauses, 0, kMaxClauses),
      list("parts", &Track::parts, 0, kMaxSteps + kMaxTests), member("comments", &Track::comments),
      comment_lines("comments_after", &Track::comments_after)};
};

}  // namespace turnout::track::json
