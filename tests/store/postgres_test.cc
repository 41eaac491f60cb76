// What only PostgreSQL's store has to show: plans that do not depend on statistics, answers that
// are final when the connection breaks, take-overs that wait for nobody, a feed that skips nothing.
// What both databases must do alike is in the suite that runs over both.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "store/postgres/commit_statement.h"
#include "store/postgres/group_session.h"
#include "store/postgres/session.h"
#include "store/postgres_support.h"

namespace turnout::store::postgres {
namespace {

class PostgresTest : public testing::Test {
 protected:
  void SetUp() override {
    if (test_server().empty()) {
      GTEST_SKIP() << "TURNOUT_TEST_PG names no server";
    }
    database = std::make_unique<TestDatabase>();
  }

  std::unique_ptr<PgSession> session() const {
    return std::make_unique<PgSession>(database->connect());
  }

  std::unique_ptr<TestDatabase> database;
};

// The generic plan of a statement, as the prepared statement gets it.
std::string generic_plan(PgConnection& connection, const Statement& statement) {
  std::string types;
  std::string nulls;
  for (const Oid oid : statement.params.types()) {
    const auto name =
        connection.query("select format_type(" + std::to_string(oid) + "::oid, null)", {});
    EXPECT_TRUE(name);
    types += (types.empty() ? "" : ", ") + name.value().text(0, 0);
    nulls += nulls.empty() ? "null" : ", null";
  }
  const auto prepared =
      connection.run_script("prepare looked_at (" + types + ") as " + statement.text);
  EXPECT_TRUE(prepared) << prepared.error().message;
  const auto rows = connection.query("explain execute looked_at(" + nulls + ")", {});
  EXPECT_TRUE(rows);
  EXPECT_TRUE(connection.run_script("deallocate looked_at"));
  std::string plan;
  for (std::size_t i = 0; i < rows.value().size(); ++i) {
    plan += rows.value().text(i, 0) + "\n";
  }
  return plan;
}

// A block with every part that a commit can have.
struct FullBlock {
  std::vector<track::Field> fields{{"plan", track::Type::kText, "plan"},
                                   {"score", track::Type::kNumber, "score"}};
  track::ContactBlock before;
  track::BlockOutcome after;

  FullBlock(Session& session, std::int64_t contacts)
      : before(load_block(session, 1, contacts)),
        after(one_move(before, 2, before.now + base::Duration(60'000'000))) {
    after.shapes[0].acts[0].has_payload = true;
    after.shapes[0].tags = {{"new", true}, {"old", false}};
    for (std::size_t f = 0; f < 2; ++f) {
      track::BlockOutcome::FieldWrite write;
      write.field = f;
      write.value.type = fields[f].type;
      write.written.assign(before.rows(), track::BlockOutcome::Written::kSet);
      for (std::size_t row = 0; row < before.rows(); ++row) {
        write.value.append(f == 0 ? track::Value(std::string("pro"))
                                  : track::Value(static_cast<double>(row)));
      }
      after.writes.push_back(write);
    }
    after.payload.clear();
    for (std::size_t row = 0; row < before.rows(); ++row) {
      after.payload.append("[{\"row\":" + std::to_string(row) + "}]");
    }
  }

