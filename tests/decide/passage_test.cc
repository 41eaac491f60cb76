// What a passage does with a contact: delayed moves, timers, stays, arms, chains, limits.

#include <cmath>

#include "blocks.h"

namespace turnout::decide {
namespace {

using testing::ElementsAre;
using track::kNever;
using track::PositionState;

constexpr base::Duration kUs{1};
constexpr std::int64_t kDayUs = 86'400'000'000;

constexpr const char* kDelayed = R"(track "t"
step "a"
  otherwise:
    send email "hello"
    go to "b" after 2 days
step "b"
  when score is more than 3:
    stop as "high"
  after 5 days:
    stop as "cold"
)";

TEST(Passage, R16DelayedMoveClosesTheNextStepUntilItIsDue) {
  const TestTrack track = made(kDelayed);
  const base::Instant now = at("2026-06-01T10:00:00Z");
  const track::BlockOutcome out = track.run(now, {with({{"score", 9.0}})});
  EXPECT_EQ(shape_of(out, 0).moves, 1);
  EXPECT_EQ(shape_of(out, 0).step, track.step("b"));
  EXPECT_EQ(shape_of(out, 0).state, PositionState::kClosed);
  EXPECT_EQ(out.due_at[0], at("2026-06-03T10:00:00Z"));
  EXPECT_EQ(out.step_at[0], now);
}

TEST(Passage, R16ClosedStepIsNotTestedBeforeItIsDue) {
  const TestTrack track = made(kDelayed);
  TestRow row = with({{"score", 9.0}});
  row.step = track.step("b");
  row.state = PositionState::kClosed;
  row.due_at = at("2026-06-03T10:00:00Z");
  const track::BlockOutcome before = track.run(row.due_at - kUs, {row});
  EXPECT_EQ(shape_of(before, 0).moves, 0);
  EXPECT_EQ(shape_of(before, 0).state, PositionState::kClosed);
  EXPECT_EQ(shape_of(before, 0).step, row.step);
  EXPECT_EQ(before.due_at[0], row.due_at);
  EXPECT_EQ(before.seen[0], "");
  const track::BlockOutcome due = track.run(row.due_at, {row});
  EXPECT_EQ(shape_of(due, 0).step, track.outcome("high"));
  EXPECT_EQ(shape_of(due, 0).state, PositionState::kStopped);
  EXPECT_EQ(due.due_at[0], kNever);
}

TEST(Passage, R16StepOpensWhenItWasDueAndAfterCountsFromThen) {
  const TestTrack track = made(kDelayed);
  TestRow row;
  row.step = track.step("b");
  row.state = PositionState::kClosed;
  row.due_at = at("2026-06-03T10:00:00Z");
  const track::BlockOutcome out = track.run(at("2026-06-04T00:00:00Z"), {row});
  EXPECT_EQ(shape_of(out, 0).moves, 0);
  EXPECT_EQ(shape_of(out, 0).state, PositionState::kOpen);
  EXPECT_TRUE(shape_of(out, 0).path.empty());
  EXPECT_EQ(shape_of(out, 0).path_json, "");
  EXPECT_EQ(out.step_at[0], row.due_at);
  EXPECT_EQ(out.due_at[0], at("2026-06-08T10:00:00Z"));
  row.state = PositionState::kOpen;
  row.step_at = row.due_at;
  EXPECT_EQ(shape_of(track.run(at("2026-06-08T09:59:59.999999Z"), {row}), 0).moves, 0);
  EXPECT_EQ(shape_of(track.run(at("2026-06-08T10:00:00Z"), {row}), 0).step, track.outcome("cold"));
}

TEST(Passage, RowsThatAreNotDueKeepWhatTheyHave) {
  const TestTrack track = made(kDelayed);
  TestRow stopped;
  stopped.step = track.outcome("cold");
  stopped.state = PositionState::kStopped;
  stopped.due_at = kNever;
  TestRow unknown;
  unknown.step = 4711;
  unknown.step_at = at("2026-01-01T00:00:00Z");
  unknown.due_at = at("2026-01-02T00:00:00Z");
  unknown.stayed = 5;
  const track::BlockOutcome out =
      track.run(at("2026-06-01T00:00:00Z"), {stopped, unknown, TestRow{}});
  EXPECT_EQ(shape_of(out, 0).state, PositionState::kStopped);
  EXPECT_EQ(shape_of(out, 0).step, track.outcome("cold"));
  EXPECT_EQ(shape_of(out, 0).moves, 0);
  EXPECT_EQ(shape_of(out, 1).step, 4711);
  EXPECT_EQ(shape_of(out, 1).moves, 0);
  EXPECT_EQ(out.step_at[1], unknown.step_at);
  EXPECT_EQ(out.due_at[1], unknown.due_at);
  EXPECT_EQ(out.stayed[1], 5U);
  EXPECT_EQ(shape_of(out, 2).moves, 1);
}

// Local clock times through changes of the clocks, in several zones: `go to … after 1 day`.
TEST(Passage, R16DaysAreCalendarDaysInTheContactsZone) {
  const TestTrack track = made(R"(track "t"
  time zone of zone or "UTC"
step "a"
  when nick is "month":
    go to "b" after 1 month
  when nick is "hours":
    go to "b" after 24 hours
  otherwise:
    go to "b" after 1 day
step "b"
  otherwise:
    stop
)");
  const auto due = [&](const char* zone, const char* now, const char* kind = "") {
    const track::BlockOutcome out =
        track.run(at(now), {with({{"zone", std::string(zone)}, {"nick", std::string(kind)}})});
    return base::format_instant(out.due_at[0]);
  };
  // Spring: the next day has 23 hours; 24 hours are 24 hours.
  EXPECT_EQ(due("Europe/Berlin", "2026-03-28T11:00:00Z"), "2026-03-29T10:00:00Z");
  EXPECT_EQ(due("Europe/Berlin", "2026-03-28T11:00:00Z", "hours"), "2026-03-29T11:00:00Z");
  EXPECT_EQ(due("America/New_York", "2026-03-07T17:00:00Z"), "2026-03-08T16:00:00Z");
  // 02:30 does not exist: the first instant after the gap.
  EXPECT_EQ(due("Europe/Berlin", "2026-03-28T01:30:00.5Z"), "2026-03-29T01:00:00Z");
  // Midnight does not exist in Havana, Beirut and (until 2018) São Paulo.
  EXPECT_EQ(due("America/Havana", "2026-03-07T05:00:00Z"), "2026-03-08T05:00:00Z");
  EXPECT_EQ(due("America/Sao_Paulo", "2018-11-03T03:00:00Z"), "2018-11-04T03:00:00Z");
  // 02:30 comes twice: the first.
  EXPECT_EQ(due("Europe/Berlin", "2026-10-24T00:30:00Z"), "2026-10-25T00:30:00Z");
  EXPECT_EQ(due("America/New_York", "2026-10-31T05:30:00Z"), "2026-11-01T05:30:00Z");
  // Half an hour of summer time, and a day that Samoa never had.
  EXPECT_EQ(due("Australia/Lord_Howe", "2026-10-03T01:00:00Z"), "2026-10-04T00:30:00Z");
  EXPECT_EQ(due("Pacific/Apia", "2011-12-29T20:00:00Z"), "2011-12-30T10:00:00Z");
  // A month later, or its last day.
  EXPECT_EQ(due("UTC", "2026-01-31T09:00:00Z", "month"), "2026-02-28T09:00:00Z");
  EXPECT_EQ(due("UTC", "2028-01-31T09:00:00Z", "month"), "2028-02-29T09:00:00Z");
  // No such zone: the track's own. Nor does a zone's name reach for other files.
  EXPECT_EQ(due("Mars/Base", "2026-03-28T11:00:00Z"), "2026-03-29T11:00:00Z");
  EXPECT_EQ(due("../zoneinfo/Europe/Berlin", "2026-03-28T11:00:00Z"), "2026-03-29T11:00:00Z");
  EXPECT_EQ(due("/usr/share/zoneinfo/Europe/Berlin", "2026-03-28T11:00:00Z"),
            "2026-03-29T11:00:00Z");
  EXPECT_EQ(due("localtime", "2026-03-28T11:00:00Z"), "2026-03-29T11:00:00Z");
  EXPECT_EQ(due("", "2026-03-28T11:00:00Z"), "2026-03-29T11:00:00Z");
}

TEST(Passage, R16WaitsForTheFirstOfAllTimersAndComparisons) {
  const TestTrack track = made(R"(track "t"
step "a"
  when ends_at is before now:
    stop as "over"
  when seen_at is more than 3 days ago and score is 1:
    stop as "away"
  after 5 days:
    stop as "cold"
)");
  TestRow row = with({{"seen_at", at("2026-06-01T00:00:00Z")}});
  row.step_at = at("2026-06-02T00:00:00Z");
  const base::Instant now = at("2026-06-02T00:00:00Z");
  EXPECT_EQ(track.run(now, {row}).due_at[0], at("2026-06-04T00:00:00Z") + kUs);
  row.values["ends_at"] = at("2026-06-03T00:00:00Z");
  EXPECT_EQ(track.run(now, {row}).due_at[0], at("2026-06-03T00:00:00Z") + kUs);
  row.values.clear();
  EXPECT_EQ(track.run(now, {row}).due_at[0], at("2026-06-07T00:00:00Z"));
  const TestTrack untimed = made("track \"t\"\nstep \"a\"\n  when score is 1:\n    stop\n");
  EXPECT_EQ(untimed.run(now, {row}).due_at[0], kNever);
}

// ---- Stay
// -----------------------------------------------------------------------------------------------------------

constexpr const char* kStay = R"(track "t"
step "a"
  when score is at least 40:
    add tag "hot"
    stay
  when nick is "x":
    send email "x"
    stay
  after 5 days:
    stop as "cold"
)";

