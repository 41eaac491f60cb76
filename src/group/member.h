#pragma once

// Member is one peer's part in the group: it advertises, keeps the peer table, elects the master,
// claims tracks, notices who is gone, and says when this peer itself must stop. It is a state
// machine without I/O, thread or clock (as etcd's raft is): inputs are method calls that carry the
// time, outputs are collected in a Ready.
//
// It keeps the group *live*; it is never what keeps the data right. That is the ledger's doing:
// each row carries a fence (timeline, epoch), taking a track raises it, and a commit under an old
// one is refused. So whatever Member believes, the worst it can cause is idleness. Source: WO
// 00/08823 pp. 5–9; what goes beyond it is marked in docs/group.md.
//
// The host's loop, in which nothing blocks:
//
//   member.receive(…) / tick(…) / stamped(…) / …        any number of inputs, in the order they
//   happened Ready ready = member.take_ready();                  then always, after each batch of
//   inputs obey ready.notices, in order;                       before anything else: they stop and
//   start work send ready.messages, in order;                      one not yet sent advertisement
//   is replaced by the next start ready.take, .read_ledger, .stamp, …           all may run at
//   once; each is answered exactly once sleep until member.next_tick() or an input
//
// Time is the machine's boot clock and must not run backwards between calls. Intervals that prove
// something about another process are counted from when a request was handed out in a Ready.
//
// Not thread-safe: one thread at a time. Cost: an idle tick is O(peers); an advertisement taken in
// is O(log peers) plus its own length; nothing is proportional to the number of tracks but the
// ledger read, an OwnedList, and the loss of an owner (proportional to its tracks).

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "group/config.h"
#include "group/ledger.h"
#include "group/message.h"

namespace turnout::group {

// --- what the host is told
// ---------------------------------------------------------------------------------------

// This peer owns the track under the fence: begin work, or begin again if it was owned under a
// lower fence (blocks of that are dead). No work may be done before Resumed if the last of Stopped
// and Resumed was Stopped.
struct TrackGained {
  TrackId track;
  Fence fence;
};
// Stop at once; drop its blocks. `by` names the new owner if known.
struct TrackLost {
  TrackId track;
  Fence fence;  // the one that it was owned under
  PeerName by;
};
// Hand out no more of its blocks; call drained(track) when none is out. It is to be offered to
// `to`.
struct TrackCeding {
  TrackId track;
  PeerName to;
};
// The offer was not taken up: go on with the track.
struct TrackKept {
  TrackId track;
};
// This peer is master under the epoch: hand out deliveries.
struct MasterGained {
  Fence fence;
};
struct MasterLost {
  Fence fence;
};
// The master as this peer sees it; name empty: nobody.
struct MasterChanged {
  PeerName name;
  Epoch epoch;
};

enum class PeerState : std::uint8_t {
  kJoining,      // listens
  kLiving,       // heard within M − K cycles, or its stamp moves
  kSuspect,      // silent for M − K cycles
  kUnavailable,  // silent for M cycles, and its stamp stood still
  kGone,         // its connection ended and its life lock could be had: the process is over
  kLeaving,
  kLeft,
};

struct PeerChanged {
  PeerName name;
  Incarnation incarnation;
  PeerState state = PeerState::kJoining;
  bool fit = true;
};

// Why a peer writes nothing for now.
enum class StopReason : std::uint8_t {
  kStarting,   // has not stamped and read the ledger yet
  kLateTimer,  // its own timer ran late by more than a cycle (self-doubt)
  kLostGroup,  // it lost more than half of the others at once (self-doubt)
  kUnfit,      // an attempt on the database failed, or none succeeded for M cycles
  kTimeline,   // the database's timeline changed
};

// Begin no write for any track, hand out nothing, drop no ownership. Given again when a further
// reason comes up.
struct Stopped {
  StopReason reason = StopReason::kStarting;
};
// A stamp begun since has succeeded and the ledger is re-read: go on with what is owned.
struct Resumed {};
// This peer now takes part (joining is over).
struct Joined {};
// Leaving is complete: nothing is owned, or nobody took it within M cycles. The process may end.
struct LeftGroup {};
// A newer incarnation of this name lives. The process must end now.
struct Superseded {};

using Notice =
    std::variant<TrackGained, TrackLost, TrackCeding, TrackKept, MasterGained, MasterLost,
                 MasterChanged, PeerChanged, Stopped, Resumed, Joined, LeftGroup, Superseded>;

// What has accumulated since the last take_ready().
struct Ready {
  std::vector<Notice> notices;
  std::vector<Send> messages;
  std::vector<Take> take;
  std::optional<LedgerRead> read_ledger;
  std::optional<StampWrite> stamp;
  std::optional<StampRead> read_stamps;
  std::vector<LifeProbe> probe;

