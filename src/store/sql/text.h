#pragma once

// Pieces of SQL that the two dialects say differently.

#include <string>
#include <string_view>
#include <vector>

#include "store/sql/connection.h"

namespace turnout::store::sql {

struct JsonColumn {
  const char* name;
  bool text = false;  // else an integer
};

// A subquery whose rows are the elements of a parameter, the JSON text of an array of arrays, one
// value per column. It stands for arrays of any length, so that a batch is a constant number of
// statements.
std::string json_rows(Dialect dialect, std::string_view parameter,
                      const std::vector<JsonColumn>& columns);

// The instant that is `expression`, an integer, microseconds since 1970.
std::string instant_sql(Dialect dialect, const std::string& expression);

}  // namespace turnout::store::sql