TEST(Passage, R15StayIsANumberedMoveAndIsNotMetAgain) {
  const TestTrack track = made(kStay);
  TestRow row = with({{"score", 50.0}, {"nick", std::string("x")}});
  row.step_at = at("2026-06-01T00:00:00Z");
  row.due_at = row.step_at;
  track::BlockOutcome out = track.run(row.step_at, {row});
  EXPECT_EQ(shape_of(out, 0).moves, 1);
  EXPECT_EQ(shape_of(out, 0).step, track.step("a"));
  EXPECT_EQ(shape_of(out, 0).state, PositionState::kOpen);
  EXPECT_EQ(shape_of(out, 0).path_json, "[1,0,1]");
  EXPECT_EQ(out.stayed[0], 1U);
  EXPECT_EQ(out.step_at[0], row.step_at);
  EXPECT_EQ(out.due_at[0], at("2026-06-06T00:00:00Z"));  // timers keep running
  // At the next trigger the rest of the rules is tested; the second one stays as well.
  row.stayed = out.stayed[0];
  out = track.run(at("2026-06-02T00:00:00Z"), {row});
  EXPECT_EQ(shape_of(out, 0).path_json, "[1,1,1]");
  EXPECT_EQ(out.stayed[0], 3U);
  row.stayed = 3;
  out = track.run(at("2026-06-03T00:00:00Z"), {row});
  EXPECT_EQ(shape_of(out, 0).moves, 0);
  EXPECT_EQ(out.stayed[0], 3U);
  EXPECT_EQ(out.due_at[0], at("2026-06-06T00:00:00Z"));
  out = track.run(at("2026-06-06T00:00:00Z"), {row});
  EXPECT_EQ(shape_of(out, 0).step, track.outcome("cold"));
  EXPECT_EQ(out.stayed[0], 0U);
}

