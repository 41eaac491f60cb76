// What the owner of a track does: sees who is due, gathers, follows the feed, wakes.

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <string>

#include "base/check.h"
#include "store/sql/change.h"
#include "store/sql/ledger.h"
#include "store/sql/places.h"
#include "store/sqlite/session.h"

namespace turnout::store::sqlite {

base::Result<std::vector<DueItem>> SqliteSession::due(base::TrackId track, const DueCursor& from,
                                                      base::Instant until, int limit) {
  CHECK(limit >= 1 && limit <= 100'000);
  sqlite_.make_room();
  TRY(Statement * select, sqlite_.cached("select due_at, contact_id, entry, move_no from timer "
                                         "where track_id = ?1 and due_at <= ?2 and "
                                         "(due_at, contact_id, entry) > (?3, ?4, ?5) order by "
                                         "due_at, contact_id, entry limit ?6"));
  sqlite_.count_statements(1);
  select->bind(1, static_cast<std::int64_t>(track.get()));
  select->bind(2, until.us);
  select->bind(3, from.due.us);
  select->bind(4, from.contact.get());
  select->bind(5, static_cast<std::int64_t>(from.entry));
  select->bind(6, static_cast<std::int64_t>(limit));
  std::vector<DueItem> items;
  int rc = select->step();
  for (; rc == SQLITE_ROW; rc = select->step()) {
    items.push_back({base::Instant{select->integer(0)}, base::ContactId(select->integer(1)),
                     select->integer32(2), select->integer32(3)});
  }
  select->reset();
  if (rc != SQLITE_DONE) {
    return failed(sqlite_.database());
  }
  return items;
}

base::Result<base::Instant> SqliteSession::next_due(base::TrackId track) {
  TRY(const sql::Rows rows, sqlite_.query("select min(due_at) from timer where track_id = $1",
                                          {static_cast<std::int64_t>(track.get())}));
  return rows.instant(0, 0);
}

// -- Gathering
// -------------------------------------------------------------------------------------------------------

namespace {

// A contact that is to come in, and its how-manieth time that is.
struct Candidate {
  base::ContactId contact;
  std::int64_t entry = 1;
};

// Puts contacts on a track, within a write transaction.
class Gathering {
 public:
  static base::Result<Gathering> make(SqliteConnection& connection, const Fence& fence,
                                      const Entrance& entrance) {
    TRY(Statement * position, connection.cached("insert into position (track_id, contact_id, "
                                                "entry, step, move_no, version, state, heard, "
                                                "stayed, entered_at, step_at, due_at) values (?1, "
                                                "?2, ?6, ?3, 0, ?4, 0, 0, 0, ?5, ?5, ?5)"));
    TRY(Statement * timer, connection.cached("insert into timer (track_id, due_at, contact_id, "
                                             "entry, move_no) values (?1, ?5, ?2, ?6, 0)"));
    const std::int64_t now = connection.database().now().us;
    for (Statement* statement : {position, timer}) {
      statement->bind(1, static_cast<std::int64_t>(fence.track.get()));
      statement->bind(5, now);
    }
    position->bind(3, static_cast<std::int64_t>(entrance.step));
    position->bind(4, static_cast<std::int64_t>(entrance.version.get()));
    connection.count_statements(2);
    return Gathering(position, timer);
  }

  bool enter(const Candidate& candidate) {
    for (Statement* statement : {position_, timer_}) {
      statement->bind(2, candidate.contact.get());
      statement->bind(6, candidate.entry);
    }
    return position_->run() && timer_->run();
  }

 private:
  Gathering(Statement* position, Statement* timer) : position_(position), timer_(timer) {}
  Statement* position_;
  Statement* timer_;
};

base::Result<void> count_gathered(SqliteConnection& connection, const Fence& fence,
                                  const Entrance& entrance, std::int64_t number) {
  if (number > 0) {
    TRYV(connection.execute(
        "insert into tally (track_id, version, step, rule, connection, times) values ($1, $2, $3, "
        "$4, 0, $5) "
        "on conflict do update set times = times + excluded.times",
        {static_cast<std::int64_t>(fence.track.get()),
         static_cast<std::int64_t>(entrance.version.get()),
         static_cast<std::int64_t>(entrance.step), static_cast<std::int64_t>(sql::kTallyEntered),
         number}));
  }
  return base::ok();
}

// What both ways of gathering ask: the track is ?1, the range of contacts at ?2 and ?3, the instant
// up to which earlier entries have stopped ?4, and the condition's own parameters follow, see
// SqliteSession::condition_style.
std::string candidates(const Entrance& entrance, const std::string& where,
                       const std::string& range) {
  const std::string entry =
      entrance.stopped_by ? "coalesce((select max(p.entry) from position p where p.track_id = ?1 "
                            "and p.contact_id = c.id), 0) + 1"
                          : "1";
  return "select c.id, " + entry + " from contact c where " + range +
         " and c.merged_into is null and not exists (select 1 from position p where p.track_id = "
         "?1 and p.contact_id = c.id and (?4 is null or p.state <> 2 or p.step_at > ?4))" +
         (where.empty() ? "" : " and (" + where + ")");
}

void bind_candidates(Statement& statement, const Fence& fence, const Entrance& entrance) {
  statement.bind(1, static_cast<std::int64_t>(fence.track.get()));
  statement.bind_time(4, entrance.stopped_by.value_or(track::kNever));
}

void bind_values(Statement& statement, const std::vector<track::Value>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    bind_value(statement, kFirstConditionParameter + static_cast<int>(i), values[i]);
  }
}

// All that a statement gives; nullopt when it fails.
std::optional<std::vector<Candidate>> all_of(Statement& select) {
  std::vector<Candidate> found;
  int rc = select.step();
  for (; rc == SQLITE_ROW; rc = select.step()) {
    found.push_back({base::ContactId(select.integer(0)), select.integer(1)});
  }
  select.reset();
  if (rc != SQLITE_DONE) {
    return std::nullopt;
  }
  return found;
}

// The range of ids to be looked at: row numbers are unique, so `chunk` of them hold no more
// contacts than that.
struct Range {
  std::int64_t last = 0;
  bool done = true;
};

base::Result<Range> next_range(SqliteConnection& connection, base::ContactId after, int chunk) {
  TRY(const sql::Rows rows, connection.query("select (select min(id) from contact where id > $1), "
                                             "(select max(id) from contact)",
                                             {after.get()}));
  if (rows.is_null(0, 0)) {
    return Range{after.get(), true};
  }
  const std::int64_t first = rows.integer(0, 0);
  const std::int64_t highest = rows.integer(0, 1);
  const std::int64_t last = std::min(first - 1 + chunk, highest);
  return Range{last, last == highest};
}

}  // namespace

base::Result<GatherResult> SqliteSession::gather(const Fence& fence, const Entrance& entrance,
                                                 const std::string& where,
                                                 const std::vector<track::Value>& values,
                                                 base::ContactId after, int chunk) {
  CHECK(chunk >= 1 && chunk <= 20'000);
  Database& db = sqlite_.database();
  sqlite_.make_room();
  TRY(Statement * select,
      sqlite_.cached(candidates(entrance, where, "c.id > ?2 and c.id <= ?3") + " order by c.id"));
  const RollbackUnlessEnded guard(db);
  TRYV(db.begin_write());
  TRY(const std::optional<Watched> watched, sql::held(sqlite_, fence));
  if (!watched) {
    return GatherResult{.fenced = true};
  }
  TRY(const Range range, next_range(sqlite_, after, chunk));
  bind_values(*select, values);
  bind_candidates(*select, fence, entrance);
  select->bind(2, after.get());
  select->bind(3, range.last);
  const auto found = all_of(*select);
  if (!found) {
    return failed(db);
  }
  TRY(Gathering gathering, Gathering::make(sqlite_, fence, entrance));
  for (const Candidate& candidate : *found) {
    if (!gathering.enter(candidate)) {
      return failed(db);
    }
  }
  const auto gathered = static_cast<std::int64_t>(found->size());
  TRYV(count_gathered(sqlite_, fence, entrance, gathered));
  if (*watched != Watched::kNot) {
    std::vector<base::ContactId> contacts;
    std::ranges::transform(*found, std::back_inserter(contacts), &Candidate::contact);
    TRYV(sql::tell_places(sqlite_, fence.track, contacts));
  }
  TRYV(db.end());
  return GatherResult{
      .gathered = gathered, .last = base::ContactId(range.last), .done = range.done};
}

base::Result<GatherResult> SqliteSession::gather_these(
    const Fence& fence, const Entrance& entrance, const std::string& where,
    const std::vector<track::Value>& values, const std::vector<base::ContactId>& contacts) {
  Database& db = sqlite_.database();
  sqlite_.make_room();
  TRY(Statement * select, sqlite_.cached(candidates(entrance, where, "c.id = ?2")));
  const RollbackUnlessEnded guard(db);
  TRYV(db.begin_write());
  TRY(const std::optional<Watched> watched, sql::held(sqlite_, fence));
  if (!watched) {
    return GatherResult{.fenced = true};
  }
  bind_values(*select, values);
  bind_candidates(*select, fence, entrance);
  TRY(Gathering gathering, Gathering::make(sqlite_, fence, entrance));
  GatherResult result{.done = true};
  std::vector<base::ContactId> entered;
  for (const base::ContactId contact : contacts) {
    select->bind(2, contact.get());
    const int rc = select->step();
    const std::int64_t entry = rc == SQLITE_ROW ? select->integer(1) : 0;
    select->reset();
    if (rc == SQLITE_ROW) {
      if (!gathering.enter({contact, entry})) {
        return failed(db);
      }
      entered.push_back(contact);
    } else if (rc != SQLITE_DONE) {
      return failed(db);
    }
    result.last = std::max(result.last, contact);
  }
  result.gathered = static_cast<std::int64_t>(entered.size());
  TRYV(count_gathered(sqlite_, fence, entrance, result.gathered));
  if (*watched != Watched::kNot) {
    TRYV(sql::tell_places(sqlite_, fence.track, entered));
  }
  TRYV(db.end());
  return result;
}

// -- The feed
// --------------------------------------------------------------------------------------------------------

namespace {

// "<id of the database>:<number of the last change seen>".
struct Stand {
  std::string database;
  std::int64_t seen = 0;
};

Stand parse_cursor(const std::string& text) {
  Stand stand;
  const std::size_t colon = text.find(':');
  stand.database = text.substr(0, colon);
  if (colon != std::string::npos) {
    std::from_chars(text.data() + colon + 1, text.data() + text.size(), stand.seen);
  }
  return stand;
}

Change read_change(const sql::Rows& rows, std::size_t row) {
  Change change;
  change.contact = base::ContactId(rows.integer(row, 1));
  change.by = base::TrackId(rows.integer32(row, 2));
  change.created = rows.boolean(row, 3);
  sql::parse_change_json(rows.text(row, 4), change);
  return change;
}

}  // namespace

base::Result<FeedBatch> SqliteSession::changes(const FeedCursor& from, int limit) {
  const RollbackUnlessEnded guard(sqlite_.database());
  TRYV(sqlite_.begin(sql::TransactionMode::kRead));
  TRY(const sql::Rows state,
      sqlite_.query(
          "select (select value from setting where name = 'database_id'), "
          "(select seq from sqlite_sequence where name = 'change'), (select min(xid) from change)",
          {}));
  const std::string& database = state.text(0, 0);
  const std::int64_t newest = state.integer(0, 1);
  const std::int64_t oldest_kept = state.integer(0, 2, newest + 1);
  const Stand stand = from.text.empty() ? Stand{database, newest} : parse_cursor(from.text);
  FeedBatch batch;
  if (stand.database != database || stand.seen > newest || stand.seen + 1 < oldest_kept) {
    batch.lost = true;
    batch.next.text = database + ":" + std::to_string(newest);
    return batch;
  }
  TRY(const sql::Rows rows,
      sqlite_.query("select xid, contact_id, track_id, created, what from change where xid > $1 "
                    "order by xid limit $2",
                    {stand.seen, static_cast<std::int64_t>(limit)}));
  std::int64_t seen = stand.seen;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    seen = rows.integer(i, 0);
    sql::append_change(batch.changes, read_change(rows, i));
  }
  batch.more = seen < newest;
  batch.next.text = database + ":" + std::to_string(seen);
  TRYV(sqlite_.commit());
  return batch;
}

// -- Waiting positions
// -----------------------------------------------------------------------------------------------

base::Result<std::vector<PositionRow>> SqliteSession::positions(
    base::TrackId track, const std::vector<base::ContactId>& contacts) {
  Database& db = sqlite_.database();
  sqlite_.make_room();
  TRY(Statement * select,
      sqlite_.cached("select contact_id, entry, move_no, step, state, stayed, "
                     "coalesce(due_at <= ?3, 0) from position "
                     "where track_id = ?1 and contact_id = ?2 and state <> 2 order by entry"));
  sqlite_.count_statements(1);
  const RollbackUnlessEnded guard(db);
  TRYV(db.begin_read());
  select->bind(1, static_cast<std::int64_t>(track.get()));
  select->bind(3, db.now().us);
  std::vector<PositionRow> rows;
  for (const base::ContactId contact : contacts) {
    select->bind(2, contact.get());
    int rc = select->step();
    for (; rc == SQLITE_ROW; rc = select->step()) {
      rows.push_back({contact, select->integer32(1), select->integer32(2), select->integer32(3),
                      static_cast<track::PositionState>(select->integer32(4)),
                      static_cast<std::uint64_t>(select->integer(5)), select->integer(6) != 0});
    }
    select->reset();
    if (rc != SQLITE_DONE) {
      return failed(db);
    }
  }
  TRYV(db.end());
  return rows;
}

namespace {

static_assert(track::kFollows == 4'611'686'018'427'387'904);
static_assert(track::kLooks == 2'305'843'009'213'693'952);
static_assert((track::kFollows | track::kLooks) == 6'917'529'027'641'081'856);

struct WakeStatements {
  Statement* find = nullptr;
  Statement* position = nullptr;
  Statement* drop_timer = nullptr;
  Statement* add_timer = nullptr;

