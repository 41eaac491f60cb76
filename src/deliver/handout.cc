#include "deliver/handout.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/hash.h"

namespace turnout::deliver {

Dispatcher::Dispatcher(DispatcherOptions options) : options_(options) {
  CHECK(options_.max_remembered >= 1 && options_.max_remembered <= 1'000'000);
  CHECK(options_.max_credit >= 1);
}

std::size_t Dispatcher::KeyHash::operator()(const store::OutboxKey& key) const {
  std::uint64_t hash = base::mix64(static_cast<std::uint64_t>(key.contact.get()));
  hash = base::mix64(hash ^ static_cast<std::uint64_t>(key.track.get()) << 32U ^
                     static_cast<std::uint64_t>(key.entry));
  hash ^=
      static_cast<std::uint64_t>(key.move_no) << 16U ^ static_cast<std::uint64_t>(key.action_no);
  return base::mix64(hash);
}

void Dispatcher::set_credit(const base::PeerName& peer, std::int32_t credit) {
  credit_[peer] = std::clamp(credit, 0, options_.max_credit);
}

void Dispatcher::forget_peer(const base::PeerName& peer) {
  credit_.erase(peer);
  std::erase_if(handed_, [&](const auto& item) { return item.second.peer == peer; });
}

void Dispatcher::clear() {
  credit_.clear();
  handed_.clear();
}

int Dispatcher::look() const {
  std::int64_t credit = 0;
  for (const auto& [peer, left] : credit_) {
    credit += left;
  }
  const std::int64_t room = options_.max_remembered - remembered();
  credit = std::min(credit, room);
  return credit <= 0 ? 0 : static_cast<int>(remembered() + credit);
}

// What was handed out and does not show up among the due has been taken. Rows later than the last
// one looked at cannot be judged.
void Dispatcher::forget_taken(const std::vector<store::OutboxDue>& due, int looked,
                              base::Tick now) {
  ++round_;
  for (const store::OutboxDue& row : due) {
    const auto found = handed_.find(row.key);
    if (found == handed_.end()) {
      continue;
    }
    if (found->second.due != row.due) {
      handed_.erase(found);  // it was tried and waits for another attempt
    } else {
      found->second.seen = round_;
    }
  }
  const bool all = static_cast<int>(due.size()) < looked;
  const base::Instant last = due.empty() ? base::Instant{} : due.back().due;
  std::erase_if(handed_, [&](const auto& item) {
    const Memory& memory = item.second;
    const bool taken = memory.seen != round_ && (all || memory.due < last);
    return taken || now - memory.at > options_.forget_after;
  });
}

std::vector<store::OutboxKey> Dispatcher::choose(const std::vector<store::OutboxDue>& due) const {
  std::vector<store::OutboxKey> keys;
  for (const store::OutboxDue& row : due) {
    if (!handed_.contains(row.key)) {
      keys.push_back(row.key);
    }
  }
  return keys;
}

std::vector<Handed> Dispatcher::hand_out(const std::vector<store::OutboxDue>& due, int looked,
                                         base::Tick now) {
  forget_taken(due, looked, now);
  std::vector<Handed> out;
  std::vector<store::OutboxKey> keys = choose(due);
  std::int64_t credit = 0;
  for (const auto& [peer, left] : credit_) {
    credit += left;
  }
  const std::int64_t room = std::max(0, options_.max_remembered - remembered());
  const auto count =
      static_cast<std::size_t>(std::min({credit, room, static_cast<std::int64_t>(keys.size())}));
  if (count == 0) {
    return out;
  }
  keys.resize(count);  // the oldest
  std::map<store::OutboxKey, base::Instant> due_of;
  for (const store::OutboxDue& row : due) {
    due_of.emplace(row.key, row.due);
  }
  std::sort(keys.begin(), keys.end());
  // Each peer's share is in proportion to its credit; the parts add up since each is cut from what
  // is left.
  std::size_t from = 0;
  for (auto& [peer, left] : credit_) {
    if (left == 0) {
      continue;
    }
    const auto rest = static_cast<std::int64_t>(count - from);
    const auto share = static_cast<std::size_t>((rest * left + credit - 1) / credit);
    credit -= left;
    if (share == 0) {
      continue;
    }
    Handed& handed = out.emplace_back(Handed{peer, {}});
    handed.keys.assign(keys.begin() + static_cast<std::ptrdiff_t>(from),
                       keys.begin() + static_cast<std::ptrdiff_t>(from + share));
    for (const store::OutboxKey& key : handed.keys) {
      handed_[key] = {peer, due_of[key], now, round_};
    }
    left -= static_cast<std::int32_t>(share);
    from += share;
  }
  return out;
}

}  // namespace turnout::deliver
