#pragma once

// Dispatcher is the owner's side of the block exchange (WO 00/08823 pp. 6–7): it keeps the blocks
// that are ready, hands them to peers that have granted slots, remembers who holds what, and hands
// a block out again when its peer is lost or late. Worker (worker.h) is the other side. Both are
// state machines without I/O, thread or clock.
//
// A block may be done twice: its commit is a compare-and-set per contact, so the second one changes
// nothing. Therefore handing out again needs no proof that the first peer is dead. But a contact is
// never in two *different* blocks at once: outstanding() says so to the host that cuts.
//
// The host's loop for a track it owns:
//
//   while ((n = dispatcher.want(track)) > 0 && something is due)  read up to n due contacts that
//   are not outstanding(),
//       in contact order; dispatcher.offer(track, …)
//   for each Finished in take_ready(): count; put `reread` back among the due after reading them
//   again
//
// Dispatcher keeps at most what is handed out plus a short read-ahead, however long the backlog is.
// Not thread-safe. Costs: O(1) per contact offered or reported; a hand-out is O(peers); a tick
// O(peers + blocks out).

#include <cstdint>
#include <memory>
#include <vector>

#include "group/config.h"
#include "group/ledger.h"
#include "group/message.h"

namespace turnout::group {

inline constexpr std::size_t kMaxBlockItems = 20'000;
// What a block should take, so that slots come free often and a lost block costs little.
inline constexpr Duration kBlockTarget = std::chrono::milliseconds(100);
// Copies of one block that may be out at the same time.
inline constexpr int kMaxCopies = 3;

// A block of which nothing is out any more.
struct Finished {
  TrackId track;
  std::uint64_t block = 0;
  BlockKind kind = BlockKind::kBulk;
  PeerName by;
  BlockOutcome outcome = BlockOutcome::kDone;  // never kReturned: such a block goes back to ready
  std::int64_t contacts = 0;                   // in the block
  std::int64_t moved = 0;
  std::int64_t moves = 0;
  std::int64_t actions = 0;
  bool more_due = false;
  std::vector<Item> reread;  // not where the block said: to be read again. With kFailed: all of the
                             // block's contacts
};

struct DispatchReady {
  std::vector<Send> messages;      // BlockMessages; those to oneself go to one's own Worker
  std::vector<Finished> finished;  // in the order the reports came
  bool load_changed = false;       // backlog() differs from what it was at the last take_ready()
};

// For `turnout tracks` and the metrics.
struct TrackLoad {
  TrackId track;
  std::int64_t ready_items = 0;
  std::int64_t out_items = 0;
  std::int32_t ready_blocks = 0;
  std::int32_t out_blocks = 0;    // distinct blocks
  std::int32_t block_size = 0;    // contacts that the next block is cut to
  std::int64_t handed_out = 0;    // hand-outs since the track was gained
  std::int64_t handed_again = 0;  // of these, of a block that had been handed out before
};

class Dispatcher {
 public:
  Dispatcher(const Config& config, Tick now);
  ~Dispatcher();
  Dispatcher(Dispatcher&&) noexcept;
  Dispatcher& operator=(Dispatcher&&) noexcept;

  // --- tracks ---

  // The track is owned under the fence. Blocks under an older fence of the same track are dropped.
  void gained(TrackId track, Version version, Fence fence);
  // The track is not owned any more: its blocks are dropped; their reports will be ignored.
  void lost(TrackId track);
  // Hands out none of the track's blocks until resume_track(). drained() says whether any is still
  // out.
  void drain(TrackId track);
  void resume_track(TrackId track, Tick now);
  bool drained(TrackId track) const;
  // Hands out nothing at all until resume() (Stopped and Resumed of Member).
  void stop();
  void resume(Tick now);

  // --- cutting ---

  // Contacts that the host should cut now for bulk blocks of the track; 0: enough is ready or
  // nobody has slots.
  std::size_t want(TrackId track) const;
  // Whether the contact's entry is in a block that is ready or out. O(1).
  bool outstanding(TrackId track, ContactId contact, std::int32_t entry) const;
  // Contacts due on the track, ascending by contact, none outstanding (CHECKed). `remaining`
  // estimates how many more are due and not yet cut (for the backlog that is advertised); 0 if this
  // was the last of them.
  void offer(TrackId track, Instant cut_at, std::vector<Item> items, std::int64_t remaining,
             Tick now);
  // How many contacts are due and not cut, when nothing is offered (so that peers can be asked for
  // slots at all).
  void set_remaining(TrackId track, std::int64_t remaining, Tick now);
  // One contact whose event came in: a step-list block of its own, handed out first. Not
  // outstanding (CHECKed).
  void offer_single(TrackId track, Instant cut_at, const Item& item, Tick now);

  // --- peers ---

  // A message that Member::receive() let pass, or one from this peer's own Worker. Others than
  // Advertisement, CreditGrant, BlockReport and Refusal are ignored.
  void receive(const Message& message, const PeerName& from, Tick now);
  // The peer is unavailable, gone, has left or has restarted: its blocks go back to ready.
  void peer_lost(const PeerName& peer, Tick now);

  void tick(Tick now);
  Tick next_tick() const;

  DispatchReady take_ready();
  // Whether that may give anything. O(1).
  bool has_ready() const;

  // --- queries ---

  std::vector<Backlog> backlog() const;  // ascending by track
  std::vector<TrackLoad> tracks() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace turnout::group
