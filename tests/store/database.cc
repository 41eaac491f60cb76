#include "store/database.h"

#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <utility>

#include "base/check.h"
#include "store/model/model.h"
#include "store/postgres/connection.h"
#include "store/sql/session.h"
#include "store/sqlite/connection.h"

namespace turnout::store::test {

namespace {

std::string time_text(base::Instant at, Times times) {
  constexpr std::int64_t kNowFrom = 1'700'000'000'000'000;  // 2023
  constexpr std::int64_t kNowTo = 3'000'000'000'000'000;    // 2065
  if (at == track::kNever) {
    return "never";
  }
  if (times == Times::kNormal && at.us >= kNowFrom && at.us < kNowTo) {
    return "now";
  }
  return std::to_string(at.us);
}

std::string value_text(const track::Value& value, Times times) {
  struct Say {
    Times times;
    std::string operator()(track::Missing) const { return "missing"; }
    std::string operator()(bool b) const { return b ? "true" : "false"; }
    std::string operator()(double d) const {
      std::ostringstream out;
      out << d;
      return out.str();
    }
    std::string operator()(const std::string& text) const { return "'" + text + "'"; }
    std::string operator()(base::Instant at) const { return time_text(at, times); }
    std::string operator()(base::Date date) const { return "day " + std::to_string(date.days); }
  };
  return std::visit(Say{times}, value);
}

// However a database writes it.
std::string json_text(const std::string& text) {
  return text.empty() ? "" : nlohmann::json::parse(text).dump();
}

std::string sorted_list(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : " ") + name;
  }
  return text;
}

template <class... Parts>
std::vector<std::string> row_of(const Parts&... parts) {
  const auto text = [](const auto& part) -> std::string {
    if constexpr (std::is_arithmetic_v<std::decay_t<decltype(part)>>) {
      return std::to_string(part);
    } else {
      return part;
    }
  };
  return {text(parts)...};
}

// One row for what changed of the fields and one for each tag and event, since these may stand in
// one row of the table or in several.
void add_change(const std::string& contact, const std::string& track, bool created,
                const std::vector<std::string>& fields, const std::vector<std::string>& tags,
                const std::vector<std::pair<std::string, std::int64_t>>& events,
                const std::vector<std::string>& places, Dump& dump) {
  if (created || !fields.empty()) {
    dump.tables["change"].push_back(
        row_of(contact, track, created ? "created" : "changed", sorted_list(fields)));
  }
  for (const std::string& tag : tags) {
    dump.tables["change"].push_back(row_of(contact, track, "tag", tag));
  }
  for (const auto& [name, number] : events) {
    dump.tables["change"].push_back(row_of(contact, track, "event", name, number));
  }
  for (const std::string& place : places) {
    dump.tables["change"].push_back(row_of(contact, track, "place", place));
  }
}

void sort_rows(Dump& dump) {
  for (auto& [name, rows] : dump.tables) {
    std::sort(rows.begin(), rows.end());
  }
}

// -- The model
// -----------------------------------------------------------------------------------------------------------

base::Instant machine_now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(since).count()};
}

class ModelDatabase final : public TestDatabase {
 public:
  ModelDatabase() : store_(&machine_now) {}
  Kind kind() const override { return Kind::kModel; }
  Store& store() override { return store_; }
  sql::Connection* sql() override { return nullptr; }
  std::string url() const override { return "model"; }

  Dump dump(Times times) override {
    model::Tables& t = store_.tables();
    const std::lock_guard guard(t.mutex);
    Dump dump;
    dump_track_state(t, times, dump);
    dump_actions(t, times, dump);
    dump_contacts(t, times, dump);
    for (const auto& [id, row] : t.ledger) {
      dump.tables["ledger"].push_back(row_of(track(t, id), row.owner ? row.owner->name.get() : "",
                                             row.timeline.get(), row.epoch.get(), row.version.get(),
                                             row.active ? 1 : 0));
    }
    for (const auto& [at, value] : t.cursors) {
      dump.tables["cursor"].push_back(row_of(track(t, at.first), at.second, value));
    }
    sort_rows(dump);
    return dump;
  }

 private:
  static std::string track(const model::Tables& t, base::TrackId id) {
    return id == kMasterRow ? "" : t.track_of(id).first;
  }
  static std::string contact(const model::Tables& t, base::ContactId id) {
    return t.contacts.at(id).key;
  }

