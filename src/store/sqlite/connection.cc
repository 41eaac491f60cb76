#include "store/sqlite/connection.h"

#include <variant>

#include "base/check.h"

namespace turnout::store::sqlite {

namespace {

// Statements whose text is made up (lists of columns) come and go; this many are kept.
constexpr std::size_t kMaxCached = 100;

sql::SqlValue column(sqlite3_stmt* stmt, int at) {
  switch (sqlite3_column_type(stmt, at)) {
    case SQLITE_NULL:
      return sql::Null{};
    case SQLITE_INTEGER:
      return static_cast<std::int64_t>(sqlite3_column_int64(stmt, at));
    case SQLITE_FLOAT:
      return sqlite3_column_double(stmt, at);
    default: {
      const auto* chars = static_cast<const char*>(sqlite3_column_blob(stmt, at));
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(stmt, at));
      return chars == nullptr ? std::string() : std::string(chars, size);
    }
  }
}

void bind_all(Statement& statement, const std::vector<sql::SqlValue>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string name = "$" + std::to_string(i + 1);
    const int at = sqlite3_bind_parameter_index(statement.get(), name.c_str());
    if (at != 0) {
      bind_sql(statement, at, values[i]);
    }
  }
}

}  // namespace

void bind_sql(Statement& statement, int at, const sql::SqlValue& value) {
  std::visit(
      [&](const auto& v) {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, sql::Null>) {
          statement.bind_null(at);
        } else if constexpr (std::is_same_v<T, bool>) {
          statement.bind(at, static_cast<std::int64_t>(v ? 1 : 0));
        } else if constexpr (std::is_same_v<T, std::string>) {
          statement.bind(at, std::string_view(v));
        } else if constexpr (std::is_same_v<T, base::Instant>) {
          statement.bind_time(at, v);
        } else if constexpr (std::is_same_v<T, base::Date>) {
          statement.bind(at, static_cast<std::int64_t>(v.days));
        } else {
          statement.bind(at, v);
        }
      },
      value);
}

base::Result<Statement*> SqliteConnection::cached(std::string_view sql) {
  const std::string key(sql);
  auto found = cache_.find(key);
  if (found == cache_.end()) {
    TRY(Statement statement, database_->prepare(sql));
    found = cache_.emplace(key, std::move(statement)).first;
  }
  return &found->second;
}

void SqliteConnection::make_room() {
  if (cache_.size() >= kMaxCached) {
    cache_.clear();
  }
}

base::Result<sql::Rows> SqliteConnection::run(std::string_view sql,
                                              const std::vector<sql::SqlValue>& values) {
  ++statements_;
  busy_ = false;
  TRY(Statement * statement, cached(sql));
  bind_all(*statement, values);
  std::vector<sql::Rows::Row> rows;
  int rc = statement->step();
  const int columns = sqlite3_column_count(statement->get());
  for (; rc == SQLITE_ROW; rc = statement->step()) {
    sql::Rows::Row row;
    row.reserve(static_cast<std::size_t>(columns));
    for (int i = 0; i < columns; ++i) {
      row.push_back(column(statement->get(), i));
    }
    rows.push_back(std::move(row));
  }
  if (rc != SQLITE_DONE) {
    busy_ = (rc & 0xff) == SQLITE_BUSY;
    const base::Error why = database_->error();
    statement->reset();
    return base::fail(why.code, why.message);
  }
  statement->reset();
  sqlite3_clear_bindings(statement->get());
  return sql::Rows(std::move(rows));
}

base::Result<sql::Rows> SqliteConnection::query(std::string_view sql,
                                                const std::vector<sql::SqlValue>& values) {
  if (database_->in_transaction()) {
    return run(sql, values);
  }
  make_room();
  TRY(const Statement* statement, cached(sql));
  if (sqlite3_stmt_readonly(statement->get()) != 0) {
    return run(sql, values);
  }
  return sql::in_transaction(*this, sql::TransactionMode::kWrite,
                             [&](sql::Connection&) { return run(sql, values); });
}

base::Result<std::int64_t> SqliteConnection::execute(std::string_view sql,
                                                     const std::vector<sql::SqlValue>& values) {
  TRYV(query(sql, values));
  return database_->changes();
}

base::Result<void> SqliteConnection::run_script(const std::string& sql) {
  CHECK(database_->in_transaction());
  ++statements_;
  if (sqlite3_exec(database_->get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    const base::Error why = database_->error();
    return base::fail(why.code, why.message);
  }
  return base::ok();
}

base::Result<void> SqliteConnection::begin(sql::TransactionMode mode) {
  ++statements_;
  busy_ = false;
  return mode == sql::TransactionMode::kWrite ? database_->begin_write() : database_->begin_read();
}

base::Result<void> SqliteConnection::commit() {
  ++statements_;
  // Which of the two is open, the database knows.
  return database_->end();
}

}  // namespace turnout::store::sqlite
