// The JSON form: what it looks like, and what its reader says of JSON that is none. Round trips and
// the schema are tested where the random tracks are, in tests/lang.

#include "track/json_form.h"

#include <gtest/gtest.h>

#include <string>

#include "track/leaves.h"
#include "track/limits.h"

namespace turnout::track {
namespace {

// The problems, one on each line.
std::string problems(const std::string& json) {
  std::string out;
  for (const JsonProblem& p : from_json(json).problems) {
    out += (out.empty() ? "" : "\n") + p.pointer + ": " + p.message;
  }
  return out;
}

// Of a track with these members.
std::string in_track(const std::string& members) {
  return problems(R"({"format":1,"track":"T",)" + members + "}");
}
// Of a rule `when` with this condition.
std::string in_when(const std::string& condition) {
  return in_track(R"("parts":[{"part":"step","name":"A","rules":[{"rule":"when","condition":)" +
                  condition + "}]}]");
}
// Of an action.
std::string in_action(const std::string& action) {
  return in_track(R"("parts":[{"part":"step","name":"A","rules":[{"rule":"otherwise","actions":[)" +
                  action + "]}]}]");
}

constexpr const char* kAction = "/parts/0/rules/0/actions/0";
constexpr const char* kCondition = "/parts/0/rules/0/condition";

std::string repeat(const std::string& text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) {
    out += text;
  }
  return out;
}

TEST(JsonForm, TheSmallestTrack) {
  const TrackFromJson read = from_json(R"({"format":1,"track":"T"})");
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read.track.name.text, "T");
  EXPECT_EQ(to_json(read.track, JsonLayout::kCompact),
            R"({"format":1,"track":"T","clauses":[],"parts":[]})");
  EXPECT_EQ(to_json(read.track),
            "{\n  \"format\": 1,\n  \"track\": \"T\",\n  \"clauses\": [],\n  \"parts\": []\n}\n");
}

TEST(JsonForm, WhatIsNoJsonIsSaidWithLineAndColumn) {
  EXPECT_EQ(problems("{\"format\": 1,\n \"track\" \"T\"}").substr(0, 52),
            ": is not JSON: parse error at line 2, column 12: syn");
  EXPECT_NE(problems(""), "");
  EXPECT_NE(problems("{} {}"), "");
  EXPECT_NE(problems("\"\xff\""), "");
  EXPECT_NE(problems("1e999"), "");
  EXPECT_EQ(problems("[]"), ": expected an object, found a list");
}

TEST(JsonForm, Format) {
  EXPECT_EQ(problems(R"({"track":"T"})"), ": expected a member \"format\", which is 1");
  EXPECT_EQ(problems(R"({"format":2,"track":"T"})"),
            "/format: expected 1, the one format that there is, found the number 2");
  EXPECT_EQ(problems(R"({"$schema":"track.schema.json","format":1,"track":"T"})"), "");
}

TEST(JsonForm, UnknownMembersAreNamed) {
  EXPECT_EQ(in_track(R"("clases":[])"),
            "/clases: this member is not known here; did you mean \"clauses\"?");
  EXPECT_EQ(in_track(R"("colour":1,"a/b~c":2)"),
            "/colour: this member is not known here\n/a~1b~0c: this member is not known here");
  EXPECT_EQ(in_track(R"("parts":[],"parts":[])"), "/parts: this member stands twice");
}

TEST(JsonForm, MissingMembersAndWrongTypes) {
  EXPECT_EQ(problems(R"({"format":1})"), ": expected a member \"track\"");
  EXPECT_EQ(problems(R"({"format":1,"track":7})"), "/track: expected a text, found the number 7");
  EXPECT_EQ(problems(R"({"format":1,"track":""})"), "/track: this text cannot be empty");
  EXPECT_EQ(problems(R"({"format":1,"track":"a\u0000b"})"),
            "/track: a text cannot have a zero character");
  EXPECT_EQ(in_track(R"("clauses":{})"), "/clauses: expected a list, found an object");
  EXPECT_EQ(in_when(R"({"test":"not","condition":null})"),
            std::string(kCondition) + "/condition: expected an object, found null");
}

