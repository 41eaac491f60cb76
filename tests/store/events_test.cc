// Events: recorded once and numbered, told by the feed, read with a block, and what makes entries.

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "store/suite.h"

namespace turnout::store::test {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::Pair;

class EventTest : public StoreTest {
 protected:
  RecordResult record(const std::vector<NewEvent>& events) {
    return must(session().record_events(events));
  }
  Change only_change(FeedCursor& from) {
    const FeedBatch batch = must(session().changes(from, 100));
    from = batch.next;
    EXPECT_EQ(1U, batch.changes.size());
    return batch.changes.empty() ? Change() : batch.changes.front();
  }
  FeedCursor from_now() { return must(session().changes({}, 1)).next; }
  track::ContactBlock load(const std::string& key, const Reads& reads, std::int32_t entry = 1,
                           std::int32_t move_no = 0) {
    track::ContactBlock block;
    must(session().load(track(), {{id(key), entry, move_no}}, reads, block));
    EXPECT_EQ(1U, block.rows());
    return block;
  }
  std::int64_t enter(const std::vector<Arrival>& arrivals,
                     const std::optional<base::Instant>& stopped_by = {}) {
    const GatherResult result =
        must(session().enter(fence(), base::Version(1), stopped_by, arrivals));
    EXPECT_FALSE(result.fenced);
    return result.gathered;
  }
  std::vector<std::int64_t> numbers(const track::ContactBlock& block) {
    std::vector<std::int64_t> numbers;
    for (const track::BlockEvent& event : block.events.at(0)) {
      numbers.push_back(event.id);
    }
    return numbers;
  }
};
TURNOUT_STORE_SUITE(EventTest);

TEST_P(EventTest, AreNumberedInTheOrderGivenAndToldByTheFeed) {
  import(1);
  FeedCursor feed = from_now();
  const RecordResult result = record({{"k1", "open", "", "", ""}, {"k1", "buy", "{}", "", ""}});
  EXPECT_EQ(2, result.recorded);
  EXPECT_EQ(0, result.repeated);
  EXPECT_EQ(0, result.contacts);
  const Change change = only_change(feed);
  EXPECT_EQ(id("k1"), change.contact);
  EXPECT_FALSE(change.created);
  EXPECT_THAT(change.events, ElementsAre(Pair("open", 1), Pair("buy", 2)));
  EXPECT_THAT(change.fields, IsEmpty());
  record({{"k1", "open", R"({"a": 1})", "", ""}});
  EXPECT_THAT(only_change(feed).events, ElementsAre(Pair("open", 3)));
  const std::vector<EventRow> rows =
      must(session().events({{id("k1"), 3}, {id("k1"), 1}, {id("k1"), 9}}));
  ASSERT_EQ(2U, rows.size());
  EXPECT_EQ(1, rows[0].event.id);
  EXPECT_EQ("{}", rows[0].event.properties);
  EXPECT_EQ(3, rows[1].event.id);
  EXPECT_EQ("open", rows[1].event.name);
}

TEST_P(EventTest, AreFoundByNameAndTime) {
  import(3);
  record({{"k1", "open", "", "", ""}, {"k1", "buy", "", "", ""}, {"k3", "open", "", "", ""}});
  record({{"k2", "open", "", "", ""}, {"k1", "open", "", "", ""}});
  const auto since = [&](base::Instant at, const EventKey& after, int limit) {
    std::vector<std::pair<std::string, std::int64_t>> found;
    for (const EventRow& row : must(session().events_since({"open", "none"}, at, after, limit))) {
      found.emplace_back(key_of(row.contact), row.event.id);
    }
    return found;
  };
  EXPECT_THAT(since(kLongAgo, {}, 10), testing::UnorderedElementsAre(Pair("k1", 1), Pair("k1", 3),
                                                                     Pair("k2", 1), Pair("k3", 1)));
  const auto first = must(session().events_since({"open"}, kLongAgo, {}, 2));
  ASSERT_EQ(2U, first.size());
  EXPECT_EQ(2U, since(kLongAgo, {first[1].contact, first[1].event.id}, 10).size());
  EXPECT_THAT(since(kFarOff, {}, 10), IsEmpty());
}

TEST_P(EventTest, ASecondOneOfTheSameNameIsNotRecordedAgain) {
  import(1);
  EXPECT_EQ(1, record({{"k1", "open", "", "web", "m1"}, {"k1", "open", "", "web", "m1"}}).repeated);
  const RecordResult again = record({{"k1", "open", "", "web", "m1"},
                                     {"k1", "open", "", "app", "m1"},
                                     {"k1", "open", "", "web", "m2"}});
  EXPECT_EQ(2, again.recorded);
  EXPECT_EQ(1, again.repeated);
}

TEST_P(EventTest, AContactThatIsNotThereIsMade) {
  FeedCursor feed = from_now();
  const RecordResult result = record({{"new", "open", "", "", ""}, {"new", "buy", "", "", ""}});
  EXPECT_EQ(1, result.contacts);
  const Change change = only_change(feed);
  EXPECT_TRUE(change.created);
  EXPECT_EQ(id("new"), change.contact);
}

TEST_P(EventTest, WhatIsWrongIsRefusedWhole) {
  import(1);
  const std::vector<std::pair<NewEvent, const char*>> wrong = {
      {{"", "open", "", "", ""}, "no key"},
      {{"k1", "", "", "", ""}, "no name"},
      {{"k1", "open", "[1]", "", ""}, "no JSON object"},
      {{"k1", "open", "{", "", ""}, "no JSON object"},
      {{"k1", "open", R"({"a":"\u0000"})", "", ""}, "NUL"},
      {{"k1", "o\xff", "", "", ""}, "UTF-8"}};
  for (const auto& [event, message] : wrong) {
    const auto result = session().record_events({{"k1", "open", "", "", ""}, event});
    ASSERT_FALSE(result) << message;
    EXPECT_EQ(base::ErrorCode::kInvalid, result.error().code);
    EXPECT_THAT(result.error().message, testing::HasSubstr(message));
    EXPECT_THAT(result.error().message, testing::HasSubstr("event 2"));
  }
  EXPECT_THAT(must(session().events({{id("k1"), 1}})), IsEmpty());
}

TEST_P(EventTest, ABlockBringsWhatIsUnheardAndWhatIsRecalled) {
  import(1);
  gather();
  record({{"k1", "open", "", "", ""},
          {"k1", "buy", "", "", ""},
          {"k1", "open", R"({"at":"home"})", "", ""},
          {"k1", "other", "", "", ""}});
  const Reads reads{{}, {}, {}, {"open"}, {"buy"}, true};
  track::ContactBlock block = load("k1", reads);
  EXPECT_THAT(numbers(block), ElementsAre(1, 2, 3));
  EXPECT_THAT(block.newest, ElementsAre(4));
  EXPECT_THAT(block.data, ElementsAre(""));
  EXPECT_EQ(R"({"at":"home"})", block.events[0][2].properties);
  EXPECT_LE(block.events[0][2].at, block.now);
  Way way;
  way.path = {1, 0, 2};
  way.heard = 4;
  way.data = R"({"entry":{"x":1}})";
  EXPECT_EQ(1, commit(block, outcome_of(block, {}, [&](std::size_t) { return way; })).positions);
  record({{"k1", "open", "", "", ""}});
  block = load("k1", reads, 1, 1);
  EXPECT_THAT(block.heard, ElementsAre(4));
  EXPECT_THAT(numbers(block), ElementsAre(2, 5));
  EXPECT_THAT(block.newest, ElementsAre(5));
  EXPECT_THAT(block.data[0], testing::HasSubstr("\"x\""));
  EXPECT_THAT(must(session().load_these({id("k1")}, reads)).events[0],
              ElementsAre(Field(&track::BlockEvent::id, 2)));
}

// What another block has heard meanwhile counts: the decision was made from less.
TEST_P(EventTest, ACommitIsRefusedWhereSomethingWasHeardSince) {
  import(1);
  gather();
  record({{"k1", "open", "", "", ""}});
  const Reads reads{{}, {}, {}, {"open"}, {}, false};
  const track::ContactBlock block = load("k1", reads);
  Way way;
  way.heard = 1;
  way.due = kFarOff;
  const auto outcome = outcome_of(block, {}, [&](std::size_t) { return way; });
  EXPECT_EQ(1, commit(block, outcome).positions);
  track::ContactBlock later = block;
  later.due_at = {kFarOff};
  EXPECT_THAT(commit(later, outcome).stale, ElementsAre(0U));
}

TEST_P(EventTest, AnEventMakesAnEntry) {
  import(2);
  record({{"k1", "form", "", "", ""}, {"k1", "form", "", "", ""}});
  EXPECT_EQ(1, enter({{id("k1"), 2, 1, {}, R"({"entry":{"form":"x"}})"}}));
  EXPECT_EQ(0, enter({{id("k1"), 2, 2, {}, ""}})) << "it is on the track";
  const track::ContactBlock block = load("k1", {{}, {}, {}, {"form"}, {}, true});
  EXPECT_THAT(block.heard, ElementsAre(1));
  EXPECT_THAT(block.step, ElementsAre(2));
  EXPECT_THAT(numbers(block), ElementsAre(2)) << "what came after it is heard on the way";
  EXPECT_THAT(block.data[0], testing::HasSubstr("form"));
  const auto due = must(session().due(track(), {}, must(session().now()), 10));
  ASSERT_EQ(1U, due.size());
  EXPECT_EQ(id("k1"), due[0].contact);
  EXPECT_EQ(1, must(session().report("T")).entered);
}

// One whose owner has failed before it noted how far it was sees the same event again.
TEST_P(EventTest, AnEventThatWasHeardMakesNoEntryAgain) {
  import(1);
  record({{"k1", "form", "", "", ""}, {"k1", "form", "", "", ""}});
  EXPECT_EQ(1, enter({{id("k1"), 1, 1, {}, ""}}));
  const track::ContactBlock block = load("k1", {{}, {}, {}, {"form"}, {}, false});
  Way way;
  way.path = {1, 0, 7};
  way.state = track::PositionState::kStopped;
  way.heard = 1;
  commit(block, outcome_of(block, {}, [&](std::size_t) { return way; }));
  EXPECT_EQ(0, enter({{id("k1"), 1, 2, {}, ""}})) << "it may not come again";
  EXPECT_EQ(0, enter({{id("k1"), 1, 1, {}, ""}}, kFarOff)) << "the same event";
  EXPECT_EQ(0, enter({{id("k1"), 1, 2, {}, ""}}, base::Instant{kLongAgo.us - 1}));
  EXPECT_EQ(1, enter({{id("k1"), 1, 2, {}, ""}}, kFarOff));
}

TEST_P(EventTest, EntriesAreToldApartByTheirKeys) {
  import(1);
  record({{"k1", "cart", "", "", ""}, {"k1", "cart", "", "", ""}, {"k1", "cart", "", "", ""}});
  EXPECT_EQ(1, enter({{id("k1"), 1, 1, "\"a\"", ""}}));
  EXPECT_EQ(1, enter({{id("k1"), 1, 2, "\"b\"", ""}}));
  EXPECT_EQ(0, enter({{id("k1"), 1, 3, "\"a\"", ""}}));
  EXPECT_THAT(load("k1", {}, 2).entry, ElementsAre(2));
}

TEST_P(EventTest, NobodyEntersUnderAnOldFence) {
  import(1);
  record({{"k1", "form", "", "", ""}});
  const Fence old = fence();
  take_track();
  EXPECT_TRUE(must(session().enter(old, base::Version(1), {}, {{id("k1"), 1, 1, {}, ""}})).fenced);
  EXPECT_THAT(must(session().positions(track(), {id("k1")})), IsEmpty());
}

// The action of an entry: others hear it, the entry only remembers it.
TEST_P(EventTest, WhatAnActionAsksForIsRecordedOnceWhenItIsTaken) {
  import(1);
  gather();
  const track::ContactBlock block = load("k1", {{}, {}, {}, {"hello"}, {}, false});
  Way way;
  way.path = {1, 0, 2};
  way.acts = {{1, 1, track::ActionKind::kEvent, 5, true}};
  way.payload = R"([{"why":"so"}])";
  commit(block, outcome_of(block, {}, [&](std::size_t) { return way; }));
  const std::vector<OutboxDue> due = must(session().outbox_due(10));
  ASSERT_EQ(1U, due.size());
  FeedCursor feed = from_now();
  EXPECT_THAT(must(session().take_deliveries({due[0].key}, self(), std::chrono::minutes(1), {})),
              IsEmpty());
  EXPECT_THAT(only_change(feed).events, ElementsAre(Pair("hello", 1)));
  EXPECT_THAT(must(session().take_deliveries({due[0].key}, self(), std::chrono::minutes(1), {})),
              IsEmpty());
  EXPECT_THAT(must(session().changes(feed, 10)).changes, IsEmpty());
  EXPECT_EQ(OutboxState::kSent, must(session().outbox(std::nullopt, 10)).at(0).state);
  const track::ContactBlock after = load("k1", {{}, {}, {}, {"hello"}, {"hello"}, false}, 1, 1);
  ASSERT_EQ(1U, after.events[0].size());
  EXPECT_EQ("hello", after.events[0][0].name);
  EXPECT_EQ(R"({"why":"so"})", after.events[0][0].properties);
  EXPECT_FALSE(after.events[0][0].heard);
}

TEST_P(EventTest, PlacesOnTracksAreReadWithABlock) {
  import(2);
  must(session().gather_these(fence(), {base::Version(1), 2}, "", {}, {id("k1")}));
  const Reads reads{{}, {}, {{"T", ""}, {"T", "B"}, {"T", "A"}, {"none", ""}}};
  const track::ContactBlock block = must(session().load_these({id("k1"), id("k2")}, reads));
  ASSERT_EQ(2U, block.rows());
  const std::size_t first = block.contact[0] == id("k1") ? 0 : 1;
  for (const auto& [place, stands] : std::map<int, int>{{0, 1}, {1, 1}, {2, 0}, {3, 0}}) {
    EXPECT_EQ(stands, block.places[static_cast<std::size_t>(place)][first]) << place;
    EXPECT_EQ(0, block.places[static_cast<std::size_t>(place)][1 - first]) << place;
  }
}

TEST_P(EventTest, WhoIsTakenOffStops) {
  import(3);
  gather();
  const base::Instant now = must(session().now());
  const auto take_off = [&](const Fence& under, const std::string& key, base::Instant at) {
    return must(session().take_off(under, base::Version(1), 7, {{id(key), at}}));
  };
  EXPECT_EQ(1, take_off(fence(), "k1", now + std::chrono::hours(1)).entries);
  EXPECT_EQ(0, take_off(fence(), "k1", now + std::chrono::hours(1)).entries) << "it has stopped";
  EXPECT_EQ(0, take_off(fence(), "k2", kLongAgo).entries) << "it came after that was asked for";
  const Fence old = fence();
  take_track();
  EXPECT_TRUE(take_off(old, "k2", kFarOff).fenced);
  const ContactReport report = must(session().why("k1"));
  ASSERT_EQ(1U, report.positions.size());
  EXPECT_EQ("done", report.positions[0].step);
  EXPECT_EQ(track::PositionState::kStopped, report.positions[0].state);
  ASSERT_EQ(1U, report.moves.size());
  EXPECT_EQ("A", report.moves[0].from);
  EXPECT_EQ(track::kTakenOffRule, report.moves[0].rule);
  EXPECT_EQ(2U, must(session().due(track(), {}, must(session().now()), 10)).size());
  EXPECT_EQ(1, must(session().report("T")).stopped.at("done"));
  EXPECT_EQ(1, must(session().progress("T")).on_step.at("done"));
}

// Several intakes at once: every event has a number of its own, and the numbers have no holes.
TEST_P(EventTest, NumbersHaveNoHolesWhoeverRecords) {
  import(3);
  constexpr int kThreads = 4;
  constexpr int kEach = 30;
  std::atomic<std::int64_t> recorded = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const auto mine = must(store().open_session());
      for (int i = 0; i < kEach; ++i) {
        // In orders that would wait for each other for ever if they were locked as given. The ids
        // of two threads each are the same.
        const std::string name = std::to_string(t / 2) + "-" + std::to_string(i);
        std::vector<NewEvent> events;
        for (int k = 0; k < 3; ++k) {
          const std::string key = "k" + std::to_string((k + t) % 3 + 1);
          events.push_back({key, "open", "", "s", name + key});
        }
        recorded += must(mine->record_events(events)).recorded;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(kThreads / 2 * kEach * 3, recorded);
  for (const char* key : {"k1", "k2", "k3"}) {
    const track::ContactBlock block =
        must(session().load_these({id(key)}, {{}, {}, {}, {}, {"open"}}));
    const std::vector<std::int64_t> found = numbers(block);
    ASSERT_EQ(static_cast<std::size_t>(kThreads / 2 * kEach), found.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(static_cast<std::int64_t>(i) + 1, found[i]);
    }
  }
}

}  // namespace
}  // namespace turnout::store::test
