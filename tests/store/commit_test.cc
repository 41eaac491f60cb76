// Blocks: loaded, decided, committed once and only where the contacts still are.

#include <gmock/gmock.h>

#include <set>

#include "store/suite.h"

namespace turnout::store::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class CommitTest : public StoreTest {};
TURNOUT_STORE_SUITE(CommitTest);

TEST_P(CommitTest, WritesEverythingThatABlockSays) {
  import(3);
  gather();
  const track::ContactBlock before = load_due({"hot"});
  ASSERT_EQ(3U, before.rows());
  EXPECT_THAT(before.tags[0], ElementsAre(0, 0, 0));
  EXPECT_THAT(before.columns[0].number, ElementsAre(1, 2, 3));
  const track::BlockOutcome after = outcome_of(before, fields(), [&](std::size_t row) {
    Way way;
    if (row == 0) {  // two moves, two actions, a tag, a field, on B until far off
      way.path = {1, 0, 3, 1, 2};
      way.state = track::PositionState::kClosed;
      way.due = kFarOff;
      way.acts = {{1, 1, track::ActionKind::kEmail, 5, false},
                  {2, 2, track::ActionKind::kWebhook, 6, true}};
      way.payload = R"([null,{"a":[1,"]"],"b":"\""}])";
      way.tags = {{"hot", true}};
      way.writes = {{1, std::string("pro")}};
      way.seen = R"({"score":1})";
      way.stayed = 5;
    } else if (row == 1) {  // stops
      way.path = {1, 0, 7};
      way.state = track::PositionState::kStopped;
      way.due = kFarOff;  // means nothing for who stops
    }  // the third meets nothing and waits
    return way;
  });
  const CommitResult result = commit(before, after);
  EXPECT_FALSE(result.fenced);
  EXPECT_EQ(3, result.positions);
  EXPECT_EQ(3, result.moves);
  EXPECT_EQ(2, result.actions);
  EXPECT_THAT(result.stale, IsEmpty());

  Dump dump = database().dump(Times::kNormal);
  const std::string late = std::to_string(kFarOff.us);
  const std::string early = std::to_string(kLongAgo.us);
  using Row = std::vector<std::string>;
  EXPECT_THAT(
      dump.tables["position"],
      ElementsAre(
          Row{"T", "k1", "1", "2", "2", "1", "1", "0", "5", "now", early, late, "", ""},
          Row{"T", "k2", "1", "7", "1", "1", "2", "0", "0", "now", early, "never", "", ""},
          Row{"T", "k3", "1", "1", "0", "1", "0", "0", "0", "now", early, "never", "", ""}));
  EXPECT_THAT(dump.tables["timer"], ElementsAre(Row{"T", "k1", "1", "2", late}));
  const std::string peer = std::to_string(self().incarnation.get());
  EXPECT_THAT(dump.tables["journal"],
              ElementsAre(Row{"T", "k1", "1", "1", "2", "1", "now", "p", peer, "[1,0,3,1,2]",
                              R"({"score":1})"},
                          Row{"T", "k2", "1", "1", "1", "1", "now", "p", peer, "[1,0,7]", "{}"}));
  EXPECT_THAT(
      dump.tables["outbox"],
      ElementsAre(Row{"T", "k1", "1", "1", "1", "1", "5", "1", "0", "0", "now", "now", "", ""},
                  Row{"T", "k1", "1", "2", "2", "2", "6", "1", "0", "0", "now", "now", "",
                      R"({"a":[1,"]"],"b":"\""})"}));
  EXPECT_THAT(dump.tables["contact_tag"], ElementsAre(Row{"k1", "hot"}));
  EXPECT_THAT(dump.tables["change"], testing::IsSupersetOf({Row{"k1", "T", "changed", "plan"},
                                                            Row{"k1", "T", "tag", "hot"}}));
  EXPECT_THAT(dump.tables["change"], testing::SizeIs(5));
  EXPECT_THAT(
      dump.tables["tally"],
      UnorderedElementsAre(Row{"T", "1", "1", "-1", "0", "3"}, Row{"T", "1", "1", "0", "1", "2"},
                           Row{"T", "1", "3", "1", "1", "1"}, Row{"T", "1", "1", "-2", "1", "-2"},
                           Row{"T", "1", "2", "-2", "1", "1"}, Row{"T", "1", "7", "-2", "1", "1"}));
}

