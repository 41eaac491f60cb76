#include "store/sqlite/session.h"

#include <utility>

#include "base/check.h"
#include "store/sql/fields.h"

namespace turnout::store::sqlite {

SqliteSession::SqliteSession(std::unique_ptr<SqliteConnection> connection)
    : sql::SqlSession(std::move(connection)),
      sqlite_(static_cast<SqliteConnection&>(this->connection())) {}

std::string column_list(const std::vector<track::Field>& fields) {
  std::string list;
  for (const track::Field& field : fields) {
    list += ", c." + sql::quoted(field.column);
  }
  return list;
}

void append_value(track::Column& to, const Statement& from, int column) {
  const bool there = !from.is_null(column);
  to.present.push_back(there ? 1 : 0);
  switch (to.type) {
    case track::Type::kText:
      to.text.append(there ? from.text(column) : std::string_view());
      return;
    case track::Type::kNumber:
      to.number.push_back(there ? sqlite3_column_double(from.get(), column) : 0);
      return;
    case track::Type::kBoolean:
      to.boolean.push_back(there && from.integer(column) != 0 ? 1 : 0);
      return;
    case track::Type::kTimestamp:
    case track::Type::kDate:
      to.time.push_back(there ? from.integer(column) : 0);
      return;
    case track::Type::kUntyped:
      CHECK(to.type != track::Type::kUntyped);
  }
}

void bind_value(Statement& statement, int at, const track::Column& column, std::size_t row) {
  if (column.present[row] == 0) {
    statement.bind_null(at);
    return;
  }
  switch (column.type) {
    case track::Type::kText:
      statement.bind(at, column.text[row]);
      return;
    case track::Type::kNumber:
      statement.bind(at, column.number[row]);
      return;
    case track::Type::kBoolean:
      statement.bind(at, static_cast<std::int64_t>(column.boolean[row] != 0 ? 1 : 0));
      return;
    case track::Type::kTimestamp:
    case track::Type::kDate:
      statement.bind(at, column.time[row]);
      return;
    case track::Type::kUntyped:
      CHECK(column.type != track::Type::kUntyped);
  }
}

void bind_value(Statement& statement, int at, const track::Value& value) {
  // Kept by the caller until the statement has run, so that text need not be copied.
  if (const auto* text = std::get_if<std::string>(&value)) {
    statement.bind(at, std::string_view(*text));
  } else {
    bind_sql(statement, at, sql::to_sql(value));
  }
}

}  // namespace turnout::store::sqlite
