// Conditions pushed down to SQLite select exactly the contacts that the reference does, missing
// values included.

#include <sqlite3.h>

#include "decide/gather.h"
#include "sql_check.h"

namespace turnout::decide {
namespace {

void check(int code, sqlite3* database) {
  if (code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW) {
    throw std::runtime_error(sqlite3_errmsg(database));
  }
}

class Sqlite : public SqlUnderTest {
 public:
  Sqlite() {
    check(sqlite3_open(":memory:", &database_), database_);
    std::string columns;
    for (const track::Field& field : test_catalogue().fields) {
      constexpr const char* kTypes[] = {"text", "real", "integer", "integer", "integer"};
      columns += ", \"" + field.column + "\" " + kTypes[static_cast<std::size_t>(field.type)];
    }
    run("create table contact (id integer primary key" + columns + ")");
    run("create table contact_tag (contact_id integer, tag text, primary key (contact_id, tag))");
  }
  ~Sqlite() override { sqlite3_close_v2(database_); }

  Dialect dialect() const override { return Dialect::kSqlite; }

  void fill(const std::vector<reference::Person>& people) override {
    run("begin; delete from contact; delete from contact_tag");
    std::int64_t id = 0;
    for (const reference::Person& person : people) {
      ++id;
      std::string names = "id";
      std::string marks = "?1";
      std::vector<track::Value> values = {static_cast<double>(id)};
      for (const auto& [name, value] : person.values) {
        names += ", \"" + name + '"';
        marks += ", ?" + std::to_string(values.size() + 1);
        values.push_back(value);
      }
      query("insert into contact (" + names + ") values (" + marks + ")", values);
      for (const std::string& tag : person.tags) {
        query("insert into contact_tag values (?1, ?2)", {static_cast<double>(id), tag});
      }
    }
    run("commit");
  }

  std::set<std::int64_t> select(const SqlCondition& where, std::int64_t first,
                                std::int64_t last) override {
    std::vector<track::Value> values = {static_cast<double>(first), static_cast<double>(last)};
    values.insert(values.end(), where.values.begin(), where.values.end());
    return query("select id from contact c where id between ?1 and ?2" +
                     (where.text.empty() ? "" : " and (" + where.text + ")"),
                 values);
  }

  std::set<std::int64_t> query(const std::string& sql, const std::vector<track::Value>& values) {
    sqlite3_stmt* statement = nullptr;
    check(sqlite3_prepare_v2(database_, sql.c_str(), -1, &statement, nullptr), database_);
    EXPECT_EQ(sqlite3_bind_parameter_count(statement), static_cast<int>(values.size())) << sql;
    for (std::size_t i = 0; i < values.size(); ++i) {
      bind(statement, static_cast<int>(i + 1), values[i]);
    }
    std::set<std::int64_t> found;
    while (sqlite3_step(statement) == SQLITE_ROW) {
      found.insert(sqlite3_column_int64(statement, 0));
    }
    check(sqlite3_finalize(statement), database_);
    return found;
  }

 private:
  void run(const std::string& sql) {
    check(sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr), database_);
  }
  void bind(sqlite3_stmt* statement, int at, const track::Value& value) {
    if (const auto* const text = std::get_if<std::string>(&value)) {
      check(sqlite3_bind_text(statement, at, text->data(), static_cast<int>(text->size()),
                              SQLITE_TRANSIENT),
            database_);
    } else if (const auto* const number = std::get_if<double>(&value)) {
      check(sqlite3_bind_double(statement, at, *number), database_);
    } else if (const auto* const boolean = std::get_if<bool>(&value)) {
      check(sqlite3_bind_int(statement, at, *boolean ? 1 : 0), database_);
    } else if (const auto* const time = std::get_if<base::Instant>(&value)) {
      check(sqlite3_bind_int64(statement, at, time->us), database_);
    } else if (const auto* const date = std::get_if<base::Date>(&value)) {
      check(sqlite3_bind_int64(statement, at, date->days), database_);
    }
  }