  static base::Result<WakeStatements> make(SqliteConnection& connection, base::TrackId track) {
    WakeStatements s;
    TRY(s.find,
        connection.cached(
            "select due_at from position where track_id = ?1 and contact_id = ?2 and entry = ?3 "
            "and move_no = ?4 and (state = 0 or state = 1 and (?6 or due_at <= ?5 or "
            "(stayed & 4611686018427387904) <> 0))"));  // track::kFollows
    TRY(s.position,
        connection.cached(
            "update position set due_at = ?4, stayed = case when state = 1 and due_at > ?4 and "
            "(stayed & 6917529027641081856) = 0 then stayed | 2305843009213693952 | due_at "
            "else stayed & ~?5 end where track_id = ?1 and contact_id = ?2 and entry = ?3"));
    TRY(s.drop_timer,
        connection.cached(
            "delete from timer where track_id = ?1 and due_at = ?4 and contact_id = ?2 and "
            "entry = ?3"));
    TRY(s.add_timer,
        connection.cached("insert into timer (track_id, due_at, contact_id, entry, move_no) values "
                          "(?1, ?4, ?2, ?3, ?5)"));
    for (Statement* statement : {s.find, s.position, s.drop_timer, s.add_timer}) {
      statement->bind(1, static_cast<std::int64_t>(track.get()));
    }
    connection.count_statements(4);
    return s;
  }