TEST(Passage, R15WhatARuleReadsWakesItAfterItStayed) {
  const TestTrack track = made(kStay);
  const auto index = [&](const char* name) -> std::size_t {
    for (std::size_t i = 0; i < track.program.fields().size(); ++i) {
      if (track.program.fields()[i].name == name) {
        return i;
      }
    }
    ADD_FAILURE() << name;
    return 0;
  };
  const std::int32_t step = track.step("a");
  EXPECT_EQ(track.program.woken_rules(step, {.fields = {index("score")}}), 1U);
  EXPECT_EQ(track.program.woken_rules(step, {.fields = {index("nick")}}), 2U);
  EXPECT_EQ(track.program.woken_rules(step, {.fields = {index("nick"), index("score")}}), 3U);
  EXPECT_EQ(track.program.woken_rules(step, {}), 0U);
  EXPECT_EQ(track.program.woken_rules(4711, {.fields = {index("score")}}), 0U);
  ASSERT_EQ(track.program.listens()[0].step, step);
  EXPECT_THAT(track.program.listens()[0].reads.fields,
              testing::UnorderedElementsAre(index("score"), index("nick")));
}

TEST(Passage, R15TagsWakeRulesAndOtherwiseReadsWhatTheOthersDo) {
  const TestTrack track = made(R"(track "t"
step "a"
  when has tag "vip" and score is 1:
    stop
  when has tag "old":
    stay
  otherwise:
    send email "x"
    stay
)");
  ASSERT_THAT(track.program.tags(), ElementsAre("vip", "old"));
  const std::int32_t step = track.step("a");
  EXPECT_EQ(track.program.woken_rules(step, {.tags = {0}}), 0b101U);
  EXPECT_EQ(track.program.woken_rules(step, {.tags = {1}}), 0b110U);
  TestRow row;
  track::BlockOutcome out = track.run(at("2026-06-01T00:00:00Z"), {row});
  EXPECT_EQ(out.stayed[0], 0b100U);
  row.stayed = 0b100U;
  out = track.run(at("2026-06-02T00:00:00Z"), {row});
  EXPECT_EQ(shape_of(out, 0).moves, 0);
}

