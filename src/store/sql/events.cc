// Events: recording them, and putting contacts on a track whom an event takes there. A batch of any
// size is a constant number of statements, whose rows travel as one JSON text.

#include "store/sql/events.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "base/mutant.h"
#include "base/text.h"
#include "store/sql/change.h"
#include "store/sql/ledger.h"
#include "store/sql/places.h"
#include "store/sql/session.h"
#include "store/sql/text.h"

namespace turnout::store::sql {

namespace {

using base::Result;
using Json = nlohmann::json;

base::Error bad_event(std::size_t index, const std::string& what) {
  return {base::ErrorCode::kInvalid, "event " + std::to_string(index + 1) + what};
}

std::optional<std::string> problem_of(const NewEvent& event) {
  if (event.key.empty()) {
    return " has no key of a contact";
  }
  if (event.name.empty()) {
    return " has no name";
  }
  if (event.name.starts_with(track::kOwnEvents)) {
    return " has a name that begins with \"track.\", which are Turnout's own";
  }
  for (const std::string* text : {&event.key, &event.name, &event.source, &event.id}) {
    if (text->find('\0') != std::string::npos ||
        base::first_invalid_utf8(*text) != std::string_view::npos) {
      return " has a text that is not UTF-8 or holds a NUL";
    }
  }
  if (event.properties.empty()) {
    return std::nullopt;
  }
  if (!Json::parse(event.properties, nullptr, false).is_object()) {
    return " has properties that are no JSON object";
  }
  if (event.properties.find("\\u0000") != std::string::npos) {
    return " has a property that holds a NUL";
  }
  return std::nullopt;
}

// An event whose contact is known.
struct Numbered {
  base::ContactId contact;
  std::string name;
  std::string properties;
  base::TrackId track{0};
  std::int32_t entry = 0;
  EventOrigin origin = EventOrigin::kOutside;
  std::int64_t number = 0;
};

std::string dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// This database's clock as it is at this moment, and not when the transaction began.
const char* clock_sql(Dialect dialect) {
  return dialect == Dialect::kPostgres ? "clock_timestamp()" : "turnout_now()";
}

const char* as_json(Dialect dialect) { return dialect == Dialect::kPostgres ? "::jsonb" : ""; }

// Gives the events their numbers and writes them, with a change row for each contact. From the
// first statement on the contacts' numbers are locked, in the order of the contacts.
Result<void> write_events(Connection& c, std::vector<Numbered> events,
                          const std::set<base::ContactId>& created) {
  if (events.empty()) {
    return base::ok();
  }
  std::stable_sort(events.begin(), events.end(),
                   [](const Numbered& a, const Numbered& b) { return a.contact < b.contact; });
  std::map<std::int64_t, std::int64_t> counts;
  for (const Numbered& event : events) {
    ++counts[event.contact.get()];
  }
  TRY(const Rows newest,
      c.query("insert into event_count (contact_id, newest) select k.id, k.n from " +
                  json_rows(c.dialect(), "$1", {{"id"}, {"n"}}) +
                  " k where true order by 1 on conflict (contact_id) do update set newest ="
                  " event_count.newest + excluded.newest returning contact_id, newest",
              {dump(Json(std::vector(counts.begin(), counts.end())))}));
  std::map<std::int64_t, std::int64_t> next;
  for (std::size_t i = 0; i < newest.size(); ++i) {
    const std::int64_t contact = newest.integer(i, 0);
    next[contact] = newest.integer(i, 1) - counts[contact];
  }
  Json rows = Json::array();
  std::map<base::ContactId, std::vector<std::pair<std::string, std::int64_t>>> changes;
  for (Numbered& event : events) {
    event.number = ++next[event.contact.get()];
    rows.push_back({event.contact.get(), event.number, event.name,
                    event.properties.empty() ? "{}" : event.properties, event.track.get(),
                    event.entry, static_cast<int>(event.origin)});
    changes[event.contact].emplace_back(event.name, event.number);
  }
  TRYV(c.execute(
      "insert into event (contact_id, number, name, properties, at, track_id, entry, origin) select"
      " k.contact, k.number, k.name, k.properties" +
          std::string(as_json(c.dialect())) + ", " + clock_sql(c.dialect()) +
          ", k.track, k.entry, k.origin from " +
          json_rows(c.dialect(), "$1",
                    {{"contact"},
                     {"number"},
                     {"name", true},
                     {"properties", true},
                     {"track"},
                     {"entry"},
                     {"origin"}}) +
          " k where true",
      {dump(rows)}));
  Json told = Json::array();
  for (const auto& [contact, what] : changes) {
    told.push_back({contact.get(), created.contains(contact) ? 1 : 0, events_json(what)});
  }
  TRYV(c.execute(
      "insert into change (contact_id, created, what, at) select k.contact, " +
          std::string(c.dialect() == Dialect::kPostgres ? "k.created <> 0" : "k.created") +
          ", k.what, " + now_sql(c.dialect()) + " from " +
          json_rows(c.dialect(), "$1", {{"contact"}, {"created"}, {"what", true}}) +
          " k where true",
      {dump(told)}));
  return base::ok();
}

std::string event_columns(Dialect dialect) {
  return std::string("e.contact_id, e.number, e.name, e.properties") +
         (dialect == Dialect::kPostgres ? "::text" : "") + ", e.at, e.origin";
}

std::vector<EventRow> read_rows(const Rows& found) {
  std::vector<EventRow> events(found.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    events[i].contact = base::ContactId(found.integer(i, 0));
    track::BlockEvent& event = events[i].event;
    event.id = found.integer(i, 1);
    event.name = found.text(i, 2);
    event.properties = found.text(i, 3);
    event.at = found.instant(i, 4);
    event.heard = found.integer(i, 5) != static_cast<std::int64_t>(EventOrigin::kAnswer);
  }
  return events;
}

// Those that were not recorded before, with the names under which they came.
Result<std::vector<const NewEvent*>> fresh_ones(Connection& c,
                                                const std::vector<NewEvent>& events) {
  std::set<std::pair<std::string, std::string>> named;
  for (const NewEvent& event : events) {
    if (!event.id.empty() && !base::planted(base::Mutant::kEventRecordedAgain)) {
      named.insert({event.source, event.id});
    }
  }
  if (!named.empty()) {
    TRY(const Rows rows,
        c.query("insert into message (source, message_id, at) select k.source, k.id, " +
                    std::string(now_sql(c.dialect())) + " from " +
                    json_rows(c.dialect(), "$1", {{"source", true}, {"id", true}}) +
                    " k where true order by 1, 2 on conflict do nothing returning source,"
                    " message_id",
                {dump(Json(named))}));
    named.clear();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      named.insert({rows.text(i, 0), rows.text(i, 1)});
    }
  }
  std::vector<const NewEvent*> fresh;
  for (const NewEvent& event : events) {
    if (event.id.empty() || base::planted(base::Mutant::kEventRecordedAgain) ||
        named.erase({event.source, event.id}) > 0) {
      fresh.push_back(&event);
    }
  }
  return fresh;
}

struct Contacts {
  std::map<std::string, base::ContactId> of_key;
  std::set<base::ContactId> created;
};

Result<Contacts> find_or_make(Connection& c, const std::vector<const NewEvent*>& events) {
  std::set<std::string> keys;
  for (const NewEvent* const event : events) {
    keys.insert(event->key);
  }
  Json rows = Json::array();
  for (const std::string& key : keys) {
    rows.push_back(Json::array({key}));
  }
  const std::string given = json_rows(c.dialect(), "$1", {{"key", true}});
  const std::string now = now_sql(c.dialect());
  TRY(const Rows made,
      c.query("insert into contact (key, created_at, updated_at) select k.key, " + now + ", " +
                  now + " from " + given +
                  " k where not exists (select 1 from contact c where c.key = k.key) order by k.key"
                  " on conflict do nothing returning id",
              {dump(rows)}));
  TRY(const Rows found, c.query("select c.key, coalesce(c.merged_into, c.id) from " + given +
                                    " k join contact c on c.key = k.key",
                                {dump(rows)}));
  Contacts contacts;
  for (std::size_t i = 0; i < found.size(); ++i) {
    contacts.of_key.emplace(found.text(i, 0), base::ContactId(found.integer(i, 1)));
  }
  for (std::size_t i = 0; i < made.size(); ++i) {
    contacts.created.insert(base::ContactId(made.integer(i, 0)));
  }
  return contacts;
}

Result<RecordResult> record(Connection& c, const std::vector<NewEvent>& events) {
  TRY(const std::vector<const NewEvent*> fresh, fresh_ones(c, events));
  RecordResult result;
  result.recorded = static_cast<std::int64_t>(fresh.size());
  result.repeated = static_cast<std::int64_t>(events.size() - fresh.size());
  if (fresh.empty()) {
    return result;
  }
  TRY(const Contacts contacts, find_or_make(c, fresh));
  result.contacts = static_cast<std::int64_t>(contacts.created.size());
  std::vector<Numbered> numbered;
  numbered.reserve(fresh.size());
  for (const NewEvent* const event : fresh) {
    Numbered& one = numbered.emplace_back();
    one.contact = contacts.of_key.at(event->key);
    one.name = event->name;
    one.properties = event->properties;
  }
  TRYV(write_events(c, std::move(numbered), contacts.created));
  return result;
}

Result<GatherResult> put_on(Connection& c, const Fence& fence, base::Version version,
                            const std::optional<base::Instant>& stopped_by,
                            const std::vector<Arrival>& arrivals) {
  TRY(const std::optional<Watched> watched, held(c, fence));
  if (!watched) {
    return GatherResult{.fenced = true};
  }
  Json rows = Json::array();
  for (const Arrival& arrival : arrivals) {
    rows.push_back({arrival.contact.get(), arrival.step, arrival.event,
                    arrival.entry_key ? Json(*arrival.entry_key) : Json(nullptr),
                    arrival.data.empty() ? Json(nullptr) : Json(arrival.data)});
  }
  TRY(const base::Instant now, c.now());
  const bool returns = stopped_by.has_value();
  std::vector<SqlValue> values = {dump(rows), std::int64_t{fence.track.get()},
                                  std::int64_t{version.get()}, now};
  if (returns) {
    values.emplace_back(*stopped_by);
  }
  TRY(const Rows entered,
      c.query(
          "insert into position (track_id, contact_id, entry, step, move_no, version, state, heard,"
          " stayed, entered_at, step_at, due_at, entry_key, entry_data) select $2, k.contact,"
          " coalesce((select max(p.entry) from position p where p.track_id = $2 and p.contact_id ="
          " k.contact), 0) + 1, k.step, 0, $3, 0, k.event, 0, $4, $4, $4, k.entry_key, k.data" +
              std::string(as_json(c.dialect())) + " from " +
              json_rows(c.dialect(), "$1",
                        {{"contact"}, {"step"}, {"event"}, {"entry_key", true}, {"data", true}}) +
              " k join contact c on c.id = k.contact where c.merged_into is null and not exists"
              " (select 1 from position p where p.track_id = $2 and p.contact_id = k.contact and"
              " (k.entry_key is null or p.entry_key = k.entry_key)" +
              (returns ? " and (p.state <> 2 or p.step_at > $5 or p.heard >= k.event)" : "") +
              ") on conflict do nothing returning contact_id, entry, step",
          values));
  GatherResult result{.gathered = static_cast<std::int64_t>(entered.size()), .done = true};
  Json timers = Json::array();
  std::vector<base::ContactId> contacts;
  std::map<std::int64_t, std::int64_t> steps;
  for (std::size_t i = 0; i < entered.size(); ++i) {
    timers.push_back({entered.integer(i, 0), entered.integer(i, 1)});
    contacts.emplace_back(entered.integer(i, 0));
    ++steps[entered.integer(i, 2)];
  }
  if (!entered.empty()) {
    TRYV(
        c.execute("insert into timer (track_id, due_at, contact_id, entry, move_no) select $2, $3,"
                  " k.contact, k.entry, 0 from " +
                      json_rows(c.dialect(), "$1", {{"contact"}, {"entry"}}) + " k where true",
                  {dump(timers), std::int64_t{fence.track.get()}, now}));
  }
  for (const auto& [step, times] : steps) {
    TRYV(c.execute(
        "insert into tally (track_id, version, step, rule, connection, times) values ($1, $2, $3,"
        " $4, 0, $5) on conflict (track_id, version, step, rule, connection) do update set times ="
        " tally.times + excluded.times",
        {std::int64_t{fence.track.get()}, std::int64_t{version.get()}, step,
         std::int64_t{kTallyEntered}, times}));
  }
  if (*watched != Watched::kNot) {
    TRYV(tell_places(c, fence.track, contacts));
  }
  return result;
}

}  // namespace

