#include "bench/scratch.h"

#include <libpq-fe.h>
#include <sqlite3.h>

#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>

namespace turnout::bench {
namespace {

// Runs one statement on the server; returns the first column of the first row, or "".
std::string run_postgres(const std::string& uri, const std::string& sql) {
  PGconn* connection = PQconnectdb(uri.c_str());
  if (PQstatus(connection) != CONNECTION_OK) {
    fail(PQerrorMessage(connection));
  }
  PGresult* result = PQexec(connection, sql.c_str());
  const ExecStatusType status = PQresultStatus(result);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    fail(sql + ": " + PQerrorMessage(connection));
  }
  std::string value = PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "";
  PQclear(result);
  PQfinish(connection);
  return value;
}

std::string run_sqlite(const std::string& path, const std::string& sql) {
  sqlite3* db = nullptr;
  if (sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr) != SQLITE_OK) {
    fail("cannot open " + path);
  }
  sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_stmt* statement = nullptr;
  std::string value;
  if (sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK &&
      sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_text(statement, 0) != nullptr) {
    value = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
  }
  sqlite3_finalize(statement);
  sqlite3_close(db);
  return value;
}

// The URI with its database replaced: postgresql://user@host:port/DATABASE?…
std::string with_database(const std::string& uri, const std::string& name) {
  const std::size_t authority = uri.find("://");
  const std::size_t slash = uri.find('/', authority + 3);
  const std::size_t query = uri.find('?', slash == std::string::npos ? 0 : slash);
  const std::string tail = query == std::string::npos ? "" : uri.substr(query);
  return uri.substr(0, slash) + "/" + name + tail;
}

}  // namespace

void fail(const std::string& message) {
  fmt::print(stderr, "error: {}\n", message);
  std::exit(1);
}

Scratch::Scratch(const std::string& server, std::string name)
    : server_(server), name_(std::move(name)) {
  if (is_sqlite()) {
    std::filesystem::create_directories(server_.substr(7));
  } else {
    drop();
    run_postgres(server_, "create database " + name_);
  }
}

Scratch::Scratch(const Scratch& other, std::string name)
    : server_(other.server_), name_(std::move(name)) {
  if (is_sqlite()) {
    run_sqlite(other.path(), "pragma wal_checkpoint(truncate)");  // nobody else has it open
    std::filesystem::copy_file(other.path(), path(),
                               std::filesystem::copy_options::overwrite_existing);
  } else {
    drop();
    run_postgres(server_, fmt::format("create database {} template {}", name_, other.name_));
    run_postgres(server_, "checkpoint");
  }
}

Scratch::~Scratch() { drop(); }

void Scratch::drop() {
  if (is_sqlite()) {
    for (const char* suffix : {"", "-wal", "-shm", "-lock", "-life", "-stamps"}) {
      std::error_code ignored;
      std::filesystem::remove_all(path() + suffix, ignored);
    }
  } else {
    run_postgres(server_, fmt::format("drop database if exists {} with (force)", name_));
  }
}

bool Scratch::is_sqlite() const { return server_.starts_with("sqlite:"); }

std::string Scratch::path() const { return server_.substr(7) + "/" + name_ + ".db"; }

std::string Scratch::url() const {
  return is_sqlite() ? "sqlite:" + path() : with_database(server_, name_);
}

std::unique_ptr<store::Store> Scratch::open() const {
  auto store = store::open_store(url());
  if (!store) {
    fail(store.error().message);
  }
  return std::move(store.value());
}

std::int64_t Scratch::first_journal_us() const {
  return std::stoll(
      is_sqlite()
          ? run_sqlite(path(), "select min(at) from journal")
          : run_postgres(url(),
                         "select (extract(epoch from min(at)) * 1000000)::bigint from journal"));
}

}  // namespace turnout::bench
