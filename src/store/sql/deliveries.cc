// Deliveries: a batch of any size is a constant number of statements, whose keys travel as one JSON
// text.

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/mutant.h"
#include "store/sql/change.h"
#include "store/sql/events.h"
#include "store/sql/fields.h"
#include "store/sql/session.h"
#include "store/sql/text.h"
#include "store/sql/tracks.h"

namespace turnout::store::sql {

namespace {

constexpr std::size_t kMaxAnswer = 1000;  // bytes of a provider's answer that are kept

const std::vector<JsonColumn> kKeyColumns = {
    {"track_id"}, {"contact_id"}, {"entry"}, {"move_no"}, {"action_no"}};

constexpr const char* kSameKey =
    "outbox.track_id = k.track_id and outbox.contact_id = k.contact_id and outbox.entry = k.entry "
    "and "
    "outbox.move_no = k.move_no and outbox.action_no = k.action_no";

void append_key(const OutboxKey& key, std::string& json) {
  json += std::to_string(key.track.get()) + ',' + std::to_string(key.contact.get()) + ',' +
          std::to_string(key.entry) + ',' + std::to_string(key.move_no) + ',' +
          std::to_string(key.action_no);
}

template <class Items, class Append>
std::string json_array(const Items& items, Append append) {
  std::string json = "[";
  for (const auto& item : items) {
    json += json.size() > 1 ? ",[" : "[";
    append(item, json);
    json += ']';
  }
  return json + "]";
}

OutboxKey read_key(const Rows& rows, std::size_t i) {
  return {base::TrackId(rows.integer32(i, 0)), base::ContactId(rows.integer(i, 1)),
          rows.integer32(i, 2), rows.integer32(i, 3),
          static_cast<std::int16_t>(rows.integer(i, 4))};
}

// At most kMaxAnswer bytes, cut between characters.
std::string_view shortened(std::string_view text) {
  if (text.size() <= kMaxAnswer) {
    return text;
  }
  std::size_t size = kMaxAnswer;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) {
    --size;
  }
  return text.substr(0, size);
}

struct Names {
  std::string track;
  track::Numbering numbering;
};

// What the deliveries of a batch say of their tracks.
base::Result<std::map<base::TrackId, Names>> read_names(Connection& connection,
                                                        const std::set<base::TrackId>& tracks) {
  std::map<base::TrackId, Names> names;
  for (const base::TrackId id : tracks) {
    TRY(const Rows rows, connection.query("select name from track where id = $1",
                                          {static_cast<std::int64_t>(id.get())}));
    TRY(track::Numbering numbering, read_numbering(connection, id));
    names[id] = {rows.empty() ? "" : rows.text(0, 0), std::move(numbering)};
  }
  return names;
}

// The fields asked for, of each contact named.
base::Result<void> add_contacts(Connection& connection, const std::vector<track::Field>& fields,
                                std::vector<Delivery>& deliveries) {
  std::string columns;
  for (const track::Field& field : fields) {
    columns += ", c." + sql::quoted(field.column);
  }
  const std::string ids = json_array(deliveries, [](const Delivery& delivery, std::string& json) {
    json += std::to_string(delivery.key.contact.get());
  });
  TRY(const Rows rows, connection.query("select c.id, c.key" + columns + " from " +
                                            json_rows(connection.dialect(), "$1", {{"id"}}) +
                                            " k join contact c on c.id = k.id",
                                        {ids}));
  std::map<std::int64_t, std::size_t> row_of;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    row_of.emplace(rows.integer(i, 0), i);
  }
  for (Delivery& delivery : deliveries) {
    const auto found = row_of.find(delivery.key.contact.get());
    CHECK(found != row_of.end());  // contacts are never deleted while they have rows elsewhere
    delivery.contact_key = rows.text(found->second, 1);
    for (std::size_t i = 0; i < fields.size(); ++i) {
      delivery.values.push_back(from_sql(rows.at(found->second, 2 + i), fields[i].type));
    }
  }
  return base::ok();
}

