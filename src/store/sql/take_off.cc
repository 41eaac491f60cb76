// Entries that other tracks take off.

#include <nlohmann/json.hpp>
#include <string>

#include "store/sql/events.h"
#include "store/sql/ledger.h"
#include "store/sql/places.h"
#include "store/sql/session.h"
#include "store/sql/text.h"

namespace turnout::store::sql {

namespace {

using Json = nlohmann::json;

// The entries, locked in the order in which blocks lock them.
base::Result<Json> entries_asked_for(Connection& c, const Fence& fence, std::int32_t outcome,
                                     const std::vector<TakeOff>& asked) {
  Json contacts = Json::array();
  for (const TakeOff& one : asked) {
    contacts.push_back({one.contact.get(), one.asked_at.us});
  }
  const bool postgres = c.dialect() == Dialect::kPostgres;
  TRY(const Rows found,
      c.query("select p.contact_id, p.entry, p.step, p.move_no from " +
                  json_rows(c.dialect(), "$1", {{"contact"}, {"asked_at"}}) +
                  " k join position p on p.track_id = $2 and p.contact_id = k.contact where"
                  " p.state <> 2 and p.entered_at <= " +
                  instant_sql(c.dialect(), "k.asked_at") + " order by 1, 2" +
                  (postgres ? " for no key update of p" : ""),
              {contacts.dump(), static_cast<std::int64_t>(fence.track.get())}));
  Json entries = Json::array();
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::int32_t step = found.integer32(i, 2);
    entries.push_back({found.integer(i, 0), found.integer(i, 1), step, found.integer(i, 3),
                       taken_off_path(step, outcome)});
  }
  return entries;
}

base::Result<TakenOff> take_off_those(Connection& c, const Fence& fence, base::Version version,
                                      std::int32_t outcome, const std::vector<TakeOff>& asked) {
  TRY(const std::optional<Watched> watched, held(c, fence));
  if (!watched) {
    return TakenOff{.fenced = true};
  }
  TRY(const Json entries, entries_asked_for(c, fence, outcome, asked));
  TakenOff result{.entries = static_cast<std::int64_t>(entries.size())};
  if (entries.empty()) {
    return result;
  }
  const std::string these =
      json_rows(c.dialect(), "$1", {{"contact"}, {"entry"}, {"step"}, {"move_no"}, {"path", true}});
  const std::string json = entries.dump();
  const auto track = static_cast<std::int64_t>(fence.track.get());
  const auto of = static_cast<std::int64_t>(version.get());
  const auto to = static_cast<std::int64_t>(outcome);
  TRY(const base::Instant now, c.now());
  TRYV(
      c.execute("insert into journal (track_id, contact_id, entry, from_move, to_move, version, at,"
                " peer, incarnation, path, seen) select $2, k.contact, k.entry, k.move_no + 1,"
                " k.move_no + 1, $3, $4, '', 0, k.path, '{}' from " +
                    these + " k where true",
                {json, track, of, now}));
  TRYV(c.execute("delete from timer where track_id = $2 and exists (select 1 from " + these +
                     " k join position p on p.track_id = $2 and p.contact_id = k.contact and"
                     " p.entry = k.entry where timer.due_at = p.due_at and timer.contact_id ="
                     " k.contact and timer.entry = k.entry)",
                 {json, track}));
  TRYV(c.execute(
      "update position set step = $3, state = 2, move_no = position.move_no + 1, version ="
      " $4, step_at = $5, due_at = null from " +
          these +
          " k where position.track_id = $2 and position.contact_id = k.contact and"
          " position.entry = k.entry",
      {json, track, to, of, now}));
  TRYV(
      c.execute("update outbox set state = 5 from " + these +
                    " k where outbox.track_id = $2 and outbox.contact_id = k.contact and"
                    " outbox.entry = k.entry and outbox.state = 0 and outbox.kind not in (3, 5, 6)",
                {json, track}));
  TRYV(c.execute(
      "insert into tally (track_id, version, step, rule, connection, times) select $2, $3, t.step,"
      " t.rule, 0, sum(t.times) from (select k.step, $4 as rule, 1 as times from " +
          these + " k union all select k.step, $5, -1 from " + these +
          " k union all select $6, $5, 1 from " + these +
          " k) t group by t.step, t.rule having sum(t.times) <> 0 on conflict (track_id, version,"
          " step, rule, connection) do update set times = tally.times + excluded.times",
      {json, track, of, static_cast<std::int64_t>(track::kTakenOffRule),
       static_cast<std::int64_t>(kTallyNet), to}));
  if (*watched != Watched::kNot) {
    std::vector<base::ContactId> contacts;
    for (const Json& entry : entries) {
      contacts.emplace_back(entry.at(0).get<std::int64_t>());
    }
    TRYV(tell_places(c, fence.track, contacts));
  }
  return result;
}

}  // namespace

std::string taken_off_path(std::int32_t step, std::int32_t outcome) {
  return "[" + std::to_string(step) + "," + std::to_string(track::kTakenOffRule) + "," +
         std::to_string(outcome) + "]";
}

base::Result<TakenOff> SqlSession::take_off(const Fence& fence, base::Version version,
                                            std::int32_t outcome,
                                            const std::vector<TakeOff>& asked) {
  if (asked.empty()) {
    return TakenOff{};
  }
  return in_transaction(*connection_, TransactionMode::kWrite, [&](Connection& c) {
    return take_off_those(c, fence, version, outcome, asked);
  });
}

}  // namespace turnout::store::sql
