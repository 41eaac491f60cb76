// Versions: published, mapped, tested again.

#include <gmock/gmock.h>

#include "store/suite.h"

namespace turnout::store::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Row = std::vector<std::string>;

class PublishTest : public StoreTest {
 protected:
  // k1 waits open on A, k2 is closed on B until far off, k3 is open on B waiting for nothing, k4
  // has stopped.
  void spread() {
    import(4);
    gather();
    const track::ContactBlock block = load_due();
    commit(block, outcome_of(block, fields(), [&](std::size_t row) {
             Way way;
             way.stayed = 3;
             if (row == 1 || row == 2) {
               way.path = {1, 0, 2};
               way.state = row == 1 ? track::PositionState::kClosed : track::PositionState::kOpen;
               way.due = row == 1 ? kFarOff : track::kNever;
             } else if (row == 3) {
               way.path = {1, 0, 7};
               way.state = track::PositionState::kStopped;
             }
             return way;
           }));
  }
};
TURNOUT_STORE_SUITE(PublishTest);

TEST_P(PublishTest, TheFirstVersionMakesTheTrack) {
  const Published published =
      must(session().publish(make_publish("New", {"X", "Y"}, "text of it")));
  EXPECT_FALSE(published.unchanged);
  EXPECT_EQ(base::Version(1), published.version);
  const TrackVersion version = must(session().track_version("New", base::Version(1)));
  EXPECT_EQ("text of it", version.text);
  EXPECT_EQ(published.id, version.id);
  EXPECT_EQ((std::map<std::string, std::int32_t>{{"X", 1}, {"Y", 2}}), version.numbering.steps);
  EXPECT_EQ((std::map<std::string, std::int32_t>{{"completed", 3}, {"done", 6}, {"taken off", 7}}),
            version.numbering.outcomes);
  EXPECT_EQ(4, version.numbering.actions.at({track::ActionKind::kEmail, "hello"}));
  EXPECT_EQ(5, version.numbering.actions.at({track::ActionKind::kWebhook, "hook"}));
  const std::vector<TrackVersion> all = must(session().tracks());
  ASSERT_EQ(2U, all.size());
  EXPECT_EQ("New", all[0].name);
  EXPECT_EQ("T", all[1].name);
}

TEST_P(PublishTest, TheSameTextPublishesNothing) {
  const std::string before = database().dump(Times::kRaw).text();
  const Published published = must(session().publish(make_publish("T", {"A", "B", "C"}, "one")));
  EXPECT_TRUE(published.unchanged);
  EXPECT_EQ(base::Version(1), published.version);
  EXPECT_EQ(track(), published.id);
  EXPECT_EQ(before, database().dump(Times::kRaw).text());
}

TEST_P(PublishTest, ANewVersionFencesTheOldEpochAndKeepsNumbers) {
  import(2);
  gather();
  const track::ContactBlock block = load_due();
  const Published published =
      must(session().publish(make_publish("T", {"C", "D", "A", "B"}, "two")));
  EXPECT_EQ(base::Version(2), published.version);
  EXPECT_TRUE(commit(block, all_to(block, 2)).fenced);
  const TrackVersion version = must(session().track_version("T", base::Version(2)));
  EXPECT_EQ((std::map<std::string, std::int32_t>{{"A", 1}, {"B", 2}, {"C", 3}, {"D", 9}}),
            version.numbering.steps);
  EXPECT_EQ("one", must(session().track_version("T", base::Version(1))).text);
  EXPECT_EQ(base::ErrorCode::kNotFound,
            session().track_version("T", base::Version(3)).error().code);
  EXPECT_EQ(base::ErrorCode::kNotFound,
            session().track_version("U", base::Version(1)).error().code);
}

