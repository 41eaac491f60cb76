#pragma once

// A model of the shared database: ledger, stamps, life locks, contacts, positions, timers, journal,
// outbox and the feed of changes, with the semantics that the group relies on. Each call is one
// transaction. Watchers see every step of it.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "group/ledger.h"
#include "group/message.h"
#include "sim/mutant.h"

namespace turnout::sim {

using base::ContactId;
using base::Duration;
using base::Epoch;
using base::Incarnation;
using base::Instant;
using base::PeerName;
using base::Timeline;
using base::TrackId;
using group::Fence;
using group::LedgerRow;

// What a contact does on a track follows from its number, the track's and the step's, so that
// everybody decides alike.
enum class StepKind { kAtOnce, kTime, kRule };

struct StepRule {
  StepKind kind = StepKind::kAtOnce;
  Duration wait{};            // kTime: after arrival
  std::int64_t at_least = 0;  // kRule: of the contact's value
  bool acts = false;          // the move away puts an action in the outbox
};

enum class PositionState {
  kReady,    // its step is to be looked at: a timer that is due
  kTime,     // waits for due_at: a timer
  kRule,     // waits for its contact to change
  kStopped,  // at the end
};

struct Position {
  std::int32_t step = 0;
  std::int32_t move_no = 0;
  PositionState state = PositionState::kReady;
  Instant due_at;
  Instant arrived_at;
};

struct Contact {
  std::int64_t value = 0;
};

// One contact's part of a block's commit.
struct Decision {
  group::Item item;
  Instant due_at;  // of the position when it was read
  std::int32_t moves = 0;
  Position after;
};

struct CommitResult {
  bool fenced = false;  // the ledger has moved on; nothing was written
  LedgerRow row;
  std::int64_t moved = 0;
  std::int64_t moves = 0;
  std::int64_t actions = 0;
  std::vector<group::Item> not_where_said;
};

struct ActionKey {
  TrackId track;
  ContactId contact;
  std::int32_t move_no = 0;
  friend auto operator<=>(const ActionKey&, const ActionKey&) = default;
};

enum class DeliveryState { kWaiting, kSending, kSent };

struct Action {
  DeliveryState state = DeliveryState::kWaiting;
  int in_sending = 0;  // attempts in the state; more than one only by a fault
};

// Sees what the database does. All functions do nothing unless overridden.
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void on_take(const LedgerRow& before, const LedgerRow& after) {
    (void)before, (void)after;
  }
  virtual void on_commit(TrackId track, Fence under, const LedgerRow& row) {
    (void)track, (void)under, (void)row;
  }
  virtual void on_move(TrackId track, ContactId contact, std::int32_t move_no, bool acts) {
    (void)track, (void)contact, (void)move_no, (void)acts;
  }
  virtual void on_action(const ActionKey& key, bool is_new) { (void)key, (void)is_new; }
  virtual void on_position(TrackId track, ContactId contact, const Position& position) {
    (void)track, (void)contact, (void)position;
  }
  virtual void on_contact(ContactId contact, const Contact& now) { (void)contact, (void)now; }
  virtual void on_delivery(Fence master, const LedgerRow& row, int in_sending) {
    (void)master, (void)row, (void)in_sending;
  }
};

class Database {
 public:
  explicit Database(Mutant mutant) : mutant_(mutant) {}
  void watch(Watcher* watcher) { watchers_.push_back(watcher); }

  // The program of the tracks.
  static constexpr std::int32_t kSteps = 6;
  static constexpr std::int64_t kMaxValue = 5;
  StepRule rule(TrackId track, ContactId contact, std::int32_t step) const;
  void set_cycle(Duration cycle) { cycle_ = cycle; }
  // What a worker decides for one contact, at this instant, with at most `hops` moves.
  Decision decide(TrackId track, const group::Item& item, Instant now, int hops) const;

  // Peers.
  Incarnation begin_life(const PeerName& name);
  void end_life(const PeerName& name, Incarnation incarnation);
  bool life_has_ended(const PeerName& name, Incarnation incarnation) const;
  bool stamp(const PeerName& name, Incarnation incarnation, std::int64_t count);
  group::PeerStamp stamp_of(const PeerName& name) const;
  Timeline timeline() const { return timeline_; }

  // Ledger.
  void add_track(TrackId track);
  std::vector<LedgerRow> ledger() const;
  LedgerRow row(TrackId track) const;
  group::TakeResult take(TrackId track, Fence expected, const PeerName& name,
                         Incarnation incarnation);

  // Contacts and work.
  void enter(TrackId track, ContactId contact, Instant now);
  void raise_value(ContactId contact, std::int64_t by);
  std::vector<group::Item> due(TrackId track, Instant now, std::size_t limit) const;
  std::vector<ContactId> changes(std::size_t& cursor, std::size_t limit) const;
  std::size_t cursor(TrackId track) const;
  bool set_cursor(TrackId track, Fence under, std::size_t cursor);
  CommitResult commit(TrackId track, Fence under, const std::vector<Decision>& decisions);
  const Position* position(TrackId track, ContactId contact) const;
  const Contact& contact(ContactId contact) const { return contacts_.at(contact); }
  bool all_stopped() const { return open_positions_ == 0; }
  std::size_t open_positions() const { return open_positions_; }

  // Deliveries: handed out under a master's fence, taken by compare-and-set.
  std::vector<ActionKey> waiting_deliveries(std::size_t limit) const;
  bool take_delivery(const ActionKey& key, Fence master);
  void end_delivery(const ActionKey& key, bool sent);

  // For checkers.
  const std::map<TrackId, std::set<std::pair<Instant, ContactId>>>& timers() const {
    return timers_;
  }
  const std::map<TrackId, std::map<ContactId, Position>>& positions() const { return positions_; }
  const std::map<ActionKey, Action>& outbox() const { return outbox_; }

 private:
  bool apply(TrackId track, const Decision& decision, CommitResult& result);
  void set_timer(TrackId track, ContactId contact, const Position& before, const Position& after);

  Mutant mutant_;
  Duration cycle_ = std::chrono::seconds(1);
  std::vector<Watcher*> watchers_;
  Timeline timeline_{1};
  std::int64_t incarnations_ = 0;
  std::map<PeerName, group::PeerStamp> stamps_;
  std::set<std::pair<PeerName, Incarnation>> life_locks_;
  std::map<TrackId, LedgerRow> ledger_;
  std::map<ContactId, Contact> contacts_;
  std::map<TrackId, std::map<ContactId, Position>> positions_;
  std::map<TrackId, std::set<std::pair<Instant, ContactId>>> timers_;
  std::vector<ContactId> feed_;
  std::map<TrackId, std::size_t> cursors_;
  std::map<ActionKey, Action> outbox_;
  std::set<ActionKey> waiting_;
  std::size_t open_positions_ = 0;
};

}  // namespace turnout::sim