  bool empty() const {
    return notices.empty() && messages.empty() && take.empty() && !read_ledger && !stamp &&
           !read_stamps && probe.empty();
  }
};

// What the two halves of the block exchange want advertised (Dispatcher::backlog(),
// Worker::slots(), credits()).
struct Load {
  Slots slots;
  std::int32_t deliveries = 0;
  std::vector<Backlog> backlog;
  std::vector<Credit> credits;
  friend bool operator==(const Load&, const Load&) = default;
};

// --- what can be asked
// -------------------------------------------------------------------------------------------

// A row of the peer table (WO 00/08823 p. 8, claim 9).
struct PeerInfo {
  PeerName name;
  Incarnation incarnation;
  std::string address;
  PeerState state = PeerState::kJoining;
  bool self = false;
  bool fit = false;
  bool master = false;
  std::optional<Tick> last_heard;  // of its last advertisement; empty for oneself and if never
  std::optional<Duration> cycle;   // that it advertises in; empty if it was never heard
  std::int32_t owned = 0;          // as it advertised
  std::vector<OwnedTrack> tracks;  // as far as its owned list is known
  Slots slots;
  std::int32_t deliveries = 0;
  std::vector<Backlog> backlog;
  std::vector<Claim> claims;
  std::int64_t catalogue = 0;
};

class Member {
 public:
  // Begins joining: CHECKs config.validate(). Nothing is owned until the ledger says so.
  Member(Config config, Tick now);
  ~Member();
  Member(Member&&) noexcept;
  Member& operator=(Member&&) noexcept;

  // --- inputs ---

  // Call no later than next_tick(), and as soon as possible after it: a late call is a reason for
  // self-doubt.
  void tick(Tick now);
  Tick next_tick() const;

  // A message from the peer `from` (as the connection proved). False if it was dropped: late,
  // repeated, of an older incarnation, of another group or protocol. Only messages for which this
  // is true go on to Dispatcher and Worker.
  bool receive(const Message& message, const PeerName& from, Tick now);
  // The connection to the peer ended by EOF or reset (not: by us, nor by a time-out). A sign of
  // death only together with its life lock.
  void connection_lost(const PeerName& peer, Tick now);

  void stamped(const StampResult& result, Tick now);
  void peer_stamps(const StampReadResult& result, Tick now);
  void ledger_read(const LedgerResult& result, Tick now);
  void granted(const TakeResult& result, Tick now);
  void life_lock(const LifeResult& result, Tick now);
  // Any other attempt on the database that succeeded or failed (a commit, a gather), with the time
  // it began.
  void database(bool succeeded, Tick began, Tick now);
  // A row of the ledger that the host came by, such as the one that refused a commit.
  void row_seen(const LedgerRow& row, Tick now);

  // The tracks that are to be owned by somebody, and the version of the catalogue that says so. A
  // version above the last one has the ledger read again (publishing raises epochs).
  void set_tracks(std::vector<TrackId> active, std::int64_t catalogue, Tick now);
  // What to advertise. Sends at once when slots are freed that were all taken while another peer
  // has a backlog, or when a backlog begins.
  void set_load(const Load& load, Tick now);
  // The host has no block of this track out any more (after TrackCeding).
  void drained(TrackId track, Tick now);
  // Begins to leave. LeftGroup follows within M + 3 cycles.
  void leave(Tick now);

  // --- outputs ---

  Ready take_ready();
  // Whether that would give anything. O(1).
  bool has_ready() const;

  // --- queries ---

  PeerPhase phase() const;
  bool fit() const;
  // Whether work may be written now: member or leaving, and not stopped.
  bool may_write() const;
  bool is_master() const;
  // Name of the master if one is present; empty otherwise.
  const PeerName& master() const;
  Epoch master_epoch() const;
  std::vector<OwnedTrack> owned() const;  // ascending by track
  bool owns(TrackId track) const;
  // Last known owner of a track and whether it is known to live; nullopt for a track never heard
  // of.
  std::optional<LedgerRow> row(TrackId track) const;
  std::vector<PeerInfo> peers() const;  // by name, this peer included

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace turnout::group