TEST_P(PublishTest, WhereContactsMayLeaveClosedOnesAreLookedAtAndThoseHeldOutStay) {
  import(2);
  gather();
  track::ContactBlock block = load_due();
  commit(block, outcome_of(block, fields(), [](std::size_t row) {
           Way way;
           way.path = {1, row == 0 ? 0 : track::kHeldOutRule, row == 0 ? 2 : track::kHeldOutStep};
           way.state = row == 0 ? track::PositionState::kClosed : track::PositionState::kOpen;
           way.due = kFarOff;
           return way;
         }));
  Publish next = make_publish("T", {"A", "B", "C"}, "second");
  next.track.clauses.emplace_back(track::Leave{track::Leave::NoLongerGathered{}, {}, {}, {}});
  ASSERT_TRUE(must(session().publish(next)).homeless.empty());
  take_track();
  block = load_due();
  ASSERT_EQ(2U, block.rows());
  EXPECT_EQ(track::kLooks | static_cast<std::uint64_t>(kFarOff.us), block.stayed[0]);
  EXPECT_EQ(track::kHeldOutStep, block.step[1]);
  const auto waiting = must(session().report("T")).waiting;
  EXPECT_EQ(1, waiting.at("held out"));
  EXPECT_EQ(1, must(session().progress("T")).on_step.at("held out"));
}

TEST_P(PublishTest, AllWhoWaitOnRulesAreTestedAgainAndClosedOnesKeepTheirTime) {
  spread();
  EXPECT_EQ(0U, load_due().rows());
  must(session().publish(make_publish("T", {"A", "B", "C"}, "two")));
  Dump dump = database().dump(Times::kNormal);
  const std::string late = std::to_string(kFarOff.us);
  EXPECT_THAT(dump.tables["timer"],
              ElementsAre(Row{"T", "k1", "1", "0", "now"}, Row{"T", "k2", "1", "1", late},
                          Row{"T", "k3", "1", "1", "now"}));
  for (const auto& position : dump.tables["position"]) {
    const bool waits_on_rules = position[1] != "k2" && position[1] != "k4";
    EXPECT_EQ(waits_on_rules ? "0" : "3", position[8])
        << "which rules stayed means nothing in a new version; why one is closed does";
  }
}

TEST_P(PublishTest, ContactsOnAStepThatDisappearsNeedAHome) {
  spread();
  const std::string before = database().dump(Times::kRaw).text();
  const Published published = must(session().publish(make_publish("T", {"C"}, "two")));
  EXPECT_THAT(published.homeless, ElementsAre(std::pair<std::string, std::int64_t>("A", 1),
                                              std::pair<std::string, std::int64_t>("B", 2)));
  EXPECT_EQ(base::Version(1), published.version);
  EXPECT_EQ(before, database().dump(Times::kRaw).text()) << "the epoch too is as it was";
  // C holds nobody, so it may go.
  EXPECT_THAT(must(session().publish(make_publish("T", {"A", "B"}, "three"))).homeless, IsEmpty());
}

TEST_P(PublishTest, APlanSaysWhatPublishingWouldAndWritesNothing) {
  spread();
  const std::string before = database().dump(Times::kRaw).text();
  const std::map<std::string, std::int64_t> waiting = {{"A", 1}, {"B", 2}};

  Published plan = must(session().plan(make_publish("New", {"X"}, "text")));
  EXPECT_TRUE(plan.is_new);
  EXPECT_EQ(base::Version(0), plan.version);

  plan = must(session().plan(make_publish("T", {"A", "B", "C"}, "one")));
  EXPECT_TRUE(plan.unchanged);
  EXPECT_EQ(waiting, plan.waiting);

  plan = must(session().plan(make_publish("T", {"C"}, "two")));
  EXPECT_FALSE(plan.is_new);
  EXPECT_FALSE(plan.unchanged);
  EXPECT_EQ(base::Version(1), plan.version);
  EXPECT_EQ(waiting, plan.waiting);
  EXPECT_THAT(plan.homeless, ElementsAre(std::pair<std::string, std::int64_t>("A", 1),
                                         std::pair<std::string, std::int64_t>("B", 2)));

  Publish mapped = make_publish("T", {"A"}, "two");
  mapped.map = {{"B", "A"}};
  EXPECT_THAT(must(session().plan(mapped)).homeless, IsEmpty());
  mapped.map = {{"B", "Z"}};
  EXPECT_EQ(base::ErrorCode::kInvalid, session().plan(mapped).error().code);
  EXPECT_EQ(base::ErrorCode::kInvalid, session().plan(make_publish("", {"A"}, "x")).error().code);

  EXPECT_EQ(before, database().dump(Times::kRaw).text());
  EXPECT_FALSE(commit(load_due(), all_to(load_due(), 2)).fenced) << "the epoch is as it was";
}