// Whether a fail-over has been since which nobody has held deliveries.
base::Result<bool> to_be_held(Connection& c) {
  TRY(const base::Timeline timeline, c.timeline());
  TRY(const Rows held, c.query("select value from setting where name = $1", {kHeldIn}));
  return held.empty() || held.text(0, 0) != std::to_string(timeline.get());
}

// They are in that state from now on, and nobody has them in hand.
base::Result<void> end_at(Connection& c, const std::vector<Delivery>& deliveries,
                          OutboxState state) {
  const auto append = [](const Delivery& delivery, std::string& json) {
    append_key(delivery.key, json);
  };
  TRYV(c.execute("update outbox set state = $2, deadline = null from " +
                     json_rows(c.dialect(), "$1", kKeyColumns) + " k where " + kSameKey,
                 {json_array(deliveries, append), static_cast<std::int64_t>(state)}));
  return base::ok();
}

// Carries out what needs nobody outside: events are recorded, and are sent with that.
base::Result<void> record_events_among(Connection& c, std::vector<Delivery>& deliveries) {
  const auto others = std::stable_partition(
      deliveries.begin(), deliveries.end(),
      [](const Delivery& delivery) { return !track::is_recorded(delivery.kind); });
  const std::vector<Delivery> asked(std::make_move_iterator(others),
                                    std::make_move_iterator(deliveries.end()));
  deliveries.erase(others, deliveries.end());
  if (asked.empty()) {
    return base::ok();
  }
  TRYV(record_asked(c, asked));
  return end_at(c, asked, OutboxState::kSent);
}

// How many messages contacts have been sent, or are being sent, that caps count. Locks the
// contacts, so that nobody else takes a message for them meanwhile.
class CapCounts {
 public:
  static base::Result<CapCounts> read(Connection& c, const std::vector<OutboxKey>& keys,
                                      const SendRules& rules, base::Instant now) {
    CapCounts counts;
    std::set<base::TrackId> tracks;
    std::map<base::TrackId, std::set<std::int64_t>> contacts;
    for (const OutboxKey& key : keys) {
      if (tracks.insert(key.track).second && rules.cap) {
        if (const std::optional<SendCap> cap = rules.cap(key.track, now)) {
          counts.caps_.emplace(key.track, *cap);
        }
      }
      if (counts.caps_.contains(key.track)) {
        contacts[key.track].insert(key.contact.get());
      }
    }
    std::set<std::int64_t> all;
    for (const auto& [track, some] : contacts) {
      all.insert(some.begin(), some.end());
    }
    if (all.empty()) {
      return counts;
    }
    if (c.dialect() == Dialect::kPostgres) {
      TRYV(c.query("select c.id from " + json_rows(c.dialect(), "$1", {{"id"}}) +
                       " k join contact c on c.id = k.id order by c.id for no key update of c",
                   {ids(all)}));
    }
    for (const auto& [track, some] : contacts) {
      TRYV(counts.count(c, track, some));
    }
    return counts;
  }

  // Whether the message may be sent; then it counts.
  bool take(const Delivery& delivery) {
    const auto cap = caps_.find(delivery.key.track);
    if (cap == caps_.end() || !cap->second.counts(delivery.kind)) {
      return true;
    }
    std::int64_t& sent = sent_[{delivery.key.track, delivery.key.contact}];
    return sent < cap->second.at_most && ++sent > 0;
  }

 private:
  static std::string ids(const std::set<std::int64_t>& contacts) {
    return json_array(
        contacts, [](std::int64_t contact, std::string& json) { json += std::to_string(contact); });
  }

