#pragma once

// The records that go in and out of the store. Plain data. All times are on the database's clock.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "track/block.h"
#include "track/catalogue.h"
#include "track/numbering.h"
#include "track/track.h"

namespace turnout::store {

// ---- The peer group's durable part
// --------------------------------------------------------------------------------------

// Who somebody is in the group: a name and the life it is living.
struct PeerId {
  base::PeerName name;
  base::Incarnation incarnation;
  friend bool operator==(const PeerId&, const PeerId&) = default;
};

inline constexpr base::TrackId kMasterRow{0};  // the ledger's row of the master

struct LedgerRow {
  base::TrackId track;  // kMasterRow: the master's
  std::optional<PeerId> owner;
  base::Timeline timeline;
  base::Epoch epoch;
  base::Version version;  // of the published track; 0 for the master
  bool active = true;     // false: paused or archived, not to be claimed
  base::Instant since;
};

struct TakeResult {
  bool taken = false;
  LedgerRow row;  // as it is now
};

struct StampAnswer {
  bool refused = false;  // a later incarnation of this name has stamped: this process must stop
  base::Timeline timeline;
  std::int64_t own_stamp = 0;
  LedgerRow master;
  std::int64_t master_stamp = 0;  // stamp of the master's owner, 0 when there is none
  std::int64_t catalogue_version = 0;
};

struct PeerStamp {
  PeerId peer;
  std::int64_t stamp = 0;
  std::string address;
};

// A peer's stamp as it was read: a take-over that was decided by it holds only while it stands.
// It is refused in another timeline, where the same number may mean another stamp.
struct StillStamp {
  PeerId peer;
  std::int64_t stamp = 0;
  base::Timeline timeline;
};

// ---- Tracks
// -----------------------------------------------------------------------------------------------------------

struct TrackVersion {
  base::TrackId id;
  std::string name;
  base::Version version;
  std::string text;
  track::Numbering numbering;
  bool active = true;
  base::Instant created_at;  // when the track's first version was published
};

struct Publish {
  track::Track track;  // `text` parsed: its numbering is extended from the versions before, see
                       // track::extend
  std::string text;
  // For each step that disappears and holds contacts: where they go (a step), or nullopt to stop as
  // "completed".
  std::map<std::string, std::optional<std::string>> map;
  // Who waits for a time now is to wait for the one that the new version says: the track's owner
  // sees to it, by the cursor kReschedule.
  bool reschedule = false;
};

// The name of a clause, see Session::cursor: "CONTACT ENTRY" up to which entries have been given
// their new times, "" when all have.
inline constexpr const char* kReschedule = "reschedule";

struct Published {
  base::TrackId id;
  base::Version version;
  bool unchanged = false;  // the same text is already the current version
  // Not empty: nothing was published, since these steps disappear and hold so many contacts.
  std::vector<std::pair<std::string, std::int64_t>> homeless;
  bool is_new = false;  // there is no track of that name yet (was, before publish())
  // Contacts on each step of the version before, those left out where none are. From plan().
  std::map<std::string, std::int64_t> waiting;
};

// ---- Contacts
// -----------------------------------------------------------------------------------------------------------

// A batch of contacts by key: `columns` are parallel to `fields`. At most 5,000 rows. A missing
// value clears the field. Of rows with the same key the last counts, and the others are neither
// written nor counted.
struct ContactBatch {
  std::vector<std::string> key;
  std::vector<track::Field> fields;    // declared ones and `email`
  std::vector<track::Column> columns;  // as many rows as key
};

// What loading is to bring along of contacts, in the columns of a ContactBlock.
struct Reads {
  std::vector<track::Field>
      fields;  // one without a column, of a dotted name, is missing everywhere
  std::vector<std::string> tags = {};
  std::vector<track::OtherPlace> places = {};
  std::set<std::string> hears = {};    // events that an entry has not heard yet
  std::set<std::string> recalls = {};  // events, heard or not
  bool data = false;                   // what entries hold beside their position

