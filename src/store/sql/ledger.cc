#include "store/sql/ledger.h"

#include <string>

#include "base/check.h"
#include "base/mutant.h"

namespace turnout::store::sql {

namespace {

constexpr const char* kColumns =
    "track_id, owner, incarnation, timeline, epoch, version, state, since";

LedgerRow read_row(const Rows& rows, std::size_t i) {
  LedgerRow row;
  row.track = base::TrackId(rows.integer32(i, 0));
  if (!rows.is_null(i, 1)) {
    row.owner = PeerId{base::PeerName(rows.text(i, 1)), base::Incarnation(rows.integer(i, 2))};
  }
  row.timeline = base::Timeline(rows.integer(i, 3));
  row.epoch = base::Epoch(rows.integer(i, 4));
  row.version = base::Version(rows.integer32(i, 5));
  row.active = rows.integer(i, 6) == 0;
  row.since = rows.instant(i, 7);
  return row;
}

std::int64_t number(base::TrackId track) { return track.get(); }

}  // namespace

base::Result<std::vector<LedgerRow>> read_ledger(Connection& connection) {
  TRY(const Rows rows,
      connection.query(std::string("select ") + kColumns + " from ledger order by track_id", {}));
  std::vector<LedgerRow> ledger;
  ledger.reserve(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ledger.push_back(read_row(rows, i));
  }
  return ledger;
}

base::Result<LedgerRow> read_ledger_row(Connection& connection, base::TrackId track) {
  TRY(const Rows rows,
      connection.query(std::string("select ") + kColumns + " from ledger where track_id = $1",
                       {number(track)}));
  if (rows.empty()) {
    return base::fail(base::ErrorCode::kNotFound,
                      "no track has the number " + std::to_string(track.get()));
  }
  return read_row(rows, 0);
}

base::Result<TakeResult> compare_and_take(Connection& connection, base::TrackId track,
                                          base::Timeline timeline, base::Epoch expected,
                                          const PeerId& self,
                                          const std::optional<StillStamp>& still) {
  TRY(const base::Timeline current, connection.timeline());
  if (still && still->timeline != current) {
    TRY(LedgerRow row, read_ledger_row(connection, track));
    return TakeResult{false, std::move(row)};
  }
  std::string sql =
      std::string(
          "update ledger set owner = $1, incarnation = $2, timeline = $3, epoch = epoch + 1, "
          "since = ") +
      now_sql(connection.dialect()) + " where track_id = $4 and timeline = $5 and " +
      (base::planted(base::Mutant::kTakeNotCompared) ? "$6 = $6" : "epoch = $6") + " and state = 0";
  std::vector<SqlValue> values = {self.name.get(), self.incarnation.get(), current.get(),
                                  number(track),   timeline.get(),         expected.get()};
  if (still) {
    sql +=
        " and not exists (select 1 from peer where name = $7 and (incarnation > $8"
        " or (incarnation = $8 and stamp <> $9)))";
    values.insert(values.end(),
                  {still->peer.name.get(), still->peer.incarnation.get(), still->stamp});
  }
  TRY(const std::int64_t changed, connection.execute(sql, values));
  TRY(LedgerRow row, read_ledger_row(connection, track));
  return TakeResult{changed == 1, std::move(row)};
}

base::Result<bool> cede(Connection& connection, base::TrackId track, base::Epoch epoch,
                        const PeerId& self) {
  TRY(const std::int64_t changed,
      connection.execute(
          std::string("update ledger set owner = null, incarnation = null, since = ") +
              now_sql(connection.dialect()) +
              " where track_id = $1 and epoch = $2 and owner = $3 and incarnation = $4",
          {number(track), epoch.get(), self.name.get(), self.incarnation.get()}));
  return changed == 1;
}

base::Result<std::optional<Watched>> held(Connection& connection, const Fence& fence) {
  std::string sql =
      "select watched from ledger where track_id = $1 and timeline = $2 and epoch = $3 and state = "
      "0";
  if (connection.dialect() == Dialect::kPostgres) {
    sql += " for share";
  }
  TRY(const Rows rows,
      connection.query(sql, {number(fence.track), fence.timeline.get(), fence.epoch.get()}));
  return rows.empty() ? std::nullopt : std::optional(static_cast<Watched>(rows.integer32(0, 0)));
}

base::Incarnation incarnation_of(base::Timeline timeline, std::int64_t drawn) {
  constexpr std::int64_t kOfOneTimeline = std::int64_t{1} << 32;
  return base::Incarnation((timeline.get() - 1) * kOfOneTimeline + drawn);
}

base::Result<void> raise_epoch(Connection& connection, base::TrackId track) {
  TRY(const base::Timeline current, connection.timeline());
  TRYV(connection.execute("update ledger set epoch = epoch + 1, timeline = $1 where track_id = $2",
                          {current.get(), number(track)}));
  return base::ok();
}

base::Error fenced_error(const Fence& fence) {
  return {base::ErrorCode::kConflict, "track " + std::to_string(fence.track.get()) +
                                          ": the ledger has moved on from epoch " +
                                          std::to_string(fence.epoch.get())};
}

}  // namespace turnout::store::sql