  // What is being sent counts, and so does what may have been.
  base::Result<void> count(Connection& c, base::TrackId track,
                           const std::set<std::int64_t>& contacts) {
    const SendCap& cap = caps_.at(track);
    static_assert(static_cast<int>(track::ActionKind::kEmail) == 1 &&
                  static_cast<int>(track::ActionKind::kShow) == 4);
    TRY(const Rows rows,
        c.query(
            "select o.contact_id, count(*) from " + json_rows(c.dialect(), "$1", {{"id"}}) +
                " k join outbox o on o.track_id = $2 and o.contact_id = k.id where o.kind in (" +
                (cap.messages ? "1, 4" : "1") +
                ") and (o.state = 1 or o.state = 4 and o.due_at > $3 or o.state = 2 and exists"
                " (select 1 from delivery d where d.track_id = o.track_id and d.contact_id ="
                " o.contact_id and d.entry = o.entry and d.move_no = o.move_no and d.action_no"
                " = o.action_no and d.state = 2 and d.at > $3)) group by o.contact_id",
            {ids(contacts), static_cast<std::int64_t>(track.get()), cap.since}));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      sent_[{track, base::ContactId(rows.integer(i, 0))}] = rows.integer(i, 1);
    }
    return base::ok();
  }

  std::map<base::TrackId, SendCap> caps_;  // of tracks that have one
  std::map<std::pair<base::TrackId, base::ContactId>, std::int64_t> sent_;
};

// Takes out of what was taken what must wait, which goes back, and what a cap drops.
base::Result<void> hold_back(Connection& c, const SendRules& rules, base::Instant now,
                             CapCounts& counts, std::vector<Delivery>& deliveries) {
  std::vector<std::pair<OutboxKey, base::Instant>> waiting;
  std::vector<Delivery> capped;
  std::erase_if(deliveries, [&](const Delivery& delivery) {
    const base::Instant at = rules.not_before ? rules.not_before(delivery, now) : now;
    if (at > now) {
      waiting.emplace_back(delivery.key, looked_at_again(at, now));
      return true;
    }
    if (!counts.take(delivery)) {
      capped.push_back(delivery);
      return true;
    }
    return false;
  });
  if (!waiting.empty()) {
    const auto append = [](const auto& item, std::string& json) {
      append_key(item.first, json);
      json += ',' + std::to_string(item.second.us);
    };
    std::vector<JsonColumn> columns = kKeyColumns;
    columns.push_back({"due_at"});
    TRYV(
        c.execute("update outbox set state = 0, attempt = outbox.attempt - 1, peer = null,"
                  " incarnation = null, deadline = null, due_at = " +
                      instant_sql(c.dialect(), "k.due_at") + " from " +
                      json_rows(c.dialect(), "$1", columns) + " k where " + kSameKey,
                  {json_array(waiting, append)}));
  }
  if (!capped.empty()) {
    TRYV(record_capped(c, capped));
    TRYV(end_at(c, capped, OutboxState::kCapped));
  }
  return base::ok();
}

base::Result<std::vector<Delivery>> take(Connection& c, const std::vector<OutboxKey>& keys,
                                         const PeerId& self, base::Duration lease,
                                         const std::vector<track::Field>& fields,
                                         const SendRules& rules) {
  TRY(const bool to_hold, to_be_held(c));
  if (to_hold) {
    return std::vector<Delivery>();
  }
  const std::string json = json_array(keys, append_key);
  TRY(const base::Instant now, c.now());
  TRY(CapCounts counts, CapCounts::read(c, keys, rules, now));
  TRY(const Rows rows,
      c.query("update outbox set state = 1, attempt = attempt + 1, peer = $2, incarnation = $3, "
              "deadline = $4 from " +
                  json_rows(c.dialect(), "$1", kKeyColumns) + " k where " + kSameKey +
                  " and outbox.state = 0 returning outbox.track_id, outbox.contact_id, "
                  "outbox.entry, outbox.move_no, "
                  "outbox.action_no, outbox.attempt, outbox.kind, outbox.name, outbox.version, "
                  "outbox.asked_at, "
                  "outbox.payload",
              {json, self.name.get(), self.incarnation.get(), now + lease}));
  std::vector<Delivery> deliveries(rows.size());
  std::set<base::TrackId> tracks;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    tracks.insert(base::TrackId(rows.integer32(i, 0)));
  }
  TRY(const auto names, read_names(c, tracks));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Delivery& delivery = deliveries[i];
    delivery.key = read_key(rows, i);
    delivery.attempt = rows.integer32(i, 5);
    delivery.kind = static_cast<track::ActionKind>(rows.integer(i, 6));
    const Names& of_track = names.at(delivery.key.track);
    delivery.name = action_name(of_track.numbering, rows.integer32(i, 7));
    delivery.track = of_track.track;
    delivery.version = base::Version(rows.integer32(i, 8));
    delivery.asked_at = rows.instant(i, 9);
    delivery.payload = rows.text(i, 10);
  }
  std::sort(deliveries.begin(), deliveries.end(),
            [](const Delivery& a, const Delivery& b) { return a.key < b.key; });
  TRYV(record_events_among(c, deliveries));
  if (!deliveries.empty()) {
    TRYV(add_contacts(c, fields, deliveries));
    TRYV(hold_back(c, rules, now, counts, deliveries));
  }
  return deliveries;
}