TEST(Passage, R16StayedRuleIsMetAgainAtItsOwnInstant) {
  const TestTrack track = made(R"(track "t"
step "a"
  when today is the anniversary of born_on:
    send email "birthday"
    stay
)");
  TestRow row = with({{"born_on", base::parse_date("1990-06-10").value()}});
  row.step_at = at("2026-06-01T00:00:00Z");
  track::BlockOutcome out = track.run(row.step_at, {row});
  EXPECT_EQ(out.due_at[0], at("2026-06-10T00:00:00Z"));
  for (int year = 2026; year < 2029; ++year) {
    // On the day it sends once; at its end the rule is woken and not met.
    row.due_at = out.due_at[0];
    row.stayed = out.stayed[0];
    out = track.run(row.due_at + base::Duration(5'000'000), {row});
    ASSERT_EQ(shape_of(out, 0).acts.size(), 1U) << year;
    EXPECT_EQ(out.stayed[0], 1U);
    row.stayed = 1;
    ASSERT_EQ(out.due_at[0], base::Instant{row.due_at.us + kDayUs});
    const base::Instant until = out.due_at[0];
    row.due_at = until - base::Duration(9);  // woken by something else
    EXPECT_EQ(shape_of(track.run(until - base::Duration(7), {row}), 0).moves, 0);
    row.due_at = until;
    out = track.run(row.due_at, {row});
    EXPECT_EQ(shape_of(out, 0).moves, 0);
    EXPECT_EQ(out.stayed[0], 0U);
    EXPECT_EQ(base::format_instant(out.due_at[0]), std::to_string(year + 1) + "-06-10T00:00:00Z");
  }
}

TEST(Passage, R16TimerThatIsDueBesideAStayIsNotLost) {
  const TestTrack track = made(kStay);
  TestRow row = with({{"score", 50.0}});
  row.step_at = at("2026-06-01T00:00:00Z");
  row.due_at = at("2026-06-06T00:00:00Z");
  const base::Instant now = row.due_at;  // `after 5 days` is met, but the first rule comes first
  track::BlockOutcome out = track.run(now, {row});
  EXPECT_EQ(out.stayed[0], 1U);
  EXPECT_EQ(out.due_at[0], now + kUs);
  row.stayed = 1;
  row.due_at = out.due_at[0];
  out = track.run(now + kUs, {row});
  EXPECT_EQ(shape_of(out, 0).step, track.outcome("cold"));
}