Result<void> check_events(const std::vector<NewEvent>& events) {
  if (events.size() > kMaxEvents) {
    return base::fail(base::ErrorCode::kInvalid, "at most " + std::to_string(kMaxEvents) +
                                                     " events are recorded at a time, "
                                                     "not " +
                                                     std::to_string(events.size()));
  }
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (const auto problem = problem_of(events[i])) {
      const base::Error bad = bad_event(i, *problem);
      return base::fail(bad.code, bad.message);
    }
  }
  return base::ok();
}

std::vector<track::BlockEvent> read_events(std::string_view text) {
  std::vector<track::BlockEvent> events;
  if (text.empty()) {
    return events;
  }
  const Json rows = Json::parse(text, nullptr, false);
  CHECK(rows.is_array());
  events.reserve(rows.size());
  for (const Json& row : rows) {
    track::BlockEvent& event = events.emplace_back();
    event.id = row.at(0).get<std::int64_t>();
    event.at = {row.at(1).get<std::int64_t>()};
    event.name = row.at(2).get<std::string>();
    event.properties = dump(row.at(3));
    event.heard = row.at(4).get<bool>();
  }
  return events;
}

Result<RecordResult> SqlSession::record_events(const std::vector<NewEvent>& events) {
  TRYV(check_events(events));
  if (events.empty()) {
    return RecordResult{};
  }
  return in_transaction(*connection_, TransactionMode::kWrite,
                        [&](Connection& c) { return record(c, events); });
}

