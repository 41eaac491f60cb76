#include "group/member.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/hash.h"
#include "base/mutant.h"
#include "group/member_impl.h"

namespace turnout::group {

// --- the public face
// ---------------------------------------------------------------------------------------------

Member::Member(Config config, Tick now) : impl_(std::make_unique<Impl>(std::move(config), now)) {}
Member::~Member() = default;
Member::Member(Member&&) noexcept = default;
Member& Member::operator=(Member&&) noexcept = default;

void Member::tick(Tick now) { impl_->tick(now); }
Tick Member::next_tick() const { return impl_->next_tick(); }
bool Member::receive(const Message& message, const PeerName& from, Tick now) {
  return impl_->receive(message, from, now);
}
void Member::connection_lost(const PeerName& peer, Tick now) { impl_->connection_lost(peer, now); }
void Member::stamped(const StampResult& result, Tick now) { impl_->stamped(result, now); }
void Member::peer_stamps(const StampReadResult& result, Tick now) {
  impl_->peer_stamps(result, now);
}
void Member::ledger_read(const LedgerResult& result, Tick now) { impl_->ledger_read(result, now); }
void Member::granted(const TakeResult& result, Tick now) { impl_->granted(result, now); }
void Member::life_lock(const LifeResult& result, Tick now) { impl_->life_lock(result, now); }
void Member::database(bool succeeded, Tick began, Tick now) {
  impl_->database(succeeded, began, now);
}
void Member::row_seen(const LedgerRow& row, Tick now) { impl_->row_seen(row, now); }
void Member::set_tracks(std::vector<TrackId> active, std::int64_t catalogue, Tick now) {
  impl_->set_tracks(std::move(active), catalogue, now);
}
void Member::set_load(const Load& load, Tick now) { impl_->set_load(load, now); }
void Member::drained(TrackId track, Tick now) { impl_->drained(track, now); }
void Member::leave(Tick now) { impl_->leave(now); }
Ready Member::take_ready() { return impl_->take_ready(); }
bool Member::has_ready() const { return impl_->has_ready(); }
PeerPhase Member::phase() const { return impl_->phase(); }
bool Member::fit() const { return impl_->fit(); }
bool Member::may_write() const { return impl_->may_write(); }
bool Member::is_master() const { return impl_->is_master(); }
const PeerName& Member::master() const { return impl_->master(); }
Epoch Member::master_epoch() const { return impl_->master_epoch(); }
std::vector<OwnedTrack> Member::owned() const { return impl_->owned(); }
bool Member::owns(TrackId track) const { return impl_->owns(track); }
std::optional<LedgerRow> Member::row(TrackId track) const { return impl_->row(track); }
std::vector<PeerInfo> Member::peers() const { return impl_->peers(); }

// --- time
// --------------------------------------------------------------------------------------------------------

Member::Impl::Impl(Config config, Tick now)
    : config_(std::move(config)),
      name_hash_(base::hash_text(config_.name.get())),
      now_(now),
      started_(now),
      next_cycle_(now),
      membership_changed_(now),
      failed_at_(now),
      last_success_(now) {
  CHECK(config_.validate().has_value());
  master_row_.track = kMasterRow;
  stop(StopReason::kStarting);
}

// Every input passes here first. A peer that was not run for more than a cycle cannot trust its
// picture: its absence is not the others' silence, and meanwhile they may have taken its tracks
// over.
void Member::Impl::enter(Tick now) {
  CHECK(now >= now_);
  now_ = now;
  if (superseded_ || phase_ == PeerPhase::kLeft) {
    return;
  }
  if (now - next_cycle_ <= config_.cycle || base::planted(base::Mutant::kLateTimerTrusted)) {
    return;
  }
  const Duration absence = now - next_cycle_;
  for (auto& [name, peer] : peers_) {
    peer.last_heard = std::min(now, peer.last_heard + absence);
    peer.still_since = std::min(now, peer.still_since + absence);
  }
  last_success_ = std::min(now, last_success_ + absence);
  next_cycle_ = now;
  stop(StopReason::kLateTimer);
}

void Member::Impl::tick(Tick now) {
  enter(now);
  if (superseded_ || phase_ == PeerPhase::kLeft) {
    next_cycle_ = now + config_.cycle;
    return;
  }
  if (now >= next_cycle_) {
    next_cycle_ = next_cycle_ + config_.cycle;
    periodic();
  }
  if (retry_at_ && now >= *retry_at_) {
    retry_at_.reset();
    request_stamp();
    request_ledger();
  }
  probe_due();
  cede_due();
  settle();
}

void Member::Impl::periodic() {
  request_stamp();
  const Duration patience = std::max<Duration>(cycles(config_.miss_limit), std::chrono::seconds(3));
  if (!unfit_ && now_ - last_success_ >= patience) {
    become_unfit();
  }
  judge_silence();
  read_stamps_of_silent();
  lower_claims();
  free_dirty_ = true;
  assign_overdue();
  audit();
  spread();
  forget_dead();
  advertise_now();
}

// What follows from any input.
void Member::Impl::settle() {
  if (superseded_ || phase_ == PeerPhase::kLeft) {
    return;
  }
  doubt_if_most_are_lost();
  resume_if_cleared();
  judge_master();
  join_if_ready();
  elect();
  if (free_dirty_) {
    free_dirty_ = false;
    pursue();
  }
  take_ripe();
  leave_step();
}

// R9: the presence of a master says that the group is operational and work may begin.
void Member::Impl::join_if_ready() {
  if (phase_ != PeerPhase::kJoining || stopped_) {
    return;
  }
  const bool hears_master = master_present_ && master_peer_ != nullptr && master_peer_->heard &&
                            master_peer_->last.master;
  if (!hears_master && now_ - started_ < cycles(config_.miss_limit)) {
    return;
  }
  phase_ = PeerPhase::kMember;
  membership_changed_ = now_;
  if (!master_present_) {
    masterless_since_ = now_;
  }
  notify(Joined{});
  free_dirty_ = true;
  advertise_now();
}

Tick Member::Impl::next_tick() const {
  Tick next = next_cycle_;
  if (phase_ == PeerPhase::kLeft || superseded_) {
    return next;
  }
  if (retry_at_) {
    next = std::min(next, *retry_at_);
  }
  for (const PeerName& name : probing_) {
    const Peer* const peer = find_peer(name);
    if (peer != nullptr && !peer->probing && !peer->over) {
      next = std::min(next, peer->next_probe);
    }
  }
  for (const auto& [track, ceding] : ceding_) {
    next = std::min(next, ceding.deadline);
  }
  if (leave_deadline_) {
    next = std::min(next, *leave_deadline_);
  }
  if (masterless_since_ && !master_present_ && phase_ == PeerPhase::kMember && !stopped_ &&
      !taking_master_) {
    next = std::min(next, *masterless_since_ + cycles(candidates_before_me()));
  }
  if (phase_ == PeerPhase::kJoining && !stopped_) {
    next = std::min(next, started_ + cycles(config_.miss_limit));
  }
  return std::max(next, now_);
}

// --- messages
// ----------------------------------------------------------------------------------------------------

bool Member::Impl::receive(const Message& message, const PeerName& from, Tick now) {
  enter(now);
  if (superseded_ || phase_ == PeerPhase::kLeft || from == config_.name) {
    return false;
  }
  bool taken = false;
  if (const auto* const advertisement = std::get_if<Advertisement>(&message)) {
    taken = receive_advertisement(*advertisement, from);
  } else {
    Peer* const peer = find_peer(from);
    if (peer == nullptr || incarnation_of(message) != peer->incarnation || peer->over) {
      return false;
    }
    if (const auto* const list = std::get_if<OwnedList>(&message)) {
      taken = receive_owned(*list, *peer);
    } else if (std::holds_alternative<OwnedRequest>(message)) {
      list_wanted_by_.insert(from);
      taken = true;
    } else if (const auto* const assign = std::get_if<Assign>(&message)) {
      taken = receive_assign(*assign, *peer);
    } else if (const auto* const offered = std::get_if<Cede>(&message)) {
      taken = receive_cede(*offered, *peer);
    } else {
      taken = true;  // the block exchange is Dispatcher's and Worker's
    }
    if (const auto* const refusal = std::get_if<Refusal>(&message)) {
      learn({refusal->track,
             refusal->owner,
             refusal->row_incarnation,
             {refusal->timeline, refusal->epoch}});
    }
  }
  settle();
  return taken;
}

void Member::Impl::send(const PeerName& to, Message message) {
  ready_.messages.push_back({to, std::move(message)});
}

Advertisement Member::Impl::advertisement() {
  Advertisement a;
  a.group = config_.group;
  a.name = config_.name;
  a.incarnation = config_.incarnation;
  a.sequence = ++sequence_;
  a.cycle = config_.cycle;
  a.miss_limit = config_.miss_limit;
  a.address = config_.address;
  a.phase = phase_;
  a.fit = !unfit_;
  a.master = is_master_;
  if (master_present_) {
    a.master_name = master_row_.owner;
  }
  a.master_timeline = master_row_.fence.timeline;
  a.master_epoch = master_row_.fence.epoch;
  a.owned = static_cast<std::int32_t>(owned_.size());
  a.owned_hash = owned_hash_;
  std::vector<const OpenClaim*> open;
  open.reserve(claims_.size());
  for (const auto& [track, claim] : claims_) {
    open.push_back(&claim);
  }
  std::sort(open.begin(), open.end(),
            [](const OpenClaim* x, const OpenClaim* y) { return x->order < y->order; });
  for (const OpenClaim* const claim : open) {
    a.claims.push_back(claim->claim);
  }
  a.catalogue = catalogue_;
  a.last_commit_age = now_ - last_success_;
  if (phase_ == PeerPhase::kMember && !stopped_) {
    a.slots = load_.slots;
    a.deliveries = load_.deliveries;
    a.credits = load_.credits;
    a.backlog = load_.backlog;
  }
  return a;
}

Ready Member::Impl::take_ready() {
  OwnedList list;
  if (list_dirty_ || !list_wanted_by_.empty()) {
    list = {config_.incarnation, ++sequence_, owned()};
  }
  if (list_dirty_) {
    send({}, list);
    advertise_ = true;
  } else {
    for (const PeerName& peer : list_wanted_by_) {
      send(peer, list);
    }
  }
  list_dirty_ = false;
  list_wanted_by_.clear();
  if (advertise_) {
    send({}, advertisement());
    advertise_ = false;
  } else {
    for (const PeerName& peer : newcomers_) {
      send(peer, advertisement());
    }
  }
  newcomers_.clear();
  return std::exchange(ready_, {});
}

// --- what the host wants advertised
// ------------------------------------------------------------------------------

void Member::Impl::set_load(const Load& load, Tick now) {
  enter(now);
  if (load == load_) {
    return;
  }
  const bool backlog_begins = load_.backlog.empty() && !load.backlog.empty();
  const bool had_none = load_.slots.bulk == 0 || load_.slots.single == 0;
  const bool freed =
      had_none && (load.slots.bulk > load_.slots.bulk || load.slots.single > load_.slots.single);
  const bool delivers_again = load_.deliveries == 0 && load.deliveries > 0;
  load_ = load;
  bool urgent = backlog_begins || delivers_again;
  if (!urgent && freed) {
    urgent = std::any_of(peers_.begin(), peers_.end(), [](const auto& entry) {
      return entry.second.heard && !entry.second.last.backlog.empty();
    });
  }
  if (urgent) {
    advertise_now();
  }
}

std::vector<PeerInfo> Member::Impl::peers() const {
  std::vector<PeerInfo> all;
  all.reserve(peers_.size() + 1);
  PeerInfo self;
  self.name = config_.name;
  self.incarnation = config_.incarnation;
  self.address = config_.address;
  self.state = phase_ == PeerPhase::kJoining   ? PeerState::kJoining
               : phase_ == PeerPhase::kMember  ? PeerState::kLiving
               : phase_ == PeerPhase::kLeaving ? PeerState::kLeaving
                                               : PeerState::kLeft;
  self.self = true;
  self.fit = !unfit_;
  self.master = is_master_;
  self.cycle = config_.cycle;
  self.owned = static_cast<std::int32_t>(owned_.size());
  self.tracks = owned();
  self.slots = load_.slots;
  self.deliveries = load_.deliveries;
  self.backlog = load_.backlog;
  for (const auto& [track, claim] : claims_) {
    self.claims.push_back(claim.claim);
  }
  self.catalogue = catalogue_;
  all.push_back(std::move(self));
  for (const auto& [name, peer] : peers_) {
    PeerInfo info;
    info.name = name;
    info.incarnation = peer.incarnation;
    info.state = peer.state;
    info.tracks = peer.listed;
    info.master = master_present_ && master_row_.owner == name;
    if (peer.heard) {
      info.address = peer.last.address;
      info.fit = peer.last.fit;
      info.last_heard = peer.last_heard;
      info.cycle = peer.last.cycle;
      info.owned = peer.last.owned;
      info.slots = peer.last.slots;
      info.deliveries = peer.last.deliveries;
      info.backlog = peer.last.backlog;
      info.claims = peer.last.claims;
      info.catalogue = peer.last.catalogue;
    }
    all.push_back(std::move(info));
  }
  std::sort(all.begin(), all.end(),
            [](const PeerInfo& x, const PeerInfo& y) { return x.name < y.name; });
  return all;
}

}  // namespace turnout::group