// R: a block handed out twice changes nothing the second time (G3, G4).
TEST_P(CommitTest, TheSameBlockTwiceIsStaleTheSecondTime) {
  import(5);
  gather();
  const track::ContactBlock before = load_due();
  const track::BlockOutcome after = all_to(before, 2);
  EXPECT_EQ(5, commit(before, after).moves);
  const std::string once = database().dump(Times::kRaw).text();
  const CommitResult again = commit(before, after);
  EXPECT_EQ(0, again.positions);
  EXPECT_EQ(0, again.moves);
  EXPECT_THAT(again.stale, ElementsAre(0U, 1U, 2U, 3U, 4U));
  EXPECT_EQ(once, database().dump(Times::kRaw).text());
}

TEST_P(CommitTest, OnlyThoseThatMovedMeanwhileAreLeftOut) {
  import(6);
  gather();
  const track::ContactBlock all = load_due();
  const track::BlockOutcome after = all_to(all, 2);
  const track::ContactBlock first_two = load_due({}, 2);
  ASSERT_EQ(2U, first_two.rows());
  EXPECT_EQ(2, commit(first_two, all_to(first_two, 3)).moves);
  const CommitResult result = commit(all, after);
  EXPECT_EQ(4, result.moves);
  EXPECT_THAT(result.stale, ElementsAre(0U, 1U));
  const Report report = must(session().report("T"));
  EXPECT_EQ((std::map<std::string, std::int64_t>{{"B", 4}, {"C", 2}}), report.waiting);
}

// G9: what was decided from values read before the wake is refused, so that the contact is tested
// again.
TEST_P(CommitTest, AWakeDuringABlockRefusesItForThatContact) {
  import(3);
  gather();
  const track::ContactBlock before = load_due();
  const track::BlockOutcome after = all_to(before, 2);
  // Contact 2 is due already; its due time changes all the same.
  EXPECT_EQ(1, must(session().wake(fence(), {{before.contact[1], 1, 0, 0}})));
  check_invariants(database());
  const CommitResult result = commit(before, after);
  EXPECT_EQ(2, result.moves);
  EXPECT_THAT(result.stale, ElementsAre(1U));
  const track::ContactBlock again = load_due();
  ASSERT_EQ(1U, again.rows());
  EXPECT_EQ(before.contact[1], again.contact[0]);
}

// So is it for one that opens only now, and whose step the change says nothing to.
TEST_P(CommitTest, AWakeIsForClosedPositionsWhoseTimeHasCome) {
  import(2);
  gather();
  const track::ContactBlock gathered = load_due();
  commit(gathered, outcome_of(gathered, fields(), [](std::size_t row) {
           Way way;
           way.path = {1, 0, 2};
           way.state = track::PositionState::kClosed;
           way.due = row == 0 ? kLongAgo : kFarOff;
           return way;
         }));
  const auto& c = gathered.contact;
  const std::vector<PositionRow> rows = must(session().positions(track(), {c[0], c[1]}));
  ASSERT_EQ(2U, rows.size());
  EXPECT_TRUE(rows[0].due);
  EXPECT_FALSE(rows[1].due);
  const track::ContactBlock before = load_due();
  ASSERT_EQ(1U, before.rows());
  EXPECT_EQ(1, must(session().wake(fence(), {{c[0], 1, 1, 0}, {c[1], 1, 1, 0}})));
  check_invariants(database());
  EXPECT_THAT(commit(before, all_to(before, 3)).stale, ElementsAre(0U));
}