TEST(JsonForm, WordsAreSuggested) {
  EXPECT_EQ(in_action(R"({"do":"send mail","template":"a"})"),
            std::string(kAction) +
                "/do: expected \"send email\", \"call webhook\", \"show\", \"run sql\", \"set\", "
                "\"clear\", \"increase\", \"decrease\", \"add tag\", \"remove tag\", \"record "
                "event\", \"put on track\" or \"take off track\", found the text \"send mail\"; "
                "did you mean \"send email\"?");
  EXPECT_EQ(in_when(R"({"test":"comparison","left":1,"op":"at leest","right":2})"),
            std::string(kCondition) +
                "/op: expected \"is\", \"is not\", \"less than\", \"at most\", \"more than\" or "
                "\"at least\", found the text \"at leest\"; did you mean \"at least\"?");
  EXPECT_EQ(in_track(R"("parts":[{"name":"A"}])"),
            "/parts/0: expected a member \"part\" that says what this is: expected \"step\" or "
            "\"test\"");
}

TEST(JsonForm, Values) {
  EXPECT_EQ(in_action(R"({"do":"set","field":"a","to":{"field":"b.c"}})"), "");
  EXPECT_EQ(in_action(R"({"do":"set","field":"a b","to":1})"),
            std::string(kAction) +
                "/field: the text \"a b\" is not the name of a field: those are made of the "
                "letters a-z, digits, \"_\" and \".\"");
  EXPECT_EQ(
      in_action(R"({"do":"set","field":"a","to":{"feild":"b"}})"),
      std::string(kAction) + "/to/feild: this member is not known here; did you mean \"field\"?");
  EXPECT_EQ(in_action(R"({"do":"set","field":"a","to":{"date":"2026-02-30"}})"),
            std::string(kAction) +
                "/to/date: the text \"2026-02-30\" is not a date that exists, such as "
                "\"2026-12-01\"");
  EXPECT_EQ(in_action(R"({"do":"set","field":"a","to":{"now":false}})"),
            std::string(kAction) + "/to/now: expected true, found false");
  EXPECT_EQ(in_action(R"({"do":"increase","field":"a","by":{"duration":"2 days"}})"), "");
  EXPECT_EQ(in_action(R"({"do":"set","field":"a","to":{"duration":"2 days"}})").substr(0, 40),
            std::string(kAction) + "/to/duration: ");
}

TEST(JsonForm, Durations) {
  const auto problem = [](const std::string& text) {
    DurationSpec duration;
    return read_duration(text, duration);
  };
  for (const char* const good : {"0 seconds", "1 day", "1 days",
                                 "1 year 2 months 3 weeks 4 days 5 "
                                 "hours 6 minutes 7 seconds",
                                 "1000 years"}) {
    EXPECT_EQ(problem(good), "") << good;
  }
  for (const char* const bad :
       {"", "1", "day", "1day", "1  day", "1 day ", " 1 day", "-1 days", "1.5 days", "1 dayss",
        "1 Day", "1 day,2 hours", "1234567890123 seconds"}) {
    EXPECT_EQ(problem(bad), "is not a duration such as \"1 day 12 hours\"") << bad;
  }
  EXPECT_EQ(problem("1 hour 1 day"), "has units that do not go from large to small, each once");
  EXPECT_EQ(problem("1 day 1 day"), "has units that do not go from large to small, each once");
  EXPECT_EQ(problem("1001 years"), "is longer than a thousand years");
  EXPECT_EQ(problem("999999999999 seconds"), "is longer than a thousand years");
}

