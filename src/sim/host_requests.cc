// A process asks the database: what its Member wants of it, and in general.

#include <utility>

#include "sim/host_ask.h"
#include "work/requests.h"

namespace turnout::sim {

using group::Attempt;

namespace {

constexpr std::size_t kStampsKept = 20;

// Requests and their answers go through shared memory: written there, read here.
template <class Result>
std::shared_ptr<Result> no_answer() {
  auto result = std::make_shared<Result>();
  result->outcome = Attempt::kFailed;
  return result;
}

}  // namespace

void Host::learn_row(TrackId track, std::function<void(const std::optional<LedgerRow>&)> then) {
  auto row = std::make_shared<std::optional<LedgerRow>>();
  ask_for_work([this, row, track] { *row = work::find_row(*group_session_, track); },
               [this, row, then = std::move(then)](bool answered) {
                 if (!answered) {
                   row->reset();
                 } else if (*row) {
                   member_->row_seen(**row, clock());
                 }
                 then(*row);
               });
}

void Host::start_requests(const group::Ready& ready) {
  for (Observer* const observer : world_.observers()) {
    observer->on_requests(*this, ready);
  }
  for (const group::Take& take : ready.take) {
    for (Observer* const observer : world_.observers()) {
      observer->on_ask(*this, take.track == group::kMasterRow
                                  ? "take master"
                                  : "take track " + std::to_string(take.track.get()));
    }
    auto result = no_answer<group::TakeResult>();
    result->track = take.track;
    ask_as_control([this, result, take,
                    self = self_] { *result = work::carry_out(*group_session_, take, self); },
                   [this, result](bool answered) {
                     if (!answered) {
                       result->outcome = Attempt::kFailed;
                     }
                     member_->granted(*result, clock());
                   });
  }
  if (ready.read_ledger) {
    ++queries.others;
    auto result = no_answer<group::LedgerResult>();
    result->number = ready.read_ledger->number;
    ask_as_control(
        [this, result, read = *ready.read_ledger] {
          *result = work::carry_out(*group_session_, read);
        },
        [this, result](bool answered) {
          if (!answered) {
            result->outcome = Attempt::kFailed;
          }
          member_->ledger_read(*result, clock());
        });
  }
  start_stamps(ready);
  start_witnesses(ready);
}

// Its own stamp.
void Host::start_stamps(const group::Ready& ready) {
  if (!ready.stamp) {
    return;
  }
  ++queries.stamps;
  auto stamped = std::make_shared<work::Stamped>();
  stamped->result.number = ready.stamp->number;
  stamped->result.outcome = Attempt::kFailed;
  ask_as_control(
      [this, stamped, write = *ready.stamp, self = self_] {
        *stamped = work::carry_out(*group_session_, write, self);
        if (stamped->result.outcome == Attempt::kDone) {
          stamped_at.push_back(world_.now());
          if (stamped_at.size() > kStampsKept) {
            stamped_at.pop_front();
          }
        }
      },
      [this, stamped](bool answered) {
        if (!answered) {
          stamped->result.outcome = Attempt::kFailed;
        }
        member_->stamped(stamped->result, clock());
        if (stamped->result.outcome == Attempt::kDone) {
          take_catalogue(stamped->catalogue);
        }
      });
}

// What shows whether others live.
void Host::start_witnesses(const group::Ready& ready) {
  if (ready.read_stamps) {
    ++queries.others;
    auto result = no_answer<group::StampReadResult>();
    result->number = ready.read_stamps->number;
    ask_as_control(
        [this, result, read = *ready.read_stamps] {
          *result = work::carry_out(*group_session_, read);
        },
        [this, result](bool answered) {
          if (!answered) {
            result->outcome = Attempt::kFailed;
          }
          member_->peer_stamps(*result, clock());
        });
  }
  for (const group::LifeProbe& probe : ready.probe) {
    ++queries.others;
    auto result = no_answer<group::LifeResult>();
    result->peer = probe.peer;
    result->incarnation = probe.incarnation;
    ask_as_control(
        [lock = std::weak_ptr(life_lock_), result, probe] {
          if (const auto session = lock.lock()) {
            *result = work::carry_out(*session, probe);
          }
        },
        [this, result](bool answered) {
          if (!answered) {
            result->outcome = Attempt::kFailed;
          }
          member_->life_lock(*result, clock());
        });
  }
}

}  // namespace turnout::sim
