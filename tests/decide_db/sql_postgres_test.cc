// Conditions pushed down to PostgreSQL select exactly the contacts that the reference does. Needs a
// server: the connection string in TURNOUT_TEST_PG. Works in a schema of its own, which it drops.

#include <fmt/format.h>
#include <libpq-fe.h>
#include <unistd.h>

#include <cstdlib>

#include "decide/sql_check.h"

namespace turnout::decide {
namespace {

class Postgres : public SqlUnderTest {
 public:
  explicit Postgres(const char* where)
      : connection_(PQconnectdb(where)), schema_(fmt::format("decide_{}", getpid())) {
    if (PQstatus(connection_) != CONNECTION_OK) {
      throw std::runtime_error(PQerrorMessage(connection_));
    }
    query("set client_min_messages = warning", {});
    query("create schema " + schema_, {});
    query("set search_path = " + schema_, {});
    std::string columns;
    for (const track::Field& field : test_catalogue().fields) {
      constexpr const char* kTypes[] = {"text", "double precision", "boolean", "timestamptz",
                                        "date"};
      // As the store has it: the built-in key in its own order, so that two orders meet.
      columns += ", \"" + field.column + "\" " + kTypes[static_cast<std::size_t>(field.type)] +
                 (field.name == "nick" ? " collate \"C\"" : "");
    }
    query("create table contact (id bigint primary key" + columns + ")", {});
    query("create table contact_tag (contact_id bigint, tag text, primary key (contact_id, tag))",
          {});
  }
  ~Postgres() override {
    PQclear(PQexec(connection_, ("drop schema if exists " + schema_ + " cascade").c_str()));
    PQfinish(connection_);
  }

  Dialect dialect() const override { return Dialect::kPostgres; }

  void fill(const std::vector<reference::Person>& people) override {
    query("begin", {});
    query("delete from contact", {});
    query("delete from contact_tag", {});
    std::int64_t id = 0;
    for (const reference::Person& person : people) {
      ++id;
      std::string names = "id";
      std::string marks = std::to_string(id);
      std::vector<track::Value> values;
      for (const auto& [name, value] : person.values) {
        names += ", \"" + name + '"';
        values.push_back(value);
        marks += ", $" + std::to_string(values.size());
      }
      query("insert into contact (" + names + ") values (" + marks + ")", values);
      for (const std::string& tag : person.tags) {
        query("insert into contact_tag values (" + std::to_string(id) + ", $1)", {tag});
      }
    }
    query("commit", {});
  }

  std::set<std::int64_t> select(const SqlCondition& where, std::int64_t first,
                                std::int64_t last) override {
    std::vector<track::Value> values = {static_cast<double>(first), static_cast<double>(last)};
    values.insert(values.end(), where.values.begin(), where.values.end());
    return query("select id from contact c where id between $1::bigint and $2::bigint" +
                     (where.text.empty() ? "" : " and (" + where.text + ")"),
                 values);
  }

 private:
  static std::string text(const track::Value& value) {
    if (const auto* const number = std::get_if<double>(&value)) {
      return fmt::format("{}", *number);
    }
    if (const auto* const boolean = std::get_if<bool>(&value)) {
      return *boolean ? "true" : "false";
    }
    if (const auto* const time = std::get_if<base::Instant>(&value)) {
      return base::format_instant(*time);
    }
    if (const auto* const date = std::get_if<base::Date>(&value)) {
      return base::format_date(*date);
    }
    return std::get<std::string>(value);
  }

  std::set<std::int64_t> query(const std::string& sql, const std::vector<track::Value>& values) {
    std::vector<std::string> texts;
    for (const track::Value& value : values) {
      texts.push_back(text(value));
    }
    std::vector<const char*> pointers;
    for (const std::string& one : texts) {
      pointers.push_back(one.c_str());
    }
    PGresult* const result = PQexecParams(connection_, sql.c_str(), static_cast<int>(values.size()),
                                          nullptr, pointers.data(), nullptr, nullptr, 0);
    const ExecStatusType status = PQresultStatus(result);
    std::set<std::int64_t> found;
    for (int row = 0; row < PQntuples(result); ++row) {
      found.insert(std::atoll(PQgetvalue(result, row, 0)));
    }
    PQclear(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
      throw std::runtime_error(PQerrorMessage(connection_) + sql);
    }
    return found;
  }

  PGconn* connection_;
  std::string schema_;
};

TEST(SqlPushDown, R15PostgresSelectsWhatTheReferenceDoes) {
  const char* const where = std::getenv("TURNOUT_TEST_PG");
  if (where == nullptr) {
    GTEST_SKIP() << "TURNOUT_TEST_PG names no server";
  }
  Postgres database(where);
  SqlCounts counts;
  check_sql(database, 20'261'123, 100, 12, counts);
  EXPECT_GT(counts.exact, 600);
  EXPECT_GT(counts.wider, 100);
}

}  // namespace
}  // namespace turnout::decide
