#include "sim/database.h"

#include <algorithm>

#include "base/check.h"
#include "base/hash.h"

namespace turnout::sim {

// --- the program of the tracks
// -------------------------------------------------------------------------------------

StepRule Database::rule(TrackId track, ContactId contact, std::int32_t step) const {
  const std::uint64_t h =
      base::mix64(static_cast<std::uint64_t>(contact.get()) * 1'000'003 +
                  static_cast<std::uint64_t>(track.get()) * 101 + static_cast<std::uint64_t>(step));
  StepRule rule;
  rule.acts = (h >> 8) % 2 == 0;
  switch (h % 3) {
    case 0:
      rule.kind = StepKind::kAtOnce;
      break;
    case 1:
      rule.kind = StepKind::kTime;
      rule.wait = Duration(
          static_cast<std::int64_t>((h >> 16) % static_cast<std::uint64_t>(2 * cycle_.count())));
      break;
    default:
      rule.kind = StepKind::kRule;
      rule.at_least = static_cast<std::int64_t>((h >> 16) % (kMaxValue + 1));
  }
  return rule;
}

Decision Database::decide(TrackId track, const group::Item& item, Instant now, int hops) const {
  const Position& before = positions_.at(track).at(item.contact);
  const Contact& contact = contacts_.at(item.contact);
  Decision decision{item, before.due_at, 0, before};
  Position& at = decision.after;
  while (at.step < kSteps) {
    const StepRule step = rule(track, item.contact, at.step);
    if (step.kind == StepKind::kTime && now < at.arrived_at + step.wait) {
      at.state = PositionState::kTime;
      at.due_at = at.arrived_at + step.wait;
      return decision;
    }
    if (step.kind == StepKind::kRule && contact.value < step.at_least) {
      at.state = PositionState::kRule;
      at.due_at = Instant{};
      return decision;
    }
    if (decision.moves == hops) {
      at.state = PositionState::kReady;  // the rest goes on by a timer due at once
      at.due_at = now;
      return decision;
    }
    ++decision.moves;
    ++at.step;
    ++at.move_no;
    at.arrived_at = now;
  }
  at.state = PositionState::kStopped;
  at.due_at = Instant{};
  return decision;
}

// --- peers
// ---------------------------------------------------------------------------------------------------------

Incarnation Database::begin_life(const PeerName& name) {
  group::PeerStamp& row = stamps_[name];
  const bool again = mutant_ == Mutant::kSameIncarnation && row.incarnation.get() > 0;
  row = {name, again ? row.incarnation : Incarnation(++incarnations_), 0};
  life_locks_.insert({name, row.incarnation});
  return row.incarnation;
}

void Database::end_life(const PeerName& name, Incarnation incarnation) {
  life_locks_.erase({name, incarnation});
}

bool Database::life_has_ended(const PeerName& name, Incarnation incarnation) const {
  return mutant_ == Mutant::kLifeLockGuessed || !life_locks_.contains({name, incarnation});
}

bool Database::stamp(const PeerName& name, Incarnation incarnation, std::int64_t count) {
  group::PeerStamp& row = stamps_[name];
  if (row.incarnation != incarnation) {
    return false;
  }
  row.count = count;
  return true;
}

group::PeerStamp Database::stamp_of(const PeerName& name) const {
  const auto found = stamps_.find(name);
  group::PeerStamp stamp = found == stamps_.end() ? group::PeerStamp{name, {}, 0} : found->second;
  if (mutant_ == Mutant::kStampsFrozen) {
    stamp.count = 1;
  }
  return stamp;
}

// --- ledger
// --------------------------------------------------------------------------------------------------------

void Database::add_track(TrackId track) { ledger_[track] = {track, {}, {}, {timeline_, Epoch(1)}}; }

std::vector<LedgerRow> Database::ledger() const {
  std::vector<LedgerRow> rows;
  rows.reserve(ledger_.size());
  for (const auto& [track, row] : ledger_) {
    rows.push_back(row);
  }
  return rows;
}

LedgerRow Database::row(TrackId track) const {
  const auto found = ledger_.find(track);
  return found == ledger_.end() ? LedgerRow{track, {}, {}, {}} : found->second;
}

group::TakeResult Database::take(TrackId track, Fence expected, const PeerName& name,
                                 Incarnation incarnation) {
  const LedgerRow before = row(track);
  if (before.fence != expected && mutant_ != Mutant::kTakeNotCompared) {
    return {track, group::Attempt::kRefused, before};
  }
  LedgerRow after{track, name, incarnation, {timeline_, Epoch(before.fence.epoch.get() + 1)}};
  if (mutant_ == Mutant::kTakeNotCompared) {
    after.fence.epoch = Epoch(expected.epoch.get() + 1);
  }
  if (mutant_ == Mutant::kEpochNotRaised && track != group::kMasterRow && !before.owner.empty()) {
    after.fence = before.fence;
  }
  ledger_[track] = after;
  for (Watcher* const watcher : watchers_) {
    watcher->on_take(before, after);
  }
  return {track, group::Attempt::kDone, after};
}

// --- contacts and work
// ---------------------------------------------------------------------------------------------

void Database::enter(TrackId track, ContactId contact, Instant now) {
  contacts_.try_emplace(contact);
  Position& position = positions_[track][contact];
  position = {0, 0, PositionState::kReady, now, now};
  timers_[track].insert({now, contact});
  ++open_positions_;
  for (Watcher* const watcher : watchers_) {
    watcher->on_position(track, contact, position);
  }
}

void Database::raise_value(ContactId contact, std::int64_t by) {
  Contact& known = contacts_.at(contact);
  const std::int64_t value = std::min(kMaxValue, known.value + by);
  if (value == known.value) {
    return;
  }
  known.value = value;
  feed_.push_back(contact);
  for (Watcher* const watcher : watchers_) {
    watcher->on_contact(contact, known);
  }
}

std::vector<group::Item> Database::due(TrackId track, Instant now, std::size_t limit) const {
  std::vector<group::Item> items;
  const auto timers = timers_.find(track);
  if (timers == timers_.end()) {
    return items;
  }
  for (const auto& [at, contact] : timers->second) {
    if (at > now || items.size() == limit) {
      break;
    }
    items.push_back({contact, 1, positions_.at(track).at(contact).move_no});
  }
  return items;
}

std::vector<ContactId> Database::changes(std::size_t& cursor, std::size_t limit) const {
  const std::size_t end = std::min(feed_.size(), cursor + limit);
  std::vector<ContactId> found(feed_.begin() + static_cast<std::ptrdiff_t>(cursor),
                               feed_.begin() + static_cast<std::ptrdiff_t>(end));
  cursor = end;
  return found;
}

std::size_t Database::cursor(TrackId track) const {
  const auto found = cursors_.find(track);
  return found == cursors_.end() ? 0 : found->second;
}

bool Database::set_cursor(TrackId track, Fence under, std::size_t cursor) {
  const LedgerRow now = row(track);
  if (now.fence != under) {
    return false;
  }
  cursors_[track] = cursor;
  for (Watcher* const watcher : watchers_) {
    watcher->on_commit(track, under, now);
  }
  return true;
}

const Position* Database::position(TrackId track, ContactId contact) const {
  const auto of_track = positions_.find(track);
  if (of_track == positions_.end()) {
    return nullptr;
  }
  const auto found = of_track->second.find(contact);
  return found == of_track->second.end() ? nullptr : &found->second;
}

CommitResult Database::commit(TrackId track, Fence under, const std::vector<Decision>& decisions) {
  CommitResult result;
  result.row = row(track);
  if (result.row.fence != under && mutant_ != Mutant::kFenceLeftOut) {
    result.fenced = true;
    return result;
  }
  for (const Decision& decision : decisions) {
    if (!apply(track, decision, result)) {
      result.not_where_said.push_back(decision.item);
    }
  }
  for (Watcher* const watcher : watchers_) {
    watcher->on_commit(track, under, result.row);
  }
  return result;
}

// One contact: compare-and-set on its move number and its due time.
bool Database::apply(TrackId track, const Decision& decision, CommitResult& result) {
  const ContactId id = decision.item.contact;
  Position& position = positions_.at(track).at(id);
  const bool there =
      position.move_no == decision.item.move_no && position.due_at == decision.due_at;
  const bool moves = there || mutant_ == Mutant::kMoveNumberLeftOut;
  const std::int32_t first = decision.after.move_no - decision.moves + 1;
  for (std::int32_t n = first; n <= decision.after.move_no; ++n) {
    const bool acts = rule(track, id, decision.after.step - (decision.after.move_no - n) - 1).acts;
    if (moves) {
      for (Watcher* const watcher : watchers_) {
        watcher->on_move(track, id, n, acts);
      }
    }
    if (acts && (moves || mutant_ == Mutant::kOutboxForUnmoved)) {
      const ActionKey key{track, id, n};
      const bool is_new = outbox_.try_emplace(key).second;
      waiting_.insert(key);
      ++result.actions;
      for (Watcher* const watcher : watchers_) {
        watcher->on_action(key, is_new);
      }
    }
  }
  if (!moves) {
    return false;
  }
  const Position before = position;
  position = decision.after;
  set_timer(track, id, before, position);
  open_positions_ -=
      before.state != PositionState::kStopped && position.state == PositionState::kStopped ? 1 : 0;
  result.moved += decision.moves > 0 ? 1 : 0;
  result.moves += decision.moves;
  for (Watcher* const watcher : watchers_) {
    watcher->on_position(track, id, position);
  }
  return true;
}

void Database::set_timer(TrackId track, ContactId contact, const Position& before,
                         const Position& after) {
  const auto timed = [](const Position& p) {
    return p.state == PositionState::kReady || p.state == PositionState::kTime;
  };
  if (timed(before) && mutant_ != Mutant::kTimerNotDeleted) {
    timers_[track].erase({before.due_at, contact});
  }
  if (timed(after) && !(mutant_ == Mutant::kTimerNotMade && after.state == PositionState::kTime)) {
    timers_[track].insert({after.due_at, contact});
  }
}

// --- deliveries
// ----------------------------------------------------------------------------------------------------

std::vector<ActionKey> Database::waiting_deliveries(std::size_t limit) const {
  std::vector<ActionKey> keys;
  for (const ActionKey& key : waiting_) {
    if (keys.size() == limit) {
      break;
    }
    keys.push_back(key);
  }
  return keys;
}

bool Database::take_delivery(const ActionKey& key, Fence master) {
  Action& action = outbox_.at(key);
  if (row(group::kMasterRow).fence != master && mutant_ != Mutant::kMasterLostIgnored) {
    return false;
  }
  if (action.state != DeliveryState::kWaiting && mutant_ != Mutant::kDeliveryRetaken) {
    return false;
  }
  action.state = DeliveryState::kSending;
  ++action.in_sending;
  waiting_.erase(key);
  for (Watcher* const watcher : watchers_) {
    watcher->on_delivery(master, row(group::kMasterRow), action.in_sending);
  }
  return true;
}

void Database::end_delivery(const ActionKey& key, bool sent) {
  Action& action = outbox_.at(key);
  --action.in_sending;
  action.state = sent ? DeliveryState::kSent : DeliveryState::kWaiting;
  if (!sent) {
    waiting_.insert(key);
  }
}

}  // namespace turnout::sim
