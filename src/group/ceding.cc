// Giving tracks away: to even out ownership while the group is steady, and before leaving. A cede
// is an offer; what decides is the receiver's compare-and-set.

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "base/mutant.h"
#include "group/member_impl.h"

namespace turnout::group {

// Peers sorted by (owned, name) pair off, the first with the last; the fuller cedes one track per
// cycle to the emptier. Work on a track rests while it is offered, so one that was not taken is not
// offered again at once.
void Member::Impl::spread() {
  const Duration settled = cycles(config_.miss_limit);
  const bool steady =
      now_ - membership_changed_ >= settled && (!refused_at_ || now_ - *refused_at_ >= settled);
  if (!may_take() || !steady || !free_.empty() || !ceding_.empty() || owned_.size() < 2) {
    return;
  }
  const int difference = base::planted(base::Mutant::kSpreadForEver) ? 1 : 2;
  const bool uneven = std::any_of(members_.begin(), members_.end(), [&](const Peer* peer) {
    return static_cast<int>(owned_.size()) >= peer->last.owned + difference;
  });
  if (!uneven) {
    return;
  }
  std::vector<std::pair<int, PeerName>> by_count;
  by_count.emplace_back(static_cast<int>(owned_.size()), config_.name);
  for (const auto& [name, peer] : peers_) {
    if (fit_member(peer)) {
      by_count.emplace_back(peer.last.owned, name);
    }
  }
  std::sort(by_count.begin(), by_count.end());
  const auto me = std::find_if(by_count.begin(), by_count.end(),
                               [this](const auto& entry) { return entry.second == config_.name; });
  const auto& partner = *(by_count.rbegin() + (me - by_count.begin()));
  if (me->first < partner.first + difference) {
    return;
  }
  // The one that rendezvous hashing ranks this peer lowest for.
  const auto least =
      std::min_element(owned_.begin(), owned_.end(), [this](const auto& a, const auto& b) {
        const auto rank = [this](TrackId track) {
          return base::mix64(name_hash_ ^ base::mix64(static_cast<std::uint64_t>(track.get())));
        };
        return rank(a.first) < rank(b.first);
      });
  cede(least->first, partner.second);
}

void Member::Impl::cede(TrackId track, const PeerName& to) {
  ceding_[track] = {to, owned_.at(track), false, std::nullopt, now_ + config_.cycle};
  notify(TrackCeding{track, to});
  if (base::planted(base::Mutant::kCededWhileBusy)) {
    offer(track, ceding_.at(track));
  }
}

void Member::Impl::drained(TrackId track, Tick now) {
  enter(now);
  const auto found = ceding_.find(track);
  if (found != ceding_.end() && !found->second.offered) {
    offer(track, found->second);
  }
  settle();
}

void Member::Impl::offer(TrackId track, Ceding& ceding) {
  ceding.offered = true;
  ceding.deadline = now_ + cycles(2);
  if (!ceding.to.empty()) {
    send(ceding.to, Cede{config_.incarnation, track, ceding.fence.timeline, ceding.fence.epoch});
  }
}

void Member::Impl::cede_due() {
  for (auto& [track, ceding] : ceding_) {
    if (now_ < ceding.deadline) {
      continue;
    }
    if (!ceding.offered) {
      offer(track, ceding);
    } else {
      ceding.rechecked = now_;
      ceding.deadline = now_ + cycles(2);
      request_ledger();
    }
  }
}

// The ledger has just been read and these rows are still this peer's: it goes on with them, or
// offers them to the next.
void Member::Impl::end_refused_offers() {
  for (auto at = ceding_.begin(); at != ceding_.end();) {
    auto& [track, ceding] = *at;
    if (!ceding.rechecked || *ceding.rechecked > ledger_.began) {
      ++at;
    } else if (phase_ == PeerPhase::kLeaving) {
      ceding.rechecked.reset();
      ceding.to = emptiest({});
      offer(track, ceding);
      ++at;
    } else {
      refused_at_ = now_;
      notify(TrackKept{track});
      at = ceding_.erase(at);
    }
  }
}

bool Member::Impl::receive_cede(const Cede& message, Peer& peer) {
  if (phase_ != PeerPhase::kMember || stopped_ || unfit_) {
    return true;
  }
  const Fence fence{message.timeline, message.epoch};
  learn({message.track, peer.name, peer.incarnation, fence});
  Track& track = know_track(message.track);
  if (!track.active || track.taking) {
    return true;
  }
  if (track.row.fence != fence || track.row.owner != peer.name) {
    request_ledger();  // as in receive_assign; it is offered again
    return true;
  }
  withdraw(message.track);
  take(track, fence);
  return true;
}

void Member::Impl::leave(Tick now) {
  enter(now);
  if (phase_ == PeerPhase::kLeaving || phase_ == PeerPhase::kLeft) {
    return;
  }
  withdraw_all();
  phase_ = PeerPhase::kLeaving;
  leave_deadline_ = now + cycles(config_.miss_limit + 1);
  // An even out under way goes on as part of leaving.
  advertise_now();
  settle();
}

void Member::Impl::leave_step() {
  if (phase_ != PeerPhase::kLeaving) {
    return;
  }
  std::map<PeerName, int> given;
  for (const auto& [track, fence] : owned_) {
    if (!ceding_.contains(track)) {
      const PeerName to = emptiest(given);
      ++given[to];
      cede(track, to);
    }
  }
  const bool nobody = emptiest({}).empty();
  const bool idle = std::all_of(ceding_.begin(), ceding_.end(),
                                [](const auto& entry) { return entry.second.offered; });
  const bool over = now_ >= leave_deadline_.value_or(now_);
  if (!over && (takes_in_flight_ > 0 || (!owned_.empty() && !(nobody && idle)))) {
    return;
  }
  while (!owned_.empty()) {
    disown(tracks_.at(owned_.begin()->first), {});
  }
  phase_ = PeerPhase::kLeft;
  leave_deadline_.reset();
  notify(LeftGroup{});
  advertise_now();
}

}  // namespace turnout::group
