#include <algorithm>
#include <utility>

#include "base/check.h"
#include "store/model/session.h"
#include "store/sql/events.h"
#include "store/sql/tracks.h"

namespace turnout::store::model {

base::Result<std::vector<OutboxDue>> ModelSession::outbox_due(int limit) {
  const std::lock_guard guard(t_->mutex);
  const base::Instant now = t_->clock();
  std::vector<OutboxDue> due;
  for (const auto& [key, action] : t_->outbox) {
    if (action.state == OutboxState::kWaiting && action.due_at <= now) {
      due.push_back({key, action.due_at});
    }
  }
  std::sort(due.begin(), due.end(), [](const OutboxDue& a, const OutboxDue& b) {
    return std::pair(a.due, a.key) < std::pair(b.due, b.key);
  });
  due.resize(std::min(due.size(), static_cast<std::size_t>(limit)));
  return due;
}

base::Result<std::vector<Delivery>> ModelSession::take_deliveries(
    const std::vector<OutboxKey>& keys, const PeerId& self, base::Duration lease,
    const std::vector<track::Field>& fields, const SendRules& rules) {
  const std::lock_guard guard(t_->mutex);
  if (t_->held_in != t_->timeline) {
    return std::vector<Delivery>();
  }
  std::vector<Delivery> taken;
  for (const OutboxKey& key : keys) {
    const auto found = t_->outbox.find(key);
    if (found == t_->outbox.end() ||
        (found->second.state != OutboxState::kWaiting && t_->fault != Fault::kDeliveryRetaken)) {
      continue;
    }
    Action& action = found->second;
    const OutboxState before = std::exchange(action.state, OutboxState::kSending);
    ++action.attempt;
    action.peer = self;
    action.deadline = t_->clock() + lease;
    t_->note_delivery(key, before, action);
    const auto& [name, track] = t_->track_of(key.track);
    const Contact& contact = t_->contacts.at(key.contact);
    Delivery delivery;
    delivery.key = key;
    delivery.attempt = action.attempt;
    delivery.kind = action.kind;
    delivery.name = sql::action_name(track.numbering, action.name);
    delivery.track = name;
    delivery.version = action.version;
    delivery.asked_at = action.asked_at;
    delivery.contact_key = contact.key;
    delivery.payload = action.payload;
    for (const track::Field& field : fields) {
      delivery.values.push_back(value_of(contact, field.column));
    }
    taken.push_back(std::move(delivery));
  }
  std::sort(taken.begin(), taken.end(),
            [](const Delivery& a, const Delivery& b) { return a.key < b.key; });
  record_asked(taken);
  hold_back(rules, taken);
  return taken;
}

std::int64_t ModelSession::sent(base::TrackId track, base::ContactId contact,
                                const SendCap& cap) const {
  std::int64_t count = 0;
  for (auto at = t_->outbox.lower_bound({track, contact, INT32_MIN, INT32_MIN, INT16_MIN});
       at != t_->outbox.end() && at->first.track == track && at->first.contact == contact; ++at) {
    const Action& action = at->second;
    bool counts = action.state == OutboxState::kSending ||
                  (action.state == OutboxState::kUncertain && action.due_at > cap.since);
    if (action.state == OutboxState::kSent) {
      for (std::int32_t attempt = 1; attempt <= action.attempt; ++attempt) {
        const auto noted = t_->deliveries.find({at->first, attempt});
        counts =
            counts || (noted != t_->deliveries.end() && noted->second.state == OutboxState::kSent &&
                       noted->second.at > cap.since);
      }
    }
    count += counts && cap.counts(action.kind) ? 1 : 0;
  }
  return count;
}

// What was taken is being sent by now, so it counts: each of them is looked at as if those behind
// it were not.
void ModelSession::hold_back(const SendRules& rules, std::vector<Delivery>& taken) {
  if (!rules.not_before && !rules.cap) {
    return;
  }
  const base::Instant now = t_->clock();
  for (const Delivery& delivery : taken) {
    t_->outbox.at(delivery.key).state = OutboxState::kWaiting;
  }
  std::vector<Delivery> capped;
  std::erase_if(taken, [&](const Delivery& delivery) {
    Action& action = t_->outbox.at(delivery.key);
    const base::Instant at = rules.not_before ? rules.not_before(delivery, now) : now;
    const std::optional<SendCap> cap =
        rules.cap ? rules.cap(delivery.key.track, now) : std::nullopt;
    if (at > now) {
      --action.attempt;
      action.peer = {};
      action.deadline = track::kNever;
      action.due_at = sql::looked_at_again(at, now);
      return true;
    }
    if (cap && cap->counts(delivery.kind) &&
        sent(delivery.key.track, delivery.key.contact, *cap) >= cap->at_most) {
      action.state = OutboxState::kCapped;
      action.deadline = track::kNever;
      capped.push_back(delivery);
      return true;
    }
    action.state = OutboxState::kSending;
    return false;
  });
  record_capped(capped);
}

base::Result<std::int64_t> ModelSession::note_deliveries(
    const PeerId& self, const std::vector<DeliveryResult>& results) {
  const std::lock_guard guard(t_->mutex);
  std::int64_t noted = 0;
  for (const DeliveryResult& result : results) {
    const auto found = t_->outbox.find(result.key);
    if (found == t_->outbox.end() || found->second.attempt != result.attempt ||
        found->second.peer != self ||
        (found->second.state != OutboxState::kSending &&
         found->second.state != OutboxState::kUncertain)) {
      continue;
    }
    if (result.state == OutboxState::kWaiting && found->second.deadline == track::kNever) {
      continue;  // held
    }
    const OutboxState before = std::exchange(found->second.state, result.state);
    found->second.deadline = track::kNever;
    if (result.state == OutboxState::kWaiting) {
      found->second.due_at = t_->clock() + result.retry_after;
    }
    t_->deliveries[{result.key, result.attempt}] = {t_->clock(), self.name.get(), result.state,
                                                    result.answer.substr(0, 1000)};
    t_->note_delivery(result.key, before, found->second);
    ++noted;
  }
  return noted;
}

base::Result<std::int64_t> ModelSession::give_up_deliveries(const std::vector<PeerId>& ended) {
  const std::lock_guard guard(t_->mutex);
  const base::Instant now = t_->clock();
  std::int64_t given_up = 0;
  const auto is_over = [&](const PeerId& peer) {
    const auto life = t_->peers.find(peer.name);
    return (life != t_->peers.end() && life->second.incarnation > peer.incarnation) ||
           std::find(ended.begin(), ended.end(), peer) != ended.end();
  };
  for (auto& [key, action] : t_->outbox) {
    if (action.state == OutboxState::kSending && (action.deadline < now || is_over(action.peer))) {
      action.state = OutboxState::kUncertain;
      t_->note_delivery(key, OutboxState::kSending, action);
      ++given_up;
    }
  }
  return given_up;
}

base::Result<std::int64_t> ModelSession::hold_deliveries() {
  const std::lock_guard guard(t_->mutex);
  const base::Timeline before = std::exchange(t_->held_in, t_->timeline);
  if (before == t_->timeline || t_->fault == Fault::kNotHeld) {
    return std::int64_t{0};
  }
  std::int64_t held = 0;
  for (auto& [key, action] : t_->outbox) {
    if (action.state == OutboxState::kSending || action.state == OutboxState::kUncertain) {
      action.deadline = track::kNever;
    }
    if (action.state == OutboxState::kSending) {
      action.state = OutboxState::kUncertain;
      t_->note_delivery(key, OutboxState::kSending, action);
      ++held;
    }
  }
  const base::Instant now = t_->clock();
  base::Instant last{};
  for (const auto& [attempt, delivery] : t_->deliveries) {
    last = std::max(last, delivery.at);
  }
  const auto sent =
      std::count_if(t_->deliveries.begin(), t_->deliveries.end(),
                    [&](const auto& one) { return one.second.at > last - kHeldAround; });
  std::vector<std::pair<base::Instant, OutboxKey>> due;
  for (const auto& [key, action] : t_->outbox) {
    if (action.state == OutboxState::kWaiting && !track::is_recorded(action.kind) &&
        action.due_at <= now + kHeldAround) {
      due.emplace_back(action.due_at, key);
    }
  }
  std::sort(due.begin(), due.end());
  const std::int64_t oldest = std::max<std::int64_t>(sent, kHeldAtLeast);
  for (std::size_t i = 0; i < due.size(); ++i) {
    if (static_cast<std::int64_t>(i) < oldest || due[i].first > now - kHeldAround) {
      Action& action = t_->outbox.at(due[i].second);
      action.state = OutboxState::kUncertain;
      t_->note_delivery(due[i].second, OutboxState::kWaiting, action);
      ++held;
    }
  }
  return held;
}

base::Result<std::vector<OutboxRow>> ModelSession::outbox(std::optional<OutboxState> state,
                                                          int limit) {
  const std::lock_guard guard(t_->mutex);
  std::vector<OutboxRow> rows;
  for (const auto& [key, action] : t_->outbox) {
    if ((state && action.state != *state) || static_cast<int>(rows.size()) == limit) {
      continue;
    }
    const auto& [name, track] = t_->track_of(key.track);
    const auto attempt = t_->deliveries.find({key, action.attempt});
    rows.push_back({key, name, t_->contacts.at(key.contact).key, action.kind,
                    sql::action_name(track.numbering, action.name), action.state, action.attempt,
                    action.due_at, attempt == t_->deliveries.end() ? "" : attempt->second.answer});
  }
  return rows;
}

}  // namespace turnout::store::model
