#pragma once

// The inside of Dispatcher: dispatcher.cc has the tracks and the cutting, hand_out.cc the peers,
// the handing out and what comes back.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/hash.h"
#include "group/dispatcher.h"

namespace turnout::group {

class Dispatcher::Impl {
 public:
  Impl(const Config& config, Tick now);

  void gained(TrackId track, Version version, Fence fence);
  void lost(TrackId track);
  void drain(TrackId track);
  void resume_track(TrackId track, Tick now);
  bool drained(TrackId track) const;
  void stop() { stopped_ = true; }
  void resume(Tick now);

  std::size_t want(TrackId track) const;
  bool outstanding(TrackId track, ContactId contact, std::int32_t entry) const;
  void offer(TrackId track, Instant cut_at, std::vector<Item> items, std::int64_t remaining,
             Tick now);
  void set_remaining(TrackId track, std::int64_t remaining, Tick now);
  void offer_single(TrackId track, Instant cut_at, const Item& item, Tick now);

  void receive(const Message& message, const PeerName& from, Tick now);
  void peer_lost(const PeerName& peer, Tick now);
  void tick(Tick now);
  Tick next_tick() const;
  DispatchReady take_ready();
  bool has_ready() const {
    return load_changed_ || (credit_changed_ && !stopped_) || !ready_.messages.empty() ||
           !ready_.finished.empty();
  }

  std::vector<Backlog> backlog() const;
  std::vector<TrackLoad> tracks() const;

 private:
  struct Entry {
    ContactId contact;
    std::int32_t entry = 0;
    friend bool operator==(const Entry&, const Entry&) = default;
  };
  struct EntryHash {
    std::size_t operator()(const Entry& e) const {
      return base::mix64(static_cast<std::uint64_t>(e.contact.get()) * 31 +
                         static_cast<std::uint64_t>(e.entry));
    }
  };

  struct Copy {
    PeerName peer;
    std::int32_t attempt = 0;
    Tick at;
  };

  struct BlockState {
    std::shared_ptr<const Block> block;
    bool ready = true;  // waits to be handed out (for the first time, or again)
    std::int32_t attempts = 0;
    std::vector<Copy> copies;  // handed out and not come back
  };

  struct Track {
    Version version;
    Fence fence;
    bool draining = false;
    bool overtaken =
        false;  // a worker saw a higher fence: hand out no more until the ledger has been heard
    std::deque<std::uint64_t>
        ready_bulk;  // may hold blocks that are no longer ready; these are skipped
    std::deque<std::uint64_t> ready_single;
    std::int32_t bulk_count = 0;  // blocks really ready
    std::int32_t single_count = 0;
    std::int64_t ready_items = 0;
    std::int64_t out_items = 0;
    std::int32_t out_blocks = 0;
    std::int64_t remaining = 0;
    std::unordered_set<Entry, EntryHash> entries;  // in blocks ready or out
    std::size_t size = 0;                          // of the next block
    std::int64_t handed_out = 0;
    std::int64_t handed_again = 0;
  };

  struct PeerCredit {
    std::uint64_t session = 1;
    std::uint32_t sent_bulk = 0;
    std::uint32_t sent_single = 0;
    Credit credit;
    std::optional<std::uint64_t>
        given_back;               // number of the last grant of which some was given back
    Tick given_back_at;           // when that was last said
    std::optional<Tick> renewed;  // when the peer last granted it
    Duration cycle{};
    Incarnation incarnation;
    std::optional<Tick> short_since;  // blocks sent have not been taken in since
  };

  // How long recent blocks took from hand-out to report; the slow end of them is what "late" is
  // measured by. Old ones are forgotten: they may be of a time when the database was slow.
  class Pace {
   public:
    void add(Tick now, Duration took);
    void forget_before(Tick time);
    Duration slow_end() const { return slow_end_; }
    bool known() const { return recent_.size() >= kFewest; }

   private:
    struct Block {
      Tick reported;
      Duration took;
    };
    void measure();

    static constexpr std::size_t kFewest = 8;
    static constexpr std::size_t kRemembered = 64;
    std::deque<Block> recent_;  // in the order of their reports
    Duration slow_end_{};
  };

  // dispatcher.cc
  void add_block(TrackId id, Track& track, BlockKind kind, Instant cut_at, std::vector<Item> items);
  void drop_blocks(TrackId id);
  void forget_entries(Track& track, const Block& block);
  void set_ready(BlockState& state, bool at_front);
  void unset_ready(BlockState& state);
  void resize(Track& track, const Block& block, const BlockReport& report);
  std::int32_t credit_blocks() const;
  void touch(TrackId id, const Track& track);

  // hand_out.cc
  void hand_out(Tick now);
  bool hand_out_one(BlockKind kind, Tick now);
  BlockState* next_ready(Track& track, BlockKind kind);
  PeerName neediest(BlockKind kind, const BlockState& state, Tick now) const;
  std::int32_t credit_left(const PeerName& name, const PeerCredit& peer, BlockKind kind,
                           Tick now) const;
  void send_block(BlockState& state, Track& track, const PeerName& to, Tick now);
  void renew(const PeerName& peer, Incarnation incarnation, const Credit& credit, Tick now);
  void report(const BlockReport& message, const PeerName& from, Tick now);
  void refused(const Refusal& message, const PeerName& from);
  bool drop_copy(BlockState& state, const PeerName& peer, std::int32_t attempt);
  void take_back(const PeerName& peer);
  void hand_again_late(Tick now);
  Duration late_after(const BlockState& state, int attempts) const;
  void resynchronize(Tick now);
  void give_back(Tick now);
  void say_given_back(const PeerName& name, PeerCredit& peer, std::uint64_t number, Tick now);
  Slots backlog_beside(const Track& track) const;

  PeerName name_;
  Incarnation incarnation_;
  Duration cycle_;
  int miss_limit_ = 0;
  bool stopped_ = false;
  std::map<TrackId, Track> tracks_;
  std::set<TrackId> busy_;  // tracks with something ready or due
  std::unordered_map<std::uint64_t, BlockState> blocks_;
  std::map<std::uint64_t, Tick> out_;  // blocks with copies out, and when they were last handed out
  std::uint64_t block_number_ = 0;
  std::map<PeerName, PeerCredit> peers_;
  PeerName last_peer_;  // round robin among peers that need alike
  TrackId last_track_;  // round robin among tracks
  std::int32_t ready_bulk_ = 0;
  std::int32_t ready_single_ = 0;
  Pace pace_;
  Tick next_check_;
  DispatchReady ready_;
  bool load_changed_ = false;
  bool credit_changed_ = false;
  Tick now_;
};

}  // namespace turnout::group