base::Result<std::int64_t> note(Connection& c, const PeerId& self,
                                const std::vector<DeliveryResult>& results) {
  TRY(const base::Instant now, c.now());
  const auto append = [&](const DeliveryResult& result, std::string& json) {
    append_key(result.key, json);
    json += ',' + std::to_string(result.attempt) + ',' +
            std::to_string(static_cast<int>(result.state)) + ',' +
            std::to_string((now + result.retry_after).us) + ',';
    append_json_string(shortened(result.answer), json);
  };
  std::vector<JsonColumn> columns = kKeyColumns;
  columns.insert(columns.end(), {{"attempt"}, {"state"}, {"retry_at"}, {"answer", true}});
  // An attempt that was given up as uncertain may yet be told apart. What was held after a
  // fail-over has no deadline, and does not wait again: see hold().
  const std::string not_held = base::planted(base::Mutant::kHeldWaitsAgain)
                                   ? ""
                                   : " and (k.state <> 0 or outbox.deadline is not null)";
  TRY(const Rows rows,
      c.query(
          "update outbox set state = k.state, deadline = null, due_at = case k.state when 0 then " +
              instant_sql(c.dialect(), "k.retry_at") + " else outbox.due_at end from " +
              json_rows(c.dialect(), "$1", columns) + " k where " + kSameKey +
              " and outbox.attempt = k.attempt and outbox.peer = $2 and outbox.incarnation = $3 "
              "and outbox.state in (1, 4)" +
              not_held +
              " returning outbox.track_id, outbox.contact_id, outbox.entry, "
              "outbox.move_no, "
              "outbox.action_no",
          {json_array(results, append), self.name.get(), self.incarnation.get()}));
  std::set<OutboxKey> noted;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    noted.insert(read_key(rows, i));
  }
  std::vector<DeliveryResult> written;
  for (const DeliveryResult& result : results) {
    if (noted.erase(result.key) > 0) {
      written.push_back(result);
    }
  }
  if (!written.empty()) {
    TRYV(c.execute(
        "insert into delivery (track_id, contact_id, entry, move_no, action_no, attempt, at, peer, "
        "state, answer) "
        "select k.track_id, k.contact_id, k.entry, k.move_no, k.action_no, k.attempt, $2, $3, "
        "k.state, k.answer "
        "from " +
            json_rows(c.dialect(), "$1", columns) + " k where true on conflict do nothing",
        {json_array(written, append), now, self.name.get()}));
  }
  return static_cast<std::int64_t>(written.size());
}

