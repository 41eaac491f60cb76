#pragma once

// sql::Connection on an SQLite database.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "store/sql/connection.h"
#include "store/sqlite/database.h"

namespace turnout::store::sqlite {

class SqliteConnection final : public sql::Connection {
 public:
  explicit SqliteConnection(std::unique_ptr<Database> database) : database_(std::move(database)) {}

  sql::Dialect dialect() const override { return sql::Dialect::kSqlite; }
  // A statement that writes, outside a transaction, is put into one.
  base::Result<sql::Rows> query(std::string_view sql,
                                const std::vector<sql::SqlValue>& values) override;
  base::Result<std::int64_t> execute(std::string_view sql,
                                     const std::vector<sql::SqlValue>& values) override;
  base::Result<void> run_script(const std::string& sql) override;
  base::Result<void> begin(sql::TransactionMode mode) override;
  base::Result<void> commit() override;
  void rollback() override { database_->rollback(); }
  bool should_retry() const override { return database_->last_was_busy() || busy_; }
  base::Result<base::Instant> now() override { return database_->now(); }
  base::Result<base::Timeline> timeline() override { return base::Timeline(1); }
  std::int64_t statements() const override { return statements_; }

  Database& database() { return *database_; }
  // A statement from the cache, reset, ready to be bound. Valid until the cache drops it: not
  // across other calls.
  base::Result<Statement*> cached(std::string_view sql);
  // Empties the cache when it has grown large. The hot paths call it before they fetch their
  // statements.
  void make_room();
  // For the hot paths, which run statements past this class.
  void count_statements(std::int64_t number) { statements_ += number; }

 private:
  base::Result<sql::Rows> run(std::string_view sql, const std::vector<sql::SqlValue>& values);

  const std::unique_ptr<Database> database_;
  std::unordered_map<std::string, Statement> cache_;
  std::int64_t statements_ = 0;
  bool busy_ = false;
};

void bind_sql(Statement& statement, int at, const sql::SqlValue& value);

}  // namespace turnout::store::sqlite
