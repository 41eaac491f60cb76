#include "store/postgres/statement.h"

#include "store/sql/change.h"

namespace turnout::store::postgres {

std::string json_quoted(std::string_view text) {
  std::string out;
  sql::append_json_string(text, out);
  return out;
}

}  // namespace turnout::store::postgres
