#pragma once

// The numbered SQL files of each database, embedded in the program at build time, and the lock
// under which they run.

#include <span>
#include <string_view>

#include "base/result.h"
#include "store/sql/connection.h"

namespace turnout::store::sql {

struct Migration {
  int number = 0;  // 1 and up, none missing
  std::string_view name;
  std::string_view text;
};

// Generated from store/sqlite/NNNN_*.sql and store/postgres/NNNN_*.sql. In order.
std::span<const Migration> sqlite_migrations();
std::span<const Migration> postgres_migrations();

// Applies those that are missing, each in a transaction of its own under a lock, notes them in the
// table `migration`, and makes the ledger's row of the master. kInvalid when the database has a
// migration that is not among these: its schema is newer than this program. Harmless to repeat; any
// number of processes at once.
base::Result<void> migrate(Connection& connection, std::span<const Migration> migrations);

}  // namespace turnout::store::sql