  bool events() const { return !hears.empty() || !recalls.empty(); }
};

struct ImportResult {
  std::int64_t inserted = 0;
  std::int64_t updated = 0;
  std::int64_t unchanged = 0;
};

// ---- Events
// -------------------------------------------------------------------------------------------------------------

struct NewEvent {
  std::string key;  // of the contact; one that is not there yet is made
  std::string name;
  std::string properties;  // a JSON object; "": none
  // Where the event comes from, and what it is called there: one that comes again is not recorded
  // again. Without an id every event is another.
  std::string source;
  std::string id;
};

struct RecordResult {
  std::int64_t recorded = 0;
  std::int64_t repeated = 0;  // had been recorded before
  std::int64_t contacts = 0;  // that were made
};

// A contact's events are numbered from 1 in the order in which they were committed.
struct EventKey {
  base::ContactId contact;
  std::int64_t number = 0;
  friend auto operator<=>(const EventKey&, const EventKey&) = default;
};

struct EventRow {
  base::ContactId contact;
  track::BlockEvent event;
};

// Where an event comes from that is not from outside. The numbers are stored.
enum class EventOrigin : std::int16_t {
  kOutside = 0,
  kRecorded = 1,  // by an action of an entry, which does not hear it
  kAnswer = 2,    // to an action of an entry, which alone hears it
};

// An entry that an event has made.
struct Arrival {
  base::ContactId contact;
  std::int32_t step = 0;
  std::int64_t event = 0;                // its number: what came before it is not heard
  std::optional<std::string> entry_key;  // tells entries of one contact apart
  std::string data;                      // as in ContactBlock
};

// ---- Work
// ---------------------------------------------------------------------------------------------------------------

// What every write for a track carries; refused when the ledger has moved on.
struct Fence {
  base::TrackId track;
  base::Timeline timeline;
  base::Epoch epoch;
};

// A position that is due.
struct DueItem {
  base::Instant due;
  base::ContactId contact;
  std::int32_t entry = 0;
  std::int32_t move_no = 0;
};

// Where a look at the timers stopped: rows above it in (due, contact, entry) are still to be seen.
struct DueCursor {
  base::Instant due{0};
  base::ContactId contact{0};
  std::int32_t entry = 0;
};

struct BlockItem {
  base::ContactId contact;
  std::int32_t entry = 0;
  std::int32_t move_no = 0;
};

struct Commit {
  Fence fence;
  base::Version version;
  PeerId peer;
  std::int32_t connection =
      0;  // distinguishes tally rows of connections that commit at the same time, group-wide
  const std::vector<track::Field>* fields =
      nullptr;  // decide::Program::fields of the outcome's writes
  const track::ContactBlock* before = nullptr;
  const track::BlockOutcome* after = nullptr;
};

struct CommitResult {
  bool fenced = false;  // the ledger has moved on: nothing was written
  std::int64_t positions =
      0;  // rows of the block that were written (moved, or only given a new due time)
  std::int64_t moves = 0;
  std::int64_t actions = 0;  // rows put in the outbox
  std::vector<std::uint32_t>
      stale;  // rows that were not where the block said; nothing was written for them
};

// Takes the contact's entries off that were there when it was asked for.
struct TakeOff {
  base::ContactId contact;
  base::Instant asked_at;
};

struct TakenOff {
  bool fenced = false;
  std::int64_t entries = 0;
};

// Where gathered contacts come in.
struct Entrance {
  base::Version version;
  std::int32_t step = 0;
  // Who has been on the track before may come again when it stopped then or earlier; none: never.
  std::optional<base::Instant> stopped_by = {};
};

struct GatherResult {
  bool fenced = false;
  std::int64_t gathered = 0;  // new entries
  base::ContactId last{0};    // highest contact id looked at
  bool done = false;          // no contact is above it
};

// Where a reader of changes stands, opaque to callers: a snapshot on PostgreSQL, a counter on
// SQLite. Empty: from now on.
struct FeedCursor {
  std::string text;
};

struct Change {
  base::ContactId contact;
  std::vector<std::string> fields;  // names of the fields that changed; a new contact: all it has
  std::vector<std::string> tags;
  std::vector<std::pair<std::string, std::int64_t>> events;  // names and numbers of new ones
  base::TrackId by{0};  // the track whose block made the change, 0: import or API
  bool created = false;
  std::vector<std::string> places = {};  // tracks on which it may stand elsewhere now
};

// Whether other tracks ask, by `on track`, for a contact's place on a track, so that the changes
// tell of it. The numbers are stored.
enum class Watched : std::int16_t {
  kNot = 0,
  kWhoIsOn = 1,    // who comes on it and who stops
  kWhichStep = 2,  // every move
};

struct FeedBatch {
  std::vector<Change> changes;  // of one contact folded into one where they stand together
  FeedCursor next;
  bool more = false;  // the limit was reached
  bool lost =
      false;  // the cursor is of another cluster or older than what is kept: test everybody once
};

struct PositionRow {
  base::ContactId contact;
  std::int32_t entry = 0;
  std::int32_t move_no = 0;
  std::int32_t step = 0;
  track::PositionState state = track::PositionState::kOpen;
  std::uint64_t stayed = 0;
  bool due =
      false;  // by the database's clock: a block that was read before may be about to move it
};

// A closed position, and the move that closed it as the journal tells of it.
struct Delayed {
  BlockItem item;
  std::int32_t from = 0;  // the step that it was on
  std::int32_t rule = 0;  // of that step, in the file order of the version of then
  base::Instant moved_at;
};

// Closed positions above it in (contact, entry) are still to be seen.
struct DelayedCursor {
  base::ContactId contact{0};
  std::int32_t entry = 0;
};

// Makes a closed position due now with another `stayed`, which says when it opens.
struct Reschedule {
  BlockItem item;
  std::uint64_t stayed = 0;
};

// Makes a position due now; `woken` are the rules that may be met again. A closed one that is not
// due and does not follow a field only when it `looks`; it keeps the time at which it opens.
struct Wake {
  base::ContactId contact;
  std::int32_t entry = 0;
  std::int32_t move_no = 0;
  std::uint64_t woken = 0;
  bool looks = false;
};

// ---- Deliveries
// -----------------------------------------------------------------------------------------------------------

struct OutboxKey {
  base::TrackId track;
  base::ContactId contact;
  std::int32_t entry = 0;
  std::int32_t move_no = 0;
  std::int16_t action_no = 0;
  friend auto operator<=>(const OutboxKey&, const OutboxKey&) = default;
};

enum class OutboxState : std::int16_t {
  kWaiting = 0,  // to be sent at due_at or later
  kSending = 1,  // a peer has it until `deadline`
  kSent = 2,
  kFailed = 3,  // given up; an operator may retry or drop it
  kUncertain =
      4,  // it may have been sent: a peer went while it had it, or the database failed over
  kWithdrawn = 5,  // not to be sent: the contact left the track before anybody had taken it
  kCapped = 6,     // not to be sent: the track has sent the contact as many as it may
};

// What hold_deliveries() holds. The time is also by how much the clocks of a database and its
// standby may differ.
inline constexpr base::Duration kHeldAround = std::chrono::minutes(1);
inline constexpr std::int64_t kHeldAtLeast = 100;

struct OutboxDue {
  OutboxKey key;
  base::Instant due;
};

// A delivery that this peer has taken: everything needed to carry it out.
struct Delivery {
  OutboxKey key;
  std::int32_t attempt = 0;  // 1 for the first
  track::ActionKind kind = track::ActionKind::kEmail;
  std::string name;   // of the template or webhook
  std::string track;  // name of the track
  base::Version version;
  base::Instant asked_at;  // when the move was committed
  std::string contact_key;
  std::string payload;               // JSON, or ""
  std::vector<track::Value> values;  // parallel to the fields asked for in take()
};

// How many messages of a track a contact may be sent.
struct SendCap {
  bool messages = false;  // e-mails and what is shown on pages; else e-mails alone
  std::int64_t at_most = 0;
  base::Instant since;  // those sent after it count