  Commit commit() const {
    Commit made = make_commit(before, after);
    made.fields = &fields;
    return made;
  }
};

constexpr const char* kAddFields = "alter table contact add plan text, add score double precision";

void expect_probes_only(const std::string& plan) {
  for (const char* table : {"\"position\"", "timer", "contact", "contact_tag"}) {
    for (const char* scan : {"Seq Scan on ", "Bitmap Heap Scan on "}) {
      EXPECT_EQ(plan.find(std::string(scan) + table), std::string::npos) << plan;
    }
  }
  EXPECT_EQ(plan.find("Hash Join"), std::string::npos) << plan;
  EXPECT_EQ(plan.find("Merge Join"), std::string::npos) << plan;
  EXPECT_EQ(plan.find("Materialize"), std::string::npos) << plan;
  // A range of a whole track would be a condition on track_id alone.
  EXPECT_EQ(plan.find("Index Cond: (track_id = n.track_id)\n"), std::string::npos) << plan;
  EXPECT_EQ(plan.find("Index Cond: (track_id = m.track_id)\n"), std::string::npos) << plan;
}

// Stale statistics: a plan made for empty tables, and one made for tables that are no longer small.
TEST_F(PostgresTest, CommitProbesWhateverTheStatisticsSay) {
  database->run(kAddFields);
  database->run("analyze");
  database->fill(300);
  auto s = session();
  const FullBlock block(*s, 300);
  std::vector<std::uint32_t> rows(300);
  for (std::uint32_t i = 0; i < 300; ++i) {
    rows[i] = i;
  }
  const Statement statement = commit_statement(block.commit(), rows);
  expect_probes_only(generic_plan(s->postgres(), statement));
  database->run("analyze");
  auto later = session();
  expect_probes_only(generic_plan(later->postgres(), statement));
  expect_probes_only(generic_plan(later->postgres(), recognise_statement(block.commit(), rows)));
}

TEST_F(PostgresTest, CommitWritesEveryPart) {
  database->run(kAddFields);
  database->fill(10);
  database->run(
      "insert into contact_tag select id, 'old' from contact where id <= 5;"
      "insert into contact_tag select id, 'new' from contact where id = 1;"
      "update contact set plan = 'pro', score = id - 1 where id = 2;"
      "update contact set plan = 'pro' where id = 3");
  auto s = session();
  const FullBlock block(*s, 10);
  const auto done = s->commit(block.commit());
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done.value().positions, 10);
  EXPECT_EQ(done.value().moves, 10);
  EXPECT_EQ(done.value().actions, 10);
  EXPECT_TRUE(done.value().stale.empty());
  EXPECT_EQ(database->number("select count(*) from contact where plan = 'pro' and score = id - 1"),
            10);
  EXPECT_EQ(database->number("select count(*) from contact_tag where tag = 'new'"), 10);
  EXPECT_EQ(database->number("select count(*) from contact_tag where tag = 'old'"), 0);
  EXPECT_EQ(database->text("select payload from outbox where contact_id = 4"), "{\"row\":3}");
  EXPECT_EQ(database->number("select count(*) from timer t join position p using (track_id,"
                             " contact_id, entry, due_at, move_no)"),
            10);
  EXPECT_EQ(database->number("select count(*) from timer"), 10);
  // Only what really changed is said to have changed.
  EXPECT_EQ(database->number("select count(*) from change where what like '%\"plan\"%'"), 8);
  EXPECT_EQ(database->number("select count(*) from change where what like '%\"score\"%'"), 9);
  EXPECT_EQ(database->number("select count(*) from change where what like '%\"new\"%'"), 9);
  EXPECT_EQ(database->number("select count(*) from change where what like '%\"old\"%'"), 5);
  EXPECT_EQ(database->number("select count(*) from contact where updated_at > created_at"), 9);
  EXPECT_EQ(database->number("select sum(times)::bigint from tally where rule = 0"), 10);

  const auto again = s->commit(block.commit());
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again.value().positions, 0);
  EXPECT_EQ(again.value().stale.size(), 10U);
  EXPECT_EQ(database->number("select count(*) from journal"), 10);
}

// The same of the statements in commit_block, whose plans stay in the function: what they have read
// tells. One that went through the track for each row would read a hundred times as much.
TEST_F(PostgresTest, CommitCallProbesWhateverTheStatisticsSay) {
  database->run("analyze");
  auto s = session();
  database->fill(300);
  const track::ContactBlock before = load_block(*s, 1, 300);
  const auto done = s->commit(make_commit(before, one_move(before, 2, track::kNever)));
  ASSERT_TRUE(done) << done.error().message;
  ASSERT_EQ(done.value().positions, 300);
  ASSERT_TRUE(s->postgres().query("select pg_stat_force_next_flush()", {}));
  ASSERT_TRUE(s->postgres().query("select 1", {}));
  EXPECT_EQ(database->number("select count(*) from pg_stat_user_indexes where relname in"
                             " ('position', 'timer') and idx_scan >= 300"),
            2);
  EXPECT_LT(database->number("select max(idx_tup_read) from pg_stat_user_indexes where relname in"
                             " ('position', 'timer')"),
            1000);
}