  // 1: woken, 0: not where the wake said, -1: the database failed.
  int wake(const Wake& wake, base::Instant now) {
    for (Statement* statement : {find, position, drop_timer, add_timer}) {
      statement->bind(2, wake.contact.get());
      statement->bind(3, static_cast<std::int64_t>(wake.entry));
    }
    find->bind(4, static_cast<std::int64_t>(wake.move_no));
    find->bind(5, now.us);
    find->bind(6, std::int64_t{wake.looks});
    const int rc = find->step();
    const base::Instant old_due = rc == SQLITE_ROW ? find->time(0) : track::kNever;
    find->reset();
    if (rc != SQLITE_ROW) {
      return rc == SQLITE_DONE ? 0 : -1;
    }
    // The due time always changes: it is what a block in flight is refused by.
    const base::Instant due = old_due == now ? now + base::Duration(1) : now;
    if (old_due != track::kNever) {
      drop_timer->bind(4, old_due.us);
      if (!drop_timer->run()) {
        return -1;
      }
    }
    position->bind(4, due.us);
    position->bind(5, static_cast<std::int64_t>(wake.woken));
    add_timer->bind(4, due.us);
    add_timer->bind(5, static_cast<std::int64_t>(wake.move_no));
    return position->run() && add_timer->run() ? 1 : -1;
  }
};

}  // namespace

base::Result<std::int64_t> SqliteSession::wake(const Fence& fence, const std::vector<Wake>& wakes) {
  Database& db = sqlite_.database();
  sqlite_.make_room();
  TRY(WakeStatements statements, WakeStatements::make(sqlite_, fence.track));
  const RollbackUnlessEnded guard(db);
  TRYV(db.begin_write());
  TRY(const std::optional<Watched> watched, sql::held(sqlite_, fence));
  if (!watched) {
    const base::Error why = sql::fenced_error(fence);
    return base::fail(why.code, why.message);
  }
  std::int64_t woken = 0;
  for (const Wake& wake : wakes) {
    const int done = statements.wake(wake, db.now());
    if (done < 0) {
      return failed(db);
    }
    woken += done;
  }
  TRYV(db.end());
  return woken;
}

}  // namespace turnout::store::sqlite
