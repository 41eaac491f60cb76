// The limit on PostgreSQL: per block one transaction of plain set-based statements over binary
// arrays, all prepared, all sent in one pipeline, so that a block costs one round trip.

#include <libpq-fe.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "bench/limit.h"
#include "store/postgres/binary.h"
#include "store/sql/session.h"

namespace turnout::bench {

namespace {

using store::postgres::Params;

constexpr const char* kSettings =
    "set jit = off; set plan_cache_mode = force_generic_plan; set enable_hashjoin = off;"
    "set enable_mergejoin = off; set enable_seqscan = off; set enable_material = off;"
    "set timezone = 'UTC'; set client_min_messages = error";

enum Sql : std::uint8_t {
  kMove,
  kDropTimers,
  kAddTimers,
  kJournal,
  kOutbox,
  kTags,
  kChanges,
  kTally,
  kBegin,
  kCommit,
  kStatements
};

// No column of a table is compared with a constant: with stale statistics the planner would read
// the table by that condition and go through the block for each of its rows.
constexpr const char* kTexts[kStatements] = {
    "update position p set step = n.step, state = n.state, move_no = n.to_move, version = $2,"
    " step_at = n.now, due_at = nullif(n.due, 'infinity'), stayed = 0 from (select $1::integer"
    " as track_id, 1 as entry, 0::bigint as heard, unnest($3::bigint[]) as contact_id, "
    "unnest($4::integer[]) as move_no,"
    " unnest($5::timestamptz[]) as old_due, unnest($6::integer[]) as step,"
    " unnest($7::smallint[]) as state, unnest($8::integer[]) as to_move,"
    " unnest($9::timestamptz[]) as due, $10::timestamptz as now) n"
    " where p.track_id = n.track_id and p.contact_id = n.contact_id and p.entry = n.entry"
    " and p.move_no = n.move_no and p.heard = n.heard and p.due_at = n.old_due",
    "delete from timer t using (select $1::integer as track_id, 1 as entry, unnest($2::bigint[]) as"
    " contact_id, unnest($3::timestamptz[]) as due) n where t.track_id = n.track_id"
    " and t.due_at = n.due and t.contact_id = n.contact_id and t.entry = n.entry",
    "insert into timer (track_id, due_at, contact_id, entry, move_no)"
    " select $1, $2, unnest($3::bigint[]), 1, unnest($4::integer[])",
    "insert into journal (track_id, contact_id, entry, from_move, to_move, version, at, peer,"
    " incarnation, path, seen) select $1, unnest($3::bigint[]), 1, unnest($4::integer[]),"
    " unnest($5::integer[]), $2, now(), 'limit', 1, unnest($6::text[]), unnest($7::text[])",
    "insert into outbox (track_id, contact_id, entry, move_no, action_no, kind, name, version,"
    " asked_at, due_at) select $1, unnest($3::bigint[]), 1, unnest($4::integer[]),"
    " unnest($5::smallint[]), unnest($6::smallint[]), unnest($7::integer[]), $2, now(), now()",
    "insert into contact_tag (contact_id, tag, at) select unnest($1::bigint[]),"
    " unnest($2::text[]), now()",
    "insert into change (contact_id, track_id, what) select unnest($2::bigint[]), $1,"
    " unnest($3::text[])",
    "insert into tally (track_id, version, step, rule, connection, times) select $1, $2,"
    " unnest($4::integer[]), unnest($5::integer[]), $3, unnest($6::bigint[])"
    " on conflict (track_id, version, step, rule, connection)"
    " do update set times = tally.times + excluded.times",
    "begin",
    "commit",
};

class Connection {
 public:
  explicit Connection(const std::string& url) : connection_(PQconnectdb(url.c_str())) {
    if (PQstatus(connection_) != CONNECTION_OK) {
      fail(PQerrorMessage(connection_));
    }
    PQclear(PQexec(connection_, kSettings));
  }
  ~Connection() { PQfinish(connection_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  PGresult* query(const std::string& sql) {
    PGresult* const result = PQexec(connection_, sql.c_str());
    if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK) {
      fail(PQerrorMessage(connection_));
    }
    return result;
  }

  void enter_pipeline() {
    if (PQenterPipelineMode(connection_) != 1) {
      fail(PQerrorMessage(connection_));
    }
  }

  void send(Sql sql, const Params& params) {
    const std::string name = "l" + std::to_string(sql);
    if (!prepared_[sql]) {
      check(PQsendPrepare(connection_, name.c_str(), kTexts[sql], static_cast<int>(params.size()),
                          params.types().data()));
      expected_.push_back(-1);
      prepared_[sql] = true;
    }
    std::vector<const char*> values;
    std::vector<int> lengths;
    std::vector<int> formats;
    params.pointers(values, lengths, formats);
    check(PQsendQueryPrepared(connection_, name.c_str(), static_cast<int>(params.size()),
                              values.data(), lengths.data(), formats.data(), 1));
  }
  // The number of rows that the statement sent last must change, or -1.
  void expect(std::int64_t rows) { expected_.push_back(rows); }

  void finish() {
    check(PQpipelineSync(connection_));
    for (const std::int64_t rows : expected_) {
      PGresult* const result = PQgetResult(connection_);
      if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        fail(PQerrorMessage(connection_));
      }
      if (rows >= 0 && std::strtoll(PQcmdTuples(result), nullptr, 10) != rows) {
        fail("the limit's rows are not where they should be");
      }
      PQclear(result);
      PQclear(PQgetResult(connection_));  // the null that ends a statement's results
    }
    PQclear(PQgetResult(connection_));  // the sync
    expected_.clear();
  }

