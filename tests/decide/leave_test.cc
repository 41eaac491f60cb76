// What takes a contact off a track from outside its step, keeps it out or lets it in again:
// `leave`, `hold out`, `enter`; and what an arm remembers.

#include "blocks.h"
#include "decide/gather.h"

namespace turnout::decide {
namespace {

using std::chrono::hours;
using track::kNever;
using track::PositionState;

const base::Instant kStart = at("2026-06-01T09:00:00Z");
constexpr base::Duration kDay = hours(24);

TestRow arrived(std::map<std::string, track::Value> values = {}) {
  TestRow row = with(std::move(values));
  row.step_at = row.due_at = kStart;
  return row;
}

std::vector<std::size_t> field(const TestTrack& track, const std::string& name) {
  for (std::size_t i = 0; i < track.program.fields().size(); ++i) {
    if (track.program.fields()[i].name == name) {
      return {i};
    }
  }
  ADD_FAILURE() << name;
  return {};
}

constexpr const char* kLeaves = R"(track "t"
  leave when active as "active"
  leave when has tag "out"
step "a"
  when score is at least 5:
    send email "five"
    go to "b" after 2 days
step "b"
  otherwise:
    stop as "end"
)";

TEST(Leave, R13ItIsAskedBeforeTheRulesInFileOrder) {
  const TestTrack track = made(kLeaves);
  TestRow row = arrived({{"active", true}, {"score", 7.0}});
  row.tags = {"out"};
  const track::BlockOutcome out = track.run(kStart, {row});
  const track::Shape& shape = shape_of(out, 0);
  EXPECT_EQ(shape.state, PositionState::kStopped);
  EXPECT_EQ(shape.step, track.outcome("active"));
  EXPECT_EQ(shape.path_json, fmt::format("[{},-5,{}]", track.step("a"), shape.step));
  EXPECT_TRUE(shape.withdraws);
  EXPECT_TRUE(shape.acts.empty());
  EXPECT_EQ(out.seen[0], R"({"active":true})");
}

TEST(Leave, WithoutAnOutcomeItsNameIsLeft) {
  const TestTrack track = made(kLeaves);
  TestRow row = arrived();
  row.tags = {"out"};
  const track::BlockOutcome out = track.run(kStart, {row});
  EXPECT_EQ(shape_of(out, 0).step, track.outcome("left"));
  EXPECT_EQ(shape_of(out, 0).path[1], track::leave_rule(1));
}

TEST(Leave, WhoWaitsForADelayedMoveLeavesTooAndElseOpensWhenItWouldHave) {
  const TestTrack track = made(kLeaves);
  const TestRow row = arrived({{"score", 5.0}});
  track::BlockOutcome out = track.run(kStart, {row});
  EXPECT_FALSE(shape_of(out, 0).withdraws);
  TestRow waiting = next(row, out);
  ASSERT_EQ(waiting.state, PositionState::kClosed);
  ASSERT_EQ(waiting.due_at, kStart + 2 * kDay);
  EXPECT_TRUE(track.program.leaves());
  EXPECT_TRUE(track.program.wakes_closed(waiting.stayed, {.fields = field(track, "active")}));
  EXPECT_TRUE(track.program.wakes_closed(waiting.stayed, {.tags = {0}}));
  EXPECT_FALSE(track.program.wakes_closed(waiting.stayed, {.fields = field(track, "score")}));

  // Woken a day later, as the store does it.
  const base::Instant look = kStart + kDay;
  waiting.stayed |= track::kLooks | static_cast<std::uint64_t>(waiting.due_at.us);
  waiting.due_at = look;
  out = track.run(look, {waiting});
  EXPECT_EQ(shape_of(out, 0).moves, 0);
  EXPECT_EQ(shape_of(out, 0).state, PositionState::kClosed);
  EXPECT_EQ(out.due_at[0], kStart + 2 * kDay);
  EXPECT_EQ(out.stayed[0], 0U);

  waiting.values["active"] = true;
  out = track.run(look, {waiting});
  EXPECT_EQ(shape_of(out, 0).step, track.outcome("active"));
  EXPECT_EQ(shape_of(out, 0).path[0], track.step("b"));

  // Looked at later than it opens.
  waiting.values.clear();
  out = track.run(kStart + 3 * kDay, {waiting});
  EXPECT_EQ(shape_of(out, 0).step, track.outcome("end"));
}

TEST(Leave, TheTimeAloneTakesSomebodyOff) {
  const TestTrack track = made(R"(track "t"
  leave when ends_at is more than 3 days ago as "over"
step "a"
  when has tag "x":
    stay for 10 days
  when score is 1:
    go to "b" after 5 days
step "b"
  otherwise:
    stop as "end"
)");
  const base::Instant ends = kStart - kDay;
  TestRow row = arrived({{"ends_at", ends}});
  track::BlockOutcome out = track.run(kStart, {row});
  EXPECT_EQ(out.due_at[0], ends + 3 * kDay + base::Duration(1)) << "waits openly";

  row.values["score"] = 1.0;
  out = track.run(kStart, {row});
  TestRow closed = next(row, out);
  ASSERT_EQ(closed.state, PositionState::kClosed);
  EXPECT_EQ(closed.due_at, ends + 3 * kDay + base::Duration(1));
  EXPECT_EQ(closed.stayed, track::kLooks | static_cast<std::uint64_t>((kStart + 5 * kDay).us));
  out = track.run(closed.due_at, {closed});
  EXPECT_EQ(shape_of(out, 0).step, track.outcome("over"));
  // It ends later now: nothing is left to look for before it opens.
  closed.values["ends_at"] = kStart + 30 * kDay;
  out = track.run(closed.due_at, {closed});
  EXPECT_EQ(shape_of(out, 0).state, PositionState::kClosed);
  EXPECT_EQ(out.due_at[0], kStart + 5 * kDay);
  EXPECT_EQ(out.stayed[0], 0U);

  row.tags = {"x"};
  out = track.run(kStart, {row});
  TestRow resting = next(row, out);
  EXPECT_EQ(resting.stayed,
            track::kRests | track::kLooks | static_cast<std::uint64_t>((kStart + 10 * kDay).us));
  resting.values["ends_at"] = kStart + 30 * kDay;
  out = track.run(resting.due_at, {resting});
  EXPECT_EQ(out.stayed[0], track::kRests);
  EXPECT_EQ(out.step_at[0], kStart) << "a rest does not open the step anew";
  EXPECT_EQ(out.due_at[0], kStart + 10 * kDay);
}

TEST(Leave, NoLongerGatheredIsWhenNoClauseWouldTakeIt) {
  const TestTrack track = made(R"(track "t"
  gather contacts where score is at least 5 every 1 hour
  gather contacts where active continuously
  leave when no longer gathered as "gone"
step "a"
  after 1 day:
    stop
)");
  for (const auto& [score, active, stays] :
       {std::tuple(5.0, false, true), {1.0, true, true}, {1.0, false, false}}) {
    const track::BlockOutcome out =
        track.run(kStart, {arrived({{"score", score}, {"active", active}})});
    EXPECT_EQ(shape_of(out, 0).moves == 0, stays) << score << active;
  }
}

TEST(Leave, NoLongerGatheredSaysNothingOfWhatCameByAnEventOrAQuery) {
  for (const char* gather :
       {"gather on \"cart\"", "gather from \"crm\" query \"select 1\" every 1 day",
        "gather on \"cart\"\n  gather contacts where score is 5 continuously"}) {
    const TestTrack track = made(fmt::format(R"(track "t"
  {}
  leave when no longer gathered as "gone"
step "a"
  otherwise:
    stop as "end"
)",
                                             gather));
    EXPECT_EQ(shape_of(track.run(kStart, {arrived()}), 0).step, track.outcome("end")) << gather;
  }
}

