// Handing blocks out under credit, and what comes back.

#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/mutant.h"
#include "group/dispatcher_impl.h"

namespace turnout::group {
namespace {

// While nothing has been measured, a block is late after this time.
constexpr Duration kLateUnmeasured = std::chrono::seconds(2);
// No block is late before this time: a hiccup of the scheduler is no reason to do work twice.
constexpr Duration kNeverLateBefore = std::chrono::milliseconds(150);
constexpr int kLateFactor = 3;
// How long it is remembered what blocks took, at least.
constexpr Duration kPaceRemembered = std::chrono::seconds(5);

}  // namespace

void Dispatcher::Impl::Pace::add(Tick now, Duration took) {
  recent_.push_back({now, took});
  if (recent_.size() > kRemembered) {
    recent_.pop_front();
  }
  measure();
}

void Dispatcher::Impl::Pace::forget_before(Tick time) {
  if (recent_.empty() || recent_.front().reported >= time) {
    return;
  }
  while (!recent_.empty() && recent_.front().reported < time) {
    recent_.pop_front();
  }
  measure();
}

// The value that nine in ten do not exceed.
void Dispatcher::Impl::Pace::measure() {
  std::vector<Duration> sorted;
  sorted.reserve(recent_.size());
  for (const Block& block : recent_) {
    sorted.push_back(block.took);
  }
  if (!sorted.empty()) {
    const auto at = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() * 9 / 10);
    std::nth_element(sorted.begin(), at, sorted.end());
    slow_end_ = *at;
  }
}

// --- handing out
// -------------------------------------------------------------------------------------------------

void Dispatcher::Impl::hand_out(Tick now) {
  now_ = now;
  if (stopped_) {
    return;
  }
  while (ready_single_ > 0 && hand_out_one(BlockKind::kSingle, now)) {
  }
  while (ready_bulk_ > 0 && hand_out_one(BlockKind::kBulk, now)) {
  }
}

Dispatcher::Impl::BlockState* Dispatcher::Impl::next_ready(Track& track, BlockKind kind) {
  auto& queue = kind == BlockKind::kBulk ? track.ready_bulk : track.ready_single;
  while (!queue.empty()) {
    const auto found = blocks_.find(queue.front());
    if (found != blocks_.end() && found->second.ready) {
      return &found->second;
    }
    queue.pop_front();
  }
  return nullptr;
}

// One block of the next track in turn that has one somebody can take. False if there is none.
bool Dispatcher::Impl::hand_out_one(BlockKind kind, Tick now) {
  auto at = busy_.upper_bound(last_track_);
  for (std::size_t tried = 0; tried < busy_.size(); ++tried, ++at) {
    if (at == busy_.end()) {
      at = busy_.begin();
    }
    const TrackId id = *at;
    Track& track = tracks_.at(id);
    BlockState* const state = track.draining || track.overtaken ? nullptr : next_ready(track, kind);
    if (state == nullptr) {
      continue;
    }
    const PeerName to = neediest(kind, *state, now);
    if (to.empty()) {
      if (state->copies.empty()) {
        return false;  // nobody has a slot
      }
      continue;  // nobody but those who have it already
    }
    last_track_ = id;
    last_peer_ = to;
    send_block(*state, track, to, now);
    return true;
  }
  return false;
}

// Slots are credits: never more than granted, and none to a peer that has been silent for a cycle.
// A peer is never silent to itself: it says nothing anew while nothing changes, and cutting the
// next block may take longer than a cycle.
std::int32_t Dispatcher::Impl::credit_left(const PeerName& name, const PeerCredit& peer,
                                           BlockKind kind, Tick now) const {
  if (!peer.renewed || (name != name_ && now - *peer.renewed > peer.cycle &&
                        !base::planted(base::Mutant::kSilentPeerServed))) {
    return 0;
  }
  const bool bulk = kind == BlockKind::kBulk;
  // A credit of an earlier session says nothing about what was sent in this one.
  const bool current =
      peer.credit.session == peer.session || base::planted(base::Mutant::kCreditOfEarlierSession);
  const std::uint32_t received = !current ? 0
                                 : bulk   ? peer.credit.received_bulk
                                          : peer.credit.received_single;
  const std::int32_t window = bulk ? peer.credit.window.bulk : peer.credit.window.single;
  const std::uint32_t sent = bulk ? peer.sent_bulk : peer.sent_single;
  const auto left = static_cast<std::int64_t>(received) + window - static_cast<std::int64_t>(sent);
  return static_cast<std::int32_t>(std::max<std::int64_t>(0, left));
}