// A block without writes, in both forms: the same rows are written.
TEST_F(PostgresTest, CallAndStatementWriteTheSame) {
  const TestDatabase other_database;
  std::vector<std::string> written;
  std::vector<std::string> answered;
  for (const bool call : {true, false}) {
    const TestDatabase& tables = call ? *database : other_database;
    tables.fill(40);
    tables.run(
        "insert into contact_tag select id, 'old' from contact where id <= 15;"
        "insert into contact_tag select id, 'new' from contact where id % 7 = 1");
    PgSession s(tables.connect());
    const track::ContactBlock before = load_block(s, 1, 40);
    tables.run(
        "update position set move_no = 3 where contact_id % 9 = 4;"
        "update position set heard = 1 where contact_id = 12;"
        "update timer set move_no = 3 where contact_id % 9 = 4");
    track::BlockOutcome after = one_move(before, 2, before.now + base::Duration(60'000'000));
    after.shapes[0].acts.push_back({1, 2, track::ActionKind::kWebhook, 9, false});
    after.shapes[0].acts[0].has_payload = true;
    after.shapes[0].tags = {{"new", true}, {"old", false}};
    after.shapes.push_back(after.shapes[0]);  // stops, with nothing to do
    after.shapes[1].state = track::PositionState::kStopped;
    after.shapes[1].step = 5;
    after.shapes[1].path.back() = 5;
    after.shapes[1].acts.clear();
    after.shapes[1].tags.clear();
    after.shapes.push_back({});  // stays, with another time
    after.shapes[2].step = 1;
    after.payload.clear();
    for (std::size_t row = 0; row < before.rows(); ++row) {
      after.shape[row] = static_cast<std::int32_t>(row % 3);
      after.payload.append(row % 2 == 0 ? "" : "[{\"row\":" + std::to_string(row) + "},null]");
    }
    const Commit commit = make_commit(before, after);
    if (call) {
      const auto done = s.commit(commit);
      ASSERT_TRUE(done) << done.error().message;
      ASSERT_EQ(done.value().stale.size(), 6U);
      std::string stale;
      for (const std::uint32_t row : done.value().stale) {
        stale += std::to_string(row + 1) + " ";
      }
      answered.push_back(stale);
    } else {
      std::vector<std::uint32_t> rows(before.rows());
      std::iota(rows.begin(), rows.end(), 0U);
      const Statement statement = commit_statement(commit, rows);
      const auto answer = s.postgres().run(statement.text, statement.params);
      ASSERT_TRUE(answer) << answer.error().message;
      const std::vector<std::int32_t> moved = answer.value().int4s(0, kMovedRows);
      std::string stale;
      for (std::int32_t i = 1; i <= 40; ++i) {
        stale +=
            std::find(moved.begin(), moved.end(), i) == moved.end() ? std::to_string(i) + " " : "";
      }
      answered.push_back(stale);
    }
    std::string dump;
    for (const char* rows :
         {"select contact_id, step, move_no, version, state, heard, stayed, due_at is null, t.n"
          " from position p cross join lateral (select count(*) as n from timer t"
          " where t.contact_id = p.contact_id and t.due_at = p.due_at and t.move_no = p.move_no) t",
          "select contact_id, count(*) from timer group by 1",
          "select contact_id, from_move, to_move, version, peer, incarnation, path, seen"
          " from journal",
          "select contact_id, move_no, action_no, kind, name, version, state, payload from outbox",
          "select contact_id, tag from contact_tag",
          "select contact_id, track_id, what from change",
          "select version, step, rule, connection, times from tally"}) {
      dump += tables.text("select coalesce(string_agg(r::text, ' ' order by r::text), '') from (" +
                          std::string(rows) + ") r") +
              "\n";
    }
    written.push_back(dump);
  }
  EXPECT_EQ(written[0], written[1]);
  EXPECT_EQ(answered[0], answered[1]);
}

