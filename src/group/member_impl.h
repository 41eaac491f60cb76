#pragma once

// The inside of Member: one class, its parts in one file each by concern:
//   member.cc    inputs, time, what is sent            peer_table.cc  who is there: silence,
//   stamps, life locks ownership.cc rows of the ledger, owned tracks      claims.cc      free
//   tracks: claims, arbitration, taking, assigning master.cc    election ceding.cc      spreading
//   and leaving fitness.cc   stopping and resuming

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/mutant.h"
#include "group/member.h"

namespace turnout::group {

class Member::Impl {
 public:
  Impl(Config config, Tick now);

  // Inputs, as in Member.
  void tick(Tick now);
  bool receive(const Message& message, const PeerName& from, Tick now);
  void connection_lost(const PeerName& name, Tick now);
  void stamped(const StampResult& result, Tick now);
  void peer_stamps(const StampReadResult& result, Tick now);
  void ledger_read(const LedgerResult& result, Tick now);
  void granted(const TakeResult& result, Tick now);
  void life_lock(const LifeResult& result, Tick now);
  void database(bool succeeded, Tick began, Tick now);
  void row_seen(const LedgerRow& row, Tick now);
  void set_tracks(std::vector<TrackId> active, std::int64_t catalogue, Tick now);
  void set_load(const Load& load, Tick now);
  void drained(TrackId track, Tick now);
  void leave(Tick now);

  Tick next_tick() const;
  Ready take_ready();
  bool has_ready() const {
    return !ready_.empty() || advertise_ || list_dirty_ || !list_wanted_by_.empty() ||
           !newcomers_.empty();
  }

  PeerPhase phase() const { return phase_; }
  bool fit() const { return !unfit_; }
  bool may_write() const {
    return !stopped_ && (phase_ == PeerPhase::kMember || phase_ == PeerPhase::kLeaving);
  }
  bool is_master() const { return is_master_; }
  const PeerName& master() const { return master_present_ ? master_row_.owner : nobody_; }
  Epoch master_epoch() const { return master_row_.fence.epoch; }
  std::vector<OwnedTrack> owned() const;
  bool owns(TrackId track) const { return owned_.contains(track); }
  std::optional<LedgerRow> row(TrackId track) const;
  std::vector<PeerInfo> peers() const;

 private:
  struct Peer {
    PeerName name;
    std::uint64_t name_hash = 0;
    bool before_me = false;  // its name is lower
    Incarnation incarnation;
    bool heard = false;  // an advertisement of this incarnation has been taken in
    Advertisement last;  // the newest; meaningless unless heard
    Tick last_heard;     // when it came; until then, when the peer was first known of
    PeerState state = PeerState::kLiving;
    bool over = false;  // this incarnation is taken for ended, by its lock; until it is heard again

    // The second witness, read from the first advertisement missed.
    bool stamp_known = false;
    std::int64_t stamp = 0;
    Tick still_since;              // the value has stood since then …
    Tick still_until;              // … until then, as far as readings tell
    Tick read_at;                  // when the last reading was answered
    std::optional<Tick> moved_at;  // when the last reading that showed it moved began

    // The sign of death.
    bool connection_ended = false;
    std::optional<Tick> held_at;  // when its life lock was last found held
    bool probing = false;
    int probes = 0;
    Tick next_probe;

    std::uint64_t list_sequence = 0;
    std::uint64_t listed_hash = 0;
    std::vector<OwnedTrack> listed;      // its owned list, ascending by track
    std::set<TrackId> rows;              // active tracks whose row names it, in any incarnation
    std::optional<Tick> mismatch_since;  // advertised count and rows have differed since

    // As keep_rolls() has counted it.
    bool candidate = false;
    std::optional<std::size_t> member_at;  // in members_

    // What the host was told last.
    bool told = false;
    Incarnation told_incarnation;
    PeerState told_state = PeerState::kJoining;
    bool told_fit = false;
  };

  struct Track {
    bool active = false;
    LedgerRow row;                   // the newest known
    Tick learned_at;                 // when its fence was
    std::optional<Fence> taking;     // expected by the compare-and-set in flight
    std::optional<Tick> free_since;  // while it is in free_
    bool vacant = false;             // it is in vacant_
    std::optional<Tick> assigned_at;
  };