 private:
  void check(int done) {
    if (done != 1) {
      fail(PQerrorMessage(connection_));
    }
  }

  PGconn* connection_;
  bool prepared_[kStatements] = {};
  std::vector<std::int64_t> expected_;
};

class Writer {
 public:
  Writer(Connection& connection, const LimitWork& work, std::int32_t number)
      : connection_(connection), work_(work), number_(number) {}

  void write(const LimitBlock& block) {
    connection_.send(kBegin, Params());
    connection_.expect(-1);
    positions(block);
    timers(block);
    journal(block);
    outbox(block);
    tags(block);
    tally(block);
    connection_.send(kCommit, Params());
    connection_.expect(-1);
    connection_.finish();
  }

 private:
  bool goes_on(const LimitBlock& block, std::size_t row) const {
    return work_.shape(block, row).state != track::PositionState::kStopped;
  }

  void positions(const LimitBlock& block) {
    const std::size_t n = block.contact.size();
    const auto shape = [&](std::size_t i) -> const track::Shape& { return work_.shape(block, i); };
    Params p;
    p.add(work_.track);
    p.add(work_.version);
    p.add_int8s(n, [&](std::size_t i) { return block.contact[i]; });
    p.add_int4s(n, [&](std::size_t i) { return block.move_no[i]; });
    p.add_instants(n, [&](std::size_t i) { return base::Instant{block.old_due[i]}; });
    p.add_int4s(n, [&](std::size_t i) { return shape(i).step; });
    p.add_int2s(n, [&](std::size_t i) { return static_cast<std::int16_t>(shape(i).state); });
    p.add_int4s(n, [&](std::size_t i) { return block.move_no[i] + shape(i).moves; });
    p.add_instants(n, [&](std::size_t i) { return block.outcome.due_at[i]; });
    p.add(base::Instant{block.now});
    connection_.send(kMove, p);
    connection_.expect(static_cast<std::int64_t>(n));
  }

  void timers(const LimitBlock& block) {
    const std::size_t n = block.contact.size();
    Params drop;
    drop.add(work_.track);
    drop.add_int8s(n, [&](std::size_t i) { return block.contact[i]; });
    drop.add_instants(n, [&](std::size_t i) { return base::Instant{block.old_due[i]}; });
    connection_.send(kDropTimers, drop);
    connection_.expect(static_cast<std::int64_t>(n));
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < n; ++i) {
      if (goes_on(block, i)) {
        rows.push_back(i);
      }
    }
    if (rows.empty()) {
      return;
    }
    Params add;
    add.add(work_.track);
    add.add(base::Instant{block.now});
    add.add_int8s(rows.size(), [&](std::size_t i) { return block.contact[rows[i]]; });
    add.add_int4s(rows.size(), [&](std::size_t i) {
      return block.move_no[rows[i]] + work_.shape(block, rows[i]).moves;
    });
    connection_.send(kAddTimers, add);
    connection_.expect(static_cast<std::int64_t>(rows.size()));
  }

  void journal(const LimitBlock& block) {
    const std::size_t n = block.contact.size();
    Params p;
    p.add(work_.track);
    p.add(work_.version);
    p.add_int8s(n, [&](std::size_t i) { return block.contact[i]; });
    p.add_int4s(n, [&](std::size_t i) { return block.move_no[i] + 1; });
    p.add_int4s(n, [&](std::size_t i) { return block.move_no[i] + work_.shape(block, i).moves; });
    p.add_texts(n,
                [&](std::size_t i) { return std::string_view(work_.shape(block, i).path_json); });
    p.add_texts(n, [&](std::size_t i) { return block.outcome.seen[i]; });
    connection_.send(kJournal, p);
    connection_.expect(static_cast<std::int64_t>(n));
  }

