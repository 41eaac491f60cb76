// Free tracks: claims with a counter, challenge and arbitration (WO 00/08823 p. 7), and what needs
// no countdown because nothing is in doubt. The countdown is courtesy; the compare-and-set on the
// ledger decides.

#include <algorithm>
#include <span>
#include <tuple>

#include "base/hash.h"
#include "base/mutant.h"
#include "group/member_impl.h"

namespace turnout::group {
namespace {

// Rendezvous hashing (Thaler and Ravishankar 1998): every peer ranks all peers for a track alike.
std::uint64_t weight(std::uint64_t name_hash, TrackId track) {
  return base::mix64(name_hash ^ base::mix64(static_cast<std::uint64_t>(track.get())));
}

}  // namespace

// Without a master nothing is claimed or taken over.
bool Member::Impl::may_take() const {
  return phase_ == PeerPhase::kMember && !stopped_ && !unfit_ && master_present_;
}

bool Member::Impl::first_in_line(TrackId track) const {
  const std::uint64_t mine = weight(name_hash_, track);
  return std::none_of(member_hashes_.begin(), member_hashes_.end(),
                      [mine, track](std::uint64_t other) { return weight(other, track) > mine; });
}

int Member::Impl::owned_with_claims() const {
  return static_cast<int>(owned_.size() + claims_.size()) + takes_in_flight_;
}

// A track that somebody else claims is challenged only by a peer that would win by its count.
bool Member::Impl::worth_claiming(TrackId track) const {
  const auto foreign = foreign_claims_.find(track);
  if (foreign == foreign_claims_.end()) {
    return true;
  }
  const int mine = owned_with_claims();
  return std::all_of(foreign->second.begin(), foreign->second.end(),
                     [mine](const ForeignClaim& claim) { return mine < claim.owned_at_claim; });
}

void Member::Impl::pursue() {
  if (!may_take() || free_.empty()) {
    return;
  }
  struct Candidate {
    bool mine = false;  // rendezvous hashing gives it to this peer
    std::uint64_t weight = 0;
    TrackId track;
  };
  const auto members = static_cast<std::size_t>(std::max(1, living_members()));
  const std::size_t limit = (free_.size() + members - 1) / members;
  const auto full = [&] {
    return claims_.size() + static_cast<std::size_t>(takes_in_flight_) >= limit;
  };
  // Others come and go by the hundred in a large group, each a reason to look again: mostly in
  // vain.
  if (vacant_.empty() && full()) {
    return;
  }
  std::vector<Candidate> candidates;
  for (const auto& [id, track] : free_) {
    if (track->taking) {
      continue;
    }
    const bool first = first_in_line(id);
    if (first && standing(track->row) == Standing::kVacant) {
      take(*track, track->row.fence);
    } else if (!claims_.contains(id)) {
      candidates.push_back({first, weight(name_hash_, id), id});
    }
  }
  // A heap, for of thousands few are claimed.
  const auto comes_later = [](const Candidate& a, const Candidate& b) {
    return std::tuple(!a.mine, ~a.weight, a.track) > std::tuple(!b.mine, ~b.weight, b.track);
  };
  std::make_heap(candidates.begin(), candidates.end(), comes_later);
  while (!candidates.empty() && !full()) {
    std::pop_heap(candidates.begin(), candidates.end(), comes_later);
    if (worth_claiming(candidates.back().track)) {
      begin_claim(candidates.back().track, config_.claim_counter);
    }
    candidates.pop_back();
  }
}

void Member::Impl::begin_claim(TrackId track, int counter) {
  const int owned = owned_with_claims();  // with the claims begun before this one
  claims_[track] = {{track, counter, owned}, ++claim_order_};
  advertise_now();
}

void Member::Impl::withdraw(TrackId track) {
  if (claims_.erase(track) > 0) {
    advertise_now();
  }
}

void Member::Impl::withdraw_all() {
  if (!claims_.empty()) {
    claims_.clear();
    advertise_now();
  }
}

// R5: lowered with each periodic advertisement.
void Member::Impl::lower_claims() {
  for (auto& [track, open] : claims_) {
    open.claim.counter = std::max(
        0, open.claim.counter - (base::planted(base::Mutant::kCounterLoweredTwice) ? 2 : 1));
  }
}

void Member::Impl::take_ripe() {
  if (claims_.empty() || !may_take()) {
    return;
  }
  std::vector<TrackId> ripe;
  for (const auto& [id, open] : claims_) {
    if (open.claim.counter == 0) {
      ripe.push_back(id);
    }
  }
  for (const TrackId id : ripe) {
    Track& track = tracks_.at(id);
    if (!track.taking && may_be_taken(track.row)) {
      claims_.erase(id);
      take(track, track.row.fence);
    }
  }
}

// What a take-over of the row rests on, where it rests on a stamp or a lock: this process may be
// stopped between deciding and taking, or be told nothing, and the owner come back meanwhile.
std::optional<PeerStamp> Member::Impl::witness(const LedgerRow& row) const {
  const Peer* const peer = find_peer(row.owner);
  if (peer == nullptr) {
    return std::nullopt;
  }
  const bool by_its_lock = peer->over && row.incarnation == peer->incarnation;
  if (!by_its_lock && (standing(row) != Standing::kLost || peer->stamp < 0)) {
    return std::nullopt;
  }
  return PeerStamp{peer->name, peer->incarnation, peer->stamp};
}

void Member::Impl::take(Track& track, Fence expected) {
  track.taking = expected;
  ++takes_in_flight_;
  ready_.take.push_back({track.row.track, expected, witness(track.row), read_in()});
}

void Member::Impl::granted(const TakeResult& result, Tick now) {
  enter(now);
  if (result.track == kMasterRow) {
    granted_master(result);
  } else {
    granted_track(result);
  }
  settle();
}

void Member::Impl::granted_track(const TakeResult& result) {
  Track& track = know_track(result.track);
  if (!track.taking) {
    return;
  }
  const Fence expected = *track.taking;
  track.taking.reset();
  --takes_in_flight_;
  if (result.outcome == Attempt::kFailed) {
    become_unfit();  // it may have happened: the ledger will tell
    return;
  }
  // An answer below what was expected means that what was believed was never so.
  learn(result.row, result.row.fence < expected);
  if (result.outcome == Attempt::kRefused && result.row.fence == expected) {
    stamp_moved(result.row.owner);
  }
  if (result.outcome == Attempt::kRefused && free_.contains(result.track) && may_take()) {
    begin_claim(result.track, 1);
  }
}

// --- arbitration
// -------------------------------------------------------------------------------------------------

void Member::Impl::set_foreign_claims(Peer& peer, const std::vector<Claim>& claims) {
  const auto is_its = [&peer](const ForeignClaim& claim) { return claim.peer == &peer; };
  // Most come again, in the same order and with lower counters, which are of no account here.
  const auto same = [](const Claim& a, const Claim& b) {
    return a.track == b.track && a.owned_at_claim == b.owned_at_claim;
  };
  std::span<const Claim> before;
  if (peer.heard) {
    before = peer.last.claims;
  }
  std::span<const Claim> now = claims;
  while (!before.empty() && !now.empty() && same(before.front(), now.front())) {
    before = before.subspan(1);
    now = now.subspan(1);
  }
  while (!before.empty() && !now.empty() && same(before.back(), now.back())) {
    before = before.first(before.size() - 1);
    now = now.first(now.size() - 1);
  }
  for (const Claim& claim : before) {
    const auto found = foreign_claims_.find(claim.track);
    if (found != foreign_claims_.end() && std::erase_if(found->second, is_its) > 0 &&
        found->second.empty()) {
      foreign_claims_.erase(found);
    }
  }
  for (const Claim& claim : now) {
    std::vector<ForeignClaim>& all = foreign_claims_[claim.track];
    std::erase_if(all, is_its);
    all.push_back({&peer, claim.owned_at_claim});
  }
  peer.last.claims = claims;
}

// R6: fewest tracks owned, then the lowest name; by the counts as they were when each claim began,
// so that both sides reach the same verdict.
void Member::Impl::arbitrate(const Peer& peer) {
  for (const Claim& theirs : peer.last.claims) {
    const auto found = claims_.find(theirs.track);
    if (found == claims_.end()) {
      continue;
    }
    Claim& mine = found->second.claim;
    if (base::planted(base::Mutant::kArbitrationAsymmetric)) {
      mine.owned_at_claim = owned_with_claims();
    }
    if (std::tie(theirs.owned_at_claim, peer.name) < std::tie(mine.owned_at_claim, config_.name)) {
      withdraw(theirs.track);
    } else {
      mine.counter = std::min(mine.counter, theirs.counter);
    }
  }
}

// --- assignment
// --------------------------------------------------------------------------------------------------

PeerName Member::Impl::emptiest(const std::map<PeerName, int>& extra) const {
  PeerName best;
  int fewest = 0;
  const auto consider = [&](const PeerName& name, int owned) {
    const auto more = extra.find(name);
    const int count = owned + (more == extra.end() ? 0 : more->second);
    if (best.empty() || std::tie(count, name) < std::tie(fewest, best)) {
      best = name;
      fewest = count;
    }
  };
  if (phase_ == PeerPhase::kMember && !unfit_ && !stopped_) {
    consider(config_.name, static_cast<int>(owned_.size()));
  }
  for (const auto& [name, peer] : peers_) {
    if (fit_member(peer)) {
      consider(name, peer.last.owned);
    }
  }
  return best;
}

// R25: the master determines the owner where claims have not.
void Member::Impl::assign_overdue() {
  if (!is_master_ || !may_take()) {
    return;
  }
  const Duration overdue = cycles(config_.miss_limit + config_.claim_counter);
  std::map<PeerName, int> given;
  for (const auto& [id, place] : free_) {
    Track& track = *place;
    const bool waits =
        track.assigned_at && now_ - *track.assigned_at < cycles(config_.claim_counter + 1);
    if (track.taking || waits ||
        now_ - std::max(track.free_since.value_or(now_), master_since_) < overdue ||
        standing(track.row) < Standing::kLost) {
      continue;
    }
    const PeerName to = emptiest(given);
    ++given[to];
    track.assigned_at = now_;
    if (to == config_.name) {
      begin_claim(id, 0);
    } else if (!to.empty()) {
      send(to, Assign{config_.incarnation, master_row_.fence.epoch, id, track.row.fence.timeline,
                      track.row.fence.epoch});
    }
  }
}

bool Member::Impl::receive_assign(const Assign& message, Peer& peer) {
  const bool from_master =
      peer.name == master_row_.owner && message.master_epoch >= master_row_.fence.epoch;
  if (!from_master || !may_take() || owned_.contains(message.track)) {
    return from_master;
  }
  const Track& track = know_track(message.track);
  const Fence fence{message.timeline, message.epoch};
  if (!track.active || track.taking) {
    return true;
  }
  if (track.row.fence != fence) {
    // What is known otherwise is not judged: the master may not have heard of it, and so may this
    // peer, or it was told what a fail-over has lost. The master asks again if need be.
    request_ledger();
  } else if (free_.contains(message.track) && standing(track.row) >= Standing::kLost) {
    withdraw(message.track);
    begin_claim(message.track, 0);  // ripe at once
  }
  return true;
}

}  // namespace turnout::group
