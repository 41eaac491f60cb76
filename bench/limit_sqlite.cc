// The limit on SQLite: one connection, one transaction per block, each table's rows one after
// another by a statement prepared once.

#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "bench/limit.h"
#include "store/sql/session.h"

namespace turnout::bench {

namespace {

class Database {
 public:
  explicit Database(const std::string& path) {
    check(sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READWRITE, nullptr));
    sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    run("pragma journal_mode = wal");
    run("pragma synchronous = full");
    run("pragma wal_autocheckpoint = 4000");  // 16 MB, as the engine
    run("pragma cache_size = -65536");
    run("pragma temp_store = memory");
  }
  ~Database() { sqlite3_close(db_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void run(const char* sql) { check(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr)); }
  void check(int rc) const {
    if (rc != SQLITE_OK && rc != SQLITE_DONE && rc != SQLITE_ROW) {
      fail(db_ == nullptr ? "cannot open the database" : sqlite3_errmsg(db_));
    }
  }
  sqlite3* get() const { return db_; }

 private:
  sqlite3* db_ = nullptr;
};

class Statement {
 public:
  Statement(Database& db, const std::string& sql) : db_(db) {
    db.check(sqlite3_prepare_v3(db.get(), sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &statement_,
                                nullptr));
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  void bind(int at, std::int64_t value) { sqlite3_bind_int64(statement_, at, value); }
  void bind(int at, std::string_view text) {
    sqlite3_bind_text(statement_, at, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
  }
  void bind_null(int at) { sqlite3_bind_null(statement_, at); }
  bool step() {
    const int rc = sqlite3_step(statement_);
    db_.check(rc);
    return rc == SQLITE_ROW;
  }
  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  // Runs a statement that changes one row.
  void run() {
    step();
    sqlite3_reset(statement_);
    if (sqlite3_changes(db_.get()) != 1) {
      fail("the limit's rows are not where they should be");
    }
  }

 private:
  Database& db_;
  sqlite3_stmt* statement_ = nullptr;
};

class Writer {
 public:
  Writer(Database& db, const LimitWork& work) : db_(db), work_(work) {
    for (Statement* s : {&position_, &drop_timer_, &add_timer_, &journal_, &outbox_, &change_}) {
      s->bind(1, std::int64_t{work.track});
    }
    for (Statement* s : {&position_, &journal_, &outbox_}) {
      s->bind(2, std::int64_t{work.version});
    }
    tally_.bind(1, std::int64_t{work.track});
    tally_.bind(2, std::int64_t{work.version});
    tag_.bind(2, std::string_view("pro"));
    change_.bind(3, std::string_view("{\"fields\":[],\"tags\":[\"pro\"]}"));
  }

  void write(const LimitBlock& block) {
    db_.run("begin immediate");
    positions(block);
    timers(block);
    journal(block);
    outbox(block);
    tags(block);
    tally(block);
    db_.run("commit");
  }

 private:
  void positions(const LimitBlock& block) {
    for (std::size_t i = 0; i < block.contact.size(); ++i) {
      const track::Shape& shape = work_.shape(block, i);
      position_.bind(3, std::int64_t{shape.step});
      position_.bind(4, static_cast<std::int64_t>(shape.state));
      position_.bind(5, std::int64_t{block.move_no[i] + shape.moves});
      position_.bind(6, block.now);
      if (shape.state == track::PositionState::kStopped) {
        position_.bind_null(7);
      } else {
        position_.bind(7, block.now);
      }
      position_.bind(8, block.contact[i]);
      position_.bind(9, std::int64_t{block.move_no[i]});
      position_.bind(10, block.old_due[i]);
      position_.run();
    }
  }

  void timers(const LimitBlock& block) {
    for (std::size_t i = 0; i < block.contact.size(); ++i) {
      drop_timer_.bind(2, block.old_due[i]);
      drop_timer_.bind(3, block.contact[i]);
      drop_timer_.run();
    }
    for (std::size_t i = 0; i < block.contact.size(); ++i) {
      const track::Shape& shape = work_.shape(block, i);
      if (shape.state != track::PositionState::kStopped) {
        add_timer_.bind(2, block.now);
        add_timer_.bind(3, block.contact[i]);
        add_timer_.bind(4, std::int64_t{block.move_no[i] + shape.moves});
        add_timer_.run();
      }
    }
  }

  void journal(const LimitBlock& block) {
    for (std::size_t i = 0; i < block.contact.size(); ++i) {
      const track::Shape& shape = work_.shape(block, i);
      journal_.bind(3, block.contact[i]);
      journal_.bind(4, std::int64_t{block.move_no[i] + 1});
      journal_.bind(5, std::int64_t{block.move_no[i] + shape.moves});
      journal_.bind(6, block.now);
      journal_.bind(7, std::string_view(shape.path_json));
      journal_.bind(8, block.outcome.seen[i]);
      journal_.run();
    }
  }

  void outbox(const LimitBlock& block) {
    for (std::size_t i = 0; i < block.contact.size(); ++i) {
      for (const track::Shape::Act& act : work_.shape(block, i).acts) {
        outbox_.bind(3, block.contact[i]);
        outbox_.bind(4, std::int64_t{block.move_no[i] + act.move});
        outbox_.bind(5, std::int64_t{act.action_no});
        outbox_.bind(6, static_cast<std::int64_t>(act.kind));
        outbox_.bind(7, std::int64_t{act.name});
        outbox_.bind(8, block.now);
        outbox_.run();
      }
    }
  }

  void tags(const LimitBlock& block) {
    for (std::size_t i = 0; i < block.contact.size(); ++i) {
      if (!work_.shape(block, i).tags.empty()) {
        tag_.bind(1, block.contact[i]);
        tag_.bind(3, block.now);
        tag_.run();
        change_.bind(2, block.contact[i]);
        change_.bind(4, block.now);
        change_.run();
      }
    }
  }

  void tally(const LimitBlock& block) {
    std::map<std::pair<std::int32_t, std::int32_t>, std::int64_t> sums;
    for (std::size_t i = 0; i < block.contact.size(); ++i) {
      const track::Shape& shape = work_.shape(block, i);
      for (const track::Shape::Count& count : shape.counts) {
        sums[{count.step, count.rule}] += count.times;
      }
      --sums[{shape.path.front(), store::sql::kTallyNet}];
      ++sums[{shape.path.back(), store::sql::kTallyNet}];
    }
    for (const auto& [place, times] : sums) {
      tally_.bind(3, std::int64_t{place.first});
      tally_.bind(4, std::int64_t{place.second});
      tally_.bind(5, times);
      tally_.run();
    }
  }

  Database& db_;
  const LimitWork& work_;
  Statement position_{db_,
                      "update position set version = ?2, step = ?3, state = ?4, move_no = ?5,"
                      " step_at = ?6, due_at = ?7, stayed = 0 where track_id = ?1"
                      " and contact_id = ?8 and entry = 1 and move_no = ?9 and heard = 0"
                      " and due_at = ?10"};
  Statement drop_timer_{db_,
                        "delete from timer where track_id = ?1 and due_at = ?2"
                        " and contact_id = ?3 and entry = 1"};
  Statement add_timer_{db_,
                       "insert into timer (track_id, due_at, contact_id, entry, move_no)"
                       " values (?1, ?2, ?3, 1, ?4)"};
  Statement journal_{db_,
                     "insert into journal (track_id, contact_id, entry, from_move, to_move,"
                     " version, at, peer, incarnation, path, seen)"
                     " values (?1, ?3, 1, ?4, ?5, ?2, ?6, 'limit', 1, ?7, ?8)"};
  Statement outbox_{db_,
                    "insert into outbox (track_id, contact_id, entry, move_no, action_no, kind,"
                    " name, version, asked_at, due_at)"
                    " values (?1, ?3, 1, ?4, ?5, ?6, ?7, ?2, ?8, ?8)"};
  Statement tag_{db_, "insert into contact_tag (contact_id, tag, at) values (?1, ?2, ?3)"};
  Statement change_{db_,
                    "insert into change (contact_id, track_id, what, at)"
                    " values (?2, ?1, ?3, ?4)"};
  Statement tally_{db_,
                   "insert into tally (track_id, version, step, rule, connection, times)"
                   " values (?1, ?2, ?3, ?4, 1, ?5)"
                   " on conflict do update set times = times + excluded.times"};
};

}  // namespace

std::vector<std::int64_t> read_due_sqlite(const std::string& path, std::int32_t track,
                                          std::int64_t n) {
  Database db(path);
  Statement select(db,
                   "select p.contact_id, p.due_at from position p join contact c"
                   " on c.id = p.contact_id and c.key = 'user' || c.id where p.track_id = ?1");
  select.bind(1, std::int64_t{track});
  std::vector<std::int64_t> due(static_cast<std::size_t>(n) + 1, 0);
  std::int64_t rows = 0;
  while (select.step()) {
    due.at(static_cast<std::size_t>(select.integer(0))) = select.integer(1);
    ++rows;
  }
  if (rows != n) {
    fail("the limit needs contacts whose ids are their numbers");
  }
  return due;
}

std::int64_t count_tags_sqlite(const std::string& path) {
  Database db(path);
  Statement count(db, "select count(*) from contact_tag");
  count.step();
  return count.integer(0);
}

double limit_sqlite(const std::string& path, const LimitWork& work) {
  Database db(path);
  Writer writer(db, work);
  const auto started = std::chrono::steady_clock::now();
  for (const LimitBlock& block : work.blocks) {
    writer.write(block);
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
}

}  // namespace turnout::bench
