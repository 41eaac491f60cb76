#pragma once

// The owner's thread: for all tracks that this peer owns it gathers contacts, follows the feed of
// changes, and reads what is due, through one session of its own. Nothing here decides who owns
// what or who gets which block: that is the loop's.

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <variant>
#include <vector>

#include "store/store.h"
#include "work/rounds.h"
#include "work/track_book.h"

namespace turnout::work {

// What is due on a track, as asked for by Owner::cut.
struct Cut {
  store::Fence fence;
  std::vector<store::DueItem> items;       // in the order (due, contact, entry)
  store::DueCursor next;                   // where the next cut goes on
  bool end = false;                        // nothing else is due
  base::Instant now;                       // the database's clock at the cut
  base::Instant next_due = track::kNever;  // when `end`: of the first timer after `now`
  bool failed = false;                     // the database did not answer; ask again later
};

// Thread-safe. The callbacks come on the owner's thread.
class Owner {
 public:
  struct Callbacks : RoundCallbacks {
    std::function<void(Cut)> cut;
    std::function<void(std::uint64_t number, bool succeeded)>
        refreshed;  // what came of refresh(number)
  };

  // `book` must outlive the owner. `interval`: how often the feed is read and schedules are looked
  // at.
  Owner(std::unique_ptr<store::Session> session, TrackBook& book, base::Duration interval,
        Callbacks callbacks);
  // Ends the thread after the step it is in.
  ~Owner();
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;

  void own(const store::Fence& fence);
  void disown(base::TrackId track);
  // While stopped nothing is written; cuts are still answered.
  void stop();
  void resume();
  // Asks for up to `limit` due positions above `from`; the answer comes by Callbacks::cut.
  void cut(const store::Fence& fence, const store::DueCursor& from, int limit);
  // Brings the book up to date; Callbacks::refreshed follows with the number.
  void refresh(std::uint64_t number);
  // Something changed just now: look at the feed at once.
  void poke();

 private:
  struct CutRequest {
    store::Fence fence;
    store::DueCursor from;
    int limit = 0;
  };
  struct Own {
    store::Fence fence;
  };
  struct Disown {
    base::TrackId track;
  };
  struct Refresh {
    std::uint64_t number = 0;
  };
  using Job = std::variant<CutRequest, Own, Disown, Refresh>;

  void post(Job job);
  void loop();
  // Waits for a job, or until it is time to look around. False: stopping.
  bool take_jobs(std::deque<Job>& jobs);
  void carry_out(const Job& job);
  void carry_out_cut(const CutRequest& request);
  void read_next_due(Cut& cut);
  void carry_out_refresh(std::uint64_t number);
  void carry_out_own(const store::Fence& fence);
  // Cuts asked for meanwhile go first: contacts wait for them.
  void carry_out_cuts();

  const std::unique_ptr<store::Session> session_;
  TrackBook& book_;
  const base::Duration interval_;
  const Callbacks callbacks_;

  // The thread's own.
  Rounds rounds_;
  bool busy_ = false;  // there is more to do at once

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  bool poked_ = false;
  bool stopped_ = false;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace turnout::work
