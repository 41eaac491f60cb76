#include <algorithm>

#include "base/check.h"
#include "store/postgres/session.h"
#include "store/postgres/statement.h"
#include "store/sql/places.h"

namespace turnout::store::postgres {

namespace {

using base::Result;

constexpr int kMaxChunk = 20'000;

// Binds $1 … $6, which gathering by range and by list share.
void bind(Statement& s, const Fence& fence, const Entrance& entrance) {
  s.params.add(fence.track.get());
  s.params.add(fence.timeline.get());
  s.params.add(fence.epoch.get());
  s.params.add(entrance.version.get());
  s.params.add(entrance.step);
  s.params.add(std::int32_t{sql::kTallyEntered});
}

constexpr const char* kFence =
    "with fence as materialized (select watched from ledger where track_id = $1 and timeline = $2"
    " and epoch = $3 and state = 0 for share)";

// OFFSET 0 keeps it a probe per contact: as an anti-join with stale statistics it has been seen to
// go through all positions of the track for each contact.
constexpr const char* kNotEntered =
    " and not exists (select from position p where p.track_id = $1 and p.contact_id = c.id"
    " and ($9::timestamptz is null or p.state <> 2 or p.step_at > $9) offset 0)";

// From contacts `c` to the CTE `found` (id, entry).
std::string select_found(const Entrance& entrance) {
  // Who has never been on the track is not asked for earlier entries.
  return entrance.stopped_by
             ? ", found as (select c.id, coalesce((select max(p.entry) from position p where"
               " p.track_id = $1 and p.contact_id = c.id), 0) + 1 as entry"
             : ", found as (select c.id, 1 as entry";
}

// From the CTE `found` to positions, timers, the tally and the feed.
const std::string& enter_sql() {
  static const std::string text =
      std::string(
          "), entered as (insert into position (track_id, contact_id, entry, step, move_no, "
          "version,"
          " state, entered_at, step_at, due_at) select $1, id, entry, $5, 0, $4, 0, now(), now(), "
          "now()"
          " from found on conflict do nothing returning contact_id, entry)"
          ", timed as (insert into timer (track_id, due_at, contact_id, entry, move_no)"
          " select $1, now(), contact_id, entry, 0 from entered)"
          ", counted as (insert into tally (track_id, version, step, rule, connection, times)"
          " select $1, $4, $5, $6, 0, count(*) from entered having count(*) > 0"
          " on conflict (track_id, version, step, rule, connection)"
          " do update set times = tally.times + excluded.times)"
          ", told as (insert into change (contact_id, track_id, what) select contact_id, $1, ") +
      sql::place_change_sql(sql::Dialect::kPostgres, "$1") +
      " from entered, fence where fence.watched > 0)"
      " select exists(select from fence), (select count(*) from entered)";
  return text;
}

std::string and_condition(const std::string& where) {
  return where.empty() ? std::string() : " and (" + where + ")";
}

}  // namespace

Result<GatherResult> PgSession::gather(const Fence& fence, const Entrance& entrance,
                                       const std::string& where,
                                       const std::vector<track::Value>& values,
                                       base::ContactId after, int chunk) {
  CHECK(chunk >= 1 && chunk <= kMaxChunk);
  Statement s;
  bind(s, fence, entrance);
  s.params.add(after.get());
  s.params.add(static_cast<std::int64_t>(chunk));
  s.params.add(entrance.stopped_by);
  for (const track::Value& value : values) {
    s.params.add(value);
  }
  s.text = std::string(kFence) +
           ", bounds as materialized (select max(id) as last, count(*) as seen from"
           " (select id from contact where id > $7 order by id limit $8) r)" +
           select_found(entrance) +
           " from fence, contact c where c.id > $7 and c.id <= (select last from bounds) and "
           "c.merged_into is null" +
           and_condition(where) + kNotEntered + enter_sql() +
           ", (select last from bounds), coalesce((select seen from bounds), 0) < $8"
           " or not exists(select from contact where id > (select last from bounds))";
  TRY(const Answer answer, run_again(s.text, s.params));
  GatherResult result;
  result.fenced = !answer.boolean(0, 0);
  if (result.fenced) {
    return result;
  }
  result.gathered = answer.int8(0, 1);
  result.last = answer.is_null(0, 2) ? after : base::ContactId(answer.int8(0, 2));
  result.done = answer.boolean(0, 3);
  return result;
}

Result<GatherResult> PgSession::gather_these(const Fence& fence, const Entrance& entrance,
                                             const std::string& where,
                                             const std::vector<track::Value>& values,
                                             const std::vector<base::ContactId>& contacts) {
  GatherResult result;
  result.done = true;
  for (std::size_t begin = 0; begin == 0 || begin < contacts.size(); begin += kMaxChunk) {
    const std::size_t n = std::min<std::size_t>(kMaxChunk, contacts.size() - begin);
    Statement s;
    bind(s, fence, entrance);
    s.params.add_int8s(n, [&](std::size_t i) { return contacts[begin + i].get(); });
    s.params.add(static_cast<std::int32_t>(n));
    s.params.add(entrance.stopped_by);
    for (const track::Value& value : values) {
      s.params.add(value);
    }
    s.text = std::string(kFence) + select_found(entrance) +
             " from fence, (select ($7::bigint[])[i] as contact_id from"
             " generate_series(1, $8::integer) as i offset 0) n join contact c"
             " on c.id = n.contact_id where c.merged_into is null" +
             and_condition(where) + kNotEntered + enter_sql();
    TRY(const Answer answer, run_again(s.text, s.params));
    if (!answer.boolean(0, 0)) {
      result.fenced = true;
      return result;
    }
    result.gathered += answer.int8(0, 1);
  }
  for (const base::ContactId contact : contacts) {
    result.last = std::max(result.last, contact);
  }
  return result;
}

}  // namespace turnout::store::postgres