  static void dump_track_state(const model::Tables& t, Times times, Dump& dump) {
    for (const auto& [key, p] : t.positions) {
      dump.tables["position"].push_back(row_of(
          track(t, key.track), contact(t, key.contact), key.entry, p.step, p.move_no,
          p.version.get(), static_cast<int>(p.state), p.heard, static_cast<std::int64_t>(p.stayed),
          time_text(p.entered_at, times), time_text(p.step_at, times), time_text(p.due_at, times),
          p.entry_key.value_or(""), json_text(p.data)));
    }
    for (const auto& [key, move_no] : t.timers) {
      dump.tables["timer"].push_back(row_of(track(t, key.track), contact(t, key.contact), key.entry,
                                            move_no, time_text(key.due, times)));
    }
    for (const auto& [at, p] : t.journal) {
      dump.tables["journal"].push_back(
          row_of(track(t, at.first.track), contact(t, at.first.contact), at.first.entry,
                 p.from_move, at.second, p.version.get(), time_text(p.at, times), p.peer.name.get(),
                 p.peer.incarnation.get(), p.path_json, p.seen));
    }
    for (const auto& [at, n] : t.tally) {
      if (n == 0) {
        continue;
      }
      dump.tables["tally"].push_back(row_of(track(t, std::get<0>(at)), std::get<1>(at).get(),
                                            std::get<2>(at), std::get<3>(at), std::get<4>(at), n));
    }
    for (const auto& [name, track] : t.tracks) {
      dump.tables["track"].push_back(row_of(name, track.version.get(), track.active ? 1 : 0));
      for (const auto& [version, text] : track.texts) {
        dump.tables["track_version"].push_back(row_of(name, version.get(), text));
      }
    }
  }

  static void dump_actions(const model::Tables& t, Times times, Dump& dump) {
    for (const auto& [k, a] : t.outbox) {
      dump.tables["outbox"].push_back(row_of(
          track(t, k.track), contact(t, k.contact), k.entry, k.move_no, k.action_no,
          static_cast<int>(a.kind), a.name, a.version.get(), static_cast<int>(a.state), a.attempt,
          time_text(a.asked_at, times), time_text(a.due_at, times), a.peer.name.get(), a.payload));
    }
    for (const auto& [at, d] : t.deliveries) {
      const OutboxKey& k = at.first;
      dump.tables["delivery"].push_back(row_of(track(t, k.track), contact(t, k.contact), k.entry,
                                               k.move_no, k.action_no, at.second, d.peer,
                                               static_cast<int>(d.state), d.answer));
    }
  }

  static void dump_contacts(const model::Tables& t, Times times, Dump& dump) {
    for (const auto& [id, c] : t.contacts) {
      std::vector<std::string> row = {c.key};
      std::vector<track::Field> fields = t.fields;
      fields.insert(fields.begin(), {"email", track::Type::kText, "email"});
      for (const track::Field& field : fields) {
        const auto found = c.values.find(field.column);
        row.push_back(
            value_text(found == c.values.end() ? track::Missing{} : found->second, times));
      }
      dump.tables["contact"].push_back(std::move(row));
    }
    for (const auto& [id, tag] : t.tags) {
      dump.tables["contact_tag"].push_back(row_of(contact(t, id), tag));
    }
    for (const Change& change : t.changes) {
      add_change(contact(t, change.contact), track(t, change.by), change.created, change.fields,
                 change.tags, change.events, change.places, dump);
    }
    for (const auto& [id, events] : t.events) {
      std::int64_t number = 0;
      for (const model::ModelEvent& e : events) {
        dump.tables["event"].push_back(row_of(contact(t, id), ++number, e.name, e.entry,
                                              static_cast<int>(e.origin), time_text(e.at, times),
                                              json_text(e.properties)));
      }
    }
    for (const auto& [source, id] : t.messages) {
      dump.tables["message"].push_back(row_of(source, id));
    }
  }

  model::ModelStore store_;
};

// -- The databases
// ---------------------------------------------------------------------------------------------------------

struct DumpQuery {
  const char* table;
  const char* sql;
  std::string kinds;  // one letter per column: i integer, s text, t time, j JSON
};

