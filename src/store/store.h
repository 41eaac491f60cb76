#pragma once

// The one interface to the database: contacts, positions, journal, feed of changes, ledger, outbox.
// SQLite and PostgreSQL implement it (store/sqlite, store/postgres), and so does a model in memory
// (store/model) that the simulator uses; one test suite runs over all three.
//
// A Store is a database; a Session is one connection to it. A Session is used by one thread at a
// time; different sessions may be used at once. Every call blocks until the database has answered.
// Errors: kUnavailable when the database cannot be reached (the call may be repeated on the same
// session, which connects anew; a commit is repeated by itself and its answer is final), kInvalid,
// kNotFound, kConflict as said at each call.

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/types.h"

namespace turnout::store {

// The life, the stamps and the ledger of the peer group. The only part that may run ahead of the
// others' locks.
class GroupSession {
 public:
  virtual ~GroupSession() = default;
  // Begins a life: draws an incarnation from the database, writes the peer's row, takes the life
  // lock, which the database or the operating system drops when this process (or this session)
  // ends.
  virtual base::Result<base::Incarnation> begin_life(const base::PeerName& name,
                                                     const std::string& address) = 0;
  // Raises this peer's stamp: by one, without waiting for the disk. Where a crash of the database
  // may take that back (PostgreSQL), the first stamp of a new connection goes further ahead and
  // waits, so that no stamp ever has an earlier one's value; see docs/decisions/0033.
  virtual base::Result<StampAnswer> stamp(const PeerId& self) = 0;
  virtual base::Result<std::vector<PeerStamp>> stamps() = 0;
  // True when the life lock of that peer can be had now, so that its process has ended. Gives it
  // back at once.
  virtual base::Result<bool> life_has_ended(const PeerId& peer) = 0;
  virtual base::Result<std::vector<LedgerRow>> ledger() = 0;
  // Compare-and-set: if the row still has (expected timeline, epoch), `self` becomes its owner at
  // epoch + 1. With `still`, only if that peer has not stamped since, nor begun another life. Waits
  // for commits in flight under the old epoch at most 1 s, then ends the sessions in its way
  // (PostgreSQL).
  virtual base::Result<TakeResult> take(base::TrackId track, base::Timeline timeline,
                                        base::Epoch expected, const PeerId& self,
                                        const std::optional<StillStamp>& still) = 0;
  // Gives the row up if `self` owns it at that epoch: owner becomes none, the epoch stays.
  virtual base::Result<bool> cede(base::TrackId track, base::Epoch epoch, const PeerId& self) = 0;
};

// How conditions for gather() and gather_these() are to be written: for which database, and the
// number of their first parameter (both calls bind their own parameters before it).
struct ConditionStyle {
  bool postgres = false;
  int first_parameter = 1;
};

class Session {
 public:
  virtual ~Session() = default;

  // The model knows only the empty condition.
  virtual ConditionStyle condition_style() const = 0;

  virtual base::Result<base::Instant> now() = 0;

  // -- Fields and contacts
  // ------------------------------------------------------------------------------------------------
  virtual base::Result<track::Catalogue> catalogue() = 0;
  // A number that rises whenever fields are declared or a track is published, paused or resumed.
  virtual base::Result<std::int64_t> catalogue_version() = 0;
  // Adds fields (columns of `contact`). kConflict when one exists with another type or differs in
  // case only.
  virtual base::Result<void> declare_fields(const std::vector<track::Field>& fields) = 0;
  // Inserts or updates by key, in one transaction, writing a change row per contact that really
  // changed. kInvalid when a key is empty, a text is not UTF-8, or a field is not to be imported
  // (`key`, `created_at`, `updated_at`).
  virtual base::Result<ImportResult> import_contacts(const ContactBatch& batch) = 0;

  // -- Events
  // ----------------------------------------------------------------------------------------------------------
  // Records events in one transaction, those of one contact in the order given, writing a change
  // row for each contact. At most 5,000. kInvalid when a key or name is empty, a text is not UTF-8,
  // or properties are no JSON object.
  virtual base::Result<RecordResult> record_events(const std::vector<NewEvent>& events) = 0;
  // Those of them that there are, in the order of contacts and numbers.
  virtual base::Result<std::vector<EventRow>> events(const std::vector<EventKey>& keys) = 0;
  // Those of these names that were received at `since` or later, above `after`, in the same order,
  // at most `limit`. Reads much: for when the feed was lost.
  virtual base::Result<std::vector<EventRow>> events_since(const std::set<std::string>& names,
                                                           base::Instant since,
                                                           const EventKey& after, int limit) = 0;

