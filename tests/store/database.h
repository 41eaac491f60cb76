#pragma once

// The three stores that the suite runs over, each with a database of its own that is made before a
// test and dropped after it, and a dump of all tables that reads the same whichever it is.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "store/sql/connection.h"
#include "store/store.h"

namespace turnout::store::test {

enum class Kind { kModel, kSqlite, kPostgres };

// The kinds that can be had here: PostgreSQL where TURNOUT_TEST_PG names a server on which
// databases may be made.
std::vector<Kind> kinds();
std::string kind_name(Kind kind);

// Rows of text. Contacts stand under their keys and tracks under their names, since numbers are
// drawn differently.
using Table = std::vector<std::vector<std::string>>;
struct Dump {
  std::map<std::string, Table> tables;  // rows sorted
  std::string text() const;             // a line per row
};

// kNormal writes every instant of this decade and the ones around it as "now"; tests use other
// centuries for times of their own. kRaw writes microseconds.
enum class Times { kNormal, kRaw };

class TestDatabase {
 public:
  static std::unique_ptr<TestDatabase> make(Kind kind);  // migrated
  virtual ~TestDatabase() = default;
  virtual Kind kind() const = 0;
  virtual Store& store() = 0;
  virtual Dump dump(Times times) = 0;
  // A connection beside the sessions; null for the model.
  virtual sql::Connection* sql() = 0;
  virtual std::string url() const = 0;
};

// What must hold after every call: G3, journal contiguous from 1 to move_no; G4, every action
// belongs to a journalled move; G10, positions that are due or wait for a time and timers match one
// to one; the tally's figures are those of the positions and the journal.
void check_invariants(TestDatabase& database);

}  // namespace turnout::store::test