  // How a row's owner stands, from the least to the most free.
  enum class Standing {
    kHolds,
    kDoubtful,  // suspect or unfit: to be claimed, not to be taken yet
    kLost,    // nobody, unavailable, or unfit with a still stamp: to be taken at the end of a claim
    kVacant,  // gone, left, or of an earlier incarnation: its successor takes at once
  };

  struct OpenClaim {
    Claim claim;
    std::uint64_t order = 0;  // of beginning
  };

  // Somebody else's.
  struct ForeignClaim {
    const Peer* peer = nullptr;
    std::int32_t owned_at_claim = 0;
  };

  struct Ceding {
    PeerName to;
    Fence fence;
    bool offered = false;
    std::optional<Tick> rechecked;  // the ledger is being re-read since: nobody has taken it up
    Tick deadline;                  // of draining, then of the offer
  };

  // A request that is answered once, with at most one out at a time.
  struct Request {
    std::uint64_t number = 0;    // of the last one issued
    std::uint64_t required = 0;  // the first whose success counts for resuming
    bool in_flight = false;
    bool again = false;  // issue another as soon as the answer is here
    Tick began;
  };

  // member.cc
  void enter(Tick now);
  void settle();
  void periodic();
  void join_if_ready();
  Advertisement advertisement();
  void advertise_now() { advertise_ = true; }
  void notify(Notice notice) { ready_.notices.push_back(std::move(notice)); }
  void send(const PeerName& to, Message message);
  Duration cycles(int n) const { return config_.cycle * n; }

  // peer_table.cc
  Peer* find_peer(const PeerName& name);
  const Peer* find_peer(const PeerName& name) const;
  Peer& know_peer(const PeerName& name, Incarnation incarnation);
  void renew_incarnation(Peer& peer, Incarnation incarnation);
  bool receive_advertisement(const Advertisement& message, const PeerName& from);
  bool receive_owned(const OwnedList& message, Peer& peer);
  void set_state(Peer& peer, PeerState state);
  void tell(Peer& peer);
  void judge_silence();
  void doubt_if_most_are_lost();
  PeerState judged(const Peer& peer) const;
  Duration cycle_of(const Peer& peer) const;
  bool stood_still(const Peer& peer) const;
  void doubt_its_end(Peer& peer);
  void stamp_seen(Peer& peer, const PeerStamp& stamp, Tick began);
  void stamp_moved(const PeerName& name);
  void forget_stamps();
  // The timeline in which stamps were read, as far as this peer knows.
  Timeline read_in() const { return timeline_.value_or(Timeline()); }
  void read_stamps_of_silent();
  bool lock_proves(const Peer& peer) const;
  void probe(Peer& peer);
  void look_at_lock(Peer& peer);
  void probe_due();
  void forget_dead();
  void keep_rolls(Peer& peer);
  bool is_member(const Peer& peer) const;
  int living_members() const;
  bool fit_member(const Peer& peer) const { return is_member(peer) && peer.last.fit; }

  // ownership.cc
  Track& know_track(TrackId track);
  bool learn(const LedgerRow& row, bool force = false);
  bool never_was(const Fence& known, Tick learned_at, Tick began) const;
  void set_row(Track& track, const LedgerRow& row);
  void own(Track& track);
  void disown(Track& track, const PeerName& by);
  Standing standing(const LedgerRow& row) const;
  bool may_be_taken(const LedgerRow& row) const;
  void refresh_free(Track& track);
  void refresh_rows_of(Peer& peer);
  bool is_mine(const LedgerRow& row) const {
    return row.owner == config_.name && (row.incarnation == config_.incarnation ||
                                         base::planted(base::Mutant::kOwnerByNameOnly));
  }
  void audit();
  void assign_unlisted();

  // claims.cc
  bool may_take() const;
  void pursue();
  void lower_claims();
  void take_ripe();
  void begin_claim(TrackId track, int counter);
  void withdraw(TrackId track);
  void withdraw_all();
  std::optional<PeerStamp> witness(const LedgerRow& row) const;
  void take(Track& track, Fence expected);
  void granted_track(const TakeResult& result);
  void arbitrate(const Peer& peer);
  void set_foreign_claims(Peer& peer, const std::vector<Claim>& claims);
  bool worth_claiming(TrackId track) const;
  bool first_in_line(TrackId track) const;
  int owned_with_claims() const;
  void assign_overdue();
  bool receive_assign(const Assign& message, Peer& peer);

