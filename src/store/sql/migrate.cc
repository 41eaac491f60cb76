#include "store/sql/migrate.h"

#include <string>

#include "base/ids.h"
#include "store/sql/session.h"

namespace turnout::store::sql {

namespace {

// Any constant will do that nobody else on the server uses: "turnout" in a telephone's letters.
constexpr const char* kLockSchema = "select pg_advisory_xact_lock(8876688)";

// The setting that says from which schema on programs work with the database.
constexpr const char* kWorksFrom = "works_from";

base::Result<std::int64_t> newest(Connection& connection) {
  TRYV(connection.run_script(
      "create table if not exists migration (number integer primary key, name text not null)"));
  TRY(const Rows rows, connection.query("select max(number) from migration", {}));
  return rows.integer(0, 0);
}

base::Result<void> refuse_unless_it_works(Connection& connection, std::int64_t done,
                                          std::int64_t known) {
  TRY(const Rows rows,
      connection.query("select value from setting where name = $1", {std::string(kWorksFrom)}));
  const std::int64_t works_from = rows.empty() ? done : std::stoll(rows.text(0, 0));
  if (known < works_from) {
    return base::fail(base::ErrorCode::kInvalid,
                      "the database has schema " + std::to_string(done) +
                          ", for programs that know " + std::to_string(works_from) +
                          " or newer; this one knows " + std::to_string(known) +
                          "; start a newer program");
  }
  return base::ok();
}

// Peers of an older program would go on writing as they know it.
base::Result<void> wait_for_older_peers(Connection& connection, const Migration& next,
                                        const HasEnded& has_ended) {
  TRY(const Rows rows,
      connection.query(
          "select name, incarnation, schema, address from peer where schema < $1 order by name",
          {std::int64_t{next.works_from}}));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const PeerId peer{base::PeerName(rows.text(i, 0)), base::Incarnation(rows.integer(i, 1))};
    TRY(const bool ended, has_ended(peer));
    if (!ended) {
      return base::fail(base::ErrorCode::kConflict,
                        "peer '" + peer.name.get() + "' at " + rows.text(i, 3) +
                            " runs an older program (schema " + std::to_string(rows.integer(i, 2)) +
                            ") that cannot work with schema " + std::to_string(next.number) +
                            "; end it or upgrade it first, then start this one");
    }
  }
  return base::ok();
}

base::Result<void> note(Connection& connection, const Migration& done) {
  TRYV(connection.execute("insert into migration (number, name) values ($1, $2)",
                          {std::int64_t{done.number}, std::string(done.name)}));
  TRYV(
      connection.execute("insert into setting (name, value) values ($1, $2)"
                         " on conflict (name) do update set value = excluded.value"
                         " where cast(setting.value as integer) < cast(excluded.value as integer)",
                         {std::string(kWorksFrom), std::to_string(done.works_from)}));
  return base::ok();
}

// One step; false when there is none left.
base::Result<bool> apply_next(Connection& connection, std::span<const Migration> migrations,
                              const HasEnded& has_ended) {
  if (connection.dialect() == Dialect::kPostgres) {
    TRYV(connection.query(kLockSchema, {}));
  }
  TRY(const std::int64_t done, newest(connection));
  const auto known = static_cast<std::int64_t>(migrations.size());
  if (done > known) {
    TRYV(refuse_unless_it_works(connection, done, known));
  }
  if (done >= known) {
    return false;
  }
  const Migration& next = migrations[static_cast<std::size_t>(done)];
  if (next.works_from > 1 && next.number > 1) {
    TRYV(wait_for_older_peers(connection, next, has_ended));
  }
  TRYV(connection.run_script(std::string(next.text)));
  TRYV(note(connection, next));
  return true;
}

}  // namespace

base::Result<void> migrate(Connection& connection, std::span<const Migration> migrations,
                           const HasEnded& has_ended) {
  for (bool more = true; more;) {
    TRY(more, in_transaction(connection, TransactionMode::kWrite,
                             [&](Connection& c) { return apply_next(c, migrations, has_ended); }));
  }
  TRY(const base::Timeline timeline, connection.timeline());
  const std::string since = now_sql(connection.dialect());
  TRYV(connection.execute(
      "insert into ledger (track_id, timeline, epoch, version, since) values (0, $1, 0, 0, " +
          since + ") on conflict (track_id) do nothing",
      {timeline.get()}));
  TRYV(connection.execute(
      "insert into setting (name, value) values ($1, $2) on conflict (name) do nothing",
      {std::string(kHeldIn), std::to_string(timeline.get())}));
  return base::ok();
}

}  // namespace turnout::store::sql
