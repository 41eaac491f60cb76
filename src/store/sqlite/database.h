#pragma once

// One open connection to an SQLite database, set up the way all of ours are, and its prepared
// statements.

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "store/sqlite/lock.h"

namespace turnout::store::sqlite {

// A prepared statement. The inline calls are as thin as sqlite3's own: blocks go through them
// millions of times a minute. Parameters stay bound from one run to the next. Text is bound without
// a copy and must live until the next reset.
class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* stmt) : stmt_(stmt) {}
  Statement(Statement&& other) noexcept : stmt_(other.stmt_) { other.stmt_ = nullptr; }
  Statement& operator=(Statement&& other) noexcept {
    std::swap(stmt_, other.stmt_);
    return *this;
  }
  ~Statement() { sqlite3_finalize(stmt_); }
  explicit operator bool() const { return stmt_ != nullptr; }
  sqlite3_stmt* get() const { return stmt_; }

  void bind(int at, std::int64_t value) { sqlite3_bind_int64(stmt_, at, value); }
  void bind(int at, double value) { sqlite3_bind_double(stmt_, at, value); }
  void bind(int at, std::string_view text) {
    // SQLite takes a null pointer for NULL, also with length 0.
    sqlite3_bind_text(stmt_, at, text.data() == nullptr ? "" : text.data(),
                      static_cast<int>(text.size()), SQLITE_STATIC);
  }
  void bind_null(int at) { sqlite3_bind_null(stmt_, at); }
  void bind_time(int at, base::Instant instant);  // kNever: NULL

  // SQLITE_ROW, SQLITE_DONE or an error.
  int step() { return sqlite3_step(stmt_); }
  void reset() { sqlite3_reset(stmt_); }
  // Runs to the end a statement that returns no rows, and makes it ready for the next run. True
  // when it succeeded.
  bool run() {
    const int rc = sqlite3_step(stmt_);
    return sqlite3_reset(stmt_) == SQLITE_OK && rc == SQLITE_DONE;
  }

  std::int64_t integer(int column) const { return sqlite3_column_int64(stmt_, column); }
  std::int32_t integer32(int column) const { return sqlite3_column_int(stmt_, column); }
  bool is_null(int column) const { return sqlite3_column_type(stmt_, column) == SQLITE_NULL; }
  std::string_view text(int column) const {  // valid until the next step
    const auto* chars = reinterpret_cast<const char*>(sqlite3_column_text(stmt_, column));
    return {chars == nullptr ? "" : chars,
            static_cast<std::size_t>(sqlite3_column_bytes(stmt_, column))};
  }
  base::Instant time(int column) const;  // kNever for NULL

 private:
  sqlite3_stmt* stmt_ = nullptr;
};

// Not thread-safe. The lock is shared with the other connections of the process.
class Database {
 public:
  // Opens or makes the database. kInvalid on a network file system or when the file is no database,
  // kUnavailable when it cannot be opened.
  static base::Result<std::unique_ptr<Database>> open(const std::string& path,
                                                      std::shared_ptr<WriterLock> lock);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Kept by the caller; prepared anew by SQLite when the schema changes.
  base::Result<Statement> prepare(std::string_view sql);
  // The last failure of SQLite as an Error: kUnavailable when others were in the way or the disk
  // failed, kExhausted when it is full, kConflict for a broken key, kInternal otherwise.
  base::Error error() const;

  // A write transaction, from taking the lock to giving it back. end_write also checkpoints where
  // it is time.
  base::Result<void> begin_write();
  base::Result<void> begin_read();
  base::Result<void> end();
  void rollback();  // either; harmless when none is open
  bool in_transaction() const { return mode_ != Mode::kNone; }
  bool last_was_busy() const { return busy_; }

  // The database's clock: this machine's. Fixed within a transaction.
  base::Instant now() const;
  std::int64_t changes() const { return sqlite3_changes64(db_); }
  sqlite3* get() { return db_; }

 private:
  enum class Mode { kNone, kRead, kWrite };
  Database(sqlite3* db, std::shared_ptr<WriterLock> lock) : db_(db), lock_(std::move(lock)) {}
  base::Result<void> set_up();
  base::Result<void> exec(const char* sql);
  void checkpoint_if_due();
  void leave();

  sqlite3* const db_;
  const std::shared_ptr<WriterLock> lock_;
  Mode mode_ = Mode::kNone;
  base::Instant began_{0};
  bool busy_ = false;
  int log_pages_ = 0;  // pages in the log after our last commit
  int page_size_ = 0;
};

}  // namespace turnout::store::sqlite