TEST_P(CommitTest, AWakeIsForOpenPositionsAtThatMoveAndClearsTheirBits) {
  import(4);
  gather();
  const track::ContactBlock before = load_due();
  const track::BlockOutcome after = outcome_of(before, fields(), [&](std::size_t row) {
    Way way;
    way.path = {1, 0, row == 2 ? 7 : 2};
    way.stayed = 7;
    way.state = row == 1   ? track::PositionState::kClosed
                : row == 2 ? track::PositionState::kStopped
                           : track::PositionState::kOpen;
    way.due = row == 1 ? kFarOff : track::kNever;
    return way;
  });
  EXPECT_EQ(4, commit(before, after).moves);
  const auto& c = before.contact;
  const std::vector<Wake> wakes = {
      {c[0], 1, 1, 2}, {c[1], 1, 1, 2}, {c[2], 1, 1, 2}, {c[3], 1, 0, 2}, {c[3], 2, 1, 2}};
  EXPECT_EQ(1, must(session().wake(fence(), wakes)));
  const std::vector<PositionRow> rows =
      must(session().positions(track(), {c[0], c[1], c[2], c[3]}));
  ASSERT_EQ(3U, rows.size());  // the one that stopped is not among them
  EXPECT_EQ(5U, rows[0].stayed);
  EXPECT_EQ(7U, rows[1].stayed);
  EXPECT_EQ(track::PositionState::kClosed, rows[1].state);
  EXPECT_EQ(7U, rows[2].stayed);
  EXPECT_EQ(1U, load_due().rows());
}

// A move that is due by a field waits closed, and is looked at again when the field changes.
TEST_P(CommitTest, AWakeReachesAClosedPositionThatFollowsAField) {
  import(2);
  gather();
  const track::ContactBlock before = load_due();
  const track::BlockOutcome after = outcome_of(before, fields(), [&](std::size_t row) {
    Way way;
    way.path = {1, 0, 2};
    way.stayed = row == 0 ? track::kFollows | 5 : track::kRests;
    way.state = track::PositionState::kClosed;
    way.due = row == 0 ? track::kNever : kFarOff;
    return way;
  });
  EXPECT_EQ(2, commit(before, after).moves);
  const auto& c = before.contact;
  EXPECT_EQ(1, must(session().wake(fence(), {{c[0], 1, 1, 0}, {c[1], 1, 1, 0}})));
  check_invariants(database());
  const std::vector<PositionRow> rows = must(session().positions(track(), {c[0], c[1]}));
  ASSERT_EQ(2U, rows.size());
  EXPECT_TRUE(rows[0].due);
  EXPECT_EQ(track::kFollows | 5, rows[0].stayed);
  EXPECT_EQ(track::PositionState::kClosed, rows[0].state);
  EXPECT_FALSE(rows[1].due);
  EXPECT_EQ(track::kRests, rows[1].stayed);
}

TEST_P(CommitTest, AWakeThatLooksReachesEveryClosedPositionAndKeepsWhenItOpens) {
  import(3);
  gather();
  track::ContactBlock block = load_due();
  // k1 waits for a move, k2 rests, k3 follows a field.
  const std::uint64_t marks[] = {0, track::kRests, track::kFollows | 5};
  commit(block, outcome_of(block, fields(), [&](std::size_t row) {
           Way way;
           way.path = {1, 0, 2};
           way.state = track::PositionState::kClosed;
           way.due = kFarOff;
           way.stayed = marks[row];
           return way;
         }));
  std::vector<Wake> wakes;
  for (const base::ContactId contact : block.contact) {
    wakes.push_back({contact, 1, 1, 0, true});
  }
  EXPECT_EQ(3, must(session().wake(fence(), wakes)));
  block = load_due();
  const std::uint64_t opens = track::kLooks | static_cast<std::uint64_t>(kFarOff.us);
  EXPECT_THAT(block.stayed, ElementsAre(opens, track::kRests | opens, track::kFollows | 5));
  EXPECT_THAT(block.state, testing::Each(track::PositionState::kClosed));
  EXPECT_EQ(3, must(session().wake(fence(), wakes))) << "and once more while they are due";
  EXPECT_EQ(block.stayed, load_due().stayed);
}