  // -- Tracks
  // ----------------------------------------------------------------------------------------------------------
  // Publishes a version: one transaction that raises the epoch, then counts who is where, then
  // commits or rolls back. The owner stays in the ledger, at the new epoch. A step map's moves
  // stand in the journal with rule -3. kInvalid when the map does not fit.
  virtual base::Result<Published> publish(const Publish& publish) = 0;
  // What publish() would answer now: the version that is current, whether it is unchanged, who
  // would be homeless; and who waits where. Writes nothing and holds up nobody.
  virtual base::Result<Published> plan(const Publish& publish) = 0;
  // Pauses (false) or resumes a track; raises its epoch, unless it is so already. The owner stays
  // in the ledger. kNotFound.
  virtual base::Result<void> set_active(const std::string& track, bool active) = 0;
  virtual base::Result<std::vector<TrackVersion>> tracks() = 0;  // the current version of each
  virtual base::Result<TrackVersion> track_version(const std::string& track,
                                                   base::Version version) = 0;

  // -- Work of a track's owner
  // ---------------------------------------------------------------------------------------------
  // Positions due at or before `until`, above `from`, in order (due, contact, entry), at most
  // `limit` (1–100,000).
  virtual base::Result<std::vector<DueItem>> due(base::TrackId track, const DueCursor& from,
                                                 base::Instant until, int limit) = 0;
  // The due time of the first timer of the track, or kNever.
  virtual base::Result<base::Instant> next_due(base::TrackId track) = 0;
  // Puts contacts with ids above `after` that meet `where` (SQL over alias c, see
  // decide::SqlCondition; "" for all) and are not on the track, nor have been unless the entrance
  // lets them come again, on its step, due at once: looks at no more than `chunk` contacts (at most
  // 20,000), one statement.
  virtual base::Result<GatherResult> gather(const Fence& fence, const Entrance& entrance,
                                            const std::string& where,
                                            const std::vector<track::Value>& values,
                                            base::ContactId after, int chunk) = 0;
  // The same for these contacts only (those that changed, or that a test over columns has kept).
  virtual base::Result<GatherResult> gather_these(const Fence& fence, const Entrance& entrance,
                                                  const std::string& where,
                                                  const std::vector<track::Value>& values,
                                                  const std::vector<base::ContactId>& contacts) = 0;
  // Puts contacts on the track, due at once, whom an event takes there: each that is not on it (of
  // entries of its key), nor has been unless it stopped by `stopped_by` and had not heard the
  // event. A contact is named once. One transaction.
  virtual base::Result<GatherResult> enter(const Fence& fence, base::Version version,
                                           const std::optional<base::Instant>& stopped_by,
                                           const std::vector<Arrival>& arrivals) = 0;
  // Stops entries of contacts that other tracks take off: a move like any other, by
  // track::kTakenOffRule, that withdraws their messages. A contact is named once. One transaction.
  virtual base::Result<TakenOff> take_off(const Fence& fence, base::Version version,
                                          std::int32_t outcome,
                                          const std::vector<TakeOff>& asked) = 0;
  // Contacts by id range or list with what is to be read of them, for conditions that SQL cannot
  // say. Positions are left zero.
  virtual base::Result<track::ContactBlock> load_contacts(base::ContactId after, int limit,
                                                          const Reads& reads) = 0;
  virtual base::Result<track::ContactBlock> load_these(const std::vector<base::ContactId>& contacts,
                                                       const Reads& reads) = 0;
  // What has changed since `from`, at most about `limit` changes. One statement; skips nothing and
  // waits for nobody.
  virtual base::Result<FeedBatch> changes(const FeedCursor& from, int limit) = 0;
  // Entries on the track of these contacts that have not stopped.
  virtual base::Result<std::vector<PositionRow>> positions(
      base::TrackId track, const std::vector<base::ContactId>& contacts) = 0;
  // Makes open positions due now, and of closed ones those whose time has come, that follow a field
  // or that are to be looked at (also those that are due already: the due time always changes, so
  // that a decision made from older values is refused). Returns how many were where the wake said,
  // or kConflict when fenced.
  virtual base::Result<std::int64_t> wake(const Fence& fence, const std::vector<Wake>& wakes) = 0;
  // Closed positions, in order (contact, entry), at most `limit`; and giving them another time.
  // reschedule: those that still are where it says, or kConflict when fenced.
  virtual base::Result<std::vector<Delayed>> delayed(base::TrackId track,
                                                     const DelayedCursor& after, int limit) = 0;
  virtual base::Result<std::int64_t> reschedule(const Fence& fence,
                                                const std::vector<Reschedule>& what) = 0;
  // A small text per (track, clause) that outlives owners: feed cursors, last runs. set_cursor:
  // kConflict when fenced.
  virtual base::Result<std::optional<std::string>> cursor(base::TrackId track,
                                                          const std::string& clause) = 0;
  virtual base::Result<void> set_cursor(const Fence& fence, const std::string& clause,
                                        const std::string& text) = 0;

