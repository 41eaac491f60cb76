#include "store/sqlite/group.h"

#include <utility>

#include "base/check.h"
#include "store/sql/ledger.h"
#include "store/sql/migrate.h"

namespace turnout::store::sqlite {

namespace {

// A file without that life counts as stamp 0, as in stamps().
bool stands(const StampFile& file, const StillStamp& still) {
  const bool same_life = file.incarnation() == still.peer.incarnation;
  return (same_life ? file.stamp() : 0) == still.stamp &&
         !(file.incarnation() > still.peer.incarnation);
}

}  // namespace

base::Result<StampFile*> SqliteGroupSession::stamp_file(const base::PeerName& name) {
  auto found = stamp_files_.find(name);
  if (found == stamp_files_.end()) {
    TRY(std::unique_ptr<StampFile> file, StampFile::open(folder_, name));
    found = stamp_files_.emplace(name, std::move(file)).first;
  }
  return found->second.get();
}

base::Result<base::Incarnation> SqliteGroupSession::begin_life(const base::PeerName& name,
                                                               const std::string& address) {
  if (name.empty() || name.get().size() > 64) {
    return base::fail(base::ErrorCode::kInvalid, "a peer's name has 1 to 64 bytes");
  }
  TRY(StampFile * stamps, stamp_file(name));
  std::unique_ptr<Life> life;
  auto drawn = sql::in_transaction(
      *connection_, sql::TransactionMode::kWrite,
      [&](sql::Connection& c) -> base::Result<base::Incarnation> {
        TRY(const sql::Rows rows,
            c.query(
                "update setting set value = cast(value as integer) + 1 where name = 'incarnation' "
                "returning cast(value as integer)",
                {}));
        CHECK(rows.size() == 1);
        const base::Incarnation incarnation(rows.integer(0, 0));
        TRYV(
            c.execute("insert into peer (name, incarnation, address, started_at, schema) "
                      "values ($1, $2, $3, turnout_now(), $4) "
                      "on conflict (name) do update set incarnation = excluded.incarnation, "
                      "address = excluded.address, "
                      "started_at = excluded.started_at, schema = excluded.schema",
                      {name.get(), incarnation.get(), address,
                       static_cast<std::int64_t>(sql::sqlite_migrations().size())}));
        // Held before anybody can read of it: a life without a lock has ended.
        TRY(life, Life::begin(folder_, {name, incarnation}));
        return incarnation;
      });
  if (drawn) {
    stamps->begin(drawn.value());
    life_ = std::move(life);
  }
  return drawn;
}

base::Result<StampAnswer> SqliteGroupSession::stamp(const PeerId& self) {
  StampAnswer answer;
  TRY(StampFile * file, stamp_file(self.name));
  if (file->incarnation() != self.incarnation) {
    answer.refused = true;
    return answer;
  }
  answer.own_stamp = file->raise();
  TRY(answer.timeline, connection_->timeline());
  TRY(answer.master, sql::read_ledger_row(*connection_, kMasterRow));
  if (answer.master.owner) {
    TRY(const StampFile* master, stamp_file(answer.master.owner->name));
    if (master->incarnation() == answer.master.owner->incarnation) {
      answer.master_stamp = master->stamp();
    }
  }
  TRY(const sql::Rows rows,
      connection_->query(
          "select cast(value as integer) from setting where name = 'catalogue_version'", {}));
  answer.catalogue_version = rows.integer(0, 0);
  return answer;
}

base::Result<std::vector<PeerStamp>> SqliteGroupSession::stamps() {
  TRY(const sql::Rows rows,
      connection_->query("select name, incarnation, address from peer order by name", {}));
  std::vector<PeerStamp> stamps;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    PeerStamp stamp;
    stamp.peer = {base::PeerName(rows.text(i, 0)), base::Incarnation(rows.integer(i, 1))};
    stamp.address = rows.text(i, 2);
    TRY(const StampFile* file, stamp_file(stamp.peer.name));
    stamp.stamp = file->incarnation() == stamp.peer.incarnation ? file->stamp() : 0;
    stamps.push_back(std::move(stamp));
  }
  return stamps;
}

base::Result<bool> SqliteGroupSession::life_has_ended(const PeerId& peer) {
  return Life::has_ended(folder_, peer);
}

base::Result<std::vector<LedgerRow>> SqliteGroupSession::ledger() {
  return sql::read_ledger(*connection_);
}

base::Result<TakeResult> SqliteGroupSession::take(base::TrackId track, base::Timeline timeline,
                                                  base::Epoch expected, const PeerId& self,
                                                  const std::optional<StillStamp>& still) {
  return sql::in_transaction(*connection_, sql::TransactionMode::kWrite,
                             [&](sql::Connection& c) -> base::Result<TakeResult> {
                               if (still) {
                                 TRY(const StampFile* file, stamp_file(still->peer.name));
                                 if (!stands(*file, *still)) {
                                   TRY(LedgerRow row, sql::read_ledger_row(c, track));
                                   return TakeResult{false, std::move(row)};
                                 }
                               }
                               return sql::compare_and_take(c, track, timeline, expected, self, {});
                             });
}

base::Result<bool> SqliteGroupSession::cede(base::TrackId track, base::Epoch epoch,
                                            const PeerId& self) {
  return sql::cede(*connection_, track, epoch, self);
}

}  // namespace turnout::store::sqlite