PeerName Dispatcher::Impl::neediest(BlockKind kind, const BlockState& state, Tick now) const {
  PeerName best;
  std::int32_t most = 0;
  const auto consider = [&](const PeerName& name, const PeerCredit& peer) {
    const bool has_it = std::any_of(state.copies.begin(), state.copies.end(),
                                    [&](const Copy& copy) { return copy.peer == name; });
    const std::int32_t left = has_it ? 0 : credit_left(name, peer, kind, now);
    if (left > most) {
      most = left;
      best = name;
    }
  };
  // Beginning after the last one served: the first of equals is the next in turn.
  const auto after = peers_.upper_bound(last_peer_);
  for (auto at = after; at != peers_.end(); ++at) {
    consider(at->first, at->second);
  }
  for (auto at = peers_.begin(); at != after; ++at) {
    consider(at->first, at->second);
  }
  return best;
}

void Dispatcher::Impl::send_block(BlockState& state, Track& track, const PeerName& to, Tick now) {
  const Block& block = *state.block;
  const bool bulk = block.kind == BlockKind::kBulk;
  unset_ready(state);
  auto& queue = bulk ? track.ready_bulk : track.ready_single;
  CHECK(!queue.empty() && queue.front() == block.id);
  queue.pop_front();
  if (state.copies.empty()) {
    ++track.out_blocks;
    track.out_items += static_cast<std::int64_t>(block.items.size());
  }
  ++track.handed_out;
  track.handed_again += state.attempts > 0 ? 1 : 0;
  credit_changed_ = true;
  ++state.attempts;
  state.copies.push_back({to, state.attempts, now});
  out_[block.id] = now;
  PeerCredit& peer = peers_.at(to);
  BlockMessage message;
  message.incarnation = incarnation_;
  message.session = peer.session;
  message.serial = bulk ? ++peer.sent_bulk : ++peer.sent_single;
  message.attempt = state.attempts;
  message.block = state.block;
  message.backlog = backlog_beside(track);
  ready_.messages.push_back({to, std::move(message)});
}

// What a peer that takes a block is told of the rest: of the other tracks only what is cut already.
Slots Dispatcher::Impl::backlog_beside(const Track& track) const {
  const auto size = static_cast<std::int64_t>(track.size);
  const std::int64_t uncut = (track.remaining + size - 1) / size;
  const auto limit = static_cast<std::int64_t>(kMaxSlots);
  return {static_cast<std::int32_t>(std::min(limit, ready_bulk_ + uncut)), ready_single_};
}

// --- what comes back
// ---------------------------------------------------------------------------------------------

void Dispatcher::Impl::receive(const Message& message, const PeerName& from, Tick now) {
  if (const auto* const advertisement = std::get_if<Advertisement>(&message)) {
    PeerCredit& peer = peers_[from];
    peer.cycle = std::max(cycle_, advertisement->cycle);
    for (const Credit& credit : advertisement->credits) {
      if (credit.owner == name_) {
        renew(from, advertisement->incarnation, credit, now);
      }
    }
  } else if (const auto* const grant = std::get_if<CreditGrant>(&message);
             grant != nullptr && grant->credit.owner == name_) {
    renew(from, grant->incarnation, grant->credit, now);
  } else if (const auto* const done = std::get_if<BlockReport>(&message)) {
    renew(from, done->incarnation, done->credit, now);
    report(*done, from, now);
  } else if (const auto* const refusal = std::get_if<Refusal>(&message)) {
    renew(from, refusal->incarnation, refusal->credit, now);
    refused(*refusal, from);
  } else {
    return;
  }
  hand_out(now);
}

void Dispatcher::Impl::renew(const PeerName& name, Incarnation incarnation, const Credit& credit,
                             Tick now) {
  PeerCredit& peer = peers_[name];
  if (incarnation < peer.incarnation) {
    return;
  }
  if (incarnation > peer.incarnation) {
    if (peer.incarnation != Incarnation()) {
      take_back(name);
    }
    peer.incarnation = incarnation;
    peer.credit = {};
    peer.given_back.reset();
  }
  if (peer.cycle == Duration(0)) {
    peer.cycle = cycle_;
  }
  peer.renewed = now;
  if (credit.number < peer.credit.number) {
    return;  // older than what is known
  }
  if (credit.number == peer.given_back) {
    if (now - peer.given_back_at >= peer.cycle) {
      // The word of it was lost, and the slots would be nobody's.
      say_given_back(name, peer, credit.number, now);
    }
    return;
  }
  const bool progress = credit.received_bulk != peer.credit.received_bulk ||
                        credit.received_single != peer.credit.received_single;
  peer.credit = credit;
  credit_changed_ = true;
  const bool current = credit.session == peer.session;
  const bool all_in = peer.sent_bulk + peer.sent_single == 0 ||
                      (current && credit.received_bulk >= peer.sent_bulk &&
                       credit.received_single >= peer.sent_single);
  if (all_in) {
    peer.short_since.reset();
  } else if (progress || !peer.short_since) {
    peer.short_since = now;
  }
}