TEST_P(CommitTest, WhatIsAddedIsAddedToWhatTheDatabaseHas) {
  import(4);
  gather();
  const track::ContactBlock block = load_due();
  // Somebody else raises them all meanwhile, and takes the second away.
  must(session().import_contacts(make_batch({"k1", "k2", "k3", "k4"}, {kScore},
                                            {{10.0}, {track::Missing{}}, {30.0}, {40.0}})));
  commit(block, outcome_of(block, fields(), [](std::size_t row) {
           Way way;
           way.path = {1, 0, 2};
           if (row < 2) {
             way.adds = {{0, 2.5}};
           } else if (row == 2) {
             way.writes = {{0, 5.0}};
           }
           return way;
         }));
  const track::ContactBlock after = must(session().load_these(block.contact, {{kScore}, {}}));
  EXPECT_THAT(after.columns[0].number, ElementsAre(12.5, 2.5, 5, 40));
}

TEST_P(CommitTest, WhoLeavesTakesItsUnsentMessagesBack) {
  import(2);
  gather();
  const auto send = [](std::int32_t move) {
    return track::Shape::Act{move, 1, track::ActionKind::kEmail, 5, false};
  };
  track::ContactBlock block = load_due();
  commit(block, outcome_of(block, fields(), [&](std::size_t) {
           Way way;
           way.path = {1, 0, 2};
           way.acts = {send(1)};
           way.due = kLongAgo;
           return way;
         }));
  block = load_due();
  // k1 sends once more and leaves, k2 stops.
  commit(block, outcome_of(block, fields(), [&](std::size_t row) {
           Way way;
           way.path = row == 0 ? std::vector<std::int32_t>{2, 0, 3, track::leave_rule(0), 7}
                               : std::vector<std::int32_t>{2, 0, 7};
           way.state = track::PositionState::kStopped;
           way.acts = {send(1)};
           way.withdraws = row == 0;
           return way;
         }));
  std::vector<std::string> states;
  for (const OutboxRow& row : must(session().outbox(std::nullopt, 100))) {
    states.push_back(row.contact_key + " " + std::to_string(row.key.move_no) + " " +
                     std::to_string(static_cast<int>(row.state)));
  }
  EXPECT_THAT(states, testing::UnorderedElementsAre("k1 1 5", "k1 2 5", "k2 1 0", "k2 2 0"));
  EXPECT_EQ(2, must(session().report("T")).actions.at(0).states.at(OutboxState::kWithdrawn));
  const std::vector<MoveRow> moves = must(session().why("k1")).moves;
  EXPECT_EQ(track::leave_rule(0), moves.back().rule);
}

TEST_P(CommitTest, APositionThatHasStoppedNeverMovesAgain) {
  import(1);
  gather();
  const track::ContactBlock before = load_due();
  commit(before, outcome_of(before, fields(), [](std::size_t) {
           Way way;
           way.path = {1, 0, 7};
           way.state = track::PositionState::kStopped;
           return way;
         }));
  track::ContactBlock stopped;
  must(session().load(track(), {{before.contact[0], 1, 1}}, {fields(), {}}, stopped));
  ASSERT_EQ(1U, stopped.rows());
  EXPECT_EQ(track::PositionState::kStopped, stopped.state[0]);
  const CommitResult result = commit(stopped, all_to(stopped, 2));
  EXPECT_EQ(0, result.positions);
  EXPECT_THAT(result.stale, ElementsAre(0U));
}

