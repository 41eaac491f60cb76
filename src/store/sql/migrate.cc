#include "store/sql/migrate.h"

#include <string>

namespace turnout::store::sql {

namespace {

// Any constant will do that nobody else on the server uses: "turnout" in a telephone's letters.
constexpr const char* kLockSchema = "select pg_advisory_xact_lock(8876688)";

base::Result<std::int64_t> newest(Connection& connection) {
  TRYV(connection.run_script(
      "create table if not exists migration (number integer primary key, name text not null)"));
  TRY(const Rows rows, connection.query("select max(number) from migration", {}));
  return rows.integer(0, 0);
}

// One step; false when there is none left.
base::Result<bool> apply_next(Connection& connection, std::span<const Migration> migrations) {
  if (connection.dialect() == Dialect::kPostgres) {
    TRYV(connection.query(kLockSchema, {}));
  }
  TRY(const std::int64_t done, newest(connection));
  const auto known = static_cast<std::int64_t>(migrations.size());
  if (done > known) {
    return base::fail(base::ErrorCode::kInvalid, "the database has schema " + std::to_string(done) +
                                                     ", newer than this program, which knows " +
                                                     std::to_string(known) +
                                                     "; start a newer program");
  }
  if (done == known) {
    return false;
  }
  const Migration& next = migrations[static_cast<std::size_t>(done)];
  TRYV(connection.run_script(std::string(next.text)));
  TRYV(connection.execute("insert into migration (number, name) values ($1, $2)",
                          {static_cast<std::int64_t>(next.number), std::string(next.name)}));
  return true;
}

}  // namespace

base::Result<void> migrate(Connection& connection, std::span<const Migration> migrations) {
  for (bool more = true; more;) {
    TRY(more, in_transaction(connection, TransactionMode::kWrite,
                             [&](Connection& c) { return apply_next(c, migrations); }));
  }
  TRY(const base::Timeline timeline, connection.timeline());
  const std::string since = now_sql(connection.dialect());
  TRYV(connection.execute(
      "insert into ledger (track_id, timeline, epoch, version, since) values (0, $1, 0, 0, " +
          since + ") on conflict (track_id) do nothing",
      {timeline.get()}));
  return base::ok();
}

}  // namespace turnout::store::sql
