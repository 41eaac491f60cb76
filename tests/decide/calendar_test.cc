// Rules and moves that a calendar brings about: `once at`, `every … at`, `stay for`, moves due by a
// clock or by a field of the contact.

#include "blocks.h"

namespace turnout::decide {
namespace {

using track::kNever;
using track::PositionState;

constexpr base::Duration kMicrosecond{1};
constexpr std::uint64_t kFirstRule = 1;

TestRow at_step(base::Instant opened, std::map<std::string, track::Value> values = {}) {
  TestRow row = with(std::move(values));
  row.step_at = opened;
  row.due_at = opened;
  return row;
}

TEST(Calendar, R16OnceAtIsMetFromThatInstantOn) {
  const TestTrack track = made(R"(track "t"
  time zone of zone or "Europe/Berlin"
step "a"
  once at 2026-06-01 09:00:
    stop as "turned"
)");
  const base::Instant turn = at("2026-06-01T07:00:00Z");
  const TestRow row = at_step(turn - std::chrono::hours(48));
  track::BlockOutcome out = track.run(row.step_at, {row});
  EXPECT_EQ(shape_of(out, 0).moves, 0);
  EXPECT_EQ(out.due_at[0], turn);
  EXPECT_EQ(track.run(turn, {next(row, out)}).shape_of(0).step, track.outcome("turned"));
  const TestRow late = at_step(turn + std::chrono::hours(48));
  EXPECT_EQ(track.run(late.step_at, {late}).shape_of(0).step, track.outcome("turned"));
  // Nine o'clock is the contact's own.
  const TestRow there = at_step(row.step_at, {{"zone", std::string("America/Chicago")}});
  out = track.run(row.step_at, {there});
  EXPECT_EQ(out.due_at[0], at("2026-06-01T14:00:00Z"));
}

TEST(Calendar, R16EveryIsMetAtEachTurnAfterArrival) {
  const TestTrack track = made(R"(track "t"
step "a"
  every weekday at 09:00:
    send email "digest"
    stay
)");
  // A Friday at nine sharp: that turn has been.
  const TestRow row = at_step(at("2026-06-05T09:00:00Z"));
  track::BlockOutcome out = track.run(row.step_at, {row});
  EXPECT_EQ(shape_of(out, 0).moves, 0);
  EXPECT_EQ(out.due_at[0], at("2026-06-08T09:00:00Z"));
  TestRow waiting = next(row, out);
  for (const char* turn : {"2026-06-08T09:00:00Z", "2026-06-09T09:00:00Z"}) {
    ASSERT_EQ(waiting.due_at, at(turn));
    out = track.run(waiting.due_at + kMicrosecond * 1500, {waiting});
    EXPECT_EQ(shape_of(out, 0).moves, 1) << turn;
    EXPECT_EQ(out.stayed[0], kFirstRule);
    waiting = next(waiting, out);
  }
  // Tested for another reason between two turns it is not met.
  TestRow woken = waiting;
  woken.due_at = at("2026-06-09T15:00:00Z");
  out = track.run(woken.due_at, {woken});
  EXPECT_EQ(shape_of(out, 0).moves, 0);
  EXPECT_EQ(out.due_at[0], at("2026-06-10T09:00:00Z"));
}

TEST(Calendar, R16TurnsThatWereMissedAreMadeUpOnce) {
  const TestTrack track = made(R"(track "t"
step "a"
  every day at 09:00:
    send email "digest"
    stay
)");
  TestRow row = at_step(at("2026-06-01T12:00:00Z"));
  row.due_at = at("2026-06-02T09:00:00Z");
  row.stayed = kFirstRule;
  const track::BlockOutcome out = track.run(at("2026-06-20T10:00:00Z"), {row});
  EXPECT_EQ(shape_of(out, 0).moves, 1);
  EXPECT_EQ(out.due_at[0], at("2026-06-21T09:00:00Z"));
}

TEST(Calendar, R15StayForRestsAndThenTestsAllRulesAgain) {
  const TestTrack track = made(R"(track "t"
step "a"
  when score is more than 5:
    send email "reminder"
    stay for 3 days
  after 10 days:
    stop as "cold"
)");
  const base::Instant opened = at("2026-06-01T10:00:00Z");
  const TestRow row = at_step(opened, {{"score", 9.0}});
  track::BlockOutcome out = track.run(opened, {row});
  EXPECT_EQ(shape_of(out, 0).moves, 1);
  EXPECT_EQ(shape_of(out, 0).step, track.step("a"));
  EXPECT_EQ(shape_of(out, 0).state, PositionState::kClosed);
  EXPECT_EQ(out.due_at[0], at("2026-06-04T10:00:00Z"));
  EXPECT_EQ(out.step_at[0], opened);
  TestRow resting = next(row, out);
  out = track.run(resting.due_at - kMicrosecond, {resting});
  EXPECT_EQ(shape_of(out, 0).moves, 0);
  EXPECT_EQ(out.due_at[0], resting.due_at);
  EXPECT_EQ(out.stayed[0], resting.stayed);
  // The same rule again, since the score is what it was; `after` counts from when the step opened.
  for (int turn = 0; turn < 3; ++turn) {
    out = track.run(resting.due_at, {resting});
    EXPECT_EQ(shape_of(out, 0).moves, 1);
    EXPECT_EQ(out.step_at[0], opened);
    resting = next(resting, out);
  }
  EXPECT_EQ(resting.due_at, at("2026-06-13T10:00:00Z"));
  resting.values["score"] = 1.0;
  out = track.run(resting.due_at, {resting});
  EXPECT_EQ(shape_of(out, 0).step, track.outcome("cold"));
  EXPECT_EQ(out.stayed[0], 0U);
}

constexpr const char* kRenewal = R"(track "t"
step "a"
  otherwise:
    go to "b" 3 days before due_on at 09:00
step "b"
  after 1 day:
    stop as "late"
)";

TEST(Calendar, R16MoveByAFieldFollowsItWhenItChanges) {
  const TestTrack track = made(kRenewal);
  const auto days = [](const char* text) { return track::Value(base::parse_date(text).value()); };
  const base::Instant now = at("2026-06-01T10:00:00Z");
  const TestRow row = at_step(now, {{"due_on", days("2026-06-20")}});
  track::BlockOutcome out = track.run(now, {row});
  EXPECT_EQ(shape_of(out, 0).state, PositionState::kClosed);
  EXPECT_EQ(out.due_at[0], at("2026-06-17T09:00:00Z"));
  const TestRow waiting = next(row, out);
  // It asks to be woken by this field, and by no other.
  std::vector<std::size_t> due_on;
  std::vector<std::size_t> others;
  for (std::size_t i = 0; i < track.program.fields().size(); ++i) {
    (track.program.fields()[i].name == "due_on" ? due_on : others).push_back(i);
  }
  EXPECT_TRUE(track.program.wakes_closed(waiting.stayed, {.fields = due_on}));
  EXPECT_FALSE(track.program.wakes_closed(waiting.stayed, {.fields = others}));
  EXPECT_FALSE(track.program.wakes_closed(0, {.fields = due_on}));
  // Woken: later, then sooner, then not at all, and at last in the past.
  TestRow woken = waiting;
  const base::Instant later = at("2026-06-10T10:00:00Z");
  woken.due_at = later;
  woken.values["due_on"] = days("2026-07-01");
  out = track.run(later, {woken});
  EXPECT_EQ(shape_of(out, 0).moves, 0);
  EXPECT_EQ(shape_of(out, 0).state, PositionState::kClosed);
  EXPECT_EQ(out.due_at[0], at("2026-06-28T09:00:00Z"));
  EXPECT_EQ(out.stayed[0], waiting.stayed);
  woken.values["due_on"] = days("2026-06-15");
  EXPECT_EQ(track.run(later, {woken}).due_at[0], at("2026-06-12T09:00:00Z"));
  woken.values.erase("due_on");
  EXPECT_EQ(track.run(later, {woken}).due_at[0], kNever);
  woken.values["due_on"] = days("2026-06-11");
  out = track.run(later, {woken});
  EXPECT_EQ(shape_of(out, 0).state, PositionState::kOpen);
  EXPECT_EQ(out.step_at[0], later);
  EXPECT_EQ(out.stayed[0], 0U);
  EXPECT_EQ(out.due_at[0], at("2026-06-11T10:00:00Z"));
  // Due by the time it was set for, it opens at that.
  out = track.run(waiting.due_at + kMicrosecond * 700, {waiting});
  EXPECT_EQ(shape_of(out, 0).state, PositionState::kOpen);
  EXPECT_EQ(out.step_at[0], waiting.due_at);
}

TEST(Calendar, R16MoveByAMissingFieldWaitsForAValue) {
  const TestTrack track = made(kRenewal);
  const base::Instant now = at("2026-06-01T10:00:00Z");
  const track::BlockOutcome out = track.run(now, {at_step(now)});
  EXPECT_EQ(shape_of(out, 0).moves, 1);
  EXPECT_EQ(shape_of(out, 0).state, PositionState::kClosed);
  EXPECT_EQ(out.due_at[0], kNever);
  EXPECT_NE(out.stayed[0] & track::kFollows, 0U);
}

// Each row by its own field, in one block.
TEST(Calendar, R16RowsOfABlockFollowTheirOwnFields) {
  const TestTrack track = made(kRenewal);
  const base::Instant now = at("2026-06-01T10:00:00Z");
  std::vector<TestRow> rows;
  for (const char* day : {"2026-06-20", "2026-06-02", "2026-08-01"}) {
    rows.push_back(at_step(now, {{"due_on", base::parse_date(day).value()}}));
    rows.back().contact = static_cast<std::int64_t>(rows.size());
  }
  const track::BlockOutcome out = track.run(now, rows);
  EXPECT_EQ(out.due_at[0], at("2026-06-17T09:00:00Z"));
  EXPECT_EQ(out.due_at[1], now);
  EXPECT_EQ(out.due_at[2], at("2026-07-29T09:00:00Z"));
}

// The mark says how a move waits, so that the same wait in the next version goes on with it.
TEST(Calendar, R16AnotherVersionGoesOnWithTheSameWait) {
  const TestTrack first = made(kRenewal);
  const TestTrack second = made(R"(track "t"
step "new"
  when score is 1:
    go to "b" 1 day after seen_at
  otherwise:
    go to "b" 3 days before due_on at 09:00
step "b"
  after 2 days:
    stop
)");
  const base::Instant now = at("2026-06-01T10:00:00Z");
  const TestRow row = at_step(now, {{"due_on", base::parse_date("2026-06-20").value()}});
  TestRow waiting = next(row, first.run(now, {row}));
  waiting.step = second.step("b");
  waiting.due_at = now;
  EXPECT_EQ(second.run(now, {waiting}).due_at[0], at("2026-06-17T09:00:00Z"));
  // In a version that has no such wait it keeps the time it had.
  const TestTrack other = made("track \"t\"\nstep \"b\"\n  after 2 days:\n    stop\n");
  waiting.step = other.step("b");
  waiting.due_at = at("2026-06-17T09:00:00Z");
  EXPECT_EQ(shape_of(other.run(now, {waiting}), 0).state, PositionState::kClosed);
  EXPECT_EQ(other.run(waiting.due_at, {waiting}).step_at[0], waiting.due_at);
}

}  // namespace
}  // namespace turnout::decide