TEST(Leave, WhoWouldLeaveIsNotGathered) {
  const track::Track track = parsed(R"(track "t"
  gather contacts where score is at least 5 continuously
  leave when active
  leave when no longer gathered
step "a"
  otherwise:
    stop
)");
  const track::Catalogue catalogue = test_catalogue();
  const auto clauses = compile_gathers(track, catalogue, track::extend({}, track));
  ASSERT_TRUE(clauses) << clauses.error().message;
  const GatherClause& clause = clauses.value().front();
  const SqlCondition sql = clause.sql(Dialect::kSqlite, kStart, 1);
  EXPECT_TRUE(sql.exact);
  EXPECT_THAT(sql.text, testing::HasSubstr("active"));
  const track::ContactBlock block = make_block(
      kStart, {with({{"score", 5.0}}), with({{"score", 5.0}, {"active", true}}), with({})},
      clause.fields(), clause.tags(), 1);
  std::vector<std::uint8_t> kept;
  clause.keep(block, kept);
  EXPECT_THAT(kept, testing::ElementsAre(1, 0, 0));
}

TEST(HoldOut, ThatShareOfNewEntriesWaitsAsideAndStops) {
  const TestTrack track = made(R"(track "t"
  hold out 20% as "control" for 10 days
  leave when active as "active"
step "a"
  otherwise:
    send email "hello"
    stop as "told"
)");
  std::vector<TestRow> rows;
  for (int i = 1; i <= 10'000; ++i) {
    rows.push_back(arrived());
    rows.back().contact = i;
  }
  const track::BlockOutcome out = track.run(kStart, rows);
  std::vector<std::size_t> held;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (shape_of(out, i).step == track::kHeldOutStep) {
      held.push_back(i);
      EXPECT_TRUE(shape_of(out, i).acts.empty());
      EXPECT_EQ(out.due_at[i], kStart + 10 * kDay);
    }
  }
  EXPECT_NEAR(static_cast<double>(held.size()), 2'000, 150);
  EXPECT_EQ(track.numbering.name_of(track::kHeldOutStep), "held out");

  const std::size_t one = held.front();
  EXPECT_EQ(shape_of(out, one).path_json, fmt::format("[{},-4,0]", track.step("a")));
  TestRow row = rows[one];
  row.step = track::kHeldOutStep;
  row.move_no = 1;
  row.due_at = out.due_at[one];
  track::ContactBlock block = track.block(row.due_at, {row});
  block.step = {track::kHeldOutStep};
  track::BlockOutcome end;
  track.program.run(block, end);
  EXPECT_EQ(shape_of(end, 0).step, track.outcome("control"));
  row.values["active"] = true;
  block = track.block(kStart + kDay, {row});
  block.step = {track::kHeldOutStep};
  track.program.run(block, end);
  EXPECT_EQ(shape_of(end, 0).step, track.outcome("active"));

  // Whoever has made a move is not held out any more.
  rows[one].move_no = 1;
  EXPECT_EQ(shape_of(track.run(kStart, {rows[one]}), 0).step, track.outcome("told"));
}

