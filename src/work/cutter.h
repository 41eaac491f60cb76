#pragma once

// Decides when an owned track's timers are read, and from where. A state machine without I/O.
//
// Reading goes forward through (due, contact, entry) in passes: a pass ends when nothing more is
// due, and the next begins, when there is a reason to look, where the first timer of the last pass
// stood, since every timer below that is gone by then (dead index entries are what makes reading
// from the very start dear on PostgreSQL). Timers written late and below (a block that was handed
// out again) are found by a full pass now and then.

#include <cstdint>
#include <optional>
#include <unordered_set>
#include <vector>

#include "base/time.h"
#include "group/dispatcher.h"
#include "work/owner.h"

namespace turnout::work {

inline constexpr base::Duration kFullPassEvery = std::chrono::seconds(5);
// Timers that blocks have written for later are looked for this long after the last pass, to learn
// of the first.
inline constexpr base::Duration kLearnTimersAfter = std::chrono::milliseconds(50);
inline constexpr int kMaxCut = 20'000;

// One owned track. Not thread-safe.
class Cutter {
 public:
  Cutter(store::Fence fence, base::Version version, base::Tick now)
      : fence_(fence), version_(version), full_pass_(now), look_(true) {}

  const store::Fence& fence() const { return fence_; }
  base::Version version() const { return version_; }

  struct Request {
    store::DueCursor from;
    int limit = 0;
  };
  // What to read now, if anything; then answered(…) must follow. `want`: see Dispatcher::want.
  std::optional<Request> next(std::size_t want, base::Tick now);
  // Takes the answer in; returns the items to offer: ascending by contact, none outstanding.
  std::vector<group::Item> answered(const Cut& cut, const group::Dispatcher& dispatcher,
                                    base::Tick now);
  // There may be something due now.
  void look() { look_ = true; }
  // A block is done: its contacts may be due again, now (`more_due`) or later.
  void finished(bool more_due);
  // A block could not be written (a full disk, say): all of it is due again, but not at once, and
  // later each time until one succeeds.
  void failed(base::Tick now);
  // True when there is a reason to read and no reading is under way: something may be due.
  bool wants_to_look(base::Tick now) const;
  // When to call again though nothing has happened.
  base::Tick next_tick() const;

 private:
  void end_pass(const Cut& cut, base::Tick now);

  const store::Fence fence_;
  const base::Version version_;
  bool reading_ = false;
  bool in_pass_ = false;
  bool full_ = false;     // this pass began at the very start
  base::Tick full_pass_;  // when the last full pass began
  store::DueCursor from_;
  std::optional<base::Instant> first_;  // due time of the first row of this pass
  base::Instant low_{0};                // no timer is below it, as far as known
  bool look_ = false;                   // something may have become due since the pass began
  bool timers_changed_ = false;         // blocks have written timers since the pass began
  base::Tick pass_began_{};
  std::optional<base::Tick> due_at_;  // the next timer's time, on this machine's clock
  base::Duration pause_{};            // after the last block, if that failed
  base::Tick not_before_{};           // nothing is read
};

}  // namespace turnout::work
