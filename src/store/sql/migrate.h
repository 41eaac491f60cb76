#pragma once

// The numbered SQL files of each database, embedded in the program at build time, and the lock
// under which they run.

#include <functional>
#include <span>
#include <string_view>

#include "base/result.h"
#include "store/sql/connection.h"
#include "store/types.h"

namespace turnout::store::sql {

struct Migration {
  int number = 0;  // 1 and up, none missing
  std::string_view name;
  std::string_view text;
  // The schema (number of the newest migration) that a program must know at least to go on working
  // with the database afterwards. Below `number` for one that only adds, as nearly all do; such a
  // file begins with "-- works with programs from schema N".
  int works_from = number;
};

// Generated from store/sqlite/NNNN_*.sql and store/postgres/NNNN_*.sql. In order.
std::span<const Migration> sqlite_migrations();
std::span<const Migration> postgres_migrations();

// Whether that life is over, by its life lock.
using HasEnded = std::function<base::Result<bool>(const PeerId&)>;

// Applies those that are missing, each in a transaction of its own under a lock, notes them in the
// table `migration`, and makes the ledger's row of the master. A database with migrations that are
// not among these is fine as long as they only added; kInvalid otherwise: its schema is too new for
// this program. kConflict, naming the peer, when one that is missing would break the program of a
// peer that lives. Harmless to repeat; any number of processes at once.
base::Result<void> migrate(Connection& connection, std::span<const Migration> migrations,
                           const HasEnded& has_ended);

}  // namespace turnout::store::sql