TEST(InArm, ItIsTheDrawOfTheStep) {
  const TestTrack track = made(R"(track "t"
step "a"
  for 30% as "soft":
    set nick to "soft"
  for 70% as "hard":
    set nick to "hard"
step "b"
  when in arm "soft":
    stop as "soft"
  when not in arm "hard":
    stop as "neither"
  otherwise:
    stop as "hard"
)");
  std::vector<TestRow> rows;
  for (int i = 1; i <= 1'000; ++i) {
    rows.push_back(arrived());
    rows.back().contact = i;
  }
  const track::BlockOutcome out = track.run(kStart, rows);
  int soft = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string nick(std::get<std::string>(out.writes.at(0).value.at(i)));
    EXPECT_EQ(shape_of(out, i).step, track.outcome(nick));
    soft += nick == "soft" ? 1 : 0;
  }
  EXPECT_NEAR(soft, 300, 60);
}

TEST(CheckEvery, ItIsTestedAgainAtEachRound) {
  const TestTrack track = made(R"(track "t"
step "a" check every 1 day 6 hours
  when score is 1:
    stop
)");
  const TestRow row = arrived();
  EXPECT_EQ(track.run(kStart, {row}).due_at[0], kStart + hours(30));
  EXPECT_EQ(track.run(kStart + hours(30), {row}).due_at[0], kStart + hours(60));
  EXPECT_EQ(track.run(kStart + hours(100), {row}).due_at[0], kStart + hours(120));
}