base::Result<std::int64_t> hold(Connection& c) {
  TRY(const bool to_hold, to_be_held(c));
  if (!to_hold) {
    return std::int64_t{0};
  }
  TRY(const base::Timeline timeline, c.timeline());
  TRYV(
      c.execute("insert into setting (name, value) values ($1, $2) on conflict (name) do update "
                "set value = excluded.value",
                {kHeldIn, std::to_string(timeline.get())}));
  TRY(const base::Instant now, c.now());
  TRY(const Rows last, c.query("select max(at) from delivery", {}));
  std::int64_t sent = 0;
  if (!last.is_null(0, 0)) {
    TRY(const Rows count,
        c.query("select count(*) from delivery where at > $1", {last.instant(0, 0) - kHeldAround}));
    sent = count.integer(0, 0);
  }
  static_assert(static_cast<int>(track::ActionKind::kEvent) == 3);
  static_assert(static_cast<int>(track::ActionKind::kPutOn) == 5);
  static_assert(static_cast<int>(track::ActionKind::kTakeOff) == 6);
  // Whoever took it may say again that it is to be tried once more, having had no answer before the
  // fail-over. It may have been, and have been sent, in the part that is lost.
  TRY(const std::int64_t taken,
      c.execute("update outbox set state = 4, deadline = null where state = 1", {}));
  TRYV(c.execute("update outbox set deadline = null where state = 4 and deadline is not null", {}));
  const char* const key = "(track_id, contact_id, entry, move_no, action_no)";
  TRY(const std::int64_t waiting,
      c.execute(
          std::string("update outbox set state = 4 where state = 0 and kind not in (3, 5, 6) and "
                      "due_at <= $1 and "
                      "(due_at > $2 or ") +
              key +
              " in (select track_id, contact_id, entry, move_no, action_no from outbox where " +
              "state = 0 and kind not in (3, 5, 6) and due_at <= $1 order by due_at limit $3))",
          {now + kHeldAround, now - kHeldAround, std::max(sent, kHeldAtLeast)}));
  return taken + waiting;
}

}  // namespace

base::Result<std::vector<OutboxDue>> SqlSession::outbox_due(int limit) {
  TRY(const Rows rows,
      connection_->query(
          std::string("select track_id, contact_id, entry, move_no, action_no, due_at from "
                      "outbox where state = 0 and due_at <= ") +
              now_sql(connection_->dialect()) + " order by due_at limit $1",
          {static_cast<std::int64_t>(limit)}));
  std::vector<OutboxDue> due;
  due.reserve(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    due.push_back({read_key(rows, i), rows.instant(i, 5)});
  }
  return due;
}

base::Result<std::vector<Delivery>> SqlSession::take_deliveries(
    const std::vector<OutboxKey>& keys, const PeerId& self, base::Duration lease,
    const std::vector<track::Field>& fields, const SendRules& rules) {
  if (keys.empty()) {
    return std::vector<Delivery>();
  }
  return in_transaction(*connection_, TransactionMode::kWrite,
                        [&](Connection& c) { return take(c, keys, self, lease, fields, rules); });
}

base::Result<std::int64_t> SqlSession::note_deliveries(const PeerId& self,
                                                       const std::vector<DeliveryResult>& results) {
  if (results.empty()) {
    return std::int64_t{0};
  }
  return in_transaction(*connection_, TransactionMode::kWrite,
                        [&](Connection& c) { return note(c, self, results); });
}

base::Result<std::int64_t> SqlSession::hold_deliveries() {
  return in_transaction(*connection_, TransactionMode::kWrite,
                        [](Connection& c) { return hold(c); });
}

base::Result<std::int64_t> SqlSession::give_up_deliveries(const std::vector<PeerId>& ended) {
  const std::string json = json_array(ended, [](const PeerId& peer, std::string& text) {
    append_json_string(peer.name.get(), text);
    text += ',' + std::to_string(peer.incarnation.get());
  });
  const Dialect dialect = connection_->dialect();
  return connection_->execute(
      std::string("update outbox set state = 4 where state = 1 and (deadline < ") +
          now_sql(dialect) + " or exists (select 1 from " +
          json_rows(dialect, "$1", {{"name", true}, {"incarnation"}}) +
          " k where k.name = outbox.peer and k.incarnation = outbox.incarnation) or exists (select "
          "1 "
          "from peer p where p.name = outbox.peer and p.incarnation > outbox.incarnation))",
      {json});
}

}  // namespace turnout::store::sql