const std::vector<DumpQuery>& dump_queries() {
  static const std::vector<DumpQuery> kQueries = {
      {"position",
       "select t.name, c.key, p.entry, p.step, p.move_no, p.version, p.state, p.heard, p.stayed, "
       "p.entered_at, p.step_at, "
       "p.due_at, p.entry_key, p.entry_data from position p join track t on t.id = p.track_id join "
       "contact c on c.id = "
       "p.contact_id",
       "ssiiiiiiitttsj"},
      {"event",
       "select c.key, e.number, e.name, e.entry, e.origin, e.at, e.properties from event e join "
       "contact c on c.id = e.contact_id",
       "sisiitj"},
      {"message", "select source, message_id from message", "ss"},
      {"timer",
       "select t.name, c.key, r.entry, r.move_no, r.due_at from timer r join track t on t.id = "
       "r.track_id "
       "join contact c on c.id = r.contact_id",
       "ssiit"},
      {"journal",
       "select t.name, c.key, j.entry, j.from_move, j.to_move, j.version, j.at, j.peer, "
       "j.incarnation, j.path, j.seen "
       "from journal j join track t on t.id = j.track_id join contact c on c.id = j.contact_id",
       "ssiiiitsiss"},
      {"tally",
       "select t.name, a.version, a.step, a.rule, a.connection, a.times from tally a join track t "
       "on t.id = a.track_id "
       "where a.times <> 0",
       "siiiii"},
      {"track", "select name, version, active from track", "sii"},
      {"track_version",
       "select t.name, v.version, v.text from track_version v join track t on t.id = v.track_id",
       "sis"},
      {"outbox",
       "select t.name, c.key, o.entry, o.move_no, o.action_no, o.kind, o.name, o.version, o.state, "
       "o.attempt, o.asked_at, "
       "o.due_at, o.peer, o.payload from outbox o join track t on t.id = o.track_id join contact c "
       "on c.id = o.contact_id",
       "ssiiiiiiiittss"},
      {"delivery",
       "select t.name, c.key, d.entry, d.move_no, d.action_no, d.attempt, d.peer, d.state, "
       "d.answer from delivery d "
       "join track t on t.id = d.track_id join contact c on c.id = d.contact_id",
       "ssiiiisis"},
      {"contact_tag",
       "select c.key, g.tag from contact_tag g join contact c on c.id = g.contact_id", "ss"},
      {"ledger",
       "select t.name, l.owner, l.timeline, l.epoch, l.version, case l.state when 0 then 1 else 0 "
       "end from ledger l "
       "left join track t on t.id = l.track_id",
       "ssiiii"},
      {"cursor", "select t.name, k.clause, k.value from cursor k join track t on t.id = k.track_id",
       "sss"},
  };
  return kQueries;
}

std::string cell_text(const sql::Rows& rows, std::size_t row, std::size_t column, char kind,
                      Times times) {
  switch (kind) {
    case 'i':
      return std::to_string(rows.integer(row, column));
    case 't':
      return time_text(rows.instant(row, column), times);
    case 'j':
      return json_text(rows.text(row, column));
    default:
      return rows.text(row, column);
  }
}

void dump_sql_contacts(sql::Connection& connection, Times times, Dump& dump) {
  const sql::Rows declared =
      connection.query("select name, type, column_name from field order by name", {}).value();
  std::vector<track::Field> fields = {{"email", track::Type::kText, "email"}};
  std::string columns = "email";
  for (std::size_t i = 0; i < declared.size(); ++i) {
    track::Type type = track::Type::kText;
    for (const auto candidate : {track::Type::kNumber, track::Type::kBoolean,
                                 track::Type::kTimestamp, track::Type::kDate}) {
      type = declared.text(i, 1) == track::type_name(candidate) ? candidate : type;
    }
    fields.push_back({declared.text(i, 0), type, declared.text(i, 2)});
    columns += ", \"" + declared.text(i, 2) + "\"";
  }
  const sql::Rows rows = connection.query("select key, " + columns + " from contact", {}).value();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::vector<std::string> row = {rows.text(i, 0)};
    for (std::size_t f = 0; f < fields.size(); ++f) {
      row.push_back(value_text(sql::from_sql(rows.at(i, f + 1), fields[f].type), times));
    }
    dump.tables["contact"].push_back(std::move(row));
  }
  const sql::Rows changes = connection
                                .query(
                                    "select c.key, t.name, h.created, h.what from change h join "
                                    "contact c on c.id = h.contact_id "
                                    "left join track t on t.id = h.track_id",
                                    {})
                                .value();
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const nlohmann::json what = nlohmann::json::parse(changes.text(i, 3));
    add_change(changes.text(i, 0), changes.text(i, 1), changes.boolean(i, 2),
               what.value("fields", std::vector<std::string>()),
               what.value("tags", std::vector<std::string>()),
               what.value("events", std::vector<std::pair<std::string, std::int64_t>>()),
               what.value("places", std::vector<std::string>()), dump);
  }
}