// G2: nothing is written under an epoch that is not the ledger's.
TEST_F(PostgresTest, CommitIsFenced) {
  database->fill(3);
  auto s = session();
  const track::ContactBlock before = load_block(*s, 1, 3);
  const track::BlockOutcome after = one_move(before, 2, track::kNever);
  for (const char* change : {"epoch = 2", "epoch = 1, timeline = 2", "timeline = 1, state = 1"}) {
    database->run(std::string("update ledger set ") + change + " where track_id = 1");
    const auto done = s->commit(make_commit(before, after));
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_TRUE(done.value().fenced) << change;
    EXPECT_EQ(done.value().positions, 0);
  }
  EXPECT_EQ(database->number("select count(*) from journal"), 0);
  EXPECT_EQ(database->number("select count(*) from timer"), 3);
}

// The connection breaks after the server has committed and before its answer has come: the commit
// says what it has done, and has done it once.
TEST_F(PostgresTest, AnswerIsFinalWhenTheConnectionBreaks) {
  database->fill(20);
  LosingProxy proxy(database->url());
  PgSession s(std::make_unique<PgConnection>(std::make_shared<Target>(proxy.url())));
  const track::ContactBlock first = load_block(s, 1, 10);
  const auto prepared = s.commit(make_commit(first, one_move(first, 2, track::kNever)));
  ASSERT_TRUE(prepared) << prepared.error().message;  // so that the next answer is the commit's

  const track::ContactBlock before = load_block(s, 11, 20);
  database->run("update position set move_no = 5 where contact_id = 13");
  proxy.lose_next_answer();
  const auto done = s.commit(make_commit(before, one_move(before, 2, track::kNever)));
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(proxy.lost(), 1);
  EXPECT_EQ(done.value().positions, 9);
  EXPECT_EQ(done.value().moves, 9);
  EXPECT_EQ(done.value().actions, 9);
  EXPECT_EQ(done.value().stale, std::vector<std::uint32_t>{2});
  EXPECT_EQ(database->number("select count(*) from journal"), 19);
  EXPECT_EQ(database->number("select sum(times)::bigint from tally where rule = 0"), 19);
}

// The same when the track was taken by another peer between the commit and its repetition.
TEST_F(PostgresTest, AnswerIsFinalWhenTheTrackIsLostMeanwhile) {
  database->fill(4);
  database->run(
      "create function lose() returns trigger language plpgsql as $$ begin"
      " update ledger set epoch = 2 where track_id = 1; return null; end $$;"
      "create constraint trigger lost after insert on journal initially deferred"
      " for each row execute function lose()");
  LosingProxy proxy(database->url());
  PgSession s(std::make_unique<PgConnection>(std::make_shared<Target>(proxy.url())));
  const track::ContactBlock before = load_block(s, 1, 4);
  // Preparing is answered first, so nothing is lost before the statement itself is.
  const track::BlockOutcome after = one_move(before, 2, track::kNever);
  Commit wrong = make_commit(before, after);
  wrong.fence.epoch = base::Epoch(7);
  const auto refused = s.commit(wrong);
  ASSERT_TRUE(refused);
  EXPECT_TRUE(refused.value().fenced);
  proxy.lose_next_answer();
  const auto done = s.commit(make_commit(before, after));
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done.value().positions, 4);
  EXPECT_FALSE(done.value().fenced);
}

// A take-over does not wait for a commit that does not end.
TEST_F(PostgresTest, TakeEndsTheSessionsInItsWay) {
  database->fill(1);
  auto one = database->connect();
  auto two = database->connect();
  for (PgConnection* holder : {one.get(), two.get()}) {
    ASSERT_TRUE(holder->begin(sql::TransactionMode::kWrite));
    ASSERT_TRUE(holder->query("select 1 from ledger where track_id = 1 for share", {}));
  }
  PgGroupSession group(std::make_shared<Target>(database->url()));
  const auto life = group.begin_life(base::PeerName("b"), "here");
  ASSERT_TRUE(life) << life.error().message;
  const PeerId self{base::PeerName("b"), life.value()};
  const auto started = std::chrono::steady_clock::now();
  const auto taken = group.take(base::TrackId(1), base::Timeline(1), base::Epoch(1), self, {});
  const auto took = std::chrono::steady_clock::now() - started;
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_TRUE(taken.value().taken);
  EXPECT_EQ(taken.value().row.epoch, base::Epoch(2));
  EXPECT_EQ(taken.value().row.owner, self);
  EXPECT_GT(took, std::chrono::milliseconds(900));
  EXPECT_LT(took, std::chrono::seconds(5));
  EXPECT_FALSE(one->query("select 1", {}));
}

