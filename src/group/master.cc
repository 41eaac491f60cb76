// The master: present while it is heard or stamps; when it is not, the lowest fit name takes its
// row in the ledger (WO 00/08823 pp. 9, 14). A lower name that joins later does not unseat a living
// master; of two, the higher epoch stays.

#include <algorithm>

#include "base/mutant.h"
#include "group/member_impl.h"

namespace turnout::group {

void Member::Impl::learn_master(const LedgerRow& row, bool force) {
  const bool given_up = row.fence == master_row_.fence && row.owner.empty();
  const bool older = row.fence < master_row_.fence;
  if ((older && !force) || (row.fence == master_row_.fence && !given_up)) {
    return;
  }
  master_row_ = row;
  master_learned_at_ = now_;
  const bool other = !row.owner.empty() && row.owner != config_.name;
  master_peer_ = other ? &know_peer(row.owner, row.incarnation) : nullptr;
}

bool Member::Impl::master_stands() const {
  if (master_row_.owner.empty()) {
    return false;
  }
  if (master_row_.owner == config_.name) {
    return is_master_;
  }
  const Peer* const peer = master_peer_;
  if (peer == nullptr || master_row_.incarnation < peer->incarnation ||
      (peer->heard && !peer->last.fit)) {
    return false;
  }
  switch (peer->state) {
    case PeerState::kUnavailable:
    case PeerState::kGone:
    case PeerState::kLeaving:
    case PeerState::kLeft:
      return false;
    case PeerState::kJoining:
    case PeerState::kLiving:
    case PeerState::kSuspect:
      break;
  }
  return true;
}

void Member::Impl::judge_master() {
  // In self-doubt a master stays so, idle; it becomes one only when it may write.
  const bool holds =
      is_mine(master_row_) && phase_ == PeerPhase::kMember && !unfit_ && (is_master_ || !stopped_);
  if (is_master_ && (!holds || master_fence_ != master_row_.fence)) {
    is_master_ = false;
    notify(MasterLost{master_fence_});
    advertise_now();
  }
  if (holds && !is_master_) {
    is_master_ = true;
    master_fence_ = master_row_.fence;
    notify(MasterGained{master_fence_});
    advertise_now();
  }
  const bool present = master_stands();
  if (present != master_present_) {
    master_present_ = present;
    free_dirty_ = true;
    if (present) {
      masterless_since_.reset();
      master_since_ = now_;
    } else {
      masterless_since_ = now_;
    }
  }
  const PeerName& name = master();
  const Epoch epoch = present ? master_row_.fence.epoch : Epoch();
  if (name != told_master_ || epoch != told_master_epoch_) {
    told_master_ = name;
    told_master_epoch_ = epoch;
    notify(MasterChanged{name, epoch});
  }
}

// R9: after M cycles without a master the lowest name is elected.
void Member::Impl::elect() {
  if (phase_ != PeerPhase::kMember || stopped_ || unfit_ || master_present_ || taking_master_) {
    return;
  }
  if (!masterless_since_) {
    masterless_since_ = now_;
  }
  if (now_ <
      *masterless_since_ +
          cycles(base::planted(base::Mutant::kElectionOutOfOrder) ? 0 : candidates_before_me())) {
    return;
  }
  taking_master_ = master_row_.fence;
  ready_.take.push_back({kMasterRow, master_row_.fence, witness(master_row_), read_in()});
}

void Member::Impl::granted_master(const TakeResult& result) {
  const Fence expected = taking_master_.value_or(Fence{});
  taking_master_.reset();
  if (result.outcome == Attempt::kFailed) {
    become_unfit();
    return;
  }
  learn_master(result.row, result.row.fence < expected);
  if (result.outcome == Attempt::kRefused) {
    if (result.row.fence == expected) {
      stamp_moved(result.row.owner);
    }
    if (masterless_since_) {
      masterless_since_ = now_;
    }
  }
}

}  // namespace turnout::group
