// The engine on a real database: gathering, waiting, waking, timers, take-over.

#include <atomic>

#include "work/bench_peer.h"
#include "work/frail_session.h"

namespace turnout::test {
namespace {

constexpr const char* kScore = R"(track "Score"
  gather contacts where score is at least 0 continuously

step "Judge"
  when score is at least 50:
    send email "high"
    stop as "high"
  when score is at least 10:
    stop as "middle"
)";

// A database that answers no session's statements while it is told not to.
class FrailStore final : public store::Store {
 public:
  explicit FrailStore(store::Store& store) : store_(store) {}

  base::Result<void> migrate() override { return store_.migrate(); }
  base::Result<std::unique_ptr<store::Session>> open_session() override {
    return std::make_unique<FrailSession>(need(store_.open_session()), [this] {
      refused_ += answers ? 0 : 1;
      return answers ? Fate::kDone : Fate::kNotDone;
    });
  }
  base::Result<std::unique_ptr<store::GroupSession>> open_group_session() override {
    return store_.open_group_session();
  }
  std::string describe() const override { return store_.describe(); }

  std::atomic<bool> answers = true;
  int refused() const { return refused_; }

 private:
  store::Store& store_;
  std::atomic<int> refused_ = 0;
};

class EngineTest : public ::testing::Test {
 protected:
  EngineTest() {
    auto session = need(database_.store().open_session());
    EXPECT_TRUE(session->declare_fields({{"score", track::Type::kNumber, "score"}}));
  }
  Database database_;
};

// R1, R11, R12, R15: contacts are gathered, cut into blocks, tested in order, and moved.
TEST_F(EngineTest, GathersAndDecidesEverybody) {
  BenchPeer peer(database_.store(), "a");
  add_contacts(peer.session(), 1, 400, 60);
  add_contacts(peer.session(), 401, 1000, 20);
  peer.own(peer.publish(kScore).id);
  ASSERT_TRUE(peer.run_until([&] {
    return peer.stopped("Score", "high") == 400 && peer.stopped("Score", "middle") == 600;
  }));
  const store::Report report = peer.report("Score");
  EXPECT_EQ(report.entered, 1000);
  EXPECT_EQ(report.moves, 1000);
  ASSERT_EQ(report.actions.size(), 1U);
  EXPECT_EQ(report.actions[0].name, "high");
  EXPECT_EQ(report.actions[0].states.at(store::OutboxState::kWaiting), 400);
}

// R14, R16: who waits is tested again when a field that the step reads changes; who comes later is
// gathered.
TEST_F(EngineTest, WakesOnChangeAndGathersNewcomers) {
  BenchPeer peer(database_.store(), "a");
  add_contacts(peer.session(), 1, 10, 1);
  peer.own(peer.publish(kScore).id);
  ASSERT_TRUE(peer.run_until([&] {
    const store::Report report = peer.report("Score");
    return report.waiting.contains("Judge") && report.waiting.at("Judge") == 10;
  }));
  add_contacts(peer.session(), 3, 4, 99);
  add_contacts(peer.session(), 11, 12, 15);
  EXPECT_TRUE(peer.run_until(
      [&] { return peer.stopped("Score", "high") == 2 && peer.stopped("Score", "middle") == 2; }));
  EXPECT_EQ(peer.report("Score").waiting.at("Judge"), 8);
}

// R16: timers fire by the database's clock, delayed moves and `after` rules alike.
TEST_F(EngineTest, RunsTimers) {
  BenchPeer peer(database_.store(), "a");
  add_contacts(peer.session(), 1, 50, 1);
  peer.own(peer.publish(R"(track "Slow"
  gather contacts continuously

step "One"
  otherwise:
    go to "Two" after 1 second

step "Two"
  when score is at least 50:
    stop as "high"
  after 1 second:
    send email "late"
    stop as "late"
)")
               .id);
  const base::Tick began = base::boot_now();
  ASSERT_TRUE(peer.run_until([&] { return peer.stopped("Slow", "late") == 50; }));
  EXPECT_GE(base::boot_now() - began, std::chrono::milliseconds(1900));
  EXPECT_EQ(peer.report("Slow").moves, 100);
}

// R4: a second peer goes on where the first has stopped; the first can write nothing more.
TEST_F(EngineTest, TakesOverAndFencesTheOldOwner) {
  BenchPeer first(database_.store(), "a");
  BenchPeer second(database_.store(), "b");
  add_contacts(first.session(), 1, 3000, 20);
  const base::TrackId track = first.publish(kScore).id;
  first.own(track);
  ASSERT_TRUE(first.run_until([&] { return first.report("Score").entered == 3000; }));
  second.own(track);
  add_contacts(first.session(), 3001, 3100, 20);
  ASSERT_TRUE(second.run_until([&] { return second.stopped("Score", "middle") == 3100; }));
  // The first still believes that it owns the track: what it tries is refused.
  add_contacts(first.session(), 3101, 3101, 20);
  EXPECT_TRUE(first.run_until([&] { return first.fenced() > 0; }));
  EXPECT_TRUE(second.run_until([&] { return second.stopped("Score", "middle") == 3101; }));
  EXPECT_EQ(second.report("Score").moves, 3101);
}

// G11: a block that was refused gives its slot back though the database does not say by whom.
TEST_F(EngineTest, GivesSlotsBackWhenTheLedgerCannotBeRead) {
  constexpr int kBlocks = 5;  // more than there are slots
  BenchPeer first(database_.store(), "a");
  BenchPeer second(database_.store(), "b");
  first.row_answers = false;
  add_contacts(first.session(), 1, 5, 1);
  const base::TrackId track = first
                                  .publish(R"(track "Late"
  gather contacts continuously

step "Wait"
  after 1 second:
    stop as "late"
)")
                                  .id;
  first.own(track);
  ASSERT_TRUE(first.run_until([&] {
    const store::Report report = first.report("Late");
    return report.waiting.contains("Wait") && report.waiting.at("Wait") == 5;
  }));
  second.own(track);
  EXPECT_TRUE(first.run_until([&] { return first.engine().counters().failed > kBlocks; }));
  EXPECT_TRUE(second.run_until([&] { return second.stopped("Late", "late") == 5; }));
}

// What was published just before the database was gone for a moment is known when it is back.
TEST_F(EngineTest, BringsItsBookUpToDateOnceTheDatabaseIsBack) {
  FrailStore store(database_.store());
  BenchPeer peer(store, "a");
  store.answers = false;
  peer.engine().refresh_catalogue();
  ASSERT_TRUE(peer.run_until([&] { return store.refused() > 2; }));
  EXPECT_EQ(0, peer.refreshed());
  store.answers = true;
  EXPECT_TRUE(peer.run_until([&] { return peer.refreshed() > 0; }));
}

TEST_F(EngineTest, BeginsATrackOnceTheDatabaseIsBack) {
  FrailStore store(database_.store());
  BenchPeer peer(store, "a");
  add_contacts(peer.session(), 1, 20, 60);
  const base::TrackId track = peer.publish(kScore).id;
  store.answers = false;
  peer.own(track);
  ASSERT_TRUE(peer.run_until([&] { return store.refused() > 2; }));
  store.answers = true;
  EXPECT_TRUE(peer.run_until([&] { return peer.stopped("Score", "high") == 20; }));
}

// A new version: those who wait follow by the step's name and are tested by the new rules.
TEST_F(EngineTest, FollowsANewVersion) {
  BenchPeer peer(database_.store(), "a");
  add_contacts(peer.session(), 1, 20, 5);
  peer.own(peer.publish(kScore).id);
  ASSERT_TRUE(peer.run_until([&] {
    const store::Report report = peer.report("Score");
    return report.waiting.contains("Judge") && report.waiting.at("Judge") == 20;
  }));
  std::string text = kScore;
  text.replace(text.find("at least 10"), 11, "at least 5");
  const store::Published published = peer.publish(text);
  EXPECT_EQ(published.version.get(), 2);
  peer.own(published.id);
  EXPECT_TRUE(peer.run_until([&] { return peer.stopped("Score", "middle") == 20; }));
}

// R16: a move that is due by a field follows it; one whose field is missing waits for a value.
TEST_F(EngineTest, AMoveByAFieldFollowsTheField) {
  BenchPeer peer(database_.store(), "a");
  const track::Field renews{"renews_at", track::Type::kTimestamp, "renews_at"};
  ASSERT_TRUE(peer.session().declare_fields({renews}));
  const auto set = [&](int contact, track::Value at) {
    store::ContactBatch batch;
    batch.key.push_back("c" + std::to_string(contact));
    batch.fields = {renews};
    batch.columns.emplace_back().type = renews.type;
    batch.columns[0].append(at);
    need(peer.session().import_contacts(batch));
  };
  const base::Instant now = need(peer.session().now());
  for (int contact = 1; contact <= 3; ++contact) {
    set(contact, contact == 2 ? track::Value() : track::Value(now + std::chrono::hours(24 * 365)));
  }
  peer.own(peer.publish(R"(track "Renewal"
  gather contacts continuously

step "Wait"
  otherwise:
    go to "Remind" 3 days before renews_at

step "Remind"
  otherwise:
    stop as "reminded"
)")
               .id);
  ASSERT_TRUE(peer.run_until([&] {
    const store::Report report = peer.report("Renewal");
    return report.waiting.contains("Remind") && report.waiting.at("Remind") == 3;
  }));
  set(1, track::Value(now + std::chrono::hours(24)));  // less than three days: at once
  set(2, track::Value(now + std::chrono::hours(72) + std::chrono::seconds(2)));
  EXPECT_TRUE(peer.run_until([&] { return peer.stopped("Renewal", "reminded") == 2; }));
  EXPECT_EQ(peer.report("Renewal").waiting.at("Remind"), 1);
}

// Who waits for a delayed move leaves as soon as a clause holds, also one that a new version
// brings; the others keep their time.
TEST_F(EngineTest, LeaveReachesWhoWaitsForATime) {
  BenchPeer peer(database_.store(), "a");
  add_contacts(peer.session(), 1, 20, 20);
  const std::string steps = R"(
step "First"
  otherwise:
    send email "hello"
    go to "Second" after 3 days

step "Second"
  otherwise:
    stop as "end"
)";
  const std::string head = R"(track "Leave"
  gather contacts where score is 20 continuously
)";
  peer.own(peer.publish(head + "  leave when score is more than 50 as \"rich\"\n" + steps).id);
  const auto waiting = [&](std::int64_t count) {
    return [&peer, count] {
      const store::Report report = peer.report("Leave");
      return report.waiting.contains("Second") && report.waiting.at("Second") == count;
    };
  };
  ASSERT_TRUE(peer.run_until(waiting(20)));
  add_contacts(peer.session(), 1, 5, 99);
  ASSERT_TRUE(peer.run_until([&] { return peer.stopped("Leave", "rich") == 5; }));
  EXPECT_EQ(peer.report("Leave").actions[0].states.at(store::OutboxState::kWithdrawn), 5);
  add_contacts(peer.session(), 6, 10, 1);
  const store::Published next =
      peer.publish(head + "  leave when score is less than 10 as \"poor\"\n" + steps);
  peer.own(next.id);
  ASSERT_TRUE(peer.run_until([&] { return peer.stopped("Leave", "poor") == 5; }));
  ASSERT_TRUE(peer.run_until(waiting(10)));
  const store::ContactReport one = need(peer.session().why("c11"));
  ASSERT_EQ(one.positions.size(), 1U);
  EXPECT_GT(one.positions[0].due_at, need(peer.session().now()) + std::chrono::hours(71));
  EXPECT_EQ(one.positions[0].state, track::PositionState::kClosed);
}

