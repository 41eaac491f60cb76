// What only SQLite's store has to show: the writers' lock, checkpoints, several processes on one
// file.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "base/check.h"
#include "store/plans.h"
#include "store/sql/migrate.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/life.h"
#include "store/sqlite/lock.h"
#include "store/store.h"

namespace turnout::store::sqlite {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class SqliteTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder =
        (std::filesystem::temp_directory_path() / "turnout-sqlite-XXXXXX").string();
    ASSERT_NE(nullptr, mkdtemp(folder.data()));
    folder_ = folder;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return folder_ + "/turnout.db"; }
  std::string url() const { return "sqlite://" + path(); }
  std::shared_ptr<WriterLock> lock() { return WriterLock::open(path() + "-lock").value(); }
  std::unique_ptr<SqliteConnection> connect() {
    return std::make_unique<SqliteConnection>(Database::open(path(), lock()).value());
  }
  std::uintmax_t log_size() const {
    return std::filesystem::exists(path() + "-wal") ? std::filesystem::file_size(path() + "-wal")
                                                    : 0;
  }
  // Runs `work` in a process of its own, which ends with its result.
  template <class Work>
  static pid_t fork_off(Work work) {
    const pid_t child = fork();
    if (child == 0) {
      _exit(work() ? 0 : 1);
    }
    return child;
  }
  static int status_of(pid_t child) {
    int status = 0;
    EXPECT_EQ(child, waitpid(child, &status, 0));
    return status;
  }

  std::string folder_;
};

// -- The lock
// ------------------------------------------------------------------------------------------------------------

TEST_F(SqliteTest, TheLockKeepsOthersOutAndTimesOut) {
  const auto mine = lock();
  const auto theirs = lock();  // another descriptor: as if of another process
  ASSERT_TRUE(mine->acquire(seconds(1)));
  const auto refused = theirs->acquire(milliseconds(20));
  ASSERT_FALSE(refused);
  EXPECT_EQ(base::ErrorCode::kUnavailable, refused.error().code);
  mine->release();
  EXPECT_TRUE(theirs->acquire(seconds(1)));
  theirs->release();
  EXPECT_TRUE(mine->acquire(seconds(1)));
  mine->release();
}

TEST_F(SqliteTest, ThreadsGetTheLockInTheOrderTheyCame) {
  const auto one = lock();
  ASSERT_TRUE(one->acquire(seconds(10)));
  std::vector<int> order;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      ASSERT_TRUE(one->acquire(seconds(10)));
      order.push_back(i);  // under the lock
      one->release();
    });
    while (one->waiting() != i + 1) {
      std::this_thread::yield();
    }
  }
  one->release();
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ((std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7}), order);
}

TEST_F(SqliteTest, AThreadThatGivesUpDoesNotHoldUpTheOthers) {
  const auto one = lock();
  ASSERT_TRUE(one->acquire(seconds(10)));
  std::thread impatient([&] { EXPECT_FALSE(one->acquire(milliseconds(1))); });
  impatient.join();
  std::thread patient([&] {
    EXPECT_TRUE(one->acquire(seconds(10)));
    one->release();
  });
  while (one->waiting() != 1) {
    std::this_thread::yield();
  }
  one->release();
  patient.join();
}

