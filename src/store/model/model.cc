#include "store/model/model.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/mutant.h"
#include "store/model/session.h"
#include "store/sql/ledger.h"

namespace turnout::store::model {

bool Tables::holds(const Fence& fence) const {
  const auto row = ledger.find(fence.track);
  return row != ledger.end() && row->second.timeline == fence.timeline &&
         row->second.epoch == fence.epoch && row->second.active;
}

const std::pair<const std::string, ModelTrack>& Tables::track_of(base::TrackId id) const {
  for (const auto& track : tracks) {
    if (track.second.id == id) {
      return track;
    }
  }
  CHECK(id == kMasterRow);  // nobody asks for a track that is not there
  return *tracks.end();
}

void Tables::note_write(const Fence& fence) const {
  for (Watcher* const watcher : watchers) {
    watcher->on_write(fence, ledger.at(fence.track));
  }
}

void Tables::note_position(const PositionKey& key, const Position& position) const {
  for (Watcher* const watcher : watchers) {
    watcher->on_position(key, position);
  }
}

void Tables::note_delivery(const OutboxKey& key, OutboxState before, const Action& after) const {
  for (Watcher* const watcher : watchers) {
    watcher->on_delivery(key, before, after);
  }
}

void Tables::tell_place(base::TrackId track, base::ContactId contact, bool moved_only) {
  if (watched.empty()) {
    return;
  }
  const std::string& name = track_of(track).first;
  const auto how = watched.find(name);
  if (how != watched.end() && (how->second == Watched::kWhichStep || !moved_only)) {
    changes.push_back({contact, {}, {}, {}, track, false, {name}});
  }
}

void Tables::set_due(const PositionKey& key, Position& position, base::Instant due) {
  if (fault != Fault::kTimerNotDeleted) {
    timers.erase({key.track, position.due_at, key.contact, key.entry});
  }
  position.due_at = due;
  const bool left_out = fault == Fault::kTimerNotMade && due > clock();
  if (due != track::kNever && !left_out) {
    timers[{key.track, due, key.contact, key.entry}] = position.move_no;
  }
}

void Tables::add_tally(base::TrackId track, base::Version version, std::int32_t step,
                       std::int32_t rule, std::int32_t connection, std::int64_t times) {
  if (times != 0) {
    tally[{track, version, step, rule, connection}] += times;
  }
}

namespace {

class ModelGroupSession final : public GroupSession {
 public:
  explicit ModelGroupSession(std::shared_ptr<Tables> tables) : t_(std::move(tables)) {}
  ~ModelGroupSession() override {
    const std::lock_guard guard(t_->mutex);
    end_life();
  }

  base::Result<base::Incarnation> begin_life(const base::PeerName& name,
                                             const std::string& address) override {
    if (name.empty() || name.get().size() > 64) {
      return base::fail(base::ErrorCode::kInvalid, "a peer's name has 1 to 64 bytes");
    }
    const std::lock_guard guard(t_->mutex);
    end_life();
    const auto known = t_->peers.find(name);
    const bool again = t_->fault == Fault::kSameIncarnation && known != t_->peers.end();
    const base::Incarnation incarnation =
        again ? known->second.incarnation
              : sql::incarnation_of(t_->timeline, ++t_->last_incarnation);
    t_->peers[name] = {incarnation, 0, 0, address};
    t_->lives.insert({name, incarnation});
    t_->living.insert({name, incarnation});
    life_ = {name, incarnation};
    connected_in_ = t_->outages;
    return incarnation;
  }

  base::Result<StampAnswer> stamp(const PeerId& self) override {
    const std::lock_guard guard(t_->mutex);
    StampAnswer answer;
    const auto peer = t_->peers.find(self.name);
    if (peer == t_->peers.end() || peer->second.incarnation != self.incarnation) {
      answer.refused = true;
      return answer;
    }
    if (t_->lives.contains({self.name, self.incarnation})) {
      t_->living.insert({self.name, self.incarnation});
    }
    if (connected_in_ != t_->outages && !base::planted(base::Mutant::kStampValueAgain)) {
      peer->second.stamp_on_disk = peer->second.stamp += sql::kAheadAfterConnecting;
    } else {
      ++peer->second.stamp;
    }
    connected_in_ = t_->outages;
    answer.own_stamp = peer->second.stamp;
    answer.timeline = t_->timeline;
    answer.master = t_->ledger.at(kMasterRow);
    if (answer.master.owner) {
      const auto master = t_->peers.find(answer.master.owner->name);
      if (master != t_->peers.end() &&
          master->second.incarnation == answer.master.owner->incarnation) {
        answer.master_stamp = read_stamp(master->second);
      }
    }
    answer.catalogue_version = t_->catalogue_version;
    return answer;
  }

  base::Result<std::vector<PeerStamp>> stamps() override {
    const std::lock_guard guard(t_->mutex);
    std::vector<PeerStamp> stamps;
    for (const auto& [name, peer] : t_->peers) {
      stamps.push_back({{name, peer.incarnation}, read_stamp(peer), peer.address});
    }
    return stamps;
  }