// Who has stopped comes again where the track says so, once what made it leave is over; those who
// are held out stand aside.
TEST_F(EngineTest, ComesAgainAndIsHeldOut) {
  BenchPeer peer(database_.store(), "a");
  add_contacts(peer.session(), 1, 200, 60);
  peer.own(peer.publish(R"(track "Again"
  gather contacts where score is at least 50 continuously
  enter every time
  leave when no longer gathered as "gone"
  hold out 50% as "control" for 1 day

step "Wait"
  after 10 days:
    stop as "end"
)")
               .id);
  ASSERT_TRUE(peer.run_until([&] { return peer.report("Again").moves > 0; }));
  const std::int64_t out = peer.report("Again").waiting["held out"];
  EXPECT_GT(out, 60);
  EXPECT_LT(out, 140);
  EXPECT_EQ(peer.report("Again").waiting["Wait"], 200 - out);
  add_contacts(peer.session(), 1, 50, 10);
  ASSERT_TRUE(peer.run_until([&] { return peer.stopped("Again", "gone") == 50; }));
  add_contacts(peer.session(), 1, 50, 70);
  ASSERT_TRUE(peer.run_until([&] { return peer.report("Again").entered == 250; }));
  EXPECT_EQ(need(peer.session().why("c1")).positions.size(), 2U);
}

