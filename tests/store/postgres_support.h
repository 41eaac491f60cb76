#pragma once

// What the tests of the PostgreSQL store share: a database of their own on the server that
// TURNOUT_TEST_PG names (a PostgreSQL URI or "key=value" string of a role that may create
// databases), and a proxy that loses answers.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "store/postgres/connection.h"
#include "store/store.h"
#include "track/block.h"

namespace turnout::store::postgres {

// The server, or "" when there is none to test on.
std::string test_server();

// A migrated database, dropped with its object.
class TestDatabase {
 public:
  TestDatabase();
  ~TestDatabase();
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  const std::string& url() const { return url_; }
  std::unique_ptr<PgConnection> connect() const;
  // Runs statements and CHECKs that they succeed.
  void run(const std::string& sql) const;
  std::int64_t number(const std::string& sql) const;
  std::string text(const std::string& sql) const;
  // Track 1 at timeline 1, epoch 1, owned by "a"; contacts 1 … n on step 1, due at once.
  void fill(std::int64_t contacts) const;

 private:
  std::string name_;
  std::string url_;
};

// Passes connections on to a server. When told to, it lets the next answers come from the server
// but not through, and then closes the client's connection: what a network does that breaks at the
// worst moment.
class LosingProxy {
 public:
  explicit LosingProxy(const std::string& server);
  ~LosingProxy();
  LosingProxy(const LosingProxy&) = delete;
  LosingProxy& operator=(const LosingProxy&) = delete;

  std::string url() const;  // through the proxy
  void lose_next_answer() { lose_ = true; }
  int lost() const { return lost_; }

 private:
  void serve();
  void pass(int client, int server);

  std::string server_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> lose_{false};
  std::atomic<bool> end_{false};
  std::atomic<int> lost_{0};
  std::thread thread_;
  std::vector<std::thread> pairs_;
};

// Rows of contacts `first` … `last` as fill() has put them there and load() reads them.
track::ContactBlock load_block(Session& session, std::int64_t first, std::int64_t last,
                               std::int32_t move_no = 0);

// Everybody moves once, from step 1 to `step`, due at `due`, with one e-mail.
track::BlockOutcome one_move(const track::ContactBlock& block, std::int32_t step,
                             base::Instant due);

Commit make_commit(const track::ContactBlock& before, const track::BlockOutcome& after);

}  // namespace turnout::store::postgres