  // master.cc
  void learn_master(const LedgerRow& row, bool force = false);
  bool master_stands() const;
  void judge_master();
  void elect();
  void granted_master(const TakeResult& result);
  // Those with lower names who could take the row. Each gets one cycle to do so.
  int candidates_before_me() const { return candidates_; }

  // fitness.cc
  void stop(StopReason reason);
  void require_proof();
  void become_unfit();
  void resume_if_cleared();
  void request_stamp();
  void request_ledger();

  // ceding.cc
  void spread();
  void cede(TrackId track, const PeerName& to);
  void offer(TrackId track, Ceding& ceding);
  void cede_due();
  void end_refused_offers();
  bool receive_cede(const Cede& message, Peer& peer);
  PeerName emptiest(const std::map<PeerName, int>& extra) const;
  void leave_step();

  const PeerName nobody_;
  Config config_;
  std::uint64_t name_hash_ = 0;
  Tick now_;
  Tick started_;
  Tick next_cycle_;
  PeerPhase phase_ = PeerPhase::kJoining;

  Ready ready_;
  bool advertise_ = false;
  bool list_dirty_ = false;
  std::set<PeerName> list_wanted_by_;
  std::set<PeerName> newcomers_;  // heard for the first time, and not answered yet
  std::uint64_t sequence_ = 0;
  Load load_;
  std::int64_t catalogue_ = 0;

  std::map<PeerName, Peer> peers_;
  std::unordered_map<PeerName, Peer*> peer_by_name_;  // into peers_
  // Fit members beside this peer, in no order: their names' hashes, and who they are.
  std::vector<std::uint64_t> member_hashes_;
  std::vector<Peer*> members_;
  int candidates_ = 0;          // peers with lower names that could become master
  std::set<PeerName> probing_;  // peers whose connection ended and that have not been heard since
  Tick membership_changed_;
  int lost_now_ = 0;     // peers that fell silent since the last periodic tick
  int lost_before_ = 0;  // and in the cycle before
  bool lost_checked_ = true;

  std::map<TrackId, Track> tracks_;
  std::map<TrackId, Fence> owned_;
  std::uint64_t owned_hash_ = 0;
  std::map<TrackId, Track*> free_;
  std::set<TrackId> vacant_;  // of these, whose successor takes at once
  bool free_dirty_ = false;
  std::map<TrackId, OpenClaim> claims_;
  std::uint64_t claim_order_ = 0;
  std::unordered_map<TrackId, std::vector<ForeignClaim>> foreign_claims_;
  std::map<TrackId, Ceding> ceding_;
  std::optional<Tick> refused_at_;  // when an offer was last not taken
  int takes_in_flight_ = 0;         // of tracks

  LedgerRow master_row_;
  Peer* master_peer_ = nullptr;  // the row's owner, unless that is nobody or this peer
  Tick master_learned_at_;
  bool is_master_ = false;
  Fence master_fence_;  // under which it is, while is_master_
  bool master_present_ = false;
  std::optional<Fence> taking_master_;
  bool audit_asked_ = false;
  std::optional<Tick> masterless_since_;
  Tick master_since_;  // when the present master was first seen: nothing could be claimed before
  PeerName told_master_;
  Epoch told_master_epoch_;

  bool stopped_ = true;
  StopReason stop_reason_ = StopReason::kStarting;
  bool unfit_ = true;
  Tick failed_at_;     // when an attempt on the database failed last, or this peer began
  Tick last_success_;  // when the last successful attempt on the database began
  std::optional<Tick> retry_at_;
  Request stamp_;
  Request ledger_;
  Request stamps_;
  std::vector<PeerName> stamps_asked_;
  std::int64_t stamp_count_ = 0;
  std::optional<Timeline> timeline_;
  std::uint64_t replace_rows_from_ =
      0;  // ledger read from which rows replace what is known (0: none)

  std::optional<Tick> leave_deadline_;
  bool superseded_ = false;
};

}  // namespace turnout::group
