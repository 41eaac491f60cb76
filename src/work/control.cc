#include "work/control.h"

#include <utility>

#include "work/requests.h"

namespace turnout::work {

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
    post([this, write = *ready.stamp] {
      const Stamped stamped = carry_out(*session_, write, self_);
      callbacks_.stamped(stamped.result, stamped.catalogue);
    });
  }
  for (const group::LifeProbe& one : ready.probe) {
    post([this, one] { callbacks_.life(carry_out(*session_, one)); });
  }
  for (const group::Take& one : ready.take) {
    post([this, one] { callbacks_.taken(carry_out(*session_, one, self_)); });
  }
  if (ready.read_stamps) {
    post([this, read = *ready.read_stamps] { callbacks_.stamps(carry_out(*session_, read)); });
  }
  if (ready.read_ledger) {
    post([this, read = *ready.read_ledger] { callbacks_.ledger(carry_out(*session_, read)); });
  }
}

void Control::read_row(base::TrackId track, std::function<void(FoundRow)> then) {
  post([this, track, then = std::move(then)] { then(find_row(*session_, track)); });
}

}  // namespace turnout::work