TEST(JsonForm, TimesAndDays) {
  TimeOfDay time;
  EXPECT_EQ(read_time("23:59:59", time), "");
  EXPECT_EQ(time.seconds, 86'399);
  for (const char* const bad : {"24:00", "9:00", "09:60", "09:00:60", "09:00:", "09", "09:00 "}) {
    EXPECT_NE(read_time(bad, time), "") << bad;
  }
  DateTime at;
  EXPECT_EQ(read_date_time("2026-12-01T09:00[Europe/Berlin]", at), "");
  EXPECT_EQ(date_time_text(at), "2026-12-01T09:00[Europe/Berlin]");
  for (const std::string bad :
       {"2026-12-01", "2026-12-01T", "2026-12-01 09:00", "2026-13-01T09:00", "2026-12-01T09:00Z",
        "2026-12-01T09:00[]", "2026-12-01T09:00[a b]", "2026-12-01T09:00[a", "2026-12-01T09:00[a]x",
        "[", "2026-12-01[a]"}) {
    EXPECT_NE(read_date_time(bad, at), "") << bad;
  }
  EXPECT_EQ(read_date_time("2026-12-01T09:00[" + std::string(kMaxZoneBytes, 'a') + "]", at), "");
  EXPECT_NE(read_date_time("2026-12-01T09:00[" + std::string(kMaxZoneBytes + 1, 'a') + "]", at),
            "");
  EXPECT_EQ(in_track(R"("clauses":[{"clause":"quiet","days":["monday","munday"]}])").substr(0, 68),
            "/clauses/0/days/1: expected \"monday\", \"tuesday\", \"wednesday\", \"thurs");
  EXPECT_EQ(in_track(R"("clauses":[{"clause":"quiet","days":["monday","monday"]}])"),
            "/clauses/0/days/1: this day stands twice");
}

TEST(JsonForm, WhatHoldsBetweenMembers) {
  EXPECT_EQ(in_track(R"("clauses":[{"clause":"quiet","in":"zone"}])"),
            "/clauses/0: expected a member \"hours\" or \"days\"");
  EXPECT_EQ(in_track(R"("clauses":[{"clause":"enter","how":"again after"}])"),
            "/clauses/0: expected a member \"after\", because \"how\" is \"again after\"");
  EXPECT_EQ(in_track(R"("clauses":[{"clause":"enter","how":"once","after":"1 day"}])"),
            "/clauses/0/after: this member stands only where \"how\" is \"again after\"");
  EXPECT_EQ(in_track(R"("parts":[{"part":"step","name":"A","about_comments":{"behind":"x"}}])"),
            "/parts/0/about_comments: this member stands only beside \"about\"");
  EXPECT_EQ(in_when(R"({"test":"comparison","left":1,"op":"is","right":2,"negated":true})"),
            std::string(kCondition) +
                "/negated: this cannot be true where \"op\" is \"is\" or \"is not\": take the "
                "other of these two");
  EXPECT_EQ(in_when(R"({"test":"comparison","left":1,"op":"is","right":2,"negated":false})"), "");
}

TEST(JsonForm, Comments) {
  EXPECT_EQ(in_track(R"("comments":{"before":["a"," b",""],"behind":"c"})"), "");
  EXPECT_EQ(in_track(R"("comments":{"before":["a\nb"]})"),
            "/comments/before/0: a comment has one line; write several comments");
  EXPECT_EQ(in_track(R"("comments_after":["a "])"),
            "/comments_after/0: a comment has no blanks at its end");
}

// Members of objects behind `with` keep their order and may stand twice.
TEST(JsonForm, With) {
  const auto with = [](const std::string& value) {
    return in_action(R"({"do":"show","what":"w","with":)" + value + "}");
  };
  EXPECT_EQ(with(R"({"a":[1,{"field":"b"},{"object":{"c":true}}]})"), "");
  EXPECT_EQ(with(R"([["a",1],["a",2]])"), "");
  const std::string there = std::string(kAction) + "/with";
  EXPECT_EQ(with(R"({"a":1,"a":2})"), there +
                                          "/a: this member stands twice; where that is meant "
                                          "write a list of [name, value]");
  EXPECT_EQ(with(R"([["a"]])"),
            there + "/0: expected a list of two: a name and a value, found a list");
  EXPECT_EQ(with("3"),
            there + ": expected an object, or a list of [name, value], found the number 3");
  EXPECT_EQ(with(R"({"a":{"b":1,"c":2}})").substr(0, there.size() + 20),
            there + "/a: expected a value");
  for (const char* const name : {"7", "__proto__"}) {  // what JavaScript would not keep in order
    Track track;
    Step step{{"A", {}}, {}, {}, {}, {}, {}, {}, {}, {}};
    step.rules.push_back({Otherwise{}, {}, {}, {}, {}});
    Json::Object object;
    object.members.push_back({name, Json{Operand{1.0, {}}, {}}});
    step.rules[0].actions.push_back({Show{{"w", {}}, Json{object, {}}}, {}, {}});
    track.name.text = "T";
    track.parts.emplace_back(step);
    const std::string json = to_json(track, JsonLayout::kCompact);
    EXPECT_NE(json.find("\"with\":[[\"" + std::string(name) + "\",1]]"), std::string::npos) << json;
    EXPECT_EQ(from_json(json).track, track);
  }
}

// ---- Limits at their edges

std::string nested_not(std::size_t depth) {
  return repeat(R"({"test":"not","condition":)", depth) + R"({"test":"field","field":"a"})" +
         repeat("}", depth);
}

TEST(JsonForm, NestingOfConditions) {
  EXPECT_EQ(in_when(nested_not(kMaxNesting - 1)), "");
  EXPECT_NE(in_when(nested_not(kMaxNesting)).find("nested more than 100 deep"), std::string::npos);
}

TEST(JsonForm, NestingOfJson) {
  const auto nested = [](std::size_t depth) {
    return in_action(R"({"do":"show","what":"w","with":{"a":)" + repeat("[", depth) +
                     repeat("]", depth) + "}}");
  };
  EXPECT_EQ(nested(kMaxNesting - 1), "");
  EXPECT_NE(nested(kMaxNesting).find("nested more than 100 deep"), std::string::npos);
}

TEST(JsonForm, HostileDepth) {
  constexpr std::size_t kDeep = 1'000'000;
  EXPECT_EQ(problems(std::string(kDeep, '[')), ": is nested more than 500 deep");
  EXPECT_EQ(problems(repeat("{\"a\":", kDeep)), ": is nested more than 500 deep");
  EXPECT_NE(problems(std::string(kMaxJsonDepth, '[') + std::string(kMaxJsonDepth, ']')), "");
}

TEST(JsonForm, HostileSize) {
  EXPECT_EQ(problems(std::string(kMaxJsonBytes + 1, ' ')),
            ": has 16,777,217 bytes; at most 16,777,216 are read");
  EXPECT_EQ(problems("[" + repeat("0,", kMaxJsonValues) + "0]"),
            ": has more than 1,000,000 values");
  EXPECT_EQ(problems("[" + repeat("0,", kMaxJsonValues - 2) + "0]"),
            ": expected an object, found a list");
}

TEST(JsonForm, Counts) {
  const std::string clause = R"({"clause":"about","text":"x"})";
  const auto clauses = [&](std::size_t count) {
    return in_track("\"clauses\":[" + clause + repeat("," + clause, count - 1) + "]");
  };
  EXPECT_EQ(clauses(kMaxClauses), "");
  EXPECT_EQ(clauses(kMaxClauses + 1), "/clauses: more than 1,000 are too many");
  const std::string step = R"({"part":"step","name":"A"})";
  const auto steps = [&](std::size_t count) {
    return in_track("\"parts\":[" + step + repeat("," + step, count - 1) + "]");
  };
  EXPECT_EQ(steps(kMaxSteps), "");
  EXPECT_EQ(steps(kMaxSteps + 1), "/parts: more than 10,000 steps are too many");
  const auto one_of = [](std::size_t count) {
    return in_when(R"({"test":"one of","left":1,"values":[1)" + repeat(",1", count - 1) + "]}");
  };
  EXPECT_EQ(one_of(kMaxListItems), "");
  EXPECT_EQ(one_of(kMaxListItems + 1),
            std::string(kCondition) + "/values: more than 10,000 are too many");
  EXPECT_EQ(in_when(R"({"test":"and","conditions":[{"test":"field","field":"a"}]})"),
            std::string(kCondition) + "/conditions: expected a list of 2 or more, found 1");
}

TEST(JsonForm, AtMostAHundredProblemsAreReported) {
  EXPECT_EQ(from_json(R"({"format":1,"track":"T","clauses":[0)" + repeat(",0", 500) + "]}")
                .problems.size(),
            kMaxJsonProblems);
}

}  // namespace
}  // namespace turnout::track