// Two that want the row at once wait for each other as well; neither ends the other.
TEST_F(PostgresTest, TakersDoNotEndEachOther) {
  database->fill(1);
  std::vector<std::unique_ptr<PgConnection>> holders;
  for (int i = 0; i < 4; ++i) {
    holders.push_back(database->connect());
    ASSERT_TRUE(holders.back()->begin(sql::TransactionMode::kWrite));
    ASSERT_TRUE(holders.back()->query("select 1 from ledger where track_id = 1 for share", {}));
  }
  std::atomic<int> taken = 0;
  std::atomic<int> refused = 0;
  std::vector<std::thread> takers;
  for (const char* const name : {"b", "c"}) {
    takers.emplace_back([&, name] {
      PgGroupSession group(std::make_shared<Target>(database->url()));
      const auto life = group.begin_life(base::PeerName(name), "here");
      ASSERT_TRUE(life) << life.error().message;
      const auto result = group.take(base::TrackId(1), base::Timeline(1), base::Epoch(1),
                                     {base::PeerName(name), life.value()}, {});
      ASSERT_TRUE(result) << name << ": " << result.error().message;
      ++(result.value().taken ? taken : refused);
    });
    const auto watcher = database->connect();
    const std::string waiting =
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname ="
        " current_database()";
    while (watcher->query(waiting, {}).value().integer(0, 0) <
           static_cast<std::int64_t>(takers.size())) {
    }
  }
  for (std::thread& taker : takers) {
    taker.join();
  }
  EXPECT_EQ(1, taken);
  EXPECT_EQ(1, refused);
  for (const auto& holder : holders) {
    EXPECT_FALSE(holder->query("select 1", {}));
  }
}

TEST_F(PostgresTest, LifeLockEndsWithItsConnection) {
  auto first = std::make_unique<PgGroupSession>(std::make_shared<Target>(database->url()));
  PgGroupSession other(std::make_shared<Target>(database->url()));
  const auto life = first->begin_life(base::PeerName("a"), "here");
  ASSERT_TRUE(life) << life.error().message;
  const PeerId self{base::PeerName("a"), life.value()};
  EXPECT_EQ(other.life_has_ended(self).value(), false);
  EXPECT_EQ(first->life_has_ended(self).value(), false);
  // A new connection takes the lock again with the next stamp.
  first->postgres().close();
  bool ended = false;
  while (!ended) {
    ended = other.life_has_ended(self).value();  // the server notices the end by itself
  }
  const auto stamp = first->stamp(self);
  ASSERT_TRUE(stamp) << stamp.error().message;
  EXPECT_GE(stamp.value().own_stamp, 1);
  EXPECT_EQ(stamp.value().timeline, base::Timeline(1));
  EXPECT_EQ(other.life_has_ended(self).value(), false);
  // A later life of the name refuses the earlier one's stamps.
  const auto later = other.begin_life(base::PeerName("a"), "there");
  ASSERT_TRUE(later);
  EXPECT_GT(later.value(), life.value());
  EXPECT_TRUE(first->stamp(self).value().refused);
}