Result<std::vector<EventRow>> SqlSession::events(const std::vector<EventKey>& keys) {
  Json rows = Json::array();
  for (const EventKey& key : keys) {
    rows.push_back({key.contact.get(), key.number});
  }
  const Dialect dialect = connection_->dialect();
  TRY(const Rows found,
      connection_->query("select " + event_columns(dialect) + " from " +
                             json_rows(dialect, "$1", {{"contact"}, {"number"}}) +
                             " k join event e on e.contact_id = k.contact and e.number = k.number"
                             " order by 1, 2",
                         {dump(rows)}));
  return read_rows(found);
}

Result<std::vector<EventRow>> SqlSession::events_since(const std::set<std::string>& names,
                                                       base::Instant since, const EventKey& after,
                                                       int limit) {
  Json rows = Json::array();
  for (const std::string& name : names) {
    rows.push_back(Json::array({name}));
  }
  const Dialect dialect = connection_->dialect();
  TRY(const Rows found,
      connection_->query("select " + event_columns(dialect) +
                             " from event e where e.at >= $2 and (e.contact_id > $3 or"
                             " e.contact_id = $3 and e.number > $4) and e.name in (select k.name"
                             " from " +
                             json_rows(dialect, "$1", {{"name", true}}) +
                             " k) order by 1, 2 limit $5",
                         {dump(rows), since, after.contact.get(), after.number,
                          static_cast<std::int64_t>(limit)}));
  return read_rows(found);
}

