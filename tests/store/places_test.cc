// What other tracks ask about, `on track`: the feed tells of contacts' places on those tracks, and
// of no others.

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "store/suite.h"

namespace turnout::store::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class PlacesTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    feed_ = must(session().changes({}, 1)).next;
  }
  // Keys of the contacts whose place on the track changed since the last look.
  std::vector<std::string> told() {
    std::vector<std::string> keys;
    for (bool more = true; more;) {
      const FeedBatch batch = must(session().changes(feed_, 10'000));
      for (const Change& change : batch.changes) {
        if (!change.places.empty()) {
          EXPECT_THAT(change.places, ElementsAre("T"));
          EXPECT_EQ(track(), change.by);
          keys.push_back(key_of(change.contact));
        }
      }
      feed_ = batch.next;
      more = batch.more;
    }
    return keys;
  }
  void watch(const std::string& step = "") {
    must(session().publish(asking("W", "asks " + step, "T", step)));
  }
  // The contacts that are due go on to B, but for the one of this key, which stops. With a field
  // written as well PostgreSQL commits in another way.
  void move(const std::string& stops, bool writes) {
    const track::ContactBlock block = load_due();
    const CommitResult result =
        commit(block, outcome_of(block, fields(), [&](std::size_t row) {
                 const bool ends = key_of(block.contact[row]) == stops;
                 Way way;
                 way.path = {block.step[row], 0, ends ? 7 : 2};
                 way.state = ends ? track::PositionState::kStopped : track::PositionState::kOpen;
                 way.due = ends ? track::kNever : kLongAgo;
                 if (writes) {
                   way.writes.emplace_back(0, 77.0);
                 }
                 return way;
               }));
    EXPECT_FALSE(result.fenced);
    EXPECT_THAT(result.stale, IsEmpty());
  }
  std::int64_t enter(const std::string& key) {
    return must(session().enter(fence(), base::Version(1), base::Instant{kFarOff},
                                {{id(key), 1, 1, std::nullopt, ""}}))
        .gathered;
  }

 private:
  FeedCursor feed_;
};
TURNOUT_STORE_SUITE(PlacesTest);

TEST_P(PlacesTest, NobodyIsToldOfATrackThatNobodyAsksAbout) {
  import(2);
  must(session().publish(asking("W", "asks", "Another", "")));
  gather();
  move("k1", false);
  EXPECT_THAT(told(), IsEmpty());
}

TEST_P(PlacesTest, WhoComesAndWhoStopsIsTold) {
  for (const bool writes : {false, true}) {
    SCOPED_TRACE(writes);
    if (!writes) {
      import(3);
      watch();
      gather();
      EXPECT_THAT(told(), UnorderedElementsAre("k1", "k2", "k3"));
    }
    move(writes ? "k2" : "k1", writes);
    EXPECT_THAT(told(), ElementsAre(writes ? "k2" : "k1")) << "and no move from step to step";
  }
  EXPECT_EQ(1, enter("k1"));
  EXPECT_THAT(told(), ElementsAre("k1"));
  EXPECT_EQ(2, must(session().take_off(fence(), base::Version(1), 7,
                                       {{id("k1"), kFarOff}, {id("k3"), kFarOff}}))
                   .entries);
  EXPECT_THAT(told(), UnorderedElementsAre("k1", "k3"));
}

TEST_P(PlacesTest, EveryMoveIsToldWhereAStepIsNamed) {
  import(2);
  watch("B");
  gather();
  told();
  move("", false);
  EXPECT_THAT(told(), UnorderedElementsAre("k1", "k2"));
  move("", true);
  EXPECT_THAT(told(), UnorderedElementsAre("k1", "k2"));
  // Asking for less later does not take it back: who waits may have come with the version before.
  must(session().publish(asking("W", "asks again", "T", "")));
  move("", false);
  EXPECT_THAT(told(), UnorderedElementsAre("k1", "k2"));
}

TEST_P(PlacesTest, APositionThatHasMovedOnIsNotTold) {
  import(2);
  watch("B");
  gather();
  const track::ContactBlock block = load_due();
  track::ContactBlock one = block;
  for (auto* const numbers : {&one.move_no}) {
    numbers->back() += 1;
  }
  told();
  for (const bool writes : {false, true}) {
    const CommitResult result = commit(one, outcome_of(one, fields(), [&](std::size_t) {
                                         Way way;
                                         way.path = {1, 0, 2};
                                         if (writes) {
                                           way.writes.emplace_back(0, 5.0);
                                         }
                                         return way;
                                       }));
    EXPECT_EQ(writes ? 2U : 1U, result.stale.size());
    EXPECT_EQ(writes ? 0U : 1U, told().size());
  }
}

TEST_P(PlacesTest, ATrackThatIsMadeLaterIsWatchedFromItsBeginning) {
  import(1);
  must(session().publish(asking("W", "asks", "Later", "")));
  const Published later = must(session().publish(make_publish("Later", {"A"}, "text")));
  const LedgerRow row = [&] {
    for (const LedgerRow& one : must(group().ledger())) {
      if (one.track == later.id) {
        return one;
      }
    }
    return LedgerRow();
  }();
  const TakeResult taken = must(group().take(later.id, row.timeline, row.epoch, self(), {}));
  ASSERT_TRUE(taken.taken);
  FeedCursor feed = must(session().changes({}, 1)).next;
  const Fence fence{later.id, taken.row.timeline, taken.row.epoch};
  EXPECT_EQ(
      1,
      must(session().gather(fence, {later.version, 1}, "", {}, base::ContactId(0), 100)).gathered);
  const std::vector<Change> changes = must(session().changes(feed, 100)).changes;
  ASSERT_EQ(1U, changes.size());
  EXPECT_THAT(changes.front().places, ElementsAre("Later"));
}

TEST_P(PlacesTest, AStepMapIsToldOf) {
  import(2);
  watch();
  gather();
  told();
  Publish mapped = make_publish("T", {"B", "C"}, "second");
  mapped.map = {{"A", "B"}};
  ASSERT_THAT(must(session().publish(mapped)).homeless, IsEmpty());
  EXPECT_THAT(told(), IsEmpty()) << "they are on it still";
  mapped = make_publish("T", {"C"}, "third");
  mapped.map = {{"B", std::nullopt}};
  ASSERT_THAT(must(session().publish(mapped)).homeless, IsEmpty());
  EXPECT_THAT(told(), UnorderedElementsAre("k1", "k2"));
}

// Publishing a track that asks waits for the blocks being committed: whoever moves at that moment
// is either seen by its owner, or told of.
TEST_P(PlacesTest, NobodyIsMissedWhileATrackThatAsksIsPublished) {
  constexpr int kContacts = 400;
  import(kContacts);
  gather();
  const track::ContactBlock block = load_due();
  std::atomic<bool> published = false;
  std::set<base::ContactId> seen;  // those still on it, to whom has just begun to ask
  std::thread asker([&] {
    auto other = must(store().open_session());
    must(other->publish(asking("W", "asks", "T", "")));
    std::vector<base::ContactId> all;
    for (int i = 1; i <= kContacts; ++i) {
      all.push_back(block.contact[static_cast<std::size_t>(i) - 1]);
    }
    for (const PositionRow& row : must(other->positions(track(), all))) {
      seen.insert(row.contact);
    }
    published = true;
  });
  std::size_t at = 0;
  std::int64_t stopped = 0;
  while (at < block.rows()) {
    track::ContactBlock part;
    part.now = block.now;
    part.columns.resize(block.columns.size());
    for (std::size_t c = 0; c < block.columns.size(); ++c) {
      part.columns[c].type = block.columns[c].type;
    }
    const std::size_t end = std::min(block.rows(), at + 4);
    std::vector<BlockItem> items;
    for (; at < end; ++at) {
      items.push_back({block.contact[at], block.entry[at], block.move_no[at]});
    }
    must(session().load(track(), items, {fields(), {}}, part));
    const CommitResult result = commit(part, outcome_of(part, fields(), [&](std::size_t) {
                                         Way way;
                                         way.path = {1, 0, 7};
                                         way.state = track::PositionState::kStopped;
                                         return way;
                                       }));
    stopped += result.moves;
  }
  asker.join();
  ASSERT_EQ(kContacts, stopped);
  std::set<base::ContactId> told_of;
  for (const std::string& key : told()) {
    told_of.insert(id(key));
  }
  // Who has moved between the publication and the look is told of as well.
  EXPECT_TRUE(std::ranges::includes(told_of, seen))
      << seen.size() << " seen, " << told_of.size() << " told of";
}

}  // namespace
}  // namespace turnout::store::test
