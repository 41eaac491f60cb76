#pragma once

// A Session on SQLite: the shared part on sql::Connection, and the hot paths by prepared statements
// kept for the session.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "store/sql/session.h"
#include "store/sqlite/connection.h"

namespace turnout::store::sqlite {

// gather() and gather_these() bind four parameters of their own.
inline constexpr int kFirstConditionParameter = 5;

class SqliteSession final : public sql::SqlSession {
 public:
  explicit SqliteSession(std::unique_ptr<SqliteConnection> connection);

  ConditionStyle condition_style() const override { return {false, kFirstConditionParameter}; }
  base::Result<ImportResult> import_contacts(const ContactBatch& batch) override;
  base::Result<std::vector<DueItem>> due(base::TrackId track, const DueCursor& from,
                                         base::Instant until, int limit) override;
  base::Result<base::Instant> next_due(base::TrackId track) override;
  base::Result<GatherResult> gather(const Fence& fence, const Entrance& entrance,
                                    const std::string& where,
                                    const std::vector<track::Value>& values, base::ContactId after,
                                    int chunk) override;
  base::Result<GatherResult> gather_these(const Fence& fence, const Entrance& entrance,
                                          const std::string& where,
                                          const std::vector<track::Value>& values,
                                          const std::vector<base::ContactId>& contacts) override;
  base::Result<track::ContactBlock> load_contacts(base::ContactId after, int limit,
                                                  const Reads& reads) override;
  base::Result<track::ContactBlock> load_these(const std::vector<base::ContactId>& contacts,
                                               const Reads& reads) override;
  base::Result<FeedBatch> changes(const FeedCursor& from, int limit) override;
  base::Result<std::vector<PositionRow>> positions(
      base::TrackId track, const std::vector<base::ContactId>& contacts) override;
  base::Result<std::int64_t> wake(const Fence& fence, const std::vector<Wake>& wakes) override;
  base::Result<void> load(base::TrackId track, const std::vector<BlockItem>& items,
                          const Reads& reads, track::ContactBlock& out) override;
  base::Result<CommitResult> commit(const Commit& commit) override;

 private:
  SqliteConnection& sqlite_;
};

// -- What the parts of the session share
// -----------------------------------------------------------------------------

// Ends a transaction that was not committed when the scope is left.
class RollbackUnlessEnded {
 public:
  explicit RollbackUnlessEnded(Database& database) : database_(database) {}
  ~RollbackUnlessEnded() { database_.rollback(); }
  RollbackUnlessEnded(const RollbackUnlessEnded&) = delete;
  RollbackUnlessEnded& operator=(const RollbackUnlessEnded&) = delete;

 private:
  Database& database_;
};

// ", c.\"a\", c.\"b\"" for the columns of these fields.
std::string column_list(const std::vector<track::Field>& fields);
// Appends the value of a statement's column.
void append_value(track::Column& to, const Statement& from, int column);
void bind_value(Statement& statement, int at, const track::Column& column, std::size_t row);
void bind_value(Statement& statement, int at, const track::Value& value);
// The failure of the last statement, as what a Result-returning function returns.
inline auto failed(const Database& database) {
  const base::Error why = database.error();
  return base::fail(why.code, why.message);
}

}  // namespace turnout::store::sqlite