class SqlDatabase : public TestDatabase {
 public:
  Dump dump(Times times) override {
    Dump dump;
    sql::Connection& connection = *sql();
    for (const DumpQuery& query : dump_queries()) {
      const sql::Rows rows = connection.query(query.sql, {}).value();
      for (std::size_t i = 0; i < rows.size(); ++i) {
        std::vector<std::string> row;
        for (std::size_t column = 0; column < query.kinds.size(); ++column) {
          row.push_back(cell_text(rows, i, column, query.kinds[column], times));
        }
        dump.tables[query.table].push_back(std::move(row));
      }
    }
    dump_sql_contacts(connection, times, dump);
    sort_rows(dump);
    return dump;
  }
};

class SqliteDatabase final : public SqlDatabase {
 public:
  SqliteDatabase() {
    std::string folder = (std::filesystem::temp_directory_path() / "turnout-store-XXXXXX").string();
    CHECK(mkdtemp(folder.data()) != nullptr);
    folder_ = folder;
    store_ = open_store(url()).value();
    store_->migrate().value();
    auto lock = sqlite::WriterLock::open(path() + "-lock").value();
    connection_ =
        std::make_unique<sqlite::SqliteConnection>(sqlite::Database::open(path(), lock).value());
  }
  ~SqliteDatabase() override {
    connection_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  Kind kind() const override { return Kind::kSqlite; }
  Store& store() override { return *store_; }
  sql::Connection* sql() override { return connection_.get(); }
  std::string url() const override { return "sqlite://" + path(); }

 private:
  std::string path() const { return folder_ + "/turnout.db"; }

  std::string folder_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<sqlite::SqliteConnection> connection_;
};

// A database of its own on the server that TURNOUT_TEST_PG names.
class PostgresDatabase final : public SqlDatabase {
 public:
  PostgresDatabase() {
    static std::atomic<int> count = 0;
    name_ = "turnout_store_" + std::to_string(getpid()) + "_" + std::to_string(++count);
    on_server("create database " + name_ +
              " template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'");
    store_ = open_store(url()).value();
    store_->migrate().value();
    connection_ =
        std::make_unique<postgres::PgConnection>(std::make_shared<postgres::Target>(url()));
  }
  ~PostgresDatabase() override {
    connection_.reset();
    store_.reset();
    on_server("drop database if exists " + name_ + " with (force)");
  }
  Kind kind() const override { return Kind::kPostgres; }
  Store& store() override { return *store_; }
  sql::Connection* sql() override { return connection_.get(); }
  std::string url() const override {
    const std::string server = std::getenv("TURNOUT_TEST_PG");
    if (server.find("://") == std::string::npos) {
      return server + " dbname=" + name_;
    }
    const std::size_t query = server.find('?');
    const std::size_t slash = server.find('/', server.find("://") + 3);
    const std::string host = server.substr(0, std::min(slash, query));
    return host + "/" + name_ + (query == std::string::npos ? "" : server.substr(query));
  }

 private:
  static void on_server(const std::string& sql) {
    PGconn* connection = PQconnectdb(std::getenv("TURNOUT_TEST_PG"));
    CHECK(PQstatus(connection) == CONNECTION_OK);
    PGresult* result = PQexec(connection, sql.c_str());
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
      ADD_FAILURE() << sql << ": " << PQerrorMessage(connection);
    }
    PQclear(result);
    PQfinish(connection);
  }

  std::string name_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<postgres::PgConnection> connection_;
};

}  // namespace

std::vector<Kind> kinds() {
  std::vector<Kind> kinds = {Kind::kModel, Kind::kSqlite};
  if (std::getenv("TURNOUT_TEST_PG") != nullptr) {
    kinds.push_back(Kind::kPostgres);
  }
  return kinds;
}

std::string kind_name(Kind kind) {
  return kind == Kind::kModel ? "model" : kind == Kind::kSqlite ? "sqlite" : "postgres";
}

std::unique_ptr<TestDatabase> TestDatabase::make(Kind kind) {
  switch (kind) {
    case Kind::kModel: {
      auto database = std::make_unique<ModelDatabase>();
      database->store().migrate().value();
      return database;
    }
    case Kind::kSqlite:
      return std::make_unique<SqliteDatabase>();
    case Kind::kPostgres:
      return std::make_unique<PostgresDatabase>();
  }
  return nullptr;
}

