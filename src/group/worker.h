#pragma once

// Worker is the doer's side of the block exchange: it grants its slots as credit to owners that
// have a backlog, takes their blocks in, and reports. It does not execute anything: the host does,
// and says what came of it.
//
// Credit is a window per owner (message.h, Credit): what an owner may have sent in all. A window
// once granted stays reserved until it is used, or until the owner may not use it any more because
// it was not renewed; so the windows and the blocks held together never exceed the capacity, except
// when messages overtake each other by more than a cycle. Sources: the sliding window of TCP (RFC
// 9293 §3.8.6), with the receiver dividing one buffer among many senders.
//
// Not thread-safe. No I/O, thread or clock. Costs: O(owners with a backlog) per call.

#include <cstdint>
#include <memory>
#include <vector>

#include "group/config.h"
#include "group/message.h"

namespace turnout::group {

// A block to do now. The host executes it and calls finished() or refused() exactly once.
struct Job {
  std::uint64_t number = 0;  // this Worker's own
  PeerName owner;
  Incarnation owner_incarnation;
  std::int32_t attempt = 1;
  std::shared_ptr<const Block> block;
};

struct WorkerReady {
  std::vector<Job> jobs;  // in the order taken in
  std::vector<Send>
      messages;  // BlockReport, Refusal, CreditGrant; those to oneself go to one's own Dispatcher
  bool load_changed =
      false;  // slots() or credits() differ from what they were at the last take_ready()
};

class Worker {
 public:
  // `capacity`: blocks done at the same time. single is at least 1 and counts beside bulk: a single
  // may use a bulk slot, never the other way round.
  Worker(const Config& config, Slots capacity, Tick now);
  ~Worker();
  Worker(Worker&&) noexcept;
  Worker& operator=(Worker&&) noexcept;

  // A message that Member::receive() let pass, or one from this peer's own Dispatcher. Others than
  // Advertisement and BlockMessage are ignored.
  void receive(const Message& message, const PeerName& from, Tick now);
  // This peer's own backlog: it grants itself credit as to anybody else.
  void own_backlog(const std::vector<Backlog>& backlog, Tick now);
  // The owner is unavailable: its credit lapses, but stays reserved while it may still use it. Its
  // blocks go on (they are fenced).
  void peer_lost(const PeerName& peer, Tick now);
  // The owner's process is over (it is gone or has restarted) or it has left: what it was granted
  // is free at once, for whoever takes its tracks over.
  void peer_ended(const PeerName& peer, Tick now);

  // What came of a job. Fill outcome, moved, moves, actions, not_where_said, more_due and elapsed;
  // the rest is filled in.
  void finished(std::uint64_t job, BlockReport result, Tick now);
  // The ledger's row was not the block's.
  void refused(std::uint64_t job, const PeerName& owner, Incarnation incarnation, Timeline timeline,
               Epoch epoch, Tick now);

  // Takes no more blocks: grants nothing, returns what still arrives. For leaving and while
  // stopped.
  void stop(Tick now);
  void resume(Tick now);
  void set_capacity(Slots capacity, Tick now);

  void tick(Tick now);
  Tick next_tick() const;

  WorkerReady take_ready();
  // Whether that may give anything. O(1).
  bool has_ready() const;

  Slots slots() const;                  // free, neither held nor promised
  std::vector<Credit> credits() const;  // to advertise, by owner
  std::size_t jobs() const;             // being done

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace turnout::group