TEST_P(CommitTest, HeardIsComparedToo) {
  import(1);
  gather();
  track::ContactBlock before = load_due();
  before.heard[0] = 3;
  EXPECT_THAT(commit(before, all_to(before, 2)).stale, ElementsAre(0U));
}

TEST_P(CommitTest, OnlyWhatReallyChangesIsAChange) {
  import(3);
  gather();
  const auto way = [](double score, bool tag, std::int32_t from) {
    Way w;
    w.path = {from, 0, 2};
    w.due = kLongAgo;
    w.writes = {{0, score}};
    w.tags = {{"a", tag}};
    return w;
  };
  track::ContactBlock block = load_due();
  // k1 keeps its score and gets a tag; k2 gets both; k3 keeps its score and has no tag to lose.
  const double scores[] = {1, 9, 3};
  commit(block, outcome_of(block, fields(),
                           [&](std::size_t row) { return way(scores[row], row < 2, 1); }));
  block = load_due();
  ASSERT_EQ(3U, block.rows());
  commit(block, outcome_of(block, fields(),
                           [&](std::size_t row) { return way(scores[row], row < 2, 2); }));
  Dump dump = database().dump(Times::kNormal);
  using Row = std::vector<std::string>;
  EXPECT_THAT(dump.tables["change"],
              ElementsAre(Row{"k1", "", "created", "score"}, Row{"k1", "T", "tag", "a"},
                          Row{"k2", "", "created", "score"}, Row{"k2", "T", "changed", "score"},
                          Row{"k2", "T", "tag", "a"}, Row{"k3", "", "created", "score"}));
}

TEST_P(CommitTest, FieldsOfAllTypesAreWrittenClearedAndRead) {
  import(1);
  gather();
  track::ContactBlock block = load_due();
  const std::vector<track::Value> values = {2.5, std::string("O'Neill \"ü\" \\"), true, kLongAgo,
                                            base::Date{-3}};
  commit(block, outcome_of(block, fields(), [&](std::size_t) {
           Way way;
           way.path = {1, 0, 2};
           way.due = kLongAgo;
           for (std::size_t i = 0; i < values.size(); ++i) {
             way.writes.emplace_back(i, values[i]);
           }
           return way;
         }));
  block = load_due();
  ASSERT_EQ(1U, block.rows());
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(values[i], block.columns[i].at(0)) << fields()[i].name;
  }
  commit(block, outcome_of(block, fields(), [&](std::size_t) {
           Way way;
           way.path = {2, 0, 3};
           way.due = kLongAgo;
           for (std::size_t i = 0; i < values.size(); ++i) {
             way.writes.emplace_back(i, track::Missing{});
           }
           return way;
         }));
  block = load_due();
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(track::Value(track::Missing{}), block.columns[i].at(0)) << fields()[i].name;
  }
}

TEST_P(CommitTest, LoadLeavesOutWhoIsNotThereAndKeepsTheRest) {
  import(100);
  gather();
  const track::ContactBlock all = load_due();
  ASSERT_EQ(100U, all.rows());
  std::vector<BlockItem> items;
  std::set<base::ContactId> wanted;
  for (std::size_t row = 0; row < all.rows(); ++row) {
    if (row % 7 == 0) {
      items.push_back({all.contact[row], 1, 1});  // has not moved yet
    } else if (row % 7 == 1) {
      items.push_back({all.contact[row], 2, 0});  // no such entry
    } else if (row < 40 || row % 7 == 2) {        // dense, then sparse
      items.push_back({all.contact[row], 1, 0});
      wanted.insert(all.contact[row]);
    }
  }
  items.push_back({base::ContactId(1'000'000), 1, 0});
  items.push_back({all.contact[45], 1, 0});  // not in order
  wanted.insert(all.contact[45]);
  track::ContactBlock block;
  must(session().load(track(), items, {fields(), {"none"}}, block));
  EXPECT_EQ(wanted, std::set<base::ContactId>(block.contact.begin(), block.contact.end()));
  EXPECT_EQ(wanted.size(), block.rows());
  for (std::size_t row = 0; row < block.rows(); ++row) {
    EXPECT_EQ("k" + std::to_string(static_cast<int>(block.columns[0].number[row])),
              key_of(block.contact[row]));
    EXPECT_EQ(0, block.tags[0][row]);
  }
  must(session().load(track(), {}, {fields(), {}}, block));
  EXPECT_EQ(0U, block.rows());
}