  bool counts(track::ActionKind kind) const {
    return kind == track::ActionKind::kEmail || (messages && kind == track::ActionKind::kShow);
  }
};

// What is looked at before a delivery is handed over. The functions are called within a
// transaction, so they ask nobody; none: all may go out at once.
struct SendRules {
  // The first instant from `now` on at which it may go out; kNever: not within any foreseeable
  // time.
  std::function<base::Instant(const Delivery&, base::Instant now)> not_before = {};
  std::function<std::optional<SendCap>(base::TrackId, base::Instant now)> cap = {};
};

struct DeliveryResult {
  OutboxKey key;
  std::int32_t attempt = 0;
  OutboxState state = OutboxState::kSent;  // or kFailed, kUncertain, or kWaiting with retry_after
                                           // for another attempt
  base::Duration retry_after{0};
  std::string answer;  // what the provider said, at most 1,000 bytes
};

// ---- Reports
// ----------------------------------------------------------------------------------------------------------------

struct ActionCount {
  track::ActionKind kind = track::ActionKind::kEmail;
  std::string name;
  std::map<OutboxState, std::int64_t> states;
};

struct Report {
  std::string track;
  base::Version version;
  std::int64_t entered = 0;
  std::map<std::string, std::int64_t> waiting;  // step → contacts on it, not stopped
  std::map<std::string, std::int64_t> stopped;  // outcome → contacts
  std::int64_t moves = 0;
  std::vector<ActionCount> actions;
  std::map<std::string, std::int64_t>
      tags;  // of all tags: how many contacts on the track, past or present, have it now
};

// Cheap figures for a live view: from tally, never from the positions.
struct Progress {
  std::int64_t moves = 0;
  std::map<std::string, std::int64_t> on_step;  // step or outcome → contacts there now
  std::int64_t gathered = 0;
};

// One move of a contact, for `why`.
struct MoveRow {
  std::string track;
  base::Version version;
  std::int32_t entry = 0;
  std::int32_t move_no = 0;
  base::Instant at;
  std::string peer;
  std::string from;       // step
  std::int32_t rule = 0;  // index of the rule within the step, in the file order of that version
  std::string to;         // step or outcome
  std::string seen;       // JSON object
};

struct PositionReport {
  std::string track;
  base::Version version;
  std::int32_t entry = 0;
  std::string step;  // or outcome
  track::PositionState state = track::PositionState::kOpen;
  base::Instant entered_at;
  base::Instant step_at;
  base::Instant due_at;
};

inline constexpr std::int64_t kReportedEvents = 100;

struct ContactReport {
  base::ContactId id;
  std::string key;
  std::vector<std::pair<std::string, track::Value>> fields;
  std::vector<std::string> tags;
  std::vector<PositionReport> positions;
  std::vector<MoveRow> moves;  // by track, entry, number
  // The newest kReportedEvents, in order.
  std::vector<track::BlockEvent> events;
};

struct OutboxRow {
  OutboxKey key;
  std::string track;
  std::string contact_key;
  track::ActionKind kind = track::ActionKind::kEmail;
  std::string name;
  OutboxState state = OutboxState::kWaiting;
  std::int32_t attempt = 0;
  base::Instant due;
  std::string answer;  // of the last attempt
};

}  // namespace turnout::store