TEST(Passage, R16TimersThatStayAtOneInstantEachFireOnce) {
  const TestTrack track = made(R"(track "t"
step "a"
  after 1 day:
    send email "one"
    stay
  after 1 day:
    send email "two"
    stay
  when ends_at is before now:
    send email "three"
    stay
)");
  TestRow row = with({{"ends_at", at("2026-06-02T00:00:00Z") - kUs}});
  row.step_at = at("2026-06-01T00:00:00Z");
  row.due_at = row.step_at;
  track::BlockOutcome out = track.run(row.step_at, {row});
  EXPECT_EQ(out.due_at[0], at("2026-06-02T00:00:00Z"));
  std::string sent;
  for (int i = 0; i < 10 && out.due_at[0] != kNever; ++i) {
    row.due_at = out.due_at[0];
    row.stayed = out.stayed[0];
    out = track.run(row.due_at, {row});
    for (const track::Shape::Act& act : shape_of(out, 0).acts) {
      for (const auto& [action, number] : track.numbering.actions) {
        sent += number == act.name ? action.second + " " : "";
      }
    }
  }
  EXPECT_EQ(sent, "one two three ");
  EXPECT_EQ(out.due_at[0], kNever);
  EXPECT_EQ(out.stayed[0], 0b111U);
}

// ---- Arms
// -----------------------------------------------------------------------------------------------------------

constexpr const char* kArms = R"(track "t"
step "a"
  when score is 1:
    stop as "early"
  for 12.5% as "x":
    stop as "x"
  for 30%:
    stop as "y"
  for 57.5%:
    stop as "z"
)";

TEST(Passage, R15ArmsTakeTheirSharesOfAllEntries) {
  const TestTrack track = made(kArms);
  std::vector<TestRow> rows(100'000);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].contact = static_cast<std::int64_t>(i) + 1;
  }
  const track::BlockOutcome out = track.run(at("2026-06-01T00:00:00Z"), rows);
  std::map<std::int32_t, double> share;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    share[shape_of(out, i).step] += 100.0 / static_cast<double>(rows.size());
  }
  EXPECT_EQ(share.size(), 3U);  // 100 % leaves nobody
  EXPECT_NEAR(share[track.outcome("x")], 12.5, 0.4);
  EXPECT_NEAR(share[track.outcome("y")], 30, 0.5);
  EXPECT_NEAR(share[track.outcome("z")], 57.5, 0.5);
}

TEST(Passage, R15DrawIsHashedFromIdsAndStaysForTheEntry) {
  // The same by hand: part of what versions and peers agree on.
  const auto mix = [](std::uint64_t x) {
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9ULL;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebULL;
    return x ^ x >> 31;
  };
  const TestTrack track = made(kArms);
  const auto step = static_cast<std::uint64_t>(track.step("a"));
  std::vector<TestRow> rows;
  for (std::int64_t contact = 1; contact <= 500; ++contact) {
    for (std::int32_t entry = 1; entry <= 2; ++entry) {
      TestRow row;
      row.contact = contact;
      row.entry = entry;
      rows.push_back(row);
    }
  }
  const track::BlockOutcome out = track.run(at("2026-06-01T00:00:00Z"), rows);
  int differ = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::uint64_t hash = mix(mix(mix(7) ^ static_cast<std::uint64_t>(rows[i].contact)) ^
                                   (static_cast<std::uint64_t>(rows[i].entry) << 32 | step));
    const double share = std::ldexp(static_cast<double>(hash), -64) * 100;
    const char* const arm = share < 12.5 ? "x" : (share < 42.5 ? "y" : "z");
    EXPECT_EQ(shape_of(out, i).step, track.outcome(arm)) << rows[i].contact;
    differ += i % 2 == 1 && out.shape[i] != out.shape[i - 1] ? 1 : 0;
  }
  EXPECT_GT(differ, 100);  // entries are drawn anew
}

TEST(Passage, R15ArmsBelowAHundredPercentLeaveTheRestWaiting) {
  const TestTrack track = made("track \"t\"\nstep \"a\"\n  for 10%:\n    stop\n");
  std::vector<TestRow> rows(10'000);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].contact = static_cast<std::int64_t>(i);
  }
  const track::BlockOutcome out = track.run(at("2026-06-01T00:00:00Z"), rows);
  int waiting = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    waiting += shape_of(out, i).moves == 0 ? 1 : 0;
  }
  EXPECT_NEAR(waiting, 9'000, 150);
}

// ---- Chains
// ---------------------------------------------------------------------------------------------------------