  // -- Work on a block
  // -----------------------------------------------------------------------------------------------------
  // Reads the positions still at the move number said, with their contacts' columns; the others are
  // left out (the caller sees which by comparing), the rows in any order. `out.now` is the
  // database's clock. Constant number of statements.
  virtual base::Result<void> load(base::TrackId track, const std::vector<BlockItem>& items,
                                  const Reads& reads, track::ContactBlock& out) = 0;
  // Writes a block: one transaction, all that really moved, nothing else. See docs/architecture.md,
  // "A block commits".
  virtual base::Result<CommitResult> commit(const Commit& commit) = 0;

  // -- Deliveries
  // ----------------------------------------------------------------------------------------------------------
  // Waiting outbox rows that are due, the oldest first, at most `limit`.
  virtual base::Result<std::vector<OutboxDue>> outbox_due(int limit) = 0;
  // Takes those still waiting: state sending, attempt + 1, peer, deadline = now + `lease`. One
  // transaction. Events that actions ask for (track::ActionKind::kEvent) are recorded in it and
  // sent with that, and not returned. None after a fail-over until hold_deliveries() was called:
  // they may have been handed out before it. What the rules hold back goes on waiting, and is no
  // attempt; what a cap drops is told to the entry by an event, `email.capped` or `message.capped`,
  // with the name of the message as its property `email` or `message`. Takers of one contact's
  // messages wait for each other there.
  virtual base::Result<std::vector<Delivery>> take_deliveries(
      const std::vector<OutboxKey>& keys, const PeerId& self, base::Duration lease,
      const std::vector<track::Field>& fields, const SendRules& rules = {}) = 0;
  // Notes results where (attempt, peer, incarnation) still match; writes a row of `delivery` each.
  virtual base::Result<std::int64_t> note_deliveries(
      const PeerId& self, const std::vector<DeliveryResult>& results) = 0;
  // Rows in sending whose deadline has passed, or whose peer's incarnation is over (one of `ended`,
  // or a newer one of that name has begun), become uncertain. Returns how many.
  virtual base::Result<std::int64_t> give_up_deliveries(const std::vector<PeerId>& ended) = 0;
  // To be called before anything is handed out where the timeline may have changed. The first call
  // in a timeline makes those uncertain that may have been sent in the part that a fail-over has
  // lost: of those waiting and due (or to be due within kHeldAround: the clock that is gone may
  // have been ahead), the ones due within the last kHeldAround, and the oldest, as many as were
  // sent in the kHeldAround before the last that is known of (at least kHeldAtLeast). And those in
  // sending: their peer may yet note that they were sent, or failed, but they do not wait again.
  // Returns how many. Not events to be recorded: what a fail-over loses of those it loses whole.
  // Nothing in the timeline in which the schema was made.
  virtual base::Result<std::int64_t> hold_deliveries() = 0;

  // -- Questions
  // -----------------------------------------------------------------------------------------------------------
  virtual base::Result<Report> report(const std::string& track) = 0;
  virtual base::Result<Progress> progress(const std::string& track) = 0;
  virtual base::Result<ContactReport> why(const std::string& contact_key) = 0;
  virtual base::Result<std::vector<OutboxRow>> outbox(std::optional<OutboxState> state,
                                                      int limit) = 0;
};

class Store {
 public:
  virtual ~Store() = default;
  // Applies missing migrations under a lock. kInvalid when the schema is newer than this program
  // knows.
  virtual base::Result<void> migrate() = 0;
  virtual base::Result<std::unique_ptr<Session>> open_session() = 0;
  virtual base::Result<std::unique_ptr<GroupSession>> open_group_session() = 0;
  virtual std::string describe()
      const = 0;  // "SQLite turnout.db", "PostgreSQL host/db", without passwords
};

// "sqlite:///path/to/turnout.db", "sqlite:turnout.db" (relative), or a PostgreSQL URI or
// "key=value" string. kInvalid with a remedy when it is none of these. Does not connect.
base::Result<std::unique_ptr<Store>> open_store(const std::string& url);

}  // namespace turnout::store