// Who lets the lock go cannot have it again before the process that waits for it.
TEST_F(SqliteTest, AnotherProcessWaitingComesFirst) {
  const auto mine = lock();
  const auto theirs = lock();
  ASSERT_TRUE(mine->acquire(seconds(10)));
  std::string order;
  std::mutex for_the_sanitizer;  // which does not know locks of files
  std::thread other([&] {
    ASSERT_TRUE(theirs->acquire(seconds(10)));
    const std::lock_guard guard(for_the_sanitizer);
    order += "theirs ";
    theirs->release();
  });
  const int fd = ::open((path() + "-lock").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  const auto until = std::chrono::steady_clock::now() + seconds(20);
  while (try_lock_byte(fd, 0)) {  // until the other stands at the gate
    unlock_byte(fd, 0);
    if (std::chrono::steady_clock::now() > until) {
      ADD_FAILURE() << "nobody stands at the gate";
      break;
    }
    std::this_thread::yield();
  }
  ::close(fd);
  mine->release();
  ASSERT_TRUE(mine->acquire(seconds(10)));
  {
    const std::lock_guard guard(for_the_sanitizer);
    order += "mine";
  }
  mine->release();
  other.join();
  EXPECT_EQ("theirs mine", order);
}

TEST_F(SqliteTest, AProcessKilledInsideAWriteLeavesNothingBehind) {
  auto store = open_store(url()).value();
  ASSERT_TRUE(store->migrate());
  int ready[2];
  ASSERT_EQ(0, pipe(ready));
  const pid_t child = fork_off([&] {
    auto connection = connect();
    connection->begin(sql::TransactionMode::kWrite).value();
    connection->execute("insert into setting values ('half', 'done')", {}).value();
    const bool told = write(ready[1], "x", 1) == 1;
    for (;;) {
      pause();
    }
    return told;
  });
  char x = 0;
  ASSERT_EQ(1, read(ready[0], &x, 1));
  EXPECT_FALSE(lock()->acquire(milliseconds(20)));
  kill(child, SIGKILL);
  status_of(child);
  auto connection = connect();
  EXPECT_EQ(0, connection->query("select count(*) from setting where name = 'half'", {})
                   .value()
                   .integer(0, 0));
  EXPECT_TRUE(connection->execute("insert into setting values ('whole', 'done')", {}));
  close(ready[0]);
  close(ready[1]);
}

TEST_F(SqliteTest, SeveralProcessesWriteAndCheckpointOneDatabase) {
  auto store = open_store(url()).value();
  ASSERT_TRUE(store->migrate());
  constexpr int kProcesses = 3;
  constexpr int kBatches = 12;
  constexpr int kRows = 400;
  std::vector<pid_t> children;
  for (int p = 0; p < kProcesses; ++p) {
    children.push_back(fork_off([&] {
      auto mine = open_store(url()).value();
      auto session = mine->open_session().value();
      const std::string big(2000, static_cast<char>('a' + p));
      for (int b = 0; b < kBatches; ++b) {
        std::vector<std::string> keys;
        std::vector<std::vector<track::Value>> rows;
        for (int r = 0; r < kRows; ++r) {
          keys.push_back(std::to_string(p) + "." + std::to_string(b) + "." + std::to_string(r));
          rows.push_back({big + keys.back()});
        }
        if (session->import_contacts(test::make_batch(keys, {test::kEmail}, rows))
                .value()
                .inserted != kRows) {
          return false;
        }
      }
      return true;
    }));
  }
  for (const pid_t child : children) {
    EXPECT_EQ(0, status_of(child));
  }
  auto connection = connect();
  EXPECT_EQ("ok", connection->query("pragma integrity_check", {}).value().text(0, 0));
  EXPECT_EQ(kProcesses * kBatches * kRows,
            connection->query("select count(*) from contact", {}).value().integer(0, 0));
  // The feed skips nothing: its numbers are without gaps.
  EXPECT_EQ(kProcesses * kBatches * kRows,
            connection->query("select max(xid) from change", {}).value().integer(0, 0));
}

// -- The log
// -------------------------------------------------------------------------------------------------------------

class LogTest : public SqliteTest {
 protected:
  void SetUp() override {
    SqliteTest::SetUp();
    connection_ = connect();
    ASSERT_TRUE(connection_->execute("create table blob_of (bytes blob)", {}));
  }
  // One transaction of so many megabytes.
  void write_megabytes(int number) {
    ASSERT_TRUE(connection_->begin(sql::TransactionMode::kWrite));
    for (int i = 0; i < number; ++i) {
      ASSERT_TRUE(connection_->execute("insert into blob_of values (zeroblob(1000000))", {}));
    }
    ASSERT_TRUE(connection_->commit());
  }
  static constexpr std::uintmax_t kMegabyte = 1'000'000;
  std::unique_ptr<SqliteConnection> connection_;
};

TEST_F(LogTest, TheLogIsUsedAgainOnceItIsInTheDatabase) {
  for (int i = 0; i < 40; ++i) {
    write_megabytes(4);
  }
  EXPECT_LT(log_size(), 30 * kMegabyte) << "160 MB were written";
  EXPECT_GT(std::filesystem::file_size(path()), 120 * kMegabyte);
}

TEST_F(LogTest, ALogThatAReaderKeptLongIsCutShortAfterwards) {
  auto reader = connect();
  ASSERT_TRUE(reader->begin(sql::TransactionMode::kRead));
  ASSERT_TRUE(reader->query("select count(*) from blob_of", {}));
  for (int i = 0; i < 10; ++i) {
    write_megabytes(8);
  }
  EXPECT_GT(log_size(), 64 * kMegabyte) << "the reader still looks at its beginning";
  ASSERT_TRUE(reader->commit());
  for (int i = 0; i < 4; ++i) {
    write_megabytes(8);
  }
  EXPECT_LT(log_size(), 40 * kMegabyte);
}

TEST_F(LogTest, ClosingDoesNotCheckpoint) {
  write_megabytes(1);
  connection_.reset();
  EXPECT_GT(log_size(), kMegabyte);
}

// -- Opening
// ---------------------------------------------------------------------------------------------------------------

TEST_F(SqliteTest, WhatIsNoDatabaseIsRefused) {
  std::ofstream(path()) << std::string(10'000, 'x');
  const auto migrated = open_store(url()).value()->migrate();
  ASSERT_FALSE(migrated);
  EXPECT_EQ(base::ErrorCode::kInvalid, migrated.error().code);
  EXPECT_NE(std::string::npos, migrated.error().message.find(path())) << migrated.error().message;
  const auto nowhere = open_store("sqlite:///nowhere/at/all.db").value()->open_session();
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(base::ErrorCode::kUnavailable, nowhere.error().code);
}

TEST_F(SqliteTest, UrlsOfDatabases) {
  EXPECT_EQ("SQLite turnout.db", open_store("sqlite:turnout.db").value()->describe());
  EXPECT_EQ("SQLite /a/b.db", open_store("sqlite:///a/b.db").value()->describe());
  for (const char* url : {"", "turnout.db", "sqlite:", "sqlite://", "mysql://x/y"}) {
    const auto store = open_store(url);
    ASSERT_FALSE(store) << url;
    EXPECT_EQ(base::ErrorCode::kInvalid, store.error().code);
  }
}

TEST_F(SqliteTest, ANewerSchemaIsRefusedUnlessItOnlyAdded) {
  auto store = open_store(url()).value();
  ASSERT_TRUE(store->migrate());
  ASSERT_TRUE(store->migrate()) << "harmless to repeat";
  ASSERT_TRUE(connect()->execute("insert into migration values (999, 'from the future')", {}));
  ASSERT_TRUE(store->migrate()) << "it only added";
  ASSERT_TRUE(connect()->execute("update setting set value = '999' where name = 'works_from'", {}));
  const auto migrated = store->migrate();
  ASSERT_FALSE(migrated);
  EXPECT_EQ(base::ErrorCode::kInvalid, migrated.error().code);
  EXPECT_NE(std::string::npos, migrated.error().message.find("newer")) << migrated.error().message;
}

// While a peer of an older program lives, migrations only add.
TEST_F(SqliteTest, AMigrationThatBreaksLivingPeersWaits) {
  auto store = open_store(url()).value();
  ASSERT_TRUE(store->migrate());
  const base::PeerName name("b");
  auto older = store->open_group_session().value();
  const PeerId peer{name, older->begin_life(name, "here:1").value()};
  const auto known = sql::sqlite_migrations();
  std::vector<sql::Migration> next(known.begin(), known.end());
  const int number = static_cast<int>(known.size()) + 1;
  next.push_back({number, "adds", "create table added (x integer);", 1});
  next.push_back({number + 1, "breaks", "drop table added;"});
  bool ended = false;
  const auto migrate = [&] {
    return sql::migrate(*connect(), next, [&](const PeerId& asked) -> base::Result<bool> {
      EXPECT_EQ(peer, asked);
      return ended;
    });
  };
  const auto refused = migrate();
  ASSERT_FALSE(refused);
  EXPECT_EQ(base::ErrorCode::kConflict, refused.error().code);
  EXPECT_NE(std::string::npos, refused.error().message.find("'b' at here:1"))
      << refused.error().message;
  EXPECT_TRUE(connect()->query("select * from added", {})) << "what only adds is there";
  ASSERT_TRUE(store->migrate()) << "and the older program can be started again";
  ended = true;
  ASSERT_TRUE(migrate());
  EXPECT_FALSE(store->migrate()) << "from now on only newer ones";
}

TEST_F(SqliteTest, AMigrationThatFailsLeavesNothing) {
  auto connection = connect();
  const sql::Migration bad[] = {
      {1, "one",
       "create table setting (name text primary key, value text); create table one (x integer);",
       1},
      {2, "two", "create table two (x integer); create table one (x integer);", 1}};
  const auto no_peers = [](const PeerId&) -> base::Result<bool> { return true; };
  EXPECT_FALSE(sql::migrate(*connection, bad, no_peers));
  EXPECT_TRUE(connection->query("select * from one", {}));
  EXPECT_FALSE(connection->query("select * from two", {}));
  EXPECT_EQ(1, connection->query("select max(number) from migration", {}).value().integer(0, 0));
}

TEST_F(SqliteTest, AllPeersMayMigrateAtOnce) {
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    children.push_back(fork_off([&] { return open_store(url()).value()->migrate().has_value(); }));
  }
  for (const pid_t child : children) {
    EXPECT_EQ(0, status_of(child));
  }
  EXPECT_EQ(1, connect()->query("select count(*) from ledger", {}).value().integer(0, 0));
}

// A cursor older than what is kept has lost its place.
TEST_F(SqliteTest, AFeedThatWasCutOffSaysSo) {
  auto store = open_store(url()).value();
  ASSERT_TRUE(store->migrate());
  auto session = store->open_session().value();
  const FeedCursor start = session->changes({}, 1).value().next;
  const auto import = [&](const std::string& key) {
    session->import_contacts(test::make_batch({key}, {test::kEmail}, {{std::string("x")}})).value();
  };
  import("a");
  const FeedCursor middle = session->changes(start, 10).value().next;
  import("b");
  ASSERT_TRUE(connect()->execute("delete from change where xid <= 1", {}));
  EXPECT_TRUE(session->changes(start, 10).value().lost);
  const FeedBatch rest = session->changes(middle, 10).value();
  EXPECT_FALSE(rest.lost);
  EXPECT_EQ(1U, rest.changes.size());
  ASSERT_TRUE(connect()->execute("delete from change", {}));
  EXPECT_TRUE(session->changes(middle, 10).value().lost);
  EXPECT_FALSE(session->changes(rest.next, 10).value().lost);
}

}  // namespace
}  // namespace turnout::store::sqlite