// A turn of the clock gathers; what has been before the track was there does not count.
TEST_F(EngineTest, GathersAtATurnOfTheClock) {
  BenchPeer peer(database_.store(), "a");
  add_contacts(peer.session(), 1, 5, 20);
  const base::Instant turn = need(peer.session().now()) + std::chrono::seconds(3);
  const std::string clock = base::format_instant({turn.us - turn.us % 1'000'000}).substr(11, 8);
  std::string text = kScore;
  text.replace(text.find("continuously"), 12, "every day at " + clock);
  peer.own(peer.publish(text).id);
  ASSERT_TRUE(peer.run_until([&] { return peer.stopped("Score", "middle") == 5; }));
  EXPECT_GE(need(peer.session().now()).us, turn.us - turn.us % 1'000'000);
}

// Schedules that were missed are made up once; `every` looks at everybody again at its time.
TEST_F(EngineTest, GathersEverySecond) {
  BenchPeer peer(database_.store(), "a");
  add_contacts(peer.session(), 1, 5, 20);
  std::string text = kScore;
  text.replace(text.find("continuously"), 12, "every 1 second");
  peer.own(peer.publish(text).id);
  ASSERT_TRUE(peer.run_until([&] { return peer.stopped("Score", "middle") == 5; }));
  add_contacts(peer.session(), 6, 9, 20);
  EXPECT_TRUE(peer.run_until([&] { return peer.stopped("Score", "middle") == 9; }));
}

}  // namespace
}  // namespace turnout::test