// The feed: transactions that commit out of order, one that stays open, and batches.
TEST_F(PostgresTest, FeedSkipsNothingAndWaitsForNobody) {
  auto s = session();
  const auto start = s->changes({}, 100);
  ASSERT_TRUE(start) << start.error().message;
  EXPECT_TRUE(start.value().changes.empty());
  EXPECT_FALSE(start.value().lost);
  auto slow = database->connect();
  ASSERT_TRUE(slow->begin(sql::TransactionMode::kWrite));
  ASSERT_TRUE(slow->run_script("insert into change (contact_id, what) values (1, '{}')"));
  database->run("insert into change (contact_id, what) values (2, '{}')");
  const auto early = s->changes(start.value().next, 100);
  ASSERT_TRUE(early) << early.error().message;
  ASSERT_EQ(early.value().changes.size(), 1U);
  EXPECT_EQ(early.value().changes[0].contact, base::ContactId(2));
  ASSERT_TRUE(slow->commit());
  const auto late = s->changes(early.value().next, 100);
  ASSERT_EQ(late.value().changes.size(), 1U);
  EXPECT_EQ(late.value().changes[0].contact, base::ContactId(1));
  EXPECT_TRUE(s->changes(late.value().next, 100).value().changes.empty());
}

// When the server crashes, it gives numbers of transactions out again of which nothing had been
// written down: a cursor that counted them as seen would pass over what comes under them.
TEST_F(PostgresTest, TheFeedGoesNoFurtherThanWhatItHasSeen) {
  auto s = session();
  database->run("insert into change (contact_id, what) values (1, '{}')");
  const FeedCursor start = s->changes({}, 100).value().next;
  auto slow = database->connect();
  ASSERT_TRUE(slow->begin(sql::TransactionMode::kWrite));
  ASSERT_TRUE(slow->run_script("insert into change (contact_id, what) values (2, '{}')"));
  for (int i = 0; i < 3; ++i) {
    database->run("select pg_current_xact_id()");
  }
  EXPECT_EQ(s->changes(start, 100).value().next.text, start.text);
  database->run("insert into change (contact_id, what) values (3, '{}')");
  const auto third = s->changes(start, 100);
  ASSERT_TRUE(third) << third.error().message;
  ASSERT_EQ(third.value().changes.size(), 1U);
  const std::string after = third.value().next.text;
  EXPECT_NE(after, start.text);
  for (int i = 0; i < 3; ++i) {
    database->run("select pg_current_xact_id()");
  }
  ASSERT_TRUE(slow->commit());
  const auto second = s->changes(third.value().next, 1);
  ASSERT_TRUE(second) << second.error().message;
  ASSERT_EQ(second.value().changes.size(), 1U);
  EXPECT_EQ(second.value().changes[0].contact, base::ContactId(2));
  const auto none = s->changes(second.value().next, 100);
  EXPECT_TRUE(none.value().changes.empty());
  const std::string end = none.value().next.text;
  database->run("select pg_current_xact_id()");
  EXPECT_EQ(s->changes(none.value().next, 100).value().next.text, end);
  EXPECT_EQ(s->changes({}, 100).value().next.text, end) << "also where it begins";
}

TEST_F(PostgresTest, CommitsWaitForTheDiskWhateverTheDatabaseSays) {
  database->run(
      "do $$begin execute format('alter database %I set synchronous_commit = off', "
      "current_database()); end$$");
  const auto said = [&](const std::string& more) {
    PgConnection connection(std::make_shared<Target>(database->url() + more));
    return connection.query("show synchronous_commit", {}).value().text(0, 0);
  };
  EXPECT_EQ("on", said(""));
  database->run(
      "do $$begin execute format('alter database %I set synchronous_commit = local', "
      "current_database()); end$$");
  EXPECT_EQ("local", said(""));
}

// A crash takes back stamps that had not been written down; none has its value a second time.
TEST_F(PostgresTest, AStampIsFarAheadOnANewConnection) {
  PgGroupSession first(std::make_shared<Target>(database->url()));
  const PeerId self{base::PeerName("a"), first.begin_life(base::PeerName("a"), "here").value()};
  EXPECT_EQ(1, first.stamp(self).value().own_stamp);
  EXPECT_EQ(2, first.stamp(self).value().own_stamp);
  first.postgres().close();
  const std::int64_t ahead = first.stamp(self).value().own_stamp;
  EXPECT_GE(ahead, 600) << "30 s at 20 a second";
  EXPECT_EQ(ahead + 1, first.stamp(self).value().own_stamp);
}

