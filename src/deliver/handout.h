#pragma once

// The master's side of deliveries: which due action goes to which peer. Without I/O, thread or
// clock.
//
// Deliveries are handed out under credit: each peer says how many more it would take, and gets no
// more. What was handed out is remembered so that it is not handed out again while it still waits
// in the outbox for its peer to take it; it is forgotten when it no longer shows up among the due,
// when its peer ends, or after a time (the message may have been lost). Handing out twice does no
// harm: a peer takes each by compare-and-set.
//
//   dispatcher.set_credit(…)                          at each advertisement
//   due = session.outbox_due(dispatcher.look())       when look() > 0
//   for (h : dispatcher.hand_out(due, looked, now))   send h.keys to h.peer

#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "store/types.h"

namespace turnout::deliver {

struct DispatcherOptions {
  int max_remembered = 50'000;  // handed out and still waiting; 1 – 1,000,000
  int max_credit = 20'000;      // of one peer
  base::Duration forget_after =
      std::chrono::seconds(30);  // how long a peer may leave what it was handed untaken
};

struct Handed {
  base::PeerName peer;
  std::vector<store::OutboxKey> keys;  // neighbours stand together
};

// Not thread-safe. O(due + remembered) per hand-out.
class Dispatcher {
 public:
  explicit Dispatcher(DispatcherOptions options = {});

  // What the peer would take now, as it last said; negative counts as 0.
  void set_credit(const base::PeerName& peer, std::int32_t credit);
  // The peer has ended or takes nothing any more: what it was handed is free again.
  void forget_peer(const base::PeerName& peer);
  // This peer is master no longer, or anew: everything is forgotten.
  void clear();

  // How many due rows to ask the outbox for: what is remembered, and what there is credit for. 0:
  // no credit.
  int look() const;

  // `due`: the first due rows, oldest first; at most `looked` were asked for, so fewer means all.
  // Credit is used up.
  std::vector<Handed> hand_out(const std::vector<store::OutboxDue>& due, int looked,
                               base::Tick now);

  int remembered() const { return static_cast<int>(handed_.size()); }

 private:
  struct KeyHash {
    std::size_t operator()(const store::OutboxKey& key) const;
  };
  struct Memory {
    base::PeerName peer;
    base::Instant due;  // of the attempt that it was handed out for
    base::Tick at;
    std::uint64_t seen = 0;  // number of the last hand-out that saw it among the due
  };

  void forget_taken(const std::vector<store::OutboxDue>& due, int looked, base::Tick now);
  std::vector<store::OutboxKey> choose(const std::vector<store::OutboxDue>& due) const;

  DispatcherOptions options_;
  std::map<base::PeerName, std::int32_t> credit_;
  std::unordered_map<store::OutboxKey, Memory, KeyHash> handed_;
  std::uint64_t round_ = 0;
};

}  // namespace turnout::deliver
