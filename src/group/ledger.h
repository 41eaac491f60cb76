#pragma once

// The group's view of the ledger: the table in the shared database that says who owns what. The
// group never writes it; it asks its host to, by compare-and-set.

#include <compare>
#include <cstdint>
#include <optional>
#include <vector>

#include "group/message.h"

namespace turnout::group {

// The fencing token of a row: compared for equality by every commit, and only ever rising (first
// timeline, then epoch).
struct Fence {
  Timeline timeline;
  Epoch epoch;
  friend constexpr auto operator<=>(const Fence&, const Fence&) = default;
};

// A row of the ledger: of a track, or of the master (track == kMasterRow).
struct LedgerRow {
  TrackId track;
  PeerName owner;           // empty: nobody yet
  Incarnation incarnation;  // of the owner when it took the row
  Fence fence;
  friend bool operator==(const LedgerRow&, const LedgerRow&) = default;
};

enum class Attempt : std::uint8_t {
  kDone,     // it happened
  kRefused,  // the database answered, and it did not happen
  kFailed,   // no answer: it may or may not have happened
};

// A peer's stamp, as it was read.
struct PeerStamp {
  PeerName name;
  Incarnation incarnation;
  std::int64_t count = 0;  // 0 if it has never stamped
};

// Compare-and-set on a row: if its fence still is `expected`, write owner = this peer, its
// incarnation, the cluster's timeline and epoch + 1. A row that does not exist counts as fence (0,
// 0).
struct Take {
  TrackId track;
  Fence expected;
  // Set when the owner was judged by its stamp or its lock: refused if its stamp has moved since it
  // was read, if the owner has begun another life, or if the timeline is not the one it was read
  // in.
  std::optional<PeerStamp> still;
  Timeline read_in;
};

// The answer to a Take. Every Take is answered exactly once.
struct TakeResult {
  TrackId track;
  Attempt outcome = Attempt::kFailed;
  LedgerRow row;  // as it stands after the attempt; meaningless if kFailed
};

// Reads the whole ledger, the master's row included.
struct LedgerRead {
  std::uint64_t number = 0;
};

struct LedgerResult {
  std::uint64_t number = 0;  // of the LedgerRead that it answers
  Attempt outcome = Attempt::kFailed;
  std::vector<LedgerRow> rows;  // in any order
};

// Raises the peer's own stamp to `count`. Refused if the peer's row carries a newer incarnation.
struct StampWrite {
  std::uint64_t number = 0;
  std::int64_t count = 0;
};

struct StampResult {
  std::uint64_t number = 0;
  Attempt outcome = Attempt::kFailed;
  // What the same answer carries:
  LedgerRow master;               // the master's row; owner empty if there is none
  std::int64_t master_stamp = 0;  // of that owner; 0 if it has never stamped
  Timeline timeline;              // of the cluster, now
};

// Reads the stamps of these peers.
struct StampRead {
  std::uint64_t number = 0;
  std::vector<PeerName> peers;
};

struct StampReadResult {
  std::uint64_t number = 0;
  Attempt outcome = Attempt::kFailed;
  std::vector<PeerStamp> stamps;  // peers without a row are left out
};

// Tries whether the life lock of this incarnation of the peer can be had, and gives it back at
// once. It must be tried in a way that two probes at the same time do not hinder each other (a
// shared lock).
struct LifeProbe {
  PeerName peer;
  Incarnation incarnation;
};

struct LifeResult {
  PeerName peer;
  Incarnation incarnation;
  Attempt outcome = Attempt::kFailed;  // kDone: it could be had, so the process is over; kRefused:
                                       // somebody holds it
  PeerStamp stamp = {};                // of that name, if kDone: read after the lock was had
};

}  // namespace turnout::group