  sqlite3* database_ = nullptr;
};

TEST(SqlPushDown, R15SqliteSelectsWhatTheReferenceDoes) {
  Sqlite database;
  SqlCounts counts;
  check_sql(database, 20'261'123, 100, 12, counts);
  EXPECT_GT(counts.exact, 600);
  EXPECT_GT(counts.wider, 100);
}

SqlCondition translated(const std::string& condition, Dialect dialect = Dialect::kPostgres,
                        const std::string& zone = "\"Europe/Berlin\"") {
  const track::Track track =
      parsed("track \"t\"\n  time zone " + zone + "\n  gather contacts where " + condition +
             " continuously\nstep \"s\"\n  otherwise:\n    stop\n");
  auto gathers = compile_gathers(track, test_catalogue(), track::extend({}, track));
  EXPECT_TRUE(gathers);
  return gathers.value().front().sql(dialect, at("2026-06-15T12:00:00Z"), 3);
}

TEST(SqlPushDown, BindsValuesAndNamesTheirTypes) {
  const SqlCondition where = translated("name is \"it's\" and score is at least 40 and active");
  EXPECT_EQ(where.text,
            "(c.\"name\" = $3::text and (c.\"score\" >= $4::double precision and "
            "c.\"active\" = true))");
  EXPECT_TRUE(where.exact);
  ASSERT_EQ(where.values.size(), 2U);
  EXPECT_EQ(where.values[0], track::Value(std::string("it's")));
  EXPECT_EQ(where.values[1], track::Value(40.0));
}

TEST(SqlPushDown, ComparesTimesWithInstants) {
  const SqlCondition where = translated("seen_at is within the last 14 days", Dialect::kSqlite);
  EXPECT_EQ(where.text, "(c.\"seen_at\" >= ?3 and c.\"seen_at\" < ?4)");
  EXPECT_EQ(where.values[0], track::Value(at("2026-06-01T12:00:00Z")));
  EXPECT_EQ(where.values[1], track::Value(at("2026-06-15T12:00:00.000001Z")));
}

TEST(SqlPushDown, SaysSomethingWiderWhereSqlCannotSayIt) {
  const SqlCondition where = translated("name matches \"^a\" and score is 1");
  EXPECT_FALSE(where.exact);
  EXPECT_EQ(where.text, "c.\"score\" = $3::double precision");
  EXPECT_EQ(where.values.size(), 1U);
  const SqlCondition nothing = translated("name matches \"^a\" or score is 1");
  EXPECT_FALSE(nothing.exact);
  EXPECT_EQ(nothing.text, "");
  EXPECT_TRUE(nothing.values.empty());
  const SqlCondition zoned =
      translated("seen_at is after today", Dialect::kPostgres, "of zone or \"Europe/Berlin\"");
  EXPECT_FALSE(zoned.exact);
  EXPECT_EQ(zoned.text, "c.\"seen_at\" >= $3::timestamptz");
}

TEST(SqlPushDown, WideConditionsStayShallow) {
  // SQLite refuses expressions deeper than 1,000.
  std::string condition = "score is 0";
  for (int i = 1; i < 5'000; ++i) {
    condition += " or score is " + std::to_string(i);
  }
  Sqlite database;
  reference::Person person;
  person.values["score"] = 4'999.0;
  database.fill({person});
  EXPECT_EQ(database.select(translated(condition, Dialect::kSqlite), 1, 1).size(), 1U);
}

TEST(SqlPushDown, ConstantsThatDecideLeaveNothingBound) {
  const SqlCondition never = translated("score is 3 and now is before 2020-01-01");
  EXPECT_EQ(never.text, "false");
  EXPECT_TRUE(never.values.empty());
  const SqlCondition always = translated("score is 3 or now is after 2020-01-01");
  EXPECT_EQ(always.text, "");
  EXPECT_TRUE(always.values.empty());
  const SqlCondition rest = translated("score is 3 and not now is before 2020-01-01");
  EXPECT_EQ(rest.text, "c.\"score\" = $3::double precision");
}

TEST(SqlPushDown, NoConditionIsEveryContact) {
  const track::Track track =
      parsed("track \"t\"\n  gather contacts continuously\nstep \"s\"\n  otherwise:\n    stop\n");
  auto gathers = compile_gathers(track, test_catalogue(), track::extend({}, track));
  ASSERT_TRUE(gathers);
  const SqlCondition where =
      gathers.value().front().sql(Dialect::kSqlite, at("2026-06-15T12:00:00Z"), 1);
  EXPECT_EQ(where.text, "");
  EXPECT_TRUE(where.exact);
}

}  // namespace
}  // namespace turnout::decide