TEST_P(PublishTest, AStepMapMovesAndStopsThemByNumberedMoves) {
  spread();
  Publish publish = make_publish("T", {"A", "C", "D"}, "two");
  publish.map = {{"B", "D"}};
  EXPECT_EQ(base::Version(2), must(session().publish(publish)).version);
  check_invariants(database());
  Dump dump = database().dump(Times::kNormal);
  const std::string late = std::to_string(kFarOff.us);
  EXPECT_THAT(dump.tables["timer"],
              ElementsAre(Row{"T", "k1", "1", "0", "now"}, Row{"T", "k2", "1", "2", late},
                          Row{"T", "k3", "1", "2", "now"}));
  EXPECT_EQ((std::map<std::string, std::int64_t>{{"A", 1}, {"D", 2}}),
            must(session().report("T")).waiting);
  const ContactReport why = must(session().why("k2"));
  ASSERT_EQ(2U, why.moves.size());
  EXPECT_EQ("B", why.moves[1].from);
  EXPECT_EQ("D", why.moves[1].to);
  EXPECT_EQ(-3, why.moves[1].rule);
  EXPECT_EQ(base::Version(2), why.moves[1].version);

  publish = make_publish("T", {"A", "C"}, "three");
  publish.map = {{"D", std::nullopt}};
  must(session().publish(publish));
  const Report report = must(session().report("T"));
  EXPECT_EQ((std::map<std::string, std::int64_t>{{"A", 1}}), report.waiting);
  EXPECT_EQ((std::map<std::string, std::int64_t>{{"completed", 2}, {"done", 1}}), report.stopped);
  EXPECT_EQ(7, report.moves);
  EXPECT_EQ(7, must(session().progress("T")).moves);
}

TEST_P(PublishTest, AStepMapThatDoesNotFitIsRefused) {
  spread();
  const std::string before = database().dump(Times::kRaw).text();
  const std::map<std::string, std::optional<std::string>> wrong[] = {
      {{"B", "Nowhere"}}, {{"B", "B"}}, {{"A", "C"}, {"B", "C"}}, {{"B", "C"}, {"Never", "C"}}};
  for (const auto& map : wrong) {
    Publish publish = make_publish("T", {"A", "C"}, "two");
    publish.map = map;
    const auto result = session().publish(publish);
    ASSERT_FALSE(result);
    EXPECT_EQ(base::ErrorCode::kInvalid, result.error().code) << result.error().message;
  }
  EXPECT_FALSE(session().publish(make_publish("", {"A"}, "x")));
  EXPECT_EQ(before, database().dump(Times::kRaw).text());
}

TEST_P(PublishTest, TheViewMoveShowsOneRowPerMove) {
  if (database().sql() == nullptr) {
    GTEST_SKIP() << "the model has no views";
  }
  import(1);
  gather();
  const track::ContactBlock block = load_due();
  commit(block, outcome_of(block, fields(), [&](std::size_t) {
           Way way;
           way.path = {1, 2, 3, 0, 2, 1, 7};
           way.state = track::PositionState::kStopped;
           return way;
         }));
  const sql::Rows rows = must(database().sql()->query(
      "select move_no, from_step, rule, to_step, seen from move order by move_no", {}));
  ASSERT_EQ(3U, rows.size());
  const std::int64_t expected[3][4] = {{1, 1, 2, 3}, {2, 3, 0, 2}, {3, 2, 1, 7}};
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t c = 0; c < 4; ++c) {
      EXPECT_EQ(expected[i][c], rows.integer(i, c)) << i << "," << c;
    }
  }
  const ContactReport why = must(session().why("k1"));
  ASSERT_EQ(3U, why.moves.size());
  EXPECT_EQ("A", why.moves[0].from);
  EXPECT_EQ("C", why.moves[0].to);
  EXPECT_EQ(2, why.moves[0].rule);
  EXPECT_EQ("done", why.moves[2].to);
  EXPECT_EQ("p", why.moves[2].peer);
  ASSERT_EQ(1U, why.positions.size());
  EXPECT_EQ("done", why.positions[0].step);
}

}  // namespace
}  // namespace turnout::store::test