// Where the new due time is the old one, only the move number tells that a block is done already.
TEST_P(CommitTest, ARepeatedBlockMovesOnceThoughTheDueTimeStays) {
  import(1);
  gather();
  const track::ContactBlock before = load_due();
  ASSERT_EQ(1U, before.rows());
  const track::BlockOutcome after = outcome_of(before, fields(), [&](std::size_t row) {
    Way way;
    way.path = {1, 0, 2};
    way.due = before.due_at[row];
    return way;
  });
  EXPECT_EQ(1, commit(before, after).moves);
  const CommitResult again = commit(before, after);
  EXPECT_EQ(0, again.positions);
  EXPECT_THAT(again.stale, ElementsAre(0U));
}

// Neighbours may be read as ranges, others are looked up one by one: the answers are the same.
TEST_P(CommitTest, LoadsNeighboursAsItLoadsOthers) {
  import(100);
  gather();
  track::ContactBlock all = load_due();
  ASSERT_EQ(100U, all.rows());
  // Every fifth has moved on, tagged.
  track::ContactBlock fifths;
  std::vector<BlockItem> moving;
  for (std::size_t row = 0; row < all.rows(); row += 5) {
    moving.push_back({all.contact[row], 1, 0});
  }
  must(session().load(track(), moving, {fields(), {}}, fifths));
  commit(fifths, outcome_of(fifths, fields(), [](std::size_t) {
           Way way;
           way.path = {1, 0, 2};
           way.due = kFarOff;
           way.tags = {{"moved", true}};
           return way;
         }));
  // Two ranges, as of two blocks that were committed one after the other; the second comes first.
  std::vector<BlockItem> items;
  std::size_t there = 0;
  for (std::size_t i = 0; i < all.rows(); ++i) {
    const std::size_t row = (i + 60) % all.rows();
    if ((row < 40 || row >= 60) && (row % 3 != 0 || row % 5 == 0)) {
      const bool moved = row % 5 == 0;
      const bool found = !moved || row % 10 == 0;  // half of the fifths
      items.push_back({all.contact[row], 1, moved && found ? 1 : 0});
      there += found ? 1 : 0;
    }
  }
  items.push_back({base::ContactId(all.contact.back().get() + 1), 1, 0});  // no such contact
  track::ContactBlock together;
  must(session().load(track(), items, {fields(), {"moved"}}, together));
  EXPECT_EQ(there, together.rows());
  for (std::size_t row = 0; row < together.rows(); ++row) {
    track::ContactBlock alone;
    const BlockItem item{together.contact[row], together.entry[row], together.move_no[row]};
    must(session().load(track(), {item}, {fields(), {"moved"}}, alone));
    ASSERT_EQ(1U, alone.rows());
    EXPECT_EQ(together.contact[row], alone.contact[0]);
    EXPECT_EQ(together.step[row], alone.step[0]);
    EXPECT_EQ(together.due_at[row], alone.due_at[0]);
    EXPECT_EQ(together.entered_at[row], alone.entered_at[0]);
    EXPECT_EQ(together.step_at[row], alone.step_at[0]);
    EXPECT_EQ(together.move_no[row], together.tags[0][row]);
    EXPECT_EQ(together.tags[0][row], alone.tags[0][0]);
    EXPECT_EQ(together.columns[0].at(row), alone.columns[0].at(0));
    EXPECT_EQ(together.columns[1].at(row), alone.columns[1].at(0));
  }
}

}  // namespace
}  // namespace turnout::store::test