  base::Result<bool> life_has_ended(const PeerId& peer) override {
    const std::lock_guard guard(t_->mutex);
    if (life_.incarnation != base::Incarnation() &&
        !t_->living.contains({life_.name, life_.incarnation})) {
      return base::fail(base::ErrorCode::kUnavailable, "this session's own life lock was dropped");
    }
    return t_->fault == Fault::kLifeLockGuessed ||
           !t_->living.contains({peer.name, peer.incarnation});
  }

  base::Result<std::vector<LedgerRow>> ledger() override {
    const std::lock_guard guard(t_->mutex);
    std::vector<LedgerRow> rows;
    for (const auto& [track, row] : t_->ledger) {
      rows.push_back(row);
    }
    return rows;
  }

  base::Result<TakeResult> take(base::TrackId track, base::Timeline timeline, base::Epoch expected,
                                const PeerId& self,
                                const std::optional<StillStamp>& still) override {
    const std::lock_guard guard(t_->mutex);
    const auto row = t_->ledger.find(track);
    if (row == t_->ledger.end()) {
      return base::fail(base::ErrorCode::kNotFound,
                        "no track has the number " + std::to_string(track.get()));
    }
    const bool taken = t_->fault == Fault::kTakeNotCompared ||
                       (t_->holds({track, timeline, expected}) && (!still || stands(*still)));
    if (taken) {
      const LedgerRow before = row->second;
      const bool raised =
          t_->fault != Fault::kEpochNotRaised || track == kMasterRow || !before.owner;
      row->second.owner = self;
      row->second.timeline = t_->timeline;
      row->second.epoch = raised ? base::Epoch(expected.get() + 1) : before.epoch;
      row->second.since = t_->clock();
      for (Watcher* const watcher : t_->watchers) {
        watcher->on_take(before, row->second);
      }
    }
    return TakeResult{taken, row->second};
  }

  base::Result<bool> cede(base::TrackId track, base::Epoch epoch, const PeerId& self) override {
    const std::lock_guard guard(t_->mutex);
    const auto row = t_->ledger.find(track);
    if (row == t_->ledger.end() || row->second.epoch != epoch || row->second.owner != self) {
      return false;
    }
    row->second.owner.reset();
    row->second.since = t_->clock();
    return true;
  }

 private:
  void end_life() {
    t_->lives.erase({life_.name, life_.incarnation});
    t_->living.erase({life_.name, life_.incarnation});
  }

  bool stands(const StillStamp& still) const {
    const auto peer = t_->peers.find(still.peer.name);
    if (still.timeline != t_->timeline) {
      return false;
    }
    return peer == t_->peers.end() || peer->second.incarnation < still.peer.incarnation ||
           (peer->second.incarnation == still.peer.incarnation &&
            read_stamp(peer->second) == still.stamp);
  }
  // Of some peer, for others.
  std::int64_t read_stamp(const Peer& peer) const {
    return t_->fault == Fault::kStampsFrozen ? 1 : peer.stamp;
  }

  const std::shared_ptr<Tables> t_;
  PeerId life_;
  int connected_in_ = 0;  // Tables::outages when it began its life or stamped last
};

}  // namespace

ModelStore::ModelStore(std::function<base::Instant()> clock, Fault fault)
    : tables_(std::make_shared<Tables>()) {
  tables_->clock = std::move(clock);
  tables_->fault = fault;
}

base::Result<void> ModelStore::migrate() {
  const std::lock_guard guard(tables_->mutex);
  LedgerRow master;
  master.timeline = tables_->timeline;
  master.since = tables_->clock();
  tables_->ledger.emplace(kMasterRow, master);
  return base::ok();
}

Data ModelStore::snapshot() const {
  const std::lock_guard guard(tables_->mutex);
  return *tables_;
}

void ModelStore::fail_over(const Data& to) {
  const std::lock_guard guard(tables_->mutex);
  const base::Timeline next(tables_->timeline.get() + 1);
  static_cast<Data&>(*tables_) = to;
  tables_->timeline = next;
  tables_->living.clear();
  ++tables_->outages;
  for (Watcher* const watcher : tables_->watchers) {
    watcher->on_set_back();
  }
}

void ModelStore::crash(const Data& then) {
  const std::lock_guard guard(tables_->mutex);
  for (auto& [name, peer] : tables_->peers) {
    const auto was = then.peers.find(name);
    const bool same = was != then.peers.end() && was->second.incarnation == peer.incarnation;
    peer.stamp = std::max(same ? was->second.stamp : 0, peer.stamp_on_disk);
  }
  tables_->living.clear();
  ++tables_->outages;
}

base::Result<std::unique_ptr<Session>> ModelStore::open_session() {
  return std::make_unique<ModelSession>(tables_);
}

base::Result<std::unique_ptr<GroupSession>> ModelStore::open_group_session() {
  return std::make_unique<ModelGroupSession>(tables_);
}

}  // namespace turnout::store::model
