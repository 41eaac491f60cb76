#include "store/sql/text.h"

namespace turnout::store::sql {

std::string json_rows(Dialect dialect, std::string_view parameter,
                      const std::vector<JsonColumn>& columns) {
  std::string sql = "(select ";
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string at = std::to_string(i);
    if (i > 0) {
      sql += ", ";
    }
    if (dialect == Dialect::kSqlite) {
      sql += "json_extract(e.value, '$[" + at + "]')";
    } else {
      sql += columns[i].text ? "e.value ->> " + at : "(e.value ->> " + at + ")::bigint";
    }
    sql += std::string(" as ") + columns[i].name;
  }
  sql += dialect == Dialect::kSqlite ? " from json_each(" + std::string(parameter) + ") as e)"
                                     : " from jsonb_array_elements(cast(" + std::string(parameter) +
                                           " as jsonb)) as e(value))";
  return sql;
}

std::string instant_sql(Dialect dialect, const std::string& expression) {
  return dialect == Dialect::kSqlite
             ? expression
             : "(timestamptz 'epoch' + " + expression + " * interval '1 microsecond')";
}

}  // namespace turnout::store::sql