// What was granted and is not needed any more goes back at once: others wait for it. (The granting
// peer would otherwise have to keep it until it can be used no more.)
void Dispatcher::Impl::give_back(Tick now) {
  if (stopped_ || !std::exchange(credit_changed_, false)) {
    return;
  }
  const bool no_single = ready_single_ == 0;
  const bool no_bulk =
      ready_bulk_ == 0 && std::all_of(busy_.begin(), busy_.end(),
                                      [this](TrackId id) { return tracks_.at(id).remaining == 0; });
  if (!no_single && !no_bulk) {
    credit_changed_ = true;  // to be looked at again when one of them runs out
    return;
  }
  for (auto& [name, peer] : peers_) {
    const std::int32_t bulk = credit_left(name, peer, BlockKind::kBulk, now);
    const std::int32_t single = credit_left(name, peer, BlockKind::kSingle, now);
    if (name == name_ || (!(no_bulk && bulk > 0) && !(no_single && single > 0))) {
      continue;
    }
    peer.credit.session = peer.session;
    peer.credit.received_bulk = peer.sent_bulk;
    peer.credit.received_single = peer.sent_single;
    peer.credit.window = {no_bulk ? 0 : bulk, no_single ? 0 : single};
    peer.given_back = peer.credit.number;
    say_given_back(name, peer, peer.credit.number, now);
  }
}

void Dispatcher::Impl::say_given_back(const PeerName& name, PeerCredit& peer, std::uint64_t number,
                                      Tick now) {
  const Slots keep{credit_left(name, peer, BlockKind::kBulk, now),
                   credit_left(name, peer, BlockKind::kSingle, now)};
  peer.given_back_at = now;
  ready_.messages.push_back(
      {name, CreditGrant{incarnation_, Credit{name_, number, peer.session, peer.sent_bulk,
                                              peer.sent_single, keep}}});
}

bool Dispatcher::Impl::drop_copy(BlockState& state, const PeerName& peer, std::int32_t attempt) {
  const auto before = state.copies.size();
  std::erase_if(state.copies, [&](const Copy& copy) {
    return copy.peer == peer && (attempt == 0 || copy.attempt == attempt);
  });
  if (state.copies.size() == before) {
    return false;
  }
  if (state.copies.empty()) {
    Track& track = tracks_.at(state.block->track);
    --track.out_blocks;
    track.out_items -= static_cast<std::int64_t>(state.block->items.size());
    out_.erase(state.block->id);
  }
  return true;
}

void Dispatcher::Impl::report(const BlockReport& message, const PeerName& from, Tick now) {
  const auto found = blocks_.find(message.block);
  const bool this_life =
      message.owner_incarnation == incarnation_ || base::planted(base::Mutant::kOtherLifesReport);
  if (found == blocks_.end() || !this_life || found->second.block->epoch != message.epoch) {
    return;  // done by another already, or of a track lost since
  }
  BlockState& state = found->second;
  const Block& block = *state.block;
  Track& track = tracks_.at(block.track);
  for (const Copy& copy : state.copies) {
    if (copy.peer == from && copy.attempt == message.attempt &&
        message.outcome == BlockOutcome::kDone && block.kind == BlockKind::kBulk) {
      pace_.add(now, now - copy.at);
    }
  }
  drop_copy(state, from, message.attempt);
  if (message.outcome == BlockOutcome::kReturned ||
      (message.outcome == BlockOutcome::kFailed && !state.copies.empty())) {
    if (state.copies.empty() && !base::planted(base::Mutant::kReturnedBlockDropped)) {
      set_ready(state, true);
    }
    return;
  }
  Finished finished;
  finished.track = block.track;
  finished.block = block.id;
  finished.kind = block.kind;
  finished.by = from;
  finished.outcome = message.outcome;
  finished.contacts = static_cast<std::int64_t>(block.items.size());
  finished.moved = message.moved;
  finished.moves = message.moves;
  finished.actions = message.actions;
  finished.more_due = message.more_due;
  finished.reread = message.outcome == BlockOutcome::kDone ? message.not_where_said : block.items;
  ready_.finished.push_back(std::move(finished));
  if (message.outcome == BlockOutcome::kDone) {
    resize(track, block, message);
  }
  unset_ready(state);
  if (!state.copies.empty()) {
    --track.out_blocks;
    track.out_items -= static_cast<std::int64_t>(block.items.size());
    out_.erase(block.id);
  }
  forget_entries(track, block);
  blocks_.erase(found);
}