TEST(Passage, R1ContactsGoThroughAsManyStepsAsTheyCan) {
  const TestTrack track = made(R"(track "t"
step "a"
  when score is 1:
    go to "c"
  otherwise:
    add tag "went b"
step "b"
  otherwise:
    remove tag "went b"
    go to "d"
step "c"
  otherwise:
    go to "b"
step "d"
  when nick is "wait":
    stop
)");
  const base::Instant now = at("2026-06-01T00:00:00Z");
  const track::BlockOutcome out = track.run(now, {with({{"score", 1.0}}), with({}), with({})});
  EXPECT_EQ(shape_of(out, 0).path, (std::vector<std::int32_t>{1, 0, 3, 0, 2, 0, 4}));
  EXPECT_EQ(shape_of(out, 0).moves, 3);
  EXPECT_EQ(shape_of(out, 0).step, track.step("d"));
  EXPECT_EQ(shape_of(out, 0).state, PositionState::kOpen);
  EXPECT_EQ(out.step_at[0], now);
  EXPECT_EQ(out.due_at[0], kNever);
  EXPECT_EQ(shape_of(out, 1).path_json, "[1,1,2,0,4]");
  EXPECT_EQ(out.shape[1], out.shape[2]);
  EXPECT_EQ(out.shapes.size(), 2U);
  ASSERT_EQ(shape_of(out, 1).tags.size(), 1U);  // folded: the last counts
  EXPECT_FALSE(shape_of(out, 1).tags[0].add);
  EXPECT_EQ(out.seen[0], R"({"score":1,"nick":null})");
}

TEST(Passage, PassageEndsAfterAThousandMoves) {
  const TestTrack track = made(R"(track "t"
step "a"
  when nick is "once":
    clear nick
    go to "b"
  otherwise:
    go to "b"
step "b"
  otherwise:
    send email "x"
    go to "a"
)");
  const base::Instant now = at("2026-06-01T00:00:00Z");
  TestRow second;
  second.step = track.step("b");
  const track::BlockOutcome out =
      track.run(now, {with({}), with({{"nick", std::string("once")}}), second});
  for (std::size_t row = 0; row < 3; ++row) {
    const track::Shape& shape = shape_of(out, row);
    EXPECT_EQ(shape.moves, kMaxMovesPerPassage);
    EXPECT_EQ(shape.path.size(), 2U * kMaxMovesPerPassage + 1);
    EXPECT_EQ(shape.state, PositionState::kOpen);
    EXPECT_EQ(out.due_at[row], now);
    EXPECT_EQ(shape.acts.size(), 500U);
    EXPECT_EQ(shape.acts.back().move, row == 2 ? 999 : 1'000);
    std::int32_t fired = 0;
    for (const track::Shape::Count& count : shape.counts) {
      fired += count.times;
    }
    EXPECT_EQ(fired, kMaxMovesPerPassage);
  }
  EXPECT_EQ(shape_of(out, 0).step, track.step("a"));
  EXPECT_EQ(shape_of(out, 2).step, track.step("b"));
  EXPECT_EQ(shape_of(out, 0).counts.size(), 2U);
  EXPECT_EQ(shape_of(out, 1).counts.size(), 3U);
}

TEST(Passage, RuleWithoutMoveGoesOnAndTheLastStepCompletes) {
  const TestTrack track = made(R"(track "t"
step "a"
  otherwise:
step "b"
  otherwise:
    send email "x"
)");
  const track::BlockOutcome out = track.run(at("2026-06-01T00:00:00Z"), {TestRow{}});
  EXPECT_EQ(shape_of(out, 0).step, track.outcome("completed"));
  EXPECT_EQ(shape_of(out, 0).state, PositionState::kStopped);
  EXPECT_EQ(shape_of(out, 0).moves, 2);
}

TEST(Passage, EmptyBlockIsAnEmptyOutcome) {
  const TestTrack track = made(kStay);
  const track::BlockOutcome out = track.run(at("2026-06-01T00:00:00Z"), {});
  EXPECT_EQ(out.rows(), 0U);
  EXPECT_TRUE(out.shapes.empty());
}

}  // namespace
}  // namespace turnout::decide
