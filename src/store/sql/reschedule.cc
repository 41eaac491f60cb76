// Entries that wait for a time, and giving them another (`turnout apply --reschedule`).

#include <nlohmann/json.hpp>
#include <string>

#include "base/check.h"
#include "store/sql/ledger.h"
#include "store/sql/session.h"
#include "store/sql/text.h"

namespace turnout::store::sql {

namespace {

using Json = nlohmann::json;

// Those of them that are still where they were said to be, locked in the order in which blocks lock
// them: [contact, entry, move number, stayed, due].
base::Result<Json> still_waiting(Connection& c, base::TrackId track,
                                 const std::vector<Reschedule>& what) {
  Json asked = Json::array();
  for (const Reschedule& one : what) {
    asked.push_back({one.item.contact.get(), one.item.entry, one.item.move_no,
                     static_cast<std::int64_t>(one.stayed)});
  }
  TRY(const base::Instant now, c.now());
  TRY(const Rows found,
      c.query("select p.contact_id, p.entry, p.move_no, k.stayed, p.due_at from " +
                  json_rows(c.dialect(), "$1", {{"contact"}, {"entry"}, {"move_no"}, {"stayed"}}) +
                  " k join position p on p.track_id = $2 and p.contact_id = k.contact and p.entry ="
                  " k.entry where p.move_no = k.move_no and p.state = 1 order by 1, 2" +
                  (c.dialect() == Dialect::kPostgres ? " for no key update of p" : ""),
              {asked.dump(), std::int64_t{track.get()}}));
  Json waiting = Json::array();
  for (std::size_t i = 0; i < found.size(); ++i) {
    // The due time always changes: it is what a block in flight is refused by.
    const bool due_now = found.instant(i, 4) == now;
    waiting.push_back({found.integer(i, 0), found.integer(i, 1), found.integer(i, 2),
                       found.integer(i, 3), now.us + (due_now ? 1 : 0)});
  }
  return waiting;
}

base::Result<std::int64_t> reschedule_those(Connection& c, const Fence& fence,
                                            const std::vector<Reschedule>& what) {
  TRY(const std::optional<Watched> watched, held(c, fence));
  if (!watched) {
    const base::Error why = fenced_error(fence);
    return base::fail(why.code, why.message);
  }
  TRY(const Json waiting, still_waiting(c, fence.track, what));
  if (waiting.empty()) {
    return 0;
  }
  const std::string these =
      json_rows(c.dialect(), "$1", {{"contact"}, {"entry"}, {"move_no"}, {"stayed"}, {"due"}});
  const std::string due = instant_sql(c.dialect(), "k.due");
  const std::string json = waiting.dump();
  const auto track = std::int64_t{fence.track.get()};
  TRYV(c.execute("delete from timer where track_id = $2 and exists (select 1 from " + these +
                     " k join position p on p.track_id = $2 and p.contact_id = k.contact and"
                     " p.entry = k.entry where timer.due_at = p.due_at and timer.contact_id ="
                     " k.contact and timer.entry = k.entry)",
                 {json, track}));
  TRYV(c.execute("update position set due_at = " + due + ", stayed = k.stayed from " + these +
                     " k where position.track_id = $2 and position.contact_id = k.contact and"
                     " position.entry = k.entry",
                 {json, track}));
  TRYV(c.execute("insert into timer (track_id, due_at, contact_id, entry, move_no) select $2, " +
                     due + ", k.contact, k.entry, k.move_no from " + these + " k where true",
                 {json, track}));
  return static_cast<std::int64_t>(waiting.size());
}

}  // namespace

base::Result<std::vector<Delayed>> SqlSession::delayed(base::TrackId track,
                                                       const DelayedCursor& after, int limit) {
  TRY(const Rows found,
      connection_->query(
          "select p.contact_id, p.entry, p.move_no, j.path, j.at from position p join journal j on"
          " j.track_id = p.track_id and j.contact_id = p.contact_id and j.entry = p.entry and"
          " j.to_move = p.move_no where p.track_id = $1 and p.state = 1 and (p.contact_id > $2 or"
          " p.contact_id = $2 and p.entry > $3) order by 1, 2 limit $4",
          {std::int64_t{track.get()}, after.contact.get(), std::int64_t{after.entry},
           std::int64_t{limit}}));
  std::vector<Delayed> delayed(found.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const Json path = Json::parse(found.text(i, 3), nullptr, false);
    CHECK(path.is_array() && path.size() >= 3);
    delayed[i].item = {base::ContactId(found.integer(i, 0)), found.integer32(i, 1),
                       found.integer32(i, 2)};
    delayed[i].from = path[path.size() - 3].get<std::int32_t>();
    delayed[i].rule = path[path.size() - 2].get<std::int32_t>();
    delayed[i].moved_at = found.instant(i, 4);
  }
  return delayed;
}

base::Result<std::int64_t> SqlSession::reschedule(const Fence& fence,
                                                  const std::vector<Reschedule>& what) {
  return in_transaction(*connection_, TransactionMode::kWrite,
                        [&](Connection& c) { return reschedule_those(c, fence, what); });
}

}  // namespace turnout::store::sql
