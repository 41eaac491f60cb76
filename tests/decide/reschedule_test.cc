// `turnout apply --reschedule`: when who waits for a delayed move waits for by another version.

#include "blocks.h"

namespace turnout::decide {
namespace {

using std::chrono::hours;
using track::PositionState;

const base::Instant kMoved = at("2026-06-01T09:00:00Z");
constexpr base::Duration kDay = hours(24);

// On the step "b" since a rule of "a" brought it there.
TestRow waiting(const TestTrack& track, std::map<std::string, track::Value> values = {}) {
  TestRow row = with(std::move(values));
  row.step = track.step("b");
  row.state = PositionState::kClosed;
  row.step_at = kMoved;
  row.due_at = kMoved + 2 * kDay;
  row.move_no = 1;
  return row;
}

std::optional<std::uint64_t> rescheduled(const TestTrack& track, const TestRow& row,
                                         const std::string& from, std::int32_t rule,
                                         base::Instant moved_at = kMoved) {
  track::ContactBlock block = track.block(kMoved + kDay, {row});
  const auto stayed = track.program.rescheduled(block, 0, track.step(from), rule, moved_at);
  EXPECT_EQ(block.now, kMoved + kDay);
  return stayed;
}

std::string with_rules(const std::string& rules) {
  return "track \"t\"\nstep \"a\"\n" + rules +
         "step \"b\"\n  otherwise:\n    stop as \"end\"\n"
         "step \"c\"\n  otherwise:\n    stop as \"end\"\n";
}

TEST(Reschedule, TheRuleAtTheSamePlaceSaysWhen) {
  const TestTrack track =
      made(with_rules("  when active:\n    go to \"b\" after 9 days\n"
                      "  otherwise:\n    go to \"b\" after 3 days\n"));
  EXPECT_EQ(rescheduled(track, waiting(track), "a", 1), track::looked_at(0, kMoved + 3 * kDay));
  EXPECT_EQ(rescheduled(track, waiting(track), "a", 0), track::looked_at(0, kMoved + 9 * kDay));
}

TEST(Reschedule, ElseTheOnlyOneThatLeadsThereAfterATime) {
  const TestTrack track =
      made(with_rules("  when active:\n    go to \"c\" after 9 days\n"
                      "  when has tag \"x\":\n    go to \"b\"\n"
                      "  otherwise:\n    go to \"b\" after 3 days\n"));
  for (const std::int32_t rule : {0, 1, 2, 17}) {
    EXPECT_EQ(rescheduled(track, waiting(track), "a", rule), track::looked_at(0, kMoved + 3 * kDay))
        << rule;
  }
}

TEST(Reschedule, WhereNoRuleOrMoreThanOneDoesTheTimeIsKept) {
  const TestTrack none = made(with_rules("  otherwise:\n    go to \"b\"\n"));
  EXPECT_EQ(rescheduled(none, waiting(none), "a", 0), std::nullopt);
  const TestTrack two =
      made(with_rules("  when active:\n    go to \"b\" after 9 days\n"
                      "  when has tag \"x\":\n    go to \"b\" after 1 day\n"
                      "  otherwise:\n    stop as \"end\"\n"));
  EXPECT_EQ(rescheduled(two, waiting(two), "a", 2), std::nullopt);
  EXPECT_EQ(rescheduled(two, waiting(two), "b", 0), std::nullopt);
  EXPECT_EQ(rescheduled(two, waiting(two), "a", track::leave_rule(0)), std::nullopt);
  TestRow open = waiting(two);
  open.state = PositionState::kOpen;
  EXPECT_EQ(rescheduled(two, open, "a", 0), std::nullopt);
}

TEST(Reschedule, WhoRestsIsReckonedFromTheMomentOfTheMove) {
  const TestTrack track = made(
      "track \"t\"\nstep \"a\"\n  otherwise:\n    go to \"b\"\n"
      "step \"b\"\n  when active:\n    stay for 5 days\n"
      "  otherwise:\n    stop as \"end\"\n");
  TestRow row = waiting(track);
  row.stayed = track::kRests;
  const base::Instant moved = kMoved + hours(3);
  const auto stayed = rescheduled(track, row, "b", 0, moved);
  EXPECT_EQ(stayed, track::looked_at(track::kRests, moved + 5 * kDay));
}

TEST(Reschedule, ADateOfTheContactIsFollowedFromThenOn) {
  const TestTrack track = made(with_rules("  otherwise:\n    go to \"b\" 3 days before due_on\n"));
  const TestRow row =
      waiting(track, {{"due_on", track::Value(base::parse_date("2026-06-20").value())}});
  const auto stayed = rescheduled(track, row, "a", 0);
  ASSERT_TRUE(stayed);
  EXPECT_NE(*stayed & track::kFollows, 0U);
  // Looked at: it goes on waiting, by the date.
  TestRow looked = row;
  looked.stayed = *stayed;
  looked.due_at = kMoved + kDay;
  const track::BlockOutcome out = track.run(kMoved + kDay, {looked});
  EXPECT_EQ(out.due_at[0], at("2026-06-17T00:00:00Z"));
  EXPECT_EQ(shape_of(out, 0).moves, 0);
}

// What is rescheduled and looked at then waits for the new time, or opens where that is past.
TEST(Reschedule, TheNextPassageWaitsAnew) {
  const TestTrack later = made(with_rules("  otherwise:\n    go to \"b\" after 3 days\n"));
  TestRow row = waiting(later);
  row.stayed = *rescheduled(later, row, "a", 0);
  row.due_at = kMoved + kDay;
  track::BlockOutcome out = later.run(kMoved + kDay, {row});
  EXPECT_EQ(out.due_at[0], kMoved + 3 * kDay);
  EXPECT_EQ(shape_of(out, 0).state, PositionState::kClosed);
  EXPECT_EQ(out.stayed[0], 0U);

  const TestTrack sooner = made(with_rules("  otherwise:\n    go to \"b\" after 1 hour\n"));
  row = waiting(sooner);
  row.stayed = *rescheduled(sooner, row, "a", 0);
  row.due_at = kMoved + kDay;
  out = sooner.run(kMoved + kDay, {row});
  EXPECT_EQ(shape_of(out, 0).state, PositionState::kStopped);
}

}  // namespace
}  // namespace turnout::decide
