#pragma once

// The database that the simulated peers share: the store's model, with the group's tracks published
// and its contacts on them. Peers use it through sessions of their own; what is here is for the
// world: the intake, and what checkers look at.

#include <functional>
#include <memory>
#include <vector>

#include "group/ledger.h"
#include "sim/program.h"
#include "store/model/model.h"

namespace turnout::sim {

using base::ContactId;
using base::Duration;
using base::Epoch;
using base::Incarnation;
using base::Instant;
using base::PeerName;
using base::TrackId;
using group::Fence;
using group::LedgerRow;
using store::model::PositionKey;

// The fence of a row, in the words of the group.
inline Fence fence_of(const store::LedgerRow& row) { return {row.timeline, row.epoch}; }

// The clause under which a track's owner notes where it stands in the feed.
inline constexpr const char* kFeedCursor = "feed";

// The value, or the end of the program: the model fails only where a caller has made a mistake.
template <class T>
T must(base::Result<T> result) {
  return std::move(result).value();
}

// The tracks as a peer knows them.
struct Book {
  std::int64_t catalogue = 0;
  std::vector<store::TrackVersion> tracks;
};

// As a peer's session reads it.
Book read_book(store::Session& session);

class Database {
 public:
  // `contacts` contacts, all of them on each of the tracks 1 … `tracks`.
  Database(std::function<Instant()> clock, Duration cycle, int tracks, int contacts,
           store::model::Fault fault);

  void watch(store::model::Watcher* watcher) { store_.watch(watcher); }
  store::Store& store() { return store_; }
  const Program& program() const { return program_; }
  // The only thread is ours: nothing is locked.
  const store::model::Tables& tables() { return store_.tables(); }

  // The intake: a contact comes.
  void add_contact();
  int contacts() { return static_cast<int>(tables().contacts.size()); }
  // Raises a contact's value, up to Program::kMaxValue. Nothing if a fail-over has lost it.
  void raise_value(ContactId contact, std::int64_t by);
  std::int64_t value(ContactId contact);
  // The ledger, the master's row first.
  std::vector<LedgerRow> ledger();
  LedgerRow row(TrackId track);
  bool active(TrackId track) { return tables().ledger.at(track).active; }
  // Somebody publishes the track anew, with the same steps; pauses it, or lets it go on.
  void publish_again(TrackId track);
  void set_active(TrackId track, bool active);
  // A standby takes over that had got as far as `to`.
  store::model::Data snapshot() { return store_.snapshot(); }
  void fail_over(const store::model::Data& to) { store_.fail_over(to); }
  // It crashes and comes back by itself; stamps are as they were `then`.
  void crash(const store::model::Data& then) { store_.crash(then); }
  // Takes a row for somebody, whoever has it.
  void steal(TrackId track, const PeerName& name, Incarnation incarnation);
  // Entries that have not stopped.
  std::size_t open_positions();

 private:
  store::model::ModelStore store_;
  Program program_;
  std::unique_ptr<store::Session> intake_;
  std::unique_ptr<store::GroupSession> group_;
};

}  // namespace turnout::sim
