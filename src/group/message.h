#pragma once

// What peers say to each other: plain data. The wire form is the business of room `link`.
//
// Every message carries the incarnation of its sender, so that what an earlier life of a peer said
// can be told apart from what it says now. None of them needs to arrive: each is repeated, asked
// for again, or made good by the ledger.
//
// Nothing here is thread-safe beyond what plain data is; shared blocks are immutable.

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "group/config.h"

namespace turnout::group {

using base::ContactId;
using base::Instant;
using base::Version;

// The row of the ledger that says who is master. Real tracks are numbered from 1.
inline constexpr TrackId kMasterRow{0};

// Blocks that a peer can take, by kind. One step-list slot is never given to bulk work.
struct Slots {
  std::int32_t bulk = 0;    // many contacts on a track; 0 – kMaxSlots
  std::int32_t single = 0;  // a list of steps for one contact; 0 – kMaxSlots
  friend bool operator==(const Slots&, const Slots&) = default;
};

// Slots granted to one owner, as a window: with `received` blocks of that owner's session taken in
// so far, it may send blocks until it has sent received + window, and only while it hears the
// granting peer once per its cycle.
struct Credit {
  PeerName owner;
  std::uint64_t number =
      0;  // rises with every change; of two, the higher counts, whichever came last
  std::uint64_t session =
      0;  // the owner's numbering that `received` speaks of; 0 before its first block
  std::uint32_t received_bulk = 0;  // highest serial number taken in, of bulk blocks
  std::uint32_t received_single = 0;
  Slots window;
  friend bool operator==(const Credit&, const Credit&) = default;
};

// Blocks ready on a track and not handed out. Tracks that have none are not listed.
struct Backlog {
  TrackId track;
  std::int32_t bulk = 0;  // number of blocks, capped at 1,000
  std::int32_t single = 0;
  friend bool operator==(const Backlog&, const Backlog&) = default;
};

// A claim to a free track (WO 00/08823 p. 7).
struct Claim {
  TrackId track;
  std::int32_t counter = 0;  // advertisements it must still survive
  std::int32_t owned_at_claim =
      0;  // tracks owned, and claimed earlier, when the claim began: the arbitration's count
  friend bool operator==(const Claim&, const Claim&) = default;
};

enum class PeerPhase : std::uint8_t {
  kJoining,  // listens, takes part in nothing
  kMember,
  kLeaving,  // takes no more blocks, is ceding its tracks
  kLeft,     // its last words: it writes nothing any more, its tracks need not be waited for
};

// "I am here": once per cycle to every other peer, and at once when others act on what changed.
struct Advertisement {
  std::string group;
  std::int32_t protocol = kOldestProtocolVersion;  // that a reader must know
  PeerName name;
  Incarnation incarnation;
  std::uint64_t sequence = 0;  // rises with every advertisement of this incarnation
  Duration cycle{};
  std::int32_t miss_limit = 0;
  std::string address;
  PeerPhase phase = PeerPhase::kJoining;
  bool fit = false;          // its attempts on the database succeed
  bool master = false;       // it is the master, under master_epoch
  PeerName master_name;      // whom it takes for the master; empty if nobody
  Timeline master_timeline;  // fence of the master's row as known
  Epoch master_epoch;
  std::int32_t owned = 0;        // number of tracks owned
  std::uint64_t owned_hash = 0;  // of the owned list (owned_hash() below)
  std::vector<Claim> claims;     // open claims, in the order begun
  std::int64_t catalogue = 0;    // version of the track catalogue it holds
  Duration last_commit_age{};    // since its last successful attempt on the database began
  Slots slots;                   // free slots: the request for work (p. 7)
  std::int32_t deliveries = 0;   // deliveries the master may hand it now
  std::vector<Backlog> backlog;
  std::vector<Credit> credits;  // slots granted, per owner that has a backlog
};

struct OwnedTrack {
  TrackId track;
  Timeline timeline;
  Epoch epoch;
  friend bool operator==(const OwnedTrack&, const OwnedTrack&) = default;
};

// The owned list, whole: sent before the advertisement whose hash differs from the last one's, and
// on request.
struct OwnedList {
  Incarnation incarnation;
  std::uint64_t sequence = 0;      // on the same count as the advertisements'
  std::vector<OwnedTrack> tracks;  // ascending by track
};

// Asks for the OwnedList of the peer it is sent to.
struct OwnedRequest {
  Incarnation incarnation;
};

// The master determines the owner of a track that claims have left free (pp. 1, 7).
struct Assign {
  Incarnation incarnation;
  Epoch master_epoch;
  TrackId track;
  Timeline timeline;  // the row as the master knows it: what to expect in the compare-and-set
  Epoch epoch;
};

// The owner offers a track to the receiver, which takes the ledger row directly.
struct Cede {
  Incarnation incarnation;
  TrackId track;
  Timeline timeline;
  Epoch epoch;
};

// One contact's entry on the track, and where the block's owner last saw it.
struct Item {
  ContactId contact;
  std::int32_t entry = 0;
  std::int32_t move_no = 0;
  friend bool operator==(const Item&, const Item&) = default;
};

enum class BlockKind : std::uint8_t { kBulk, kSingle };

// A block of work (p. 6): contacts ready on a track, or a list of steps for one contact. Neighbours
// in contact order stand together.
struct Block {
  std::uint64_t id = 0;  // unique within the owner's incarnation
  BlockKind kind = BlockKind::kBulk;
  TrackId track;
  Version version;
  Timeline timeline;
  Epoch epoch;
  Instant cut_at;  // by the database's clock
  std::vector<Item> items;
};

// Hands a block out, under the receiver's credit.
struct BlockMessage {
  Incarnation incarnation;    // the owner's
  std::uint64_t session = 0;  // numbering of the blocks from this owner to this peer
  std::uint32_t serial = 0;   // within session and kind, from 1
  std::int32_t attempt = 1;   // 2 and up: handed out again
  Slots backlog;              // blocks that this owner has ready beside this one, on all its tracks
  std::shared_ptr<const Block> block;  // never null
};

enum class BlockOutcome : std::uint8_t {
  kDone,      // committed, or found that nothing was to be done
  kFailed,    // could not be committed (the database failed); nothing is known to have changed
  kReturned,  // not begun: the peer is leaving or was told to stop
};

// What became of a block.
struct BlockReport {
  Incarnation incarnation;        // the worker's
  Incarnation owner_incarnation;  // of the owner that handed the block out
  std::uint64_t block = 0;
  std::int32_t attempt = 1;
  TrackId track;
  Epoch epoch;
  BlockOutcome outcome = BlockOutcome::kDone;
  std::int64_t moved = 0;            // contacts moved
  std::int64_t moves = 0;            // moves made (a contact runs through all steps it can)
  std::int64_t actions = 0;          // put in the outbox
  std::vector<Item> not_where_said;  // to be read again by the owner, not dropped
  bool more_due = false;             // contacts of the block go on by a timer that is due at once
  Duration elapsed{};                // from beginning the block to its commit's answer
  Credit credit;                     // the owner's credit after this report
};

// The worker found the block's epoch overtaken: the ledger names another.
struct Refusal {
  Incarnation incarnation;
  Incarnation owner_incarnation;
  std::uint64_t block = 0;
  std::int32_t attempt = 1;
  TrackId track;
  PeerName owner;  // of the row as it stands; empty if the row has none
  Incarnation row_incarnation;
  Timeline timeline;
  Epoch epoch;
  Credit credit;
};

// Slots granted between advertisements; or, from the owner that credit.owner names, given back: of
// the grant with that number it has used `received` in all and keeps `window`.
struct CreditGrant {
  Incarnation incarnation;
  Credit credit;
};

// An action to be carried out, by its unique key in the outbox.
struct DeliveryKey {
  TrackId track;
  ContactId contact;
  std::int32_t entry = 0;
  std::int32_t move_no = 0;
  std::int32_t action_no = 0;
  friend bool operator==(const DeliveryKey&, const DeliveryKey&) = default;
};

// Deliveries that the master hands out, under the receiver's credit (Advertisement::deliveries).
// The receiver takes each by compare-and-set on its outbox row, so a list that arrives twice does
// nothing twice. Member, Dispatcher and Worker know nothing of it: it goes from host to host, and
// is no Message.
struct Handout {
  Incarnation incarnation;  // the master's
  Epoch master_epoch;       // an older one than the receiver knows of is ignored
  std::vector<DeliveryKey> deliveries;
};

using Message = std::variant<Advertisement, OwnedList, OwnedRequest, Assign, Cede, BlockMessage,
                             BlockReport, Refusal, CreditGrant>;

// Where a message goes: to one peer, or (empty name) to every peer that a connection exists to. A
// message to one's own name is not sent: the host hands it to its own Dispatcher or Worker before
// it takes in anything else.
struct Send {
  PeerName to;
  Message message;
};

// Hash of an owned list that does not depend on its order: what an advertisement carries in place
// of the list. 0 if the list is empty. Sum of owned_hash(track) over the list, so that it is kept
// up to date in O(1).
std::uint64_t owned_hash(const OwnedTrack& track);

// The sender's incarnation, as every message carries it.
Incarnation incarnation_of(const Message& message);

}  // namespace turnout::group
