// The feed of changes.
//
// A cursor is a snapshot: new is what the snapshot does not see. Sequence numbers would not do,
// since they are not committed in order, nor would the oldest running transaction as a limit, since
// one long transaction would hold everything up. When a batch reaches its limit, the cursor also
// carries the snapshot it is reading up to and the transaction it has come to; a transaction is
// never split.
//
// The snapshot is cut off behind the newest transaction that has told of a change. What began after
// that and has ended told of none, and its number may be given out once more when the server
// crashes before it has written the end down; a cursor that went past it would pass over the
// changes of the second one. What told of a change was on disk before it could be seen
// (PgConnection sees to it that commits wait for that), and no crash takes its number back.

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/mutant.h"
#include "store/postgres/session.h"
#include "store/sql/change.h"

namespace turnout::store::postgres {

namespace {

using base::Result;

// "system identifier/timeline/from" or ".../from/to/done": as text.
struct Cursor {
  std::string cluster;
  std::string timeline;
  std::string from;  // snapshot
  std::string to;    // snapshot, "" when none
  std::int64_t done = 0;

  std::string text() const {
    std::string out = cluster + "/" + timeline + "/" + from;
    if (!to.empty()) {
      out += "/" + to + "/" + std::to_string(done);
    }
    return out;
  }
};

std::optional<Cursor> parse(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == '/') {
      parts.emplace_back();
    } else if ((c >= '0' && c <= '9') || c == ':' || c == ',') {
      parts.back() += c;
    } else {
      return std::nullopt;
    }
  }
  if (parts.size() != 3 && parts.size() != 5) {
    return std::nullopt;
  }
  Cursor cursor{parts[0], parts[1], parts[2], "", 0};
  if (parts.size() == 5) {
    cursor.to = parts[3];
    std::from_chars(parts[4].data(), parts[4].data() + parts[4].size(), cursor.done);
  }
  return cursor;
}

// A snapshot as PostgreSQL writes it, "xmin:xmax:xip,…", without what began after `newest`. Returns
// it as it is where it cannot be read.
std::string up_to(const std::string& snapshot, std::int64_t newest) {
  std::vector<std::int64_t> numbers;
  const char* at = snapshot.data();
  const char* const end = at + snapshot.size();
  while (at < end) {
    std::int64_t number = 0;
    const auto [next, error] = std::from_chars(at, end, number);
    if (error != std::errc()) {
      break;
    }
    numbers.push_back(number);
    at = next + 1;
  }
  if (numbers.size() < 2 || base::planted(base::Mutant::kFeedGoesAhead)) {
    return snapshot;
  }
  const std::int64_t xmax = std::min(numbers[1], newest + 1);
  std::string out = std::to_string(std::min(numbers[0], xmax)) + ":" + std::to_string(xmax) + ":";
  for (std::size_t i = 2; i < numbers.size() && numbers[i] < xmax; ++i) {
    out += (i == 2 ? "" : ",") + std::to_string(numbers[i]);
  }
  return out;
}

// $1 from, $2 done, $3 limit, $4 to or null. The first row's first five columns are always there;
// the fifth is the newest transaction with a change.
std::string changes_sql() {
  const std::string columns = "select xid, contact_id, track_id, created, what from change where ";
  const std::string rest =
      " and xid > $2::text::xid8 and ($4::text is null or"
      " pg_visible_in_snapshot(xid, $4::text::pg_snapshot)) order by xid"
      " fetch first ($3) rows with ties";
  return std::string("select pg_current_snapshot()::text, ") + kTimelineSql +
         ", (select system_identifier::text from pg_control_system()),"
         " coalesce((select value::numeric from setting where name = 'changes_kept_from'), 0) >"
         " pg_snapshot_xmin($1::text::pg_snapshot)::text::numeric,"
         " greatest((select xid from change where xid >= pg_snapshot_xmax($1::text::pg_snapshot)"
         " order by xid desc limit 1)::text::bigint,"
         " pg_snapshot_xmax($1::text::pg_snapshot)::text::bigint - 1),"
         " r.xid, r.contact_id, r.track_id, r.created, r.what from (select) one left join ("
         "select * from ((" +
         columns + "xid = any(array(select pg_snapshot_xip($1::text::pg_snapshot)))" + rest +
         ") union all (" + columns + "xid >= pg_snapshot_xmax($1::text::pg_snapshot)" + rest +
         ")) u order by xid fetch first ($3) rows with ties) r on true"
         " order by r.xid, r.contact_id";
}

Change read(const Answer& answer, int row) {
  Change change;
  change.contact = base::ContactId(answer.int8(row, 6));
  change.by = base::TrackId(answer.int4(row, 7));
  change.created = answer.boolean(row, 8);
  sql::parse_change_json(std::string(answer.text(row, 9)), change);
  return change;
}

}  // namespace

Result<FeedBatch> PgSession::changes(const FeedCursor& from, int limit) {
  CHECK(limit > 0);
  static const std::string sql = changes_sql();
  std::optional<Cursor> cursor = parse(from.text);
  const bool lost = !from.text.empty() && !cursor;
  const bool start = !cursor;
  if (start) {
    cursor = Cursor{"", "", "1:1:", "1:1:", 0};  // reads nothing, gives the present
  }
  Params params;
  params.add(std::string_view(cursor->from));
  params.add(std::string_view(std::to_string(cursor->done)));
  params.add(static_cast<std::int64_t>(limit));
  if (cursor->to.empty()) {
    params.add_null(kTextOid);
  } else {
    params.add(std::string_view(cursor->to));
  }
  TRY(const Answer answer, run_again(sql, params));

  const std::string snapshot = up_to(std::string(answer.text(0, 0)), answer.int8(0, 4));
  const std::string timeline = std::to_string(answer.int8(0, 1));
  const std::string cluster(answer.text(0, 2));
  FeedBatch batch;
  const bool elsewhere = cursor->cluster != cluster || cursor->timeline != timeline;
  if (start || elsewhere || answer.boolean(0, 3)) {
    batch.lost = lost || !start;
    batch.next.text = Cursor{cluster, timeline, snapshot, "", 0}.text();
    return batch;
  }
  const int rows = answer.is_null(0, 5) ? 0 : answer.rows();
  for (int r = 0; r < rows; ++r) {
    sql::append_change(batch.changes, read(answer, r));
  }
  if (rows >= limit) {
    batch.more = true;
    cursor->to = cursor->to.empty() ? snapshot : cursor->to;
    cursor->done = answer.int8(rows - 1, 5);
    batch.next.text = cursor->text();
    return batch;
  }
  batch.more = !cursor->to.empty();  // what was committed since `to` has not been looked at yet
  batch.next.text =
      Cursor{cluster, timeline, cursor->to.empty() ? snapshot : cursor->to, "", 0}.text();
  return batch;
}

}  // namespace turnout::store::postgres
