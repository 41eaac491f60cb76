#pragma once

// The thread on which the group's requests to the database run, one after another: stamps, the
// ledger, life locks. Apart from the other threads, so that a long block never makes this peer look
// dead.

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "group/ledger.h"
#include "group/member.h"
#include "store/store.h"
#include "work/requests.h"

namespace turnout::work {

// Thread-safe.
class Control {
 public:
  // What came of a request. Called on the control thread; post to the loop from there.
  struct Callbacks {
    std::function<void(group::StampResult, std::int64_t catalogue_version)> stamped;
    std::function<void(group::StampReadResult)> stamps;
    std::function<void(group::LedgerResult)> ledger;
    std::function<void(group::TakeResult)> taken;
    std::function<void(group::LifeResult)> life;
  };

  // `session` has begun the life of `self`.
  Control(std::unique_ptr<store::GroupSession> session, store::PeerId self, Callbacks callbacks);
  // Ends after the request it is in; those not begun are dropped.
  ~Control();
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  // Starts everything that a Ready asks of the database; each is answered exactly once.
  void start(const group::Ready& ready);
  // Reads one row of the ledger; `then` is called on the control thread.
  void read_row(base::TrackId track, std::function<void(FoundRow)> then);

 private:
  void post(std::function<void()> job);
  void loop();

  const std::unique_ptr<store::GroupSession> session_;
  const store::PeerId self_;
  const Callbacks callbacks_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace turnout::work