std::string Dump::text() const {
  std::string text;
  for (const auto& [name, rows] : tables) {
    for (const std::vector<std::string>& row : rows) {
      text += name;
      for (const std::string& cell : row) {
        text += " | " + cell;
      }
      text += '\n';
    }
  }
  return text;
}

// -- Invariants
// ------------------------------------------------------------------------------------------------------------

namespace {

// (track, contact, entry)
std::string entry_of(const std::vector<std::string>& row) {
  return row[0] + "/" + row[1] + "/" + row[2];
}

void check_timers(Dump& dump) {
  std::set<std::vector<std::string>> expected;
  for (const auto& p : dump.tables["position"]) {
    const bool stopped = p[6] == "2";
    EXPECT_TRUE(!stopped || p[11] == "never") << "a stopped position waits: " << entry_of(p);
    EXPECT_TRUE(p[6] != "1" || p[11] != "never")
        << "a closed position never opens: " << entry_of(p);
    if (p[11] != "never") {
      expected.insert({p[0], p[1], p[2], p[4], p[11]});
    }
  }
  const Table& timers = dump.tables["timer"];
  EXPECT_EQ(expected, std::set<std::vector<std::string>>(timers.begin(), timers.end())) << "G10";
  EXPECT_EQ(expected.size(), timers.size()) << "G10";
}

void check_journal(Dump& dump) {
  std::map<std::string, std::map<int, int>> passages;  // entry → first move → last move
  for (const auto& j : dump.tables["journal"]) {
    EXPECT_TRUE(passages[entry_of(j)].emplace(std::stoi(j[3]), std::stoi(j[4])).second)
        << "G3 " << entry_of(j);
  }
  std::map<std::string, int> moves;
  for (const auto& p : dump.tables["position"]) {
    moves[entry_of(p)] = std::stoi(p[4]);
  }
  for (const auto& [entry, of_entry] : passages) {
    int next = 1;
    for (const auto& [from, to] : of_entry) {
      EXPECT_EQ(next, from) << "G3 " << entry;
      EXPECT_LE(from, to) << "G3 " << entry;
      next = to + 1;
    }
    EXPECT_EQ(next - 1, moves[entry]) << "G3 " << entry;
    moves.erase(entry);
  }
  for (const auto& [entry, number] : moves) {
    EXPECT_EQ(0, number) << "G3 " << entry << " moved without a journal";
  }
}

void check_outbox(Dump& dump) {
  std::map<std::string, int> moves;
  for (const auto& p : dump.tables["position"]) {
    moves[entry_of(p)] = std::stoi(p[4]);
  }
  std::set<std::string> keys;
  for (const auto& o : dump.tables["outbox"]) {
    EXPECT_LE(std::stoi(o[3]), moves[entry_of(o)]) << "G4 " << entry_of(o);
    EXPECT_TRUE(keys.insert(entry_of(o) + "/" + o[3] + "/" + o[4]).second) << "G4 " << entry_of(o);
  }
}

void check_tally(Dump& dump) {
  std::map<std::string, std::int64_t> on_step;
  std::map<std::string, std::int64_t> moves;
  for (const auto& p : dump.tables["position"]) {
    ++on_step[p[0] + "/" + p[3]];
  }
  for (const auto& j : dump.tables["journal"]) {
    moves[j[0]] += std::stoi(j[4]) - std::stoi(j[3]) + 1;
  }
  for (const auto& t : dump.tables["tally"]) {
    const int rule = std::stoi(t[3]);
    if (sql::is_move(rule)) {
      moves[t[0]] -= std::stoll(t[5]);
    } else {
      on_step[t[0] + "/" + t[2]] -= std::stoll(t[5]);
    }
  }
  for (const auto& [step, rest] : on_step) {
    EXPECT_EQ(0, rest) << "tally: contacts on " << step;
  }
  for (const auto& [track, rest] : moves) {
    EXPECT_EQ(0, rest) << "tally: moves of " << track;
  }
}

}  // namespace

void check_invariants(TestDatabase& database) {
  Dump dump = database.dump(Times::kRaw);
  check_timers(dump);
  check_journal(dump);
  check_outbox(dump);
  check_tally(dump);
}

}  // namespace turnout::store::test