  void outbox(const LimitBlock& block) {
    std::vector<std::pair<std::size_t, const track::Shape::Act*>> acts;
    for (std::size_t i = 0; i < block.contact.size(); ++i) {
      for (const track::Shape::Act& act : work_.shape(block, i).acts) {
        acts.emplace_back(i, &act);
      }
    }
    if (acts.empty()) {
      return;
    }
    const std::size_t n = acts.size();
    Params p;
    p.add(work_.track);
    p.add(work_.version);
    p.add_int8s(n, [&](std::size_t a) { return block.contact[acts[a].first]; });
    p.add_int4s(n,
                [&](std::size_t a) { return block.move_no[acts[a].first] + acts[a].second->move; });
    p.add_int2s(n, [&](std::size_t a) { return acts[a].second->action_no; });
    p.add_int2s(n, [&](std::size_t a) { return static_cast<std::int16_t>(acts[a].second->kind); });
    p.add_int4s(n, [&](std::size_t a) { return acts[a].second->name; });
    connection_.send(kOutbox, p);
    connection_.expect(static_cast<std::int64_t>(n));
  }

  void tags(const LimitBlock& block) {
    std::vector<std::int64_t> contacts;
    for (std::size_t i = 0; i < block.contact.size(); ++i) {
      if (!work_.shape(block, i).tags.empty()) {
        contacts.push_back(block.contact[i]);
      }
    }
    if (contacts.empty()) {
      return;
    }
    const std::size_t n = contacts.size();
    Params tag;
    tag.add_int8s(n, [&](std::size_t i) { return contacts[i]; });
    tag.add_texts(n, [](std::size_t) { return std::string_view("pro"); });
    connection_.send(kTags, tag);
    connection_.expect(static_cast<std::int64_t>(n));
    Params change;
    change.add(work_.track);
    change.add_int8s(n, [&](std::size_t i) { return contacts[i]; });
    change.add_texts(n, [](std::size_t) { return std::string_view("{\"tags\":[\"pro\"]}"); });
    connection_.send(kChanges, change);
    connection_.expect(static_cast<std::int64_t>(n));
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
    const std::vector<std::pair<std::pair<std::int32_t, std::int32_t>, std::int64_t>> counts(
        sums.begin(), sums.end());
    const std::size_t n = counts.size();
    Params p;
    p.add(work_.track);
    p.add(work_.version);
    p.add(number_);
    p.add_int4s(n, [&](std::size_t i) { return counts[i].first.first; });
    p.add_int4s(n, [&](std::size_t i) { return counts[i].first.second; });
    p.add_int8s(n, [&](std::size_t i) { return counts[i].second; });
    connection_.send(kTally, p);
    connection_.expect(static_cast<std::int64_t>(n));
  }

  Connection& connection_;
  const LimitWork& work_;
  const std::int32_t number_;
};

}  // namespace

std::vector<std::int64_t> read_due_postgres(const std::string& url, std::int32_t track,
                                            std::int64_t n) {
  Connection connection(url);
  PGresult* const result = connection.query(
      "select p.contact_id, (extract(epoch from p.due_at) * 1000000)::bigint from position p"
      " join contact c on c.id = p.contact_id and c.key = 'user' || c.id where p.track_id = " +
      std::to_string(track));
  std::vector<std::int64_t> due(static_cast<std::size_t>(n) + 1, 0);
  if (PQntuples(result) != n) {
    fail("the limit needs contacts whose ids are their numbers");
  }
  for (int r = 0; r < PQntuples(result); ++r) {
    due[static_cast<std::size_t>(std::atoll(PQgetvalue(result, r, 0)))] =
        std::atoll(PQgetvalue(result, r, 1));
  }
  PQclear(result);
  return due;
}

std::int64_t count_tags_postgres(const std::string& url) {
  Connection connection(url);
  PGresult* const result = connection.query("select count(*) from contact_tag");
  const std::int64_t count = std::atoll(PQgetvalue(result, 0, 0));
  PQclear(result);
  return count;
}

double limit_postgres(const std::string& url, const std::vector<LimitWork>& work) {
  std::vector<std::unique_ptr<Connection>> connections;
  for (std::size_t k = 0; k < work.size(); ++k) {
    connections.push_back(std::make_unique<Connection>(url));
    connections.back()->enter_pipeline();
  }
  const auto started = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  for (std::size_t k = 0; k < work.size(); ++k) {
    threads.emplace_back([&, k] {
      Writer writer(*connections[k], work[k], static_cast<std::int32_t>(k) + 1);
      for (const LimitBlock& block : work[k].blocks) {
        writer.write(block);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
}

}  // namespace turnout::bench
