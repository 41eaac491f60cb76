#pragma once

// Carries out the deliveries that this peer is handed.
//
// One thread, the clerk, talks to the database: it takes deliveries (`waiting` → `sending`, with a
// lease) in batches and notes what became of them. Others, the carriers' threads, talk to mail
// servers and webhooks. A delivery is begun only while so much of its lease is left that it must
// end within it, by this machine's boot clock counted from before the lease was asked for; what is
// not begun in time is given back. So while this process runs, nothing becomes uncertain that was
// not; and when it is killed between sending and noting, the row stays `sending` until the lease is
// over and then becomes uncertain: it is never sent twice.
//
// A destination that does not answer is left alone for a while (others behind it wait for their
// next attempt, as if they had been tried), and no destination may occupy all threads. So a webhook
// that hangs does not delay e-mails.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "deliver/carrier.h"
#include "store/store.h"

namespace turnout::deliver {

struct CourierOptions {
  int threads = 4;       // deliveries on their way at once, 1 – 256
  int capacity = 4'000;  // keys and deliveries that it holds, 1 – 100,000
  int batch = 100;       // taken at once, and noted at once when that many are done; 1 – 1,000
  base::Duration note_within =
      std::chrono::milliseconds(50);  // a result is noted no later than this
  std::chrono::milliseconds longest = std::chrono::seconds(30);  // PostOffice::longest()
  base::Duration leave_alone = std::chrono::seconds(5);  // a destination that does not answer
  std::vector<std::string> fields;                       // that templates use, beside `email`
  // Names of the fields that the rules read, and the rules for deliveries that are taken with these
  // fields. From the clerk's thread; either may be empty.
  std::function<std::vector<std::string>()> rule_fields;
  std::function<store::SendRules(std::shared_ptr<const std::vector<track::Field>>)> rules;
  std::function<std::unique_ptr<Carrier>()> make_carrier;  // called in each thread
  std::function<void(const std::string& message)> warn;    // from any thread; may be empty
  // Among what was taken may have been events, which are recorded now. From the clerk's thread; may
  // be empty.
  std::function<void()> recorded;
};

// Since the start.
struct CourierCounts {
  std::int64_t taken = 0;
  std::int64_t sent = 0;
  std::int64_t retried = 0;    // to be tried again
  std::int64_t failed = 0;     // given up
  std::int64_t uncertain = 0;  // said whole, not answered
  std::int64_t returned = 0;   // given back unsent
};

// All methods are thread-safe.
class Courier {
 public:
  // Starts the threads. `store` outlives the courier; it opens a session of its own.
  Courier(CourierOptions options, store::Store& store, store::PeerId self);
  ~Courier();  // stop()
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;

  // Keys handed out to this peer. Keeps as many as there is room for (twice the capacity, since
  // credit is advertised before it is used up) and returns how many; the others stay in the outbox
  // and will be handed out again.
  std::size_t offer(const std::vector<store::OutboxKey>& keys);
  // How many more keys it would take now. 0 while it takes nothing.
  std::int32_t credit() const;
  // While paused it takes nothing new, gives back what has not begun, and notes what is on its way.
  void pause();
  void resume();
  // Finishes what is on its way, gives back what has not begun, notes it all, and ends the threads.
  // Keys not yet taken stay in the outbox. While the database cannot be reached it tries for at
  // most 5 s. Idempotent.
  void stop();

  CourierCounts counts() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace turnout::deliver