TEST_F(PostgresTest, FeedInBatches) {
  auto s = session();
  FeedCursor cursor = s->changes({}, 1).value().next;
  auto slow = database->connect();
  ASSERT_TRUE(slow->begin(sql::TransactionMode::kWrite));
  ASSERT_TRUE(slow->run_script("insert into change (contact_id, what) values (1000, '{}')"));
  for (int i = 1; i <= 20; ++i) {
    database->run("insert into change (contact_id, what) select " + std::to_string(i) +
                  "00 + g, '{\"tags\":[\"x\"]}' from generate_series(1, 3) g");
  }
  std::vector<std::int64_t> seen;
  bool more = true;
  for (int batch = 0; more; ++batch) {
    ASSERT_LT(batch, 100);
    if (batch == 2) {
      ASSERT_TRUE(slow->commit());
    }
    const auto read = s->changes(cursor, 7);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_FALSE(read.value().lost);
    EXPECT_LE(read.value().changes.size(), 9U);
    for (const Change& change : read.value().changes) {
      seen.push_back(change.contact.get());
    }
    cursor = read.value().next;
    more = read.value().more;
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen.size(), 61U);
  EXPECT_EQ(std::unique(seen.begin(), seen.end()), seen.end());
}

TEST_F(PostgresTest, FeedOfAnotherClusterIsLost) {
  auto s = session();
  const std::string here = s->changes({}, 1).value().next.text;
  const std::string elsewhere = "1" + here;
  for (const std::string& text : {elsewhere, std::string("nonsense"), std::string("1/2")}) {
    const auto read = s->changes({text}, 10);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_TRUE(read.value().lost) << text;
    EXPECT_EQ(read.value().next.text.substr(0, 8), here.substr(0, 8));
  }
  database->run("insert into setting values ('changes_kept_from', '99999999')");
  EXPECT_TRUE(s->changes({here}, 10).value().lost);
}

// Blocks, wakes and take-overs at once leave one timer per waiting position (G10), numbered moves
// (G3), and a tally that agrees with the journal.
TEST_F(PostgresTest, CommitsAndWakesAtOnce) {
  constexpr std::int64_t kContacts = 200;
  constexpr int kRounds = 30;
  database->fill(kContacts);
  std::vector<std::thread> threads;
  std::atomic<std::int64_t> moves{0};
  for (int k = 0; k < 3; ++k) {
    threads.emplace_back([&, k] {
      auto s = session();
      for (int round = 0; round < kRounds; ++round) {
        for (std::int32_t no = 0; no <= round; ++no) {
          const track::ContactBlock before = load_block(*s, 1, kContacts, no);
          if (before.rows() == 0) {
            continue;
          }
          const track::BlockOutcome after = one_move(before, 1, before.now);
          Commit commit = make_commit(before, after);
          commit.connection = k;
          const auto done = s->commit(commit);
          ASSERT_TRUE(done) << done.error().message;
          moves += done.value().moves;
        }
      }
    });
  }
  threads.emplace_back([&] {
    auto s = session();
    std::vector<base::ContactId> ids;
    for (std::int64_t id = 1; id <= kContacts; ++id) {
      ids.emplace_back(id);
    }
    for (int round = 0; round < kRounds; ++round) {
      const auto rows = s->positions(base::TrackId(1), ids);
      ASSERT_TRUE(rows);
      std::vector<Wake> wakes;
      for (const PositionRow& row : rows.value()) {
        wakes.push_back({row.contact, row.entry, row.move_no, 0});
      }
      const auto woken = s->wake({base::TrackId(1), base::Timeline(1), base::Epoch(1)}, wakes);
      ASSERT_TRUE(woken) << woken.error().message;
    }
  });
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(database->number("select sum(move_no)::bigint from position"), moves.load());
  EXPECT_EQ(database->number("select count(*) from journal"), moves.load());
  EXPECT_EQ(database->number("select sum(times)::bigint from tally where rule = 0"), moves.load());
  EXPECT_EQ(database->number("select count(*) from outbox"), moves.load());
  EXPECT_EQ(database->number("select count(*) from timer"), kContacts);
  EXPECT_EQ(database->number("select count(*) from timer t join position p using (track_id,"
                             " contact_id, entry, due_at, move_no)"),
            kContacts);
}

}  // namespace
}  // namespace turnout::store::postgres