void Dispatcher::Impl::refused(const Refusal& message, const PeerName& from) {
  const auto found = blocks_.find(message.block);
  if (found == blocks_.end() || message.owner_incarnation != incarnation_) {
    return;
  }
  BlockState& state = found->second;
  Track& track = tracks_.at(state.block->track);
  if (Fence{message.timeline, message.epoch} > track.fence) {
    track.overtaken =
        true;  // Member learns the row as well; its notice decides what becomes of the track
    load_changed_ = true;
  }
  if (drop_copy(state, from, message.attempt) && state.copies.empty()) {
    set_ready(state, true);
  }
}

// --- peers and blocks that are lost or late
// ----------------------------------------------------------------------

void Dispatcher::Impl::take_back(const PeerName& name) {
  std::vector<std::uint64_t> held;
  held.reserve(out_.size());
  for (const auto& [id, at] : out_) {
    held.push_back(id);
  }
  for (const std::uint64_t id : held) {
    BlockState& state = blocks_.at(id);
    if (drop_copy(state, name, 0) && state.copies.empty()) {
      set_ready(state, true);
    }
  }
  PeerCredit& peer = peers_[name];
  ++peer.session;
  peer.sent_bulk = 0;
  peer.sent_single = 0;
  peer.short_since.reset();
}

void Dispatcher::Impl::peer_lost(const PeerName& name, Tick now) {
  if (!peers_.contains(name)) {
    return;
  }
  if (!base::planted(base::Mutant::kLostPeersBlocksKept)) {
    take_back(name);
  }
  peers_.at(name).renewed.reset();
  hand_out(now);
}

// Three times the slow end of recent blocks; at the end of a backlog, where others idle, half of
// that.
Duration Dispatcher::Impl::late_after(const BlockState& state, int attempts) const {
  const Track& track = tracks_.at(state.block->track);
  const bool nothing_else = track.bulk_count + track.single_count == 0 && track.remaining == 0;
  Duration late =
      pace_.known() ? pace_.slow_end() * kLateFactor : std::max(kLateUnmeasured, cycle_ * 2);
  if (nothing_else && pace_.known()) {
    late = late / 2;
  }
  late = std::max(late, kNeverLateBefore);
  // Each further copy waits twice as long as the one before, up to when a silent peer would be
  // taken for gone: all reports may have been lost.
  const Duration longest = std::max(late, cycle_ * (miss_limit_ + 2));
  return std::min(longest, late * (1 << std::min(attempts - 1, 6)));
}

// Where as many copies are out as there may be, the oldest is given up: its report may be what was
// lost. Should it come after all, it counts as before.
void Dispatcher::Impl::hand_again_late(Tick now) {
  for (const auto& [id, at] : out_) {
    BlockState& state = blocks_.at(id);
    if (!state.ready && now - at >= late_after(state, state.attempts)) {
      if (state.copies.size() >= kMaxCopies) {
        state.copies.erase(state.copies.begin());
      }
      set_ready(state, true);
    }
  }
}

// G11: blocks that never arrived have used credit up. After M cycles the numbering begins anew, and
// what is out there is ready again.
void Dispatcher::Impl::resynchronize(Tick now) {
  for (auto& [name, peer] : peers_) {
    if (peer.short_since && now - *peer.short_since >= peer.cycle * (miss_limit_ - 1)) {
      take_back(name);
    }
  }
}

void Dispatcher::Impl::tick(Tick now) {
  if (now >= next_check_) {
    next_check_ = now + cycle_;
    resynchronize(now);
  }
  if (!base::planted(base::Mutant::kPaceNotForgotten)) {
    pace_.forget_before(now - std::max(kPaceRemembered, cycle_ * 2));
  }
  hand_again_late(now);
  hand_out(now);
}

Tick Dispatcher::Impl::next_tick() const {
  Tick next = next_check_;
  for (const auto& [id, at] : out_) {
    const BlockState& state = blocks_.at(id);
    if (!state.ready) {
      next = std::min(next, at + late_after(state, state.attempts));
    }
  }
  return next;
}

}  // namespace turnout::group
