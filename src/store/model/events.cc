// Events: recording them, and putting contacts on a track whom an event takes there.

#include "store/sql/events.h"

#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "store/model/session.h"
#include "store/sql/session.h"

namespace turnout::store::model {

namespace {

using Names = std::vector<std::pair<std::string, std::int64_t>>;

void add(Tables& t, base::ContactId contact, ModelEvent event, Names& told) {
  std::vector<ModelEvent>& all = t.events[contact];
  event.properties = event.properties.empty() ? "{}" : event.properties;
  event.at = t.clock();
  told.emplace_back(event.name, static_cast<std::int64_t>(all.size()) + 1);
  all.push_back(std::move(event));
}

EventRow row_of(const EventKey& key, const ModelEvent& event) {
  return {
      key.contact,
      {key.number, event.at, event.name, event.properties, event.origin != EventOrigin::kAnswer}};
}

void tell(Tables& t, const std::map<base::ContactId, Names>& told,
          const std::set<base::ContactId>& created) {
  for (const auto& [contact, events] : told) {
    t.changes.push_back({contact, {}, {}, events, base::TrackId(0), created.contains(contact)});
  }
}

}  // namespace

base::Result<RecordResult> ModelSession::record_events(const std::vector<NewEvent>& events) {
  TRYV(sql::check_events(events));
  const std::lock_guard guard(t_->mutex);
  RecordResult result;
  std::map<base::ContactId, Names> told;
  std::set<base::ContactId> created;
  for (const NewEvent& event : events) {
    if (!event.id.empty() && !t_->messages.insert({event.source, event.id}).second) {
      ++result.repeated;
      continue;
    }
    const auto [place, made] = t_->contact_by_key.emplace(
        event.key, base::ContactId(static_cast<std::int64_t>(t_->contacts.size()) + 1));
    if (made) {
      Contact& contact = t_->contacts[place->second];
      contact.key = event.key;
      contact.created_at = contact.updated_at = t_->clock();
      created.insert(place->second);
    }
    ModelEvent one;
    one.name = event.name;
    one.properties = event.properties;
    add(*t_, place->second, std::move(one), told[place->second]);
    ++result.recorded;
  }
  result.contacts = static_cast<std::int64_t>(created.size());
  tell(*t_, told, created);
  return result;
}

base::Result<std::vector<EventRow>> ModelSession::events(const std::vector<EventKey>& keys) {
  const std::lock_guard guard(t_->mutex);
  std::vector<EventRow> rows;
  for (const EventKey& key : std::set<EventKey>(keys.begin(), keys.end())) {
    const auto found = t_->events.find(key.contact);
    if (found != t_->events.end() && key.number >= 1 &&
        key.number <= static_cast<std::int64_t>(found->second.size())) {
      rows.push_back(row_of(key, found->second[static_cast<std::size_t>(key.number - 1)]));
    }
  }
  return rows;
}

base::Result<std::vector<EventRow>> ModelSession::events_since(const std::set<std::string>& names,
                                                               base::Instant since,
                                                               const EventKey& after, int limit) {
  const std::lock_guard guard(t_->mutex);
  std::vector<EventRow> rows;
  for (const auto& [contact, events] : t_->events) {
    EventKey key{contact, 0};
    for (const ModelEvent& event : events) {
      ++key.number;
      if (key > after && event.at >= since && names.contains(event.name) &&
          static_cast<int>(rows.size()) < limit) {
        rows.push_back(row_of(key, event));
      }
    }
  }
  return rows;
}

void ModelSession::record_asked(std::vector<Delivery>& deliveries) {
  std::map<base::ContactId, Names> told;
  for (const Delivery& delivery : deliveries) {
    if (!track::is_recorded(delivery.kind)) {
      continue;
    }
    Action& action = t_->outbox.at(delivery.key);
    action.state = OutboxState::kSent;
    action.deadline = track::kNever;
    t_->note_delivery(delivery.key, OutboxState::kSending, action);
    ModelEvent event;
    std::tie(event.name, event.properties) = sql::asked_event(delivery);
    event.track = delivery.key.track;
    event.entry = delivery.key.entry;
    event.origin = EventOrigin::kRecorded;
    add(*t_, delivery.key.contact, std::move(event), told[delivery.key.contact]);
  }
  std::erase_if(deliveries,
                [](const Delivery& delivery) { return track::is_recorded(delivery.kind); });
  tell(*t_, told, {});
}

base::Result<TakenOff> ModelSession::take_off(const Fence& fence, base::Version version,
                                              std::int32_t outcome,
                                              const std::vector<TakeOff>& asked) {
  const std::lock_guard guard(t_->mutex);
  if (!t_->admits(fence)) {
    return TakenOff{.fenced = true};
  }
  TakenOff result;
  const base::Instant now = t_->clock();
  for (const TakeOff& one : asked) {
    for (auto at = t_->positions.lower_bound({fence.track, one.contact, INT32_MIN});
         at != t_->positions.end() && at->first.track == fence.track &&
         at->first.contact == one.contact;
         ++at) {
      Position& position = at->second;
      if (position.state == track::PositionState::kStopped || position.entered_at > one.asked_at) {
        continue;
      }
      const std::int32_t from = position.step;
      ++position.move_no;
      position.step = outcome;
      position.state = track::PositionState::kStopped;
      position.version = version;
      position.step_at = now;
      t_->set_due(at->first, position, track::kNever);
      t_->note_position(at->first, position);
      for (Watcher* const watcher : t_->watchers) {
        watcher->on_move(at->first, position.move_no, from);
      }
      const std::vector<std::int32_t> path = {from, track::kTakenOffRule, outcome};
      t_->journal.emplace(
          std::pair(at->first, position.move_no),
          Passage{
              position.move_no, version, now, {}, path, sql::taken_off_path(from, outcome), "{}"});
      withdraw_messages(*t_, at->first);
      t_->add_tally(fence.track, version, from, track::kTakenOffRule, 0, 1);
      t_->add_tally(fence.track, version, from, sql::kTallyNet, 0, -1);
      t_->add_tally(fence.track, version, outcome, sql::kTallyNet, 0, 1);
      t_->tell_place(fence.track, one.contact);
      ++result.entries;
    }
  }
  t_->note_write(fence);
  return result;
}

void ModelSession::record_capped(const std::vector<Delivery>& capped) {
  std::map<base::ContactId, Names> told;
  for (const Delivery& delivery : capped) {
    ModelEvent event;
    std::tie(event.name, event.properties) = sql::capped_event(delivery);
    event.track = delivery.key.track;
    event.entry = delivery.key.entry;
    event.origin = EventOrigin::kAnswer;
    add(*t_, delivery.key.contact, std::move(event), told[delivery.key.contact]);
  }
  tell(*t_, told, {});
}

base::Result<GatherResult> ModelSession::enter(const Fence& fence, base::Version version,
                                               const std::optional<base::Instant>& stopped_by,
                                               const std::vector<Arrival>& arrivals) {
  const std::lock_guard guard(t_->mutex);
  if (!t_->admits(fence)) {
    return GatherResult{.fenced = true};
  }
  GatherResult result{.done = true};
  for (const Arrival& arrival : arrivals) {
    result.gathered += arrive(fence, version, stopped_by, arrival) ? 1 : 0;
  }
  t_->note_write(fence);
  return result;
}

bool ModelSession::arrive(const Fence& fence, base::Version version,
                          const std::optional<base::Instant>& stopped_by, const Arrival& arrival) {
  if (!t_->contacts.contains(arrival.contact)) {
    return false;
  }
  std::int32_t entry = 1;
  for (auto any = t_->positions.lower_bound({fence.track, arrival.contact, INT32_MIN});
       any != t_->positions.end() && any->first.track == fence.track &&
       any->first.contact == arrival.contact;
       ++any) {
    const Position& before = any->second;
    entry = any->first.entry + 1;
    const bool same = !arrival.entry_key || before.entry_key == arrival.entry_key;
    if (same && (!stopped_by || before.state != track::PositionState::kStopped ||
                 before.step_at > *stopped_by || before.heard >= arrival.event)) {
      return false;
    }
  }
  const PositionKey key{fence.track, arrival.contact, entry};
  const base::Instant now = t_->clock();
  Position& position = t_->positions[key];
  position.step = arrival.step;
  position.version = version;
  position.heard = arrival.event;
  position.entered_at = now;
  position.step_at = now;
  position.due_at = track::kNever;
  position.entry_key = arrival.entry_key;
  position.data = arrival.data;
  t_->set_due(key, position, now);
  t_->note_position(key, position);
  t_->add_tally(fence.track, version, arrival.step, sql::kTallyEntered, 0, 1);
  t_->tell_place(fence.track, arrival.contact);
  return true;
}

}  // namespace turnout::store::model