std::pair<std::string, std::string> asked_event(const Delivery& asked) {
  if (asked.kind == track::ActionKind::kEvent) {
    return {asked.name, asked.payload};
  }
  Json properties{{"track", asked.name}};
  const Json payload = Json::parse(asked.payload, nullptr, false);
  if (payload.is_object() && payload.contains("at")) {
    properties["at"] = payload["at"];
  }
  return {asked.kind == track::ActionKind::kPutOn ? track::kPutOnEvent : track::kTakeOffEvent,
          dump(properties)};
}

Result<void> record_asked(Connection& c, const std::vector<Delivery>& asked) {
  std::vector<Numbered> events;
  events.reserve(asked.size());
  for (const Delivery& delivery : asked) {
    Numbered& event = events.emplace_back();
    event.contact = delivery.key.contact;
    std::tie(event.name, event.properties) = asked_event(delivery);
    event.track = delivery.key.track;
    event.entry = delivery.key.entry;
    event.origin = EventOrigin::kRecorded;
  }
  return write_events(c, std::move(events), {});
}

std::pair<std::string, std::string> capped_event(const Delivery& capped) {
  const char* const kind = capped.kind == track::ActionKind::kEmail ? "email" : "message";
  return {std::string(kind) + ".capped", dump(Json{{kind, capped.name}})};
}

Result<void> record_capped(Connection& c, const std::vector<Delivery>& capped) {
  std::vector<Numbered> events;
  events.reserve(capped.size());
  for (const Delivery& delivery : capped) {
    Numbered& event = events.emplace_back();
    event.contact = delivery.key.contact;
    std::tie(event.name, event.properties) = capped_event(delivery);
    event.track = delivery.key.track;
    event.entry = delivery.key.entry;
    event.origin = EventOrigin::kAnswer;
  }
  return write_events(c, std::move(events), {});
}

Result<GatherResult> SqlSession::enter(const Fence& fence, base::Version version,
                                       const std::optional<base::Instant>& stopped_by,
                                       const std::vector<Arrival>& arrivals) {
  if (arrivals.empty()) {
    return GatherResult{.done = true};
  }
  return in_transaction(*connection_, TransactionMode::kWrite, [&](Connection& c) {
    return put_on(c, fence, version, stopped_by, arrivals);
  });
}

}  // namespace turnout::store::sql
