// When a peer must not write, and when it may again. In doubt about itself (its timer ran late, it
// lost most of the group at once), unfit (the database does not answer it) or at its start, a peer
// waits for a stamp and a reading of the ledger that both began since.

#include <algorithm>

#include "base/mutant.h"
#include "group/member_impl.h"

namespace turnout::group {
namespace {

// An unfit peer tries the database again after at most this time.
constexpr Duration kRetry = std::chrono::milliseconds(500);

}  // namespace

void Member::Impl::require_proof() {
  stamp_.required = stamp_.number + 1;
  ledger_.required = ledger_.number + 1;
}

void Member::Impl::stop(StopReason reason) {
  if (!stopped_ || reason != stop_reason_ || reason == StopReason::kStarting) {
    notify(Stopped{reason});
  }
  stopped_ = true;
  stop_reason_ = reason;
  require_proof();
  request_stamp();
  request_ledger();
}

void Member::Impl::become_unfit() {
  if (base::planted(base::Mutant::kUnfitGoesOn)) {
    return;
  }
  failed_at_ = now_;
  if (!unfit_) {
    unfit_ = true;
    advertise_now();
  }
  if (!stopped_ || stop_reason_ == StopReason::kLateTimer ||
      stop_reason_ == StopReason::kLostGroup) {
    notify(Stopped{StopReason::kUnfit});
    stop_reason_ = StopReason::kUnfit;
  }
  stopped_ = true;
  withdraw_all();
  require_proof();
  retry_at_ = now_ + std::min(config_.cycle, kRetry);
}

void Member::Impl::resume_if_cleared() {
  const bool proven = (stamp_.required == 0 && ledger_.required == 0) ||
                      base::planted(base::Mutant::kProofNotAwaited);
  if (!stopped_ || !proven) {
    return;
  }
  stopped_ = false;
  retry_at_.reset();
  notify(Resumed{});
  free_dirty_ = true;
  if (unfit_) {
    unfit_ = false;
    advertise_now();
    for (auto& [name, peer] : peers_) {
      look_at_lock(peer);
    }
  }
}

void Member::Impl::database(bool succeeded, Tick began, Tick now) {
  enter(now);
  if (succeeded) {
    last_success_ = std::max(last_success_, began);
  } else {
    become_unfit();
  }
  settle();
}

void Member::Impl::request_stamp() {
  if (stamp_.in_flight) {
    stamp_.again = stamp_.required > stamp_.number;
    return;
  }
  stamp_.in_flight = true;
  stamp_.began = now_;
  ready_.stamp = StampWrite{++stamp_.number, ++stamp_count_};
}

void Member::Impl::request_ledger() {
  if (ledger_.in_flight) {
    ledger_.again = true;
    return;
  }
  ledger_.in_flight = true;
  ledger_.began = now_;
  ready_.read_ledger = LedgerRead{++ledger_.number};
}

void Member::Impl::stamped(const StampResult& result, Tick now) {
  enter(now);
  if (result.number != stamp_.number || !stamp_.in_flight || superseded_) {
    return;
  }
  stamp_.in_flight = false;
  if (result.outcome == Attempt::kRefused) {
    superseded_ = true;
    stopped_ = true;
    notify(Superseded{});
    return;
  }
  if (result.outcome == Attempt::kDone) {
    last_success_ = std::max(last_success_, stamp_.began);
    const bool moved_timeline = timeline_ && *timeline_ != result.timeline;
    timeline_ = result.timeline;
    if (moved_timeline) {
      replace_rows_from_ = ledger_.number + 1;
      learn_master(result.master, true);
      failed_at_ = now_;
      forget_stamps();
      stop(StopReason::kTimeline);
    }
    learn_master(result.master, never_was(master_row_.fence, master_learned_at_, stamp_.began));
    Peer* const master = find_peer(result.master.owner);
    if (master != nullptr) {
      stamp_seen(*master, {master->name, result.master.incarnation, result.master_stamp},
                 stamp_.began);
    }
    if (result.number >= stamp_.required) {
      stamp_.required = 0;
    }
  } else {
    become_unfit();
  }
  if (stamp_.again) {
    stamp_.again = false;
    request_stamp();
  }
  settle();
}

}  // namespace turnout::group
