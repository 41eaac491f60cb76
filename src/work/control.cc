#include "work/control.h"

#include <algorithm>
#include <utility>

namespace turnout::work {

group::LedgerRow to_group(const store::LedgerRow& row) {
  group::LedgerRow out;
  out.track = row.track;
  if (row.owner) {
    out.owner = row.owner->name;
    out.incarnation = row.owner->incarnation;
  }
  out.fence = {row.timeline, row.epoch};
  return out;
}

Control::Control(std::unique_ptr<store::GroupSession> session, store::PeerId self,
                 Callbacks callbacks)
    : session_(std::move(session)),
      self_(std::move(self)),
      callbacks_(std::move(callbacks)),
      thread_([this] { loop(); }) {}

Control::~Control() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    jobs_.clear();
  }
  wake_.notify_all();
  thread_.join();
}

void Control::post(std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
}

void Control::loop() {
  while (true) {
    std::function<void()> job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return ending_ || !jobs_.empty(); });
      if (ending_) {
        return;
      }
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job();
  }
}

// Stamps first: they are what others judge this peer's life by.
void Control::start(const group::Ready& ready) {
  if (ready.stamp) {
    post([this, write = *ready.stamp] { stamp(write); });
  }
  for (const group::LifeProbe& one : ready.probe) {
    post([this, one] { probe(one); });
  }
  for (const group::Take& one : ready.take) {
    post([this, one] { take(one); });
  }
  if (ready.read_stamps) {
    post([this, read = *ready.read_stamps] { read_stamps(read); });
  }
  if (ready.read_ledger) {
    post([this, read = *ready.read_ledger] { read_ledger(read); });
  }
}

void Control::read_row(base::TrackId track, std::function<void(group::LedgerRow)> then) {
  post([this, track, then = std::move(then)] {
    const auto rows = session_->ledger();
    if (!rows) {
      return;
    }
    for (const store::LedgerRow& row : rows.value()) {
      if (row.track == track) {
        then(to_group(row));
        return;
      }
    }
  });
}

void Control::stamp(const group::StampWrite& write) {
  group::StampResult result;
  result.number = write.number;
  std::int64_t catalogue = 0;
  if (const auto answer = session_->stamp(self_)) {
    const store::StampAnswer& said = answer.value();
    result.outcome = said.refused ? group::Attempt::kRefused : group::Attempt::kDone;
    result.master = to_group(said.master);
    result.master_stamp = said.master_stamp;
    result.timeline = said.timeline;
    catalogue = said.catalogue_version;
  }
  callbacks_.stamped(result, catalogue);
}

void Control::read_stamps(const group::StampRead& read) {
  group::StampReadResult result;
  result.number = read.number;
  if (const auto stamps = session_->stamps()) {
    result.outcome = group::Attempt::kDone;
    for (const store::PeerStamp& stamp : stamps.value()) {
      if (std::find(read.peers.begin(), read.peers.end(), stamp.peer.name) != read.peers.end()) {
        result.stamps.push_back({stamp.peer.name, stamp.peer.incarnation, stamp.stamp});
      }
    }
  }
  callbacks_.stamps(result);
}

void Control::read_ledger(const group::LedgerRead& read) {
  group::LedgerResult result;
  result.number = read.number;
  if (const auto rows = session_->ledger()) {
    result.outcome = group::Attempt::kDone;
    for (const store::LedgerRow& row : rows.value()) {
      result.rows.push_back(to_group(row));
    }
  }
  callbacks_.ledger(result);
}

void Control::take(const group::Take& take) {
  group::TakeResult result;
  result.track = take.track;
  const auto taken = session_->take(take.track, take.expected.timeline, take.expected.epoch, self_);
  if (taken) {
    result.outcome = taken.value().taken ? group::Attempt::kDone : group::Attempt::kRefused;
    result.row = to_group(taken.value().row);
    result.row.track = take.track;
  }
  callbacks_.taken(result);
}

void Control::probe(const group::LifeProbe& probe) {
  group::LifeResult result;
  result.peer = probe.peer;
  result.incarnation = probe.incarnation;
  if (const auto ended = session_->life_has_ended({probe.peer, probe.incarnation})) {
    result.outcome = ended.value() ? group::Attempt::kDone : group::Attempt::kRefused;
  }
  callbacks_.life(result);
}

}  // namespace turnout::work
