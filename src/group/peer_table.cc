// The peer table: who is there, by three signs. An advertisement says that a peer lives. Its stamp
// in the database says so to those whom its advertisements do not reach. The end of its connection
// together with a free life lock says that its process is over.

#include <algorithm>
#include <array>
#include <utility>

#include "base/hash.h"
#include "base/mutant.h"
#include "group/member_impl.h"

namespace turnout::group {
namespace {

// A killed process's lock is free some milliseconds after its connections close, so probes are
// frequent at first.
constexpr std::array<int, 7> kProbeAfterMs = {5, 10, 20, 40, 80, 160, 320};
// Dead peers are shown, and their stamps read, for so many times the miss limit.
constexpr int kForgetAfter = 10;

bool is_dead(PeerState state) {
  return state == PeerState::kUnavailable || state == PeerState::kGone || state == PeerState::kLeft;
}

}  // namespace

Member::Impl::Peer* Member::Impl::find_peer(const PeerName& name) {
  const auto found = peer_by_name_.find(name);
  return found == peer_by_name_.end() ? nullptr : found->second;
}

const Member::Impl::Peer* Member::Impl::find_peer(const PeerName& name) const {
  const auto found = peer_by_name_.find(name);
  return found == peer_by_name_.end() ? nullptr : found->second;
}

Member::Impl::Peer& Member::Impl::know_peer(const PeerName& name, Incarnation incarnation) {
  if (Peer* const known = find_peer(name)) {
    if (incarnation > known->incarnation) {
      renew_incarnation(*known, incarnation);
    }
    return *known;
  }
  Peer& peer = peers_[name];
  peer_by_name_[name] = &peer;
  peer.name = name;
  peer.name_hash = base::hash_text(name.get());
  peer.before_me = name < config_.name;
  peer.incarnation = incarnation;
  peer.last_heard = now_;
  membership_changed_ = now_;
  return peer;
}

// A later life of the same name: what the earlier one said and owned is over (a process draws its
// incarnation only when the one before is, see start.h, and the older one's stamps are refused from
// then on).
void Member::Impl::renew_incarnation(Peer& peer, Incarnation incarnation) {
  set_foreign_claims(peer, {});
  const std::set<TrackId> rows = std::move(peer.rows);
  Peer fresh;
  fresh.name = peer.name;
  fresh.name_hash = peer.name_hash;
  fresh.before_me = peer.before_me;
  fresh.incarnation = incarnation;
  fresh.last_heard = now_;
  fresh.rows = rows;
  fresh.candidate = peer.candidate;
  fresh.member_at = peer.member_at;
  fresh.told = peer.told;
  fresh.told_incarnation = peer.told_incarnation;
  fresh.told_state = peer.told_state;
  fresh.told_fit = peer.told_fit;
  peer = std::move(fresh);
  keep_rolls(peer);
  probing_.erase(peer.name);
  membership_changed_ = now_;
  refresh_rows_of(peer);
}

bool Member::Impl::receive_advertisement(const Advertisement& message, const PeerName& from) {
  if (message.group != config_.group || message.protocol > kProtocolVersion ||
      message.name != from) {
    return false;
  }
  Peer& peer = know_peer(from, message.incarnation);
  if (message.incarnation < peer.incarnation ||
      (peer.heard && message.sequence <= peer.last.sequence &&
       !base::planted(base::Mutant::kSequenceNotChecked))) {
    return false;
  }
  set_foreign_claims(peer, message.claims);
  const bool was_fit = !peer.heard || peer.last.fit;
  if (!peer.heard) {
    newcomers_.insert(from);  // it need not wait for our next turn to know us
  }
  peer.last = message;
  peer.heard = true;
  peer.last_heard = now_;
  if (peer.over) {
    doubt_its_end(peer);
  } else {
    peer.connection_ended = false;
    probing_.erase(peer.name);
    look_at_lock(peer);
  }
  if (peer.name != master_row_.owner && message.fit) {
    peer.stamp_known =
        false;  // the master's is read all the time, others' only while silent or unfit
    peer.moved_at.reset();
  }
  set_state(peer, judged(peer));
  if (was_fit != message.fit) {
    refresh_rows_of(peer);
  }
  if (message.owned_hash != peer.listed_hash) {
    send(from, OwnedRequest{config_.incarnation});
  }
  if (message.master) {
    learn_master(
        {kMasterRow, from, message.incarnation, {message.master_timeline, message.master_epoch}});
  }
  arbitrate(peer);
  return true;
}

bool Member::Impl::receive_owned(const OwnedList& message, Peer& peer) {
  if (message.sequence <= peer.list_sequence) {
    return false;
  }
  peer.list_sequence = message.sequence;
  peer.listed = message.tracks;
  peer.listed_hash = 0;
  for (const OwnedTrack& owned : peer.listed) {
    peer.listed_hash += owned_hash(owned);
    learn({owned.track, peer.name, peer.incarnation, {owned.timeline, owned.epoch}});
  }
  return true;
}

// --- silence
// -----------------------------------------------------------------------------------------------------

// Where cycles differ, the slower of the two counts: a fast reader must not judge a slow peer by
// its own pace.
Duration Member::Impl::cycle_of(const Peer& peer) const {
  return peer.heard ? std::max(config_.cycle, peer.last.cycle) : config_.cycle;
}

bool Member::Impl::stood_still(const Peer& peer) const {
  if (base::planted(base::Mutant::kStampIgnored)) {
    return true;
  }
  // Readings come with the ticks, a little late by chance: an eighth of a cycle is allowed for, or
  // every other silent peer would be waited for one more cycle.
  const Duration cycle = cycle_of(peer);
  return peer.stamp_known &&
         peer.still_until - peer.still_since >= cycle * (config_.miss_limit - 1) - cycle / 8;
}

PeerState Member::Impl::judged(const Peer& peer) const {
  const PeerPhase phase = peer.heard ? peer.last.phase : PeerPhase::kMember;
  if (peer.over) {
    return PeerState::kGone;
  }
  if (phase == PeerPhase::kLeft) {
    return PeerState::kLeft;
  }
  const Duration cycle = cycle_of(peer);
  if (now_ - peer.last_heard >= cycle * config_.miss_limit && stood_still(peer)) {
    return PeerState::kUnavailable;
  }
  if (phase == PeerPhase::kLeaving) {
    return PeerState::kLeaving;
  }
  const Tick alive = std::max(peer.last_heard, peer.moved_at.value_or(peer.last_heard));
  if (now_ - alive >= cycle * (config_.miss_limit - config_.claim_counter)) {
    return PeerState::kSuspect;
  }
  return phase == PeerPhase::kJoining ? PeerState::kJoining : PeerState::kLiving;
}

// R4, R7: each server tests its table for peers from which nothing came for the predetermined
// period.
void Member::Impl::judge_silence() {
  lost_before_ = lost_now_;
  lost_now_ = 0;
  for (auto& [name, peer] : peers_) {
    set_state(peer, judged(peer));
    if (peer.heard && !peer.last.fit) {
      refresh_rows_of(peer);  // an unfit peer's rows are lost once its stamp has stood still
    }
  }
}

// A cut makes peers silent within one cycle, which two of our ticks may share. Whoever loses more
// than half of the others at once has more reason to suspect itself.
void Member::Impl::doubt_if_most_are_lost() {
  if (!std::exchange(lost_checked_, true)) {
    int living = 0;
    for (const auto& [name, peer] : peers_) {
      const bool lives = peer.state == PeerState::kLiving || peer.state == PeerState::kJoining;
      living += peer.heard && lives ? 1 : 0;
    }
    const int lost = lost_now_ + lost_before_;
    if (lost * 2 > living + lost) {
      stop(StopReason::kLostGroup);
    }
  }
}

void Member::Impl::read_stamps_of_silent() {
  std::vector<PeerName> silent;
  for (const auto& [name, peer] : peers_) {
    const Duration cycle = cycle_of(peer);
    const bool missed = now_ - peer.last_heard > cycle + cycle / 8;
    const bool unfit = peer.heard && !peer.last.fit;
    if ((missed || unfit) && peer.state != PeerState::kGone && peer.state != PeerState::kLeft) {
      silent.push_back(name);
    }
  }
  if (silent.empty() || stamps_.in_flight) {
    return;
  }
  stamps_.in_flight = true;
  stamps_.began = now_;
  stamps_asked_ = silent;
  ready_.read_stamps = StampRead{++stamps_.number, std::move(silent)};
}

void Member::Impl::peer_stamps(const StampReadResult& result, Tick now) {
  enter(now);
  if (result.number != stamps_.number || !stamps_.in_flight) {
    return;
  }
  stamps_.in_flight = false;
  if (result.outcome == Attempt::kDone) {
    last_success_ = std::max(last_success_, stamps_.began);
    std::map<PeerName, PeerStamp> read;
    for (const PeerStamp& stamp : result.stamps) {
      read.emplace(stamp.name, stamp);
    }
    for (const PeerName& name : stamps_asked_) {
      const auto found = read.find(name);
      Peer* const peer = find_peer(name);
      if (peer != nullptr) {
        stamp_seen(*peer, found == read.end() ? PeerStamp{name, {}, 0} : found->second,
                   stamps_.began);
      }
    }
  } else {
    become_unfit();
  }
  settle();
}

// It may live though its lock was free: the database had lost that while the process stood still.
// Or what says so was under way when it ended, which the lock tells again.
void Member::Impl::doubt_its_end(Peer& peer) {
  peer.over = false;
  peer.probes = 0;
  probing_.insert(peer.name);
  if (!peer.probing) {
    probe(peer);
  }
}

// A reading began at `began` and is answered now: some time in between the stamp had this value. It
// counts as still from the end of the first such reading (or half a cycle before, for readings are
// short) to the beginning of the last.
void Member::Impl::stamp_seen(Peer& peer, const PeerStamp& stamp, Tick began) {
  if (stamp.incarnation > peer.incarnation) {
    renew_incarnation(peer, stamp.incarnation);
  }
  peer.read_at = now_;
  const std::int64_t value = stamp.incarnation == peer.incarnation ? stamp.count : -1;
  if (!peer.stamp_known || value != peer.stamp) {
    if (peer.stamp_known) {
      peer.moved_at = began;
    }
    if (peer.over) {
      doubt_its_end(peer);
    }
    peer.stamp_known = true;
    peer.stamp = value;
    peer.still_since = std::max(began, now_ - cycle_of(peer) / 2);
    peer.still_until = began;
  } else {
    peer.still_until = std::max(peer.still_until, began);
  }
  set_state(peer, judged(peer));
  if (peer.heard && !peer.last.fit) {
    refresh_rows_of(peer);
  }
}

// The database said so when it refused to take a row from that peer: what was read of its stamp is
// no longer so.
void Member::Impl::stamp_moved(const PeerName& name) {
  Peer* const peer = find_peer(name);
  if (peer == nullptr || !peer->stamp_known) {
    return;
  }
  peer->stamp_known = false;
  peer->moved_at = now_;
  if (peer->over) {
    doubt_its_end(*peer);
  }
  set_state(*peer, judged(*peer));
  if (peer->heard && !peer->last.fit) {
    refresh_rows_of(*peer);
  }
}

// Stamps count up. After a fail-over that lost the last ones they count up to the same values
// again, so what was read in another timeline does not tell whether one has moved in this.
void Member::Impl::forget_stamps() {
  stamps_.in_flight = false;
  for (auto& [name, peer] : peers_) {
    peer.stamp_known = false;
    if (peer.over) {
      doubt_its_end(peer);
    }
    set_state(peer, judged(peer));  // who is gone or unavailable by that is so no more
  }
}

// --- death
// -------------------------------------------------------------------------------------------------------

void Member::Impl::connection_lost(const PeerName& name, Tick now) {
  enter(now);
  Peer* const peer = find_peer(name);
  if (peer == nullptr || peer->over) {
    return;
  }
  peer->connection_ended = true;
  peer->probes = 0;
  probing_.insert(name);
  if (!peer->probing) {
    probe(*peer);
  }
  settle();
}

void Member::Impl::probe(Peer& peer) {
  peer.probing = true;
  ready_.probe.push_back({peer.name, peer.incarnation});
}

void Member::Impl::probe_due() {
  for (const PeerName& name : probing_) {
    Peer* const peer = find_peer(name);
    if (peer != nullptr && !peer->probing && !peer->over && now_ >= peer->next_probe) {
      probe(*peer);
    }
  }
}

// A database that was away has dropped all locks: one that is free proves nothing until its holder
// has had the time to come back, try again and stamp. A peer that has just begun cannot tell, but
// of those whose locks it has found held since: so it looks when it first hears them.
bool Member::Impl::lock_proves(const Peer& peer) const {
  return now_ - failed_at_ >= cycles(2) || (peer.held_at && *peer.held_at > failed_at_);
}

// While the peer is heard, so that its lock proves something should it end.
void Member::Impl::look_at_lock(Peer& peer) {
  if (!unfit_ && peer.heard && !peer.over && !peer.probing && !lock_proves(peer)) {
    probe(peer);
  }
}

void Member::Impl::life_lock(const LifeResult& result, Tick now) {
  enter(now);
  Peer* const peer = find_peer(result.peer);
  if (peer == nullptr) {
    return;
  }
  peer->probing = false;
  if (result.outcome == Attempt::kFailed) {
    become_unfit();
  }
  if (result.outcome == Attempt::kDone && result.stamp.incarnation > peer->incarnation) {
    renew_incarnation(*peer, result.stamp.incarnation);  // it has been started again
    set_state(*peer, judged(*peer));
  }
  if (result.outcome == Attempt::kRefused && result.incarnation == peer->incarnation) {
    peer->held_at = now_;
  }
  const bool ended = (result.outcome == Attempt::kDone && lock_proves(*peer)) ||
                     base::planted(base::Mutant::kGoneWithoutLifeLock);
  if (ended && result.incarnation == peer->incarnation && peer->connection_ended) {
    peer->over = true;
    peer->stamp_known = true;
    peer->stamp = result.stamp.count;
    probing_.erase(peer->name);
    set_state(*peer, PeerState::kGone);
  } else if (peer->connection_ended) {
    const auto step = static_cast<std::size_t>(peer->probes++);
    const Duration wait = step < kProbeAfterMs.size()
                              ? Duration(std::chrono::milliseconds(kProbeAfterMs.at(step)))
                              : config_.cycle;
    peer->next_probe = now_ + std::min(wait, config_.cycle);
    if (is_dead(peer->state)) {
      probing_.erase(peer->name);  // the stamp has decided
    }
  }
  settle();
}

// --- state
// -------------------------------------------------------------------------------------------------------

void Member::Impl::set_state(Peer& peer, PeerState state) {
  if (peer.state != state) {
    const bool lived = peer.state == PeerState::kLiving || peer.state == PeerState::kJoining;
    if (peer.heard && lived && state == PeerState::kSuspect) {
      ++lost_now_;
      lost_checked_ = false;
    }
    peer.state = state;
    membership_changed_ = now_;
    if (is_dead(state)) {
      set_foreign_claims(peer, {});  // its claims lapse
    }
    refresh_rows_of(peer);
    free_dirty_ = true;
  }
  keep_rolls(peer);
  tell(peer);
}

// What is asked for at every turn is not counted at every turn. Called after each change of a
// peer's state, of what it last said, and of its stamp.
void Member::Impl::keep_rolls(Peer& peer) {
  const bool stands = peer.state == PeerState::kLiving || peer.state == PeerState::kJoining;
  const bool fit = peer.heard ? peer.last.fit : peer.moved_at.has_value();
  const bool candidate = peer.before_me && stands && fit;
  candidates_ += (candidate ? 1 : 0) - (peer.candidate ? 1 : 0);
  peer.candidate = candidate;
  if (fit_member(peer) == peer.member_at.has_value()) {
    return;
  }
  if (!peer.member_at) {
    peer.member_at = members_.size();
    members_.push_back(&peer);
    member_hashes_.push_back(peer.name_hash);
    return;
  }
  const std::size_t place = *peer.member_at;
  peer.member_at.reset();
  members_[place] = members_.back();
  member_hashes_[place] = member_hashes_.back();
  if (members_[place] != &peer) {
    members_[place]->member_at = place;
  }
  members_.pop_back();
  member_hashes_.pop_back();
}

void Member::Impl::tell(Peer& peer) {
  const bool fit = !peer.heard || peer.last.fit;
  if (peer.told && peer.told_incarnation == peer.incarnation && peer.told_state == peer.state &&
      peer.told_fit == fit) {
    return;
  }
  if (peer.told && peer.told_fit != fit) {
    free_dirty_ = true;
    membership_changed_ = now_;
  }
  peer.told = true;
  peer.told_incarnation = peer.incarnation;
  peer.told_state = peer.state;
  peer.told_fit = fit;
  notify(PeerChanged{peer.name, peer.incarnation, peer.state, fit});
}

void Member::Impl::forget_dead() {
  for (auto at = peers_.begin(); at != peers_.end();) {
    const Peer& peer = at->second;
    const bool long_silent =
        now_ - peer.last_heard > cycle_of(peer) * (config_.miss_limit * kForgetAfter);
    if (is_dead(peer.state) && long_silent && peer.rows.empty() && peer.name != master_row_.owner) {
      probing_.erase(peer.name);
      set_foreign_claims(at->second, {});
      peer_by_name_.erase(at->first);
      at = peers_.erase(at);
    } else {
      ++at;
    }
  }
}

bool Member::Impl::is_member(const Peer& peer) const {
  return peer.heard && peer.last.phase == PeerPhase::kMember && peer.state == PeerState::kLiving;
}

int Member::Impl::living_members() const {
  return static_cast<int>(members_.size()) + (phase_ == PeerPhase::kMember && !unfit_ ? 1 : 0);
}

}  // namespace turnout::group