TEST(Increase, AMissingNumberCountsAsNoneAndTheDatabaseAdds) {
  using Written = track::BlockOutcome::Written;
  const TestTrack track = made(R"(track "t"
step "a"
  when score is missing or score is 5:
    increase score by 3
    decrease score by limit
  otherwise:
    set score to 1
    increase score by 2
step "b"
  when score is 12:
    stop as "twelve"
  otherwise:
    stop as "other"
)");
  const track::BlockOutcome out = track.run(
      kStart, {arrived(), arrived({{"score", 5.0}, {"limit", -4.0}}), arrived({{"score", 9.0}})});
  const track::BlockOutcome::FieldWrite& write = out.writes.at(0);
  EXPECT_THAT(write.written, testing::ElementsAre(Written::kAdded, Written::kAdded, Written::kSet));
  EXPECT_THAT(write.value.number, testing::ElementsAre(3, 7, 3));
  EXPECT_EQ(shape_of(out, 0).step, track.outcome("other"));
  EXPECT_EQ(shape_of(out, 1).step, track.outcome("twelve")) << "rules see the sum";
}

TEST(Increase, ATimeIsMovedOnTheContactsClock) {
  const TestTrack track = made(R"(track "t"
  time zone "Europe/Berlin"
step "a"
  otherwise:
    increase ends_at by 1 month 1 hour
    decrease due_on by 2 weeks
    stop
)");
  const track::BlockOutcome out = track.run(
      kStart, {arrived({{"ends_at", at("2026-01-31T12:00:00Z")}, {"due_on", base::Date{20'000}}}),
               arrived()});
  for (const track::BlockOutcome::FieldWrite& write : out.writes) {
    EXPECT_EQ(write.written[0], track::BlockOutcome::Written::kSet);
    EXPECT_EQ(write.written[1], track::BlockOutcome::Written::kNot) << "a missing time stays so";
    if (write.value.type == track::Type::kDate) {
      EXPECT_EQ(write.value.time[0], 20'000 - 14);
    } else {
      EXPECT_EQ(write.value.time[0], at("2026-02-28T13:00:00Z").us);
    }
  }
}

TEST(Enter, WhoMayComeAgainIsSaidByWhenItStopped) {
  const track::Catalogue catalogue = test_catalogue();
  const auto by = [&](const std::string& enter) {
    const track::Track track = parsed(R"(track "t"
  time zone "Europe/Berlin"
  gather contacts continuously
)" + enter + R"(
step "a"
  otherwise:
    stop
)");
    const auto clauses = compile_gathers(track, catalogue, track::extend({}, track));
    EXPECT_TRUE(clauses);
    return std::pair(clauses.value().front().may_have_stopped_by(kStart),
                     clauses.value().front().depends_on_time());
  };
  EXPECT_EQ(by(""), std::pair(std::optional<base::Instant>(), false));
  EXPECT_EQ(by("enter once"), std::pair(std::optional<base::Instant>(), false));
  EXPECT_EQ(by("enter every time"), std::pair(std::optional(kStart), false));
  // Three months before the first of June it was still winter time.
  EXPECT_EQ(by("enter again after 3 months"),
            std::pair(std::optional(at("2026-03-01T10:00:00Z")), true));
}

}  // namespace
}  // namespace turnout::decide
