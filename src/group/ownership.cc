// What is known of the ledger: who owns which track under which fence, and what this peer owns
// itself. Knowledge comes from the ledger (reads, answers to compare-and-sets) and from owned
// lists; the higher fence is the newer.

#include <algorithm>
#include <utility>

#include "base/mutant.h"
#include "group/member_impl.h"

namespace turnout::group {
namespace {

// The master's picture of the ledger is at most so many times the miss limit old.
constexpr int kLedgerAge = 15;

}  // namespace

Member::Impl::Track& Member::Impl::know_track(TrackId track) {
  Track& known = tracks_[track];
  known.row.track = track;
  return known;
}

// Takes a row in if it is newer than the one known (or `force`d: the ledger itself said so). True
// if it was news.
bool Member::Impl::learn(const LedgerRow& row, bool force) {
  if (row.track == kMasterRow) {
    learn_master(row, force);
    return true;
  }
  Track& track = know_track(row.track);
  const bool others = !row.owner.empty() && row.owner != config_.name;
  if (others && row == track.row && track.active && !track.vacant) {
    return false;  // heard before, and all that follows from it has been done
  }
  const LedgerRow known = track.row;
  // With the fence unchanged an owner may only have given the row up.
  const bool newer = row.fence > known.fence || (row.fence == known.fence && row.owner.empty()) ||
                     base::planted(base::Mutant::kOlderFenceLearned);
  if (!newer && !force && !(row.fence == known.fence && row.owner == known.owner)) {
    return false;
  }
  set_row(track, row);
  const auto mine = owned_.find(row.track);
  if (mine != owned_.end() && (!is_mine(row) || mine->second != row.fence)) {
    disown(track, is_mine(row) ? PeerName() : row.owner);
  }
  if (is_mine(row) && track.active && !owned_.contains(row.track)) {
    own(track);
  }
  refresh_free(track);
  return row.fence != known.fence || row.owner != known.owner;
}

// Whether the database, read since `began`, knows better: a row that was granted before is seen by
// whoever asks after, unless a fail-over has lost it. A peer that has not noticed the fail-over yet
// goes on saying what was, and others have believed it.
bool Member::Impl::never_was(const Fence& known, Tick learned_at, Tick began) const {
  return began > learned_at && timeline_ && known.timeline <= *timeline_;
}

void Member::Impl::set_row(Track& track, const LedgerRow& row) {
  if (track.row.owner != row.owner) {
    if (Peer* const before = find_peer(track.row.owner)) {
      before->rows.erase(row.track);
    }
  }
  if (track.row.fence != row.fence) {
    track.learned_at = now_;
  }
  track.row = row;
  if (!row.owner.empty() && row.owner != config_.name) {
    Peer& owner = know_peer(row.owner, row.incarnation);
    if (track.active) {
      owner.rows.insert(row.track);
    }
  }
}

void Member::Impl::own(Track& track) {
  const LedgerRow& row = track.row;
  owned_[row.track] = row.fence;
  owned_hash_ += owned_hash({row.track, row.fence.timeline, row.fence.epoch});
  list_dirty_ = true;
  notify(TrackGained{row.track, row.fence});
}

void Member::Impl::disown(Track& track, const PeerName& by) {
  const TrackId id = track.row.track;
  const auto mine = owned_.find(id);
  const Fence fence = mine->second;
  owned_hash_ -= owned_hash({id, fence.timeline, fence.epoch});
  owned_.erase(mine);
  ceding_.erase(id);
  list_dirty_ = true;
  notify(TrackLost{id, fence, by});
}

Member::Impl::Standing Member::Impl::standing(const LedgerRow& row) const {
  if (row.owner.empty()) {
    return Standing::kLost;
  }
  if (row.owner == config_.name) {
    return row.incarnation < config_.incarnation ? Standing::kVacant : Standing::kHolds;
  }
  const Peer* const peer = find_peer(row.owner);
  if (peer == nullptr || row.incarnation < peer->incarnation) {
    return Standing::kVacant;
  }
  switch (peer->state) {
    case PeerState::kGone:
    case PeerState::kLeft:
      return Standing::kVacant;
    case PeerState::kUnavailable:
      return Standing::kLost;
    case PeerState::kSuspect:
      return Standing::kDoubtful;
    case PeerState::kJoining:
    case PeerState::kLiving:
    case PeerState::kLeaving:
      break;
  }
  if (peer->heard && !peer->last.fit) {
    return stood_still(*peer) ? Standing::kLost : Standing::kDoubtful;
  }
  return Standing::kHolds;
}

// G12: a row whose owner is judged by its stamp is taken only right after a reading of the stamp.
// Ripe claims wait for the next one, at most a cycle.
bool Member::Impl::may_be_taken(const LedgerRow& row) const {
  const Standing stands = standing(row);
  if (stands != Standing::kLost || row.owner.empty()) {
    return stands > Standing::kLost || row.owner.empty();
  }
  const Peer* const peer = find_peer(row.owner);
  return peer != nullptr && peer->stamp_known &&
         (now_ - peer->read_at <= config_.cycle / 8 ||
          base::planted(base::Mutant::kStampReadingTooOld));
}

void Member::Impl::refresh_free(Track& track) {
  const TrackId id = track.row.track;
  const Standing stands = standing(track.row);
  const bool is_free = track.active && !owned_.contains(id) && stands != Standing::kHolds;
  const bool is_vacant = is_free && stands == Standing::kVacant;
  if (is_vacant != track.vacant) {
    track.vacant = is_vacant;
    is_vacant ? void(vacant_.insert(id)) : void(vacant_.erase(id));
  }
  if (is_free == track.free_since.has_value()) {
    return;
  }
  if (is_free) {
    free_dirty_ = true;
    free_.emplace(id, &track);
    track.free_since = now_;
    track.assigned_at.reset();
  } else {
    free_.erase(id);
    track.free_since.reset();
    withdraw(id);
  }
}

void Member::Impl::refresh_rows_of(Peer& peer) {
  for (const TrackId id : peer.rows) {
    refresh_free(tracks_.at(id));
  }
}

std::vector<OwnedTrack> Member::Impl::owned() const {
  std::vector<OwnedTrack> list;
  list.reserve(owned_.size());
  for (const auto& [track, fence] : owned_) {
    list.push_back({track, fence.timeline, fence.epoch});
  }
  return list;
}

std::optional<LedgerRow> Member::Impl::row(TrackId track) const {
  const auto found = tracks_.find(track);
  if (found == tracks_.end()) {
    return std::nullopt;
  }
  return found->second.row;
}

void Member::Impl::row_seen(const LedgerRow& row, Tick now) {
  enter(now);
  learn(row);
  settle();
}

void Member::Impl::set_tracks(std::vector<TrackId> active, std::int64_t catalogue, Tick now) {
  enter(now);
  std::sort(active.begin(), active.end());
  for (const TrackId id : active) {
    know_track(id);
  }
  for (auto& [id, track] : tracks_) {
    const bool is_active = std::binary_search(active.begin(), active.end(), id);
    if (is_active == track.active) {
      continue;
    }
    track.active = is_active;
    if (!is_active && owned_.contains(id)) {
      disown(track, {});
    }
    if (Peer* const owner = find_peer(track.row.owner)) {
      is_active ? void(owner->rows.insert(id)) : void(owner->rows.erase(id));
    }
    refresh_free(track);
  }
  if (catalogue != catalogue_) {
    catalogue_ = catalogue;
    request_ledger();  // publishing, pausing and resuming raise epochs
  }
  settle();
}

void Member::Impl::ledger_read(const LedgerResult& result, Tick now) {
  enter(now);
  if (result.number != ledger_.number || !ledger_.in_flight) {
    return;
  }
  ledger_.in_flight = false;
  if (result.outcome == Attempt::kDone) {
    last_success_ = std::max(last_success_, ledger_.began);
    const bool replace = replace_rows_from_ != 0 && result.number >= replace_rows_from_;
    replace_rows_from_ = replace ? 0 : replace_rows_from_;
    for (const LedgerRow& row : result.rows) {
      const bool master = row.track == kMasterRow;
      const Track* const track = master ? nullptr : &know_track(row.track);
      const Fence known = master ? master_row_.fence : track->row.fence;
      const Tick learned_at = master ? master_learned_at_ : track->learned_at;
      learn(row, replace || (row.fence < known && never_was(known, learned_at, ledger_.began)));
    }
    if (result.number >= ledger_.required) {
      ledger_.required = 0;
    }
    end_refused_offers();
    assign_unlisted();
  } else {
    become_unfit();
  }
  if (ledger_.again) {
    ledger_.again = false;
    request_ledger();
  }
  settle();
}

// A track may be free without a sign: its row names a living peer that does not know it (the answer
// to its compare-and-set was lost, and so was its memory of asking), which the master finds out by
// counting; or a dead one, which died before anybody heard of its taking it, while the earlier
// owner goes on. On a track on which nothing is written nobody would notice, so the master reads
// the ledger now and then.
void Member::Impl::audit() {
  if (!is_master_ || stopped_) {
    return;
  }
  bool look = now_ - ledger_.began >= cycles(config_.miss_limit * kLedgerAge);
  for (auto& [name, peer] : peers_) {
    const bool agrees =
        !is_member(peer) || static_cast<std::size_t>(peer.last.owned) == peer.rows.size();
    if (agrees) {
      peer.mismatch_since.reset();
    } else if (!peer.mismatch_since) {
      peer.mismatch_since = now_;
    } else if (now_ - *peer.mismatch_since >= cycles(config_.miss_limit)) {
      peer.mismatch_since = now_;
      look = true;
    }
  }
  if (look) {
    audit_asked_ = true;
    request_ledger();
  }
}

// The rows are fresh: what a living peer owns by the ledger and does not list is assigned to it, so
// that it takes the row anew.
void Member::Impl::assign_unlisted() {
  if (!std::exchange(audit_asked_, false) || !is_master_ || stopped_) {
    return;
  }
  for (const auto& [name, peer] : peers_) {
    if (!is_member(peer) || peer.last.owned_hash != peer.listed_hash) {
      continue;
    }
    for (const TrackId id : peer.rows) {
      const bool listed = std::any_of(peer.listed.begin(), peer.listed.end(),
                                      [id](const OwnedTrack& owned) { return owned.track == id; });
      if (!listed) {
        const Fence fence = tracks_.at(id).row.fence;
        send(name,
             Assign{config_.incarnation, master_row_.fence.epoch, id, fence.timeline, fence.epoch});
      }
    }
  }
}

}  // namespace turnout::group
