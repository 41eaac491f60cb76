#pragma once

// One connection to PostgreSQL through libpq: connects when it is first needed and anew after it
// broke, prepares each statement once, sends parameters and reads answers in binary. Under it run
// the cold statements (sql::Connection) and the hot paths (run).
//
// Settings of every connection: no JIT and no replanning (a block's arrays look alike), hash joins,
// merge joins and sequential scans off (with stale statistics they turn a block's few thousand
// index probes into a scan of `position`), and limits on how long a statement or an idle
// transaction may hold its locks. Used by one thread at a time.

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/postgres/binary.h"
#include "store/sql/connection.h"

struct pg_conn;

namespace turnout::store::postgres {

// What the connections of one store share: where to, and the peer's name once it is known (it goes
// into application_name of connections made after that). Thread-safe.
class Target {
 public:
  explicit Target(std::string url) : url_(std::move(url)) {}
  const std::string& url() const { return url_; }
  std::string application_name() const;
  void set_peer(const std::string& name);

 private:
  const std::string url_;
  mutable std::mutex mutex_;
  std::string peer_;
};

class PgConnection final : public sql::Connection {
 public:
  explicit PgConnection(std::shared_ptr<Target> target);
  ~PgConnection() override;
  PgConnection(const PgConnection&) = delete;
  PgConnection& operator=(const PgConnection&) = delete;

  // Connects if there is no connection, or it broke and no transaction is open.
  base::Result<void> ensure();
  bool connected() const;
  // Drops the connection, as an error does.
  void close();

  // A statement on the hot path: prepared once per connection under its text, which must not vary
  // with the data. Errors as Connection::query.
  base::Result<Answer> run(const std::string& sql, const Params& params);
  // Not prepared: for texts that vary.
  base::Result<Answer> run_once(const std::string& sql, const Params& params);

  // True when the last error left it open whether the statement was carried out: the connection
  // broke after it was sent.
  bool unanswered() const { return unanswered_; }
  // SQLSTATE of the last error, "" when there was none.
  const std::string& sqlstate() const { return sqlstate_; }
  // pg_control_system's system identifier; known while connected.
  const std::string& system_identifier() const { return system_identifier_; }
  int server_process() const;  // 0 while not connected
  int server_version() const;  // 150020 for 15.20
  // While a statement has not been answered after `patience`, calls `late` every `patience` / 5.
  // An empty function ends it.
  void when_late(std::chrono::milliseconds patience, std::function<void()> late);

  sql::Dialect dialect() const override { return sql::Dialect::kPostgres; }
  base::Result<sql::Rows> query(std::string_view sql,
                                const std::vector<sql::SqlValue>& values) override;
  base::Result<std::int64_t> execute(std::string_view sql,
                                     const std::vector<sql::SqlValue>& values) override;
  base::Result<void> run_script(const std::string& sql) override;
  base::Result<void> begin(sql::TransactionMode mode) override;
  base::Result<void> commit() override;
  void rollback() override;
  bool should_retry() const override { return retry_; }
  base::Result<base::Instant> now() override;
  base::Result<base::Timeline> timeline() override;
  std::int64_t statements() const override { return statements_; }

 private:
  struct Finish {
    void operator()(pg_conn* connection) const;
  };

  base::Result<void> connect();
  base::Result<void> set_up();
  base::Result<std::string> prepare(const std::string& sql, const std::vector<Oid>& types);
  // Turns libpq's result of a statement into an Answer or an Error; notes retry_ and the rest.
  base::Result<Answer> finish(pg_result* result);
  base::Result<Answer> wait_for_answer();
  base::Result<Answer> send(const char* name, const std::string& sql, const Params& params);

  const std::shared_ptr<Target> target_;
  std::unique_ptr<pg_conn, Finish> connection_;
  std::map<std::string, std::string, std::less<>> prepared_;  // text → name on the server
  std::string system_identifier_;
  std::string sqlstate_;
  std::chrono::milliseconds patience_{0};
  std::function<void()> late_;
  bool in_transaction_ = false;
  bool retry_ = false;
  bool unanswered_ = false;
  std::int64_t statements_ = 0;
};

// As an SQL expression: the timeline that the server writes now. Right from the first moment after
// a promotion (pg_control_checkpoint() still tells the old one until the next checkpoint), from
// memory, and an error on a standby.
inline constexpr const char* kTimelineSql =
    "('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::bigint";

}  // namespace turnout::store::postgres
