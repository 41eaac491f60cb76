#pragma once

// The ledger, said once for both databases.

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "store/sql/connection.h"
#include "store/types.h"

namespace turnout::store::sql {

// PostgreSQL's stamps do not wait for the disk: a crash of the server takes back what it was told
// in the last three turns of its WAL writer, of 10 s at most; a stamp is written 20 times a second
// at most. The first stamp of a new connection goes ahead by more, and waits for the disk, so that
// none ever has a value a second time: others would take the peer for one that has not stamped
// since. https://www.postgresql.org/docs/15/wal-async-commit.html
inline constexpr std::int64_t kAheadAfterConnecting = 1000;

base::Result<std::vector<LedgerRow>> read_ledger(Connection& connection);
// kNotFound when there is no such track.
base::Result<LedgerRow> read_ledger_row(Connection& connection, base::TrackId track);
// The compare-and-set of GroupSession::take as one UPDATE. The caller brings the transaction, and
// on PostgreSQL the limit on waiting. A row that is not active is never taken. `still` is compared
// with the column `peer.stamp`, which PostgreSQL alone has; on SQLite the caller compares.
base::Result<TakeResult> compare_and_take(Connection& connection, base::TrackId track,
                                          base::Timeline timeline, base::Epoch expected,
                                          const PeerId& self,
                                          const std::optional<StillStamp>& still);
base::Result<bool> cede(Connection& connection, base::TrackId track, base::Epoch epoch,
                        const PeerId& self);
// Within a write transaction: whether others ask about the track, while the ledger's row still is
// at the fence and active, else nullopt; keeps it so until the transaction ends (PostgreSQL: FOR
// SHARE).
base::Result<std::optional<Watched>> held(Connection& connection, const Fence& fence);
// kConflict: what the calls without a result of their own say when fenced.
base::Error fenced_error(const Fence& fence);
// The incarnation for the `drawn`th life that the database has counted. A fail-over that loses the
// tail takes the counter back, so each timeline has numbers of its own, above those of the last;
// those of the first are as drawn.
base::Incarnation incarnation_of(base::Timeline timeline, std::int64_t drawn);
// Raises the row's epoch, to one of the current timeline: under the old timeline the next epoch may
// have been somebody's already, before a fail-over that lost it.
base::Result<void> raise_epoch(Connection& connection, base::TrackId track);

}  // namespace turnout::store::sql
