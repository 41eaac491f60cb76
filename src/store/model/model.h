#pragma once

// A Store in memory that means the same as the two databases, written as simply as possible: the
// suite compares them, and the simulator runs on it. Everything is a map, every call one
// transaction under one mutex.
//
// It knows the empty condition only (gather, gather_these). Lives end with their group sessions.

#include <functional>
#include <memory>

#include "base/time.h"
#include "store/model/tables.h"
#include "store/store.h"

namespace turnout::store::model {

// `clock` is the database's clock; it is called under the model's mutex, by any thread.
class ModelStore final : public Store {
 public:
  // `fault` is for tests of tests.
  explicit ModelStore(std::function<base::Instant()> clock, Fault fault = Fault::kNone);
  base::Result<void> migrate() override;
  base::Result<std::unique_ptr<Session>> open_session() override;
  base::Result<std::unique_ptr<GroupSession>> open_group_session() override;
  std::string describe() const override { return "model"; }
  // Lock its mutex to look at it while other threads have sessions.
  Tables& tables() { return *tables_; }
  // The data as it is now, for fail_over().
  Data snapshot() const;
  // A standby takes over that had got as far as `to`: the data is what it was then, the timeline is
  // the next, and life locks are free until their holders stamp again.
  void fail_over(const Data& to);
  // The server crashes and comes back by itself: nothing is lost but the stamps since `then`; life
  // locks are free until their holders stamp again. See docs/decisions/0033.
  void crash(const Data& then);
  // From now on; before any session is in use. `watcher` must outlive the store.
  void watch(Watcher* watcher) { tables_->watchers.push_back(watcher); }

 private:
  std::shared_ptr<Tables> tables_;
};

}  // namespace turnout::store::model
