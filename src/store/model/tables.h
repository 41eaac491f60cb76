#pragma once

// The store's tables as maps: what the model works on, for tests to look at.

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "store/model/fault.h"
#include "store/model/watcher.h"
#include "store/types.h"
#include "track/value.h"

namespace turnout::store::model {

struct Contact {
  std::string key;
  std::map<std::string, track::Value> values;  // by column: email and the declared ones
  base::Instant created_at;
  base::Instant updated_at;
};

struct ModelTrack {
  base::TrackId id;
  base::Version version;
  bool active = true;
  base::Instant created_at;
  std::map<base::Version, std::string> texts;
  track::Numbering numbering;
};

struct PositionKey {
  base::TrackId track;
  base::ContactId contact;
  std::int32_t entry = 0;
  friend auto operator<=>(const PositionKey&, const PositionKey&) = default;
};

struct Position {
  std::int32_t step = 0;
  std::int32_t move_no = 0;
  base::Version version;
  track::PositionState state = track::PositionState::kOpen;
  std::int64_t heard = 0;
  std::uint64_t stayed = 0;
  base::Instant entered_at;
  base::Instant step_at;
  base::Instant due_at;  // kNever: none
  std::optional<std::string> entry_key;
  std::string data;  // a JSON object, or ""
};

struct ModelEvent {
  std::string name;
  std::string properties;
  base::Instant at;
  base::TrackId track{0};
  std::int32_t entry = 0;
  EventOrigin origin = EventOrigin::kOutside;
};

struct TimerKey {
  base::TrackId track;
  base::Instant due;
  base::ContactId contact;
  std::int32_t entry = 0;
  friend auto operator<=>(const TimerKey&, const TimerKey&) = default;
};

struct Passage {
  std::int32_t from_move = 0;
  base::Version version;
  base::Instant at;
  PeerId peer;
  std::vector<std::int32_t> path;
  std::string path_json;
  std::string seen;
};

struct Action {
  track::ActionKind kind = track::ActionKind::kEmail;
  std::int32_t name = 0;
  base::Version version;
  OutboxState state = OutboxState::kWaiting;
  std::int32_t attempt = 0;
  base::Instant asked_at;
  base::Instant due_at;
  PeerId peer;
  base::Instant deadline;  // kNever: none
  std::string payload;
};

struct Attempt {
  base::Instant at;
  std::string peer;
  OutboxState state = OutboxState::kSent;
  std::string answer;
};

struct Peer {
  base::Incarnation incarnation;
  std::int64_t stamp = 0;
  std::int64_t stamp_on_disk = 0;  // at least this one a crash does not take back
  std::string address;
};

// What is in the database: a fail-over may take it back to what it was some time before.
struct Data {
  std::int64_t catalogue_version = 1;
  std::int64_t last_incarnation = 0;
  base::Timeline timeline{1};
  base::Timeline held_in{1};  // in which deliveries were last held
  std::vector<track::Field> fields;
  std::map<base::ContactId, Contact> contacts;
  std::map<std::string, base::ContactId> contact_by_key;
  std::set<std::pair<base::ContactId, std::string>> tags;
  std::map<base::ContactId, std::vector<ModelEvent>> events;  // number 1 first
  std::set<std::pair<std::string, std::string>> messages;
  std::map<std::string, ModelTrack> tracks;
  std::map<std::string, Watched> watched;  // by name of the track
  std::map<base::TrackId, LedgerRow> ledger;
  std::map<PositionKey, Position> positions;
  std::map<TimerKey, std::int32_t> timers;                          // → move number
  std::map<std::pair<PositionKey, std::int32_t>, Passage> journal;  // by the last move's number
  std::map<OutboxKey, Action> outbox;
  std::map<std::pair<OutboxKey, std::int32_t>, Attempt> deliveries;  // by attempt
  std::vector<Change> changes;  // the feed's cursor is a number of them
  std::map<std::pair<base::TrackId, std::string>, std::string> cursors;
  // (track, version, step, rule, connection) → times
  std::map<std::tuple<base::TrackId, base::Version, std::int32_t, std::int32_t, std::int32_t>,
           std::int64_t>
      tally;
  std::map<base::PeerName, Peer> peers;
};

struct Tables : Data {
  std::mutex mutex;  // held during each call of a session: every call is one transaction
  std::function<base::Instant()> clock;
  Fault fault = Fault::kNone;
  std::vector<Watcher*> watchers;
  // Lives whose sessions are open; and those of them that hold their life lock.
  std::set<std::pair<base::PeerName, base::Incarnation>> lives;
  std::set<std::pair<base::PeerName, base::Incarnation>> living;
  int outages = 0;  // after each of them everybody connects anew

  // True while the ledger's row is at the fence and active.
  bool holds(const Fence& fence) const;
  // True while the track may be written under the fence.
  bool admits(const Fence& fence) const { return fault == Fault::kFenceLeftOut || holds(fence); }
  // Tells the watchers that the track was.
  void note_write(const Fence& fence) const;
  void note_position(const PositionKey& key, const Position& position) const;
  void note_delivery(const OutboxKey& key, OutboxState before, const Action& after) const;
  // Tells the feed that a contact came on the track, moved or stopped.
  void tell_place(base::TrackId track, base::ContactId contact, bool moved_only = false);
  // The track of that number. CHECKs that there is one.
  const std::pair<const std::string, ModelTrack>& track_of(base::TrackId id) const;
  // Sets a position's due time together with its timer.
  void set_due(const PositionKey& key, Position& position, base::Instant due);
  void add_tally(base::TrackId track, base::Version version, std::int32_t step, std::int32_t rule,
                 std::int32_t connection, std::int64_t times);
};

}  // namespace turnout::store::model
