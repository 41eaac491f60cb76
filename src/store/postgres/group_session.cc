#include "store/postgres/group_session.h"

#include <chrono>

#include "base/hash.h"
#include "base/mutant.h"
#include "store/sql/ledger.h"
#include "store/sql/migrate.h"

namespace turnout::store::postgres {

namespace {

using base::Result;

// How long a take-over waits for commits under the old epoch before it ends their sessions.
constexpr std::chrono::milliseconds kPatience{1000};

std::int64_t life_key(const PeerId& peer) {
  return static_cast<std::int64_t>(
      base::hash_text(peer.name.get(), static_cast<std::uint64_t>(peer.incarnation.get())));
}

}  // namespace

PgGroupSession::PgGroupSession(std::shared_ptr<Target> target)
    : target_(target), connection_(std::move(target)) {}

Result<base::Incarnation> PgGroupSession::begin_life(const base::PeerName& name,
                                                     const std::string& address) {
  target_->set_peer(name.get());
  // A fail-over may take the sequence back, so numbers of another timeline begin elsewhere.
  static const std::string draw = std::string("select nextval('incarnation'), ") + kTimelineSql;
  TRY(const Answer drawn, connection_.run(draw, Params()));
  life_ = PeerId{name, sql::incarnation_of(base::Timeline(drawn.int8(0, 1)), drawn.int8(0, 0))};
  lock_held_by_ = 0;
  TRYV(hold_life());  // before anybody can read the incarnation and test it
  Params label;
  label.add(std::string_view(target_->application_name()));
  TRYV(connection_.run("select set_config('application_name', $1, false)", label));
  Params params;
  params.add(std::string_view(name.get()));
  params.add(life_->incarnation.get());
  params.add(std::string_view(address));
  params.add(static_cast<std::int32_t>(sql::postgres_migrations().size()));
  TRY(const Answer written,
      connection_.run("insert into peer (name, incarnation, stamp, address, started_at, schema)"
                      " values ($1, $2, 0, $3, now(), $4) on conflict (name) do update"
                      " set incarnation = excluded.incarnation, stamp = 0,"
                      " address = excluded.address, started_at = excluded.started_at,"
                      " schema = excluded.schema"
                      " where peer.incarnation < excluded.incarnation returning 1",
                      params));
  if (written.rows() == 0) {
    return base::fail(base::ErrorCode::kConflict,
                      "a later life of peer '" + name.get() + "' has begun");
  }
  stamped_by_ = connection_.server_process();
  return life_->incarnation;
}

Result<void> PgGroupSession::hold_life() {
  TRYV(connection_.ensure());
  if (!life_ || lock_held_by_ == connection_.server_process()) {
    return base::ok();
  }
  Params params;
  params.add(life_key(*life_));
  // Only somebody who tests the lock holds it for a moment, or the server's end of our broken
  // connection until it notices; the next stamp tries again.
  TRY(const Answer answer, connection_.run("select pg_try_advisory_lock($1)", params));
  if (answer.boolean(0, 0)) {
    lock_held_by_ = connection_.server_process();
  }
  return base::ok();
}

Result<StampAnswer> PgGroupSession::stamp(const PeerId& self) {
  TRYV(hold_life());
  static const std::string sql =
      std::string(
          "with asynchronous as materialized (select case when $3 = 1 then"
          " set_config('synchronous_commit', 'off', true) end)"
          ", raised as (update peer set stamp = stamp + $3 from asynchronous"
          " where name = $1 and incarnation = $2 returning stamp)"
          " select (select stamp from raised), ") +
      kTimelineSql +
      ", (select value::bigint from setting where name = 'catalogue_version'),"
      " l.owner, l.incarnation, l.timeline, l.epoch, l.since,"
      " (select p.stamp from peer p where p.name = l.owner and p.incarnation = l.incarnation)"
      " from (select) one left join ledger l on l.track_id = 0";
  Params params;
  params.add(std::string_view(self.name.get()));
  params.add(self.incarnation.get());
  const int server_process = connection_.server_process();
  const bool same = server_process == stamped_by_;
  params.add(same || base::planted(base::Mutant::kStampValueAgain) ? 1
                                                                   : sql::kAheadAfterConnecting);
  TRY(const Answer answer, connection_.run(sql, params));
  stamped_by_ = server_process;
  StampAnswer out;
  out.refused = answer.is_null(0, 0);
  out.own_stamp = out.refused ? 0 : answer.int8(0, 0);
  out.timeline = base::Timeline(answer.int8(0, 1));
  out.catalogue_version = answer.is_null(0, 2) ? 0 : answer.int8(0, 2);
  out.master.track = kMasterRow;
  if (!answer.is_null(0, 5)) {
    out.master.timeline = base::Timeline(answer.int8(0, 5));
    out.master.epoch = base::Epoch(answer.int8(0, 6));
    out.master.since = answer.instant(0, 7);
  }
  if (!answer.is_null(0, 3)) {
    out.master.owner = PeerId{base::PeerName(std::string(answer.text(0, 3))),
                              base::Incarnation(answer.int8(0, 4))};
    out.master_stamp = answer.is_null(0, 8) ? 0 : answer.int8(0, 8);
    if (*out.master.owner == self) {
      out.master_stamp = out.own_stamp;
    }
  }
  return out;
}

Result<std::vector<PeerStamp>> PgGroupSession::stamps() {
  TRY(const Answer answer,
      connection_.run("select name, incarnation, stamp, address from peer order by name",
                      Params()));
  std::vector<PeerStamp> out(static_cast<std::size_t>(answer.rows()));
  for (int r = 0; r < answer.rows(); ++r) {
    PeerStamp& stamp = out[static_cast<std::size_t>(r)];
    stamp.peer = PeerId{base::PeerName(std::string(answer.text(r, 0))),
                        base::Incarnation(answer.int8(r, 1))};
    stamp.stamp = answer.int8(r, 2);
    stamp.address = std::string(answer.text(r, 3));
  }
  return out;
}

Result<bool> PgGroupSession::life_has_ended(const PeerId& peer) {
  TRYV(connection_.ensure());
  if (life_ && lock_held_by_ != connection_.server_process()) {
    return base::fail(base::ErrorCode::kUnavailable,
                      "this peer's own life lock was dropped with its connection; others may have "
                      "lost theirs in the same way");
  }
  if (life_ && *life_ == peer) {
    return false;  // a session can have its own lock again
  }
  Params params;
  params.add(life_key(peer));
  // Given back at the end of the statement's transaction.
  TRY(const Answer answer, connection_.run("select pg_try_advisory_xact_lock($1)", params));
  return answer.boolean(0, 0);
}

Result<std::vector<LedgerRow>> PgGroupSession::ledger() { return sql::read_ledger(connection_); }

void PgGroupSession::end_blockers(int waiting_process) {
  PgConnection other(target_);
  Params params;
  params.add(std::int32_t{waiting_process});
  // Those at the end of the chain: who is in the way and waits for others itself, another peer that
  // wants the row, say, or one that commits a block, goes on when they are gone.
  static_cast<void>(other.run_once(
      "with recursive chain(pid) as (select unnest(pg_blocking_pids($1))"
      " union select unnest(pg_blocking_pids(c.pid)) from chain c)"
      " select pg_terminate_backend(pid) from chain where cardinality(pg_blocking_pids(pid)) = 0",
      params));
}

Result<TakeResult> PgGroupSession::take(base::TrackId track, base::Timeline timeline,
                                        base::Epoch expected, const PeerId& self,
                                        const std::optional<StillStamp>& still) {
  TRYV(connection_.ensure());
  // While a statement waits longer than that, the sessions in its way are ended, again and again:
  // of several that share the row's lock the server names only the one it waits for now.
  connection_.when_late(kPatience, [this] { end_blockers(connection_.server_process()); });
  Result<TakeResult> result = sql::in_transaction(
      connection_, sql::TransactionMode::kWrite, [&](sql::Connection& connection) {
        return sql::compare_and_take(connection, track, timeline, expected, self, still);
      });
  connection_.when_late({}, nullptr);
  return result;
}

Result<bool> PgGroupSession::cede(base::TrackId track, base::Epoch epoch, const PeerId& self) {
  return sql::in_transaction(
      connection_, sql::TransactionMode::kWrite,
      [&](sql::Connection& connection) { return sql::cede(connection, track, epoch, self); });
}

}  // namespace turnout::store::postgres
