#pragma once

// One connection to a SQL database, as thin as the two databases allow: what is not said every
// millisecond (catalogue, publishing, questions, deliveries) is written once on top of it for
// SQLite and PostgreSQL, see sql/session.h. The hot paths (blocks, gathering, the feed) talk to
// each database in its own way.
//
// Statements take `$1`, `$2` … in both dialects; every parameter may be named more than once. Not
// thread-safe.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "track/value.h"

namespace turnout::store::sql {

enum class Dialect { kSqlite, kPostgres };

struct Null {
  friend constexpr bool operator==(Null, Null) = default;
};

// A parameter or a column. SQLite stores an Instant as microseconds since 1970, a Date as days
// since 1970 and a bool as 0 or 1, all of them integers, so what is read back is an integer there:
// read through Rows, which knows both.
using SqlValue =
    std::variant<Null, bool, std::int64_t, double, std::string, base::Instant, base::Date>;

// A Value of a contact as a parameter, and back as the type declared.
SqlValue to_sql(const track::Value& value);
track::Value from_sql(const SqlValue& value, track::Type type);

// What a query has answered. Each accessor takes what either dialect gives for that type and CHECKs
// that it is one; NULL is asked for first with is_null, or gives the accessor's `otherwise` where
// it has one.
class Rows {
 public:
  using Row = std::vector<SqlValue>;
  explicit Rows(std::vector<Row> rows = {}) : rows_(std::move(rows)) {}
  std::size_t size() const { return rows_.size(); }
  bool empty() const { return rows_.empty(); }
  const SqlValue& at(std::size_t row, std::size_t column) const { return rows_[row][column]; }
  bool is_null(std::size_t row, std::size_t column) const;
  std::int64_t integer(std::size_t row, std::size_t column,
                       std::int64_t otherwise = 0) const;  // also of a bool
  std::int32_t integer32(std::size_t row, std::size_t column) const;
  double number(std::size_t row, std::size_t column) const;
  bool boolean(std::size_t row, std::size_t column) const;
  const std::string& text(std::size_t row, std::size_t column) const;  // "" for NULL
  base::Instant instant(std::size_t row, std::size_t column) const;    // kNever for NULL

 private:
  std::vector<Row> rows_;
};

// kRead sees one snapshot (PostgreSQL: repeatable read, read only). kWrite takes the writers' lock
// on SQLite and is READ COMMITTED on PostgreSQL.
enum class TransactionMode { kRead, kWrite };

class Connection {
 public:
  virtual ~Connection() = default;
  virtual Dialect dialect() const = 0;

  // One statement, outside a transaction in one of its own. Errors: kUnavailable when the database
  // cannot be reached or does not answer in time (then no transaction is open any more), kConflict
  // when the statement breaks a unique key or was chosen as the victim of a deadlock (see
  // should_retry), kInternal otherwise, with the database's message.
  virtual base::Result<Rows> query(std::string_view sql, const std::vector<SqlValue>& values) = 0;
  // The same for a statement that returns no rows; gives the number of rows it changed.
  virtual base::Result<std::int64_t> execute(std::string_view sql,
                                             const std::vector<SqlValue>& values) = 0;
  // Several statements without parameters, separated by semicolons: migrations.
  virtual base::Result<void> run_script(const std::string& sql) = 0;

  // No nesting. rollback() after a failed statement or commit is allowed and harmless, also when
  // nothing is open.
  virtual base::Result<void> begin(TransactionMode mode) = 0;
  virtual base::Result<void> commit() = 0;
  virtual void rollback() = 0;
  // True when the last error says only that others were in the way (SQLITE_BUSY, 40001, 40P01), so
  // that the whole transaction may be repeated at once.
  virtual bool should_retry() const = 0;

  // The database's clock, in microseconds.
  virtual base::Result<base::Instant> now() = 0;
  // The timeline of the database cluster (PostgreSQL: pg_control_checkpoint's or newer; SQLite:
  // always 1).
  virtual base::Result<base::Timeline> timeline() = 0;

  // Statements sent so far, BEGIN and COMMIT included: tests read the cost of a call off it.
  virtual std::int64_t statements() const = 0;
};

// Runs `work(connection)`, a callable that returns a Result, in a transaction: commits when it
// succeeds, rolls back when it fails, and repeats it, at most five times, when others were in the
// way. A lost connection is not repeated here.
template <class Work>
auto in_transaction(Connection& connection, TransactionMode mode, Work work)
    -> std::invoke_result_t<Work&, Connection&> {
  constexpr int kAttempts = 5;
  for (int attempt = 1;; ++attempt) {
    base::Result<void> begun = connection.begin(mode);
    if (begun) {
      auto result = work(connection);
      if (result) {
        base::Result<void> committed = connection.commit();
        if (committed) {
          return result;
        }
        begun = std::move(committed);
      } else {
        begun = base::fail(result.error().code, result.error().message);
      }
    }
    const bool again = connection.should_retry() && attempt < kAttempts;
    connection.rollback();
    if (!again) {
      return base::fail(begun.error().code, begun.error().message);
    }
  }
}

// The current instant as an expression, fixed within a transaction: "now()" on PostgreSQL, a
// function that every connection of ours registers on SQLite.
inline const char* now_sql(Dialect dialect) {
  return dialect == Dialect::kPostgres ? "now()" : "turnout_now()";
}

}  // namespace turnout::store::sql
