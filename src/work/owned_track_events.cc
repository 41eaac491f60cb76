// What events do for an owned track: they put contacts on it and take them off.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/mutant.h"
#include "work/owned_track.h"

namespace turnout::work {
namespace {

// Those of these names that the changes tell of.
std::vector<store::EventKey> events_among(const std::vector<store::Change>& changes,
                                          const std::set<std::string>& names) {
  std::vector<store::EventKey> keys;
  for (const store::Change& change : changes) {
    for (const auto& [name, number] : change.events) {
      if (names.contains(name)) {
        keys.push_back({change.contact, number});
      }
    }
  }
  return keys;
}

// Whether looking through the events since then has yet to come to this one. It is left to that, or
// it would overtake an older one of the same contact.
bool is_to_be_met(const Regathering& looking, const store::EventRow& row) {
  return row.event.at >= looking.since &&
         store::EventKey{row.contact, row.event.id} > looking.after;
}

// The number of the outcome. A version that was published by an older program has none.
std::int32_t taken_off(const track::Numbering& numbering) {
  for (const char* const name : {track::kTakenOff, track::kLeft, track::kCompleted}) {
    if (const auto found = numbering.outcomes.find(name); found != numbering.outcomes.end()) {
      return found->second;
    }
  }
  return 0;
}

}  // namespace

// Whom the events of a batch put on the track: of each contact the first that does, so that what
// came after it is heard on the way.
base::Result<std::vector<store::Arrival>> OwnedTrack::arrivals(
    store::Session& session, const std::vector<store::EventRow>& events, base::Instant& now) {
  const decide::Program& program = *entry_->program;
  std::vector<base::ContactId> contacts;
  for (const store::EventRow& row : events) {
    if (contacts.empty() || contacts.back() != row.contact) {
      contacts.push_back(row.contact);
    }
  }
  TRY(track::ContactBlock block, session.load_these(contacts, entry_->reads));
  now = block.now;
  std::unordered_map<base::ContactId, std::size_t> row_of;
  for (std::size_t row = 0; row < block.rows(); ++row) {
    row_of.emplace(block.contact[row], row);
  }
  std::vector<store::Arrival> arrivals;
  for (const store::EventRow& row : events) {
    const auto at = row_of.find(row.contact);
    if (at == row_of.end() || !row.event.heard) {
      continue;
    }
    std::optional<std::string> key = program.entry_key(row.event);
    if (key && key->empty()) {
      continue;  // it belongs to no entry of its own
    }
    if (const auto step = program.admits(block, at->second, row.event)) {
      arrivals.push_back(
          {row.contact, *step, row.event.id, std::move(key), program.data_of(row.event)});
    }
  }
  return arrivals;
}

// Stops whom other tracks take off; `last` says by which event of each contact.
base::Result<StepResult> OwnedTrack::take_off(store::Session& session,
                                              const std::vector<store::EventRow>& events,
                                              std::map<base::ContactId, std::int64_t>& last) {
  std::map<base::ContactId, base::Instant> asked_at;
  for (const store::EventRow& row : events) {
    if (row.event.name == track::kTakeOffEvent && entry_->program->is_taken_off_by(row.event)) {
      asked_at[row.contact] = row.event.at;
      last[row.contact] = row.event.id;
    }
  }
  std::vector<store::TakeOff> asked;
  asked.reserve(asked_at.size());
  for (const auto& [contact, at] : asked_at) {
    asked.push_back({contact, at});
  }
  TRY(const store::TakenOff done, session.take_off(fence_, entry_->published.version,
                                                   taken_off(entry_->published.numbering), asked));
  return StepResult{.fenced = done.fenced};
}

// Names of the events that may bring contacts on the track, or take them off.
std::set<std::string> OwnedTrack::entering_events() const {
  std::set<std::string> names = entry_->program->gathering_events();
  names.insert(track::kTakeOffEvent);
  return names;
}

base::Result<StepResult> OwnedTrack::gather_on(store::Session& session,
                                               const std::vector<store::Change>& changes) {
  const std::vector<store::EventKey> keys = events_among(changes, entering_events());
  if (keys.empty()) {
    return StepResult{};
  }
  TRY(std::vector<store::EventRow> events, session.events(keys));
  if (note_.regathering && !base::planted(base::Mutant::kEventOvertakes)) {
    std::erase_if(
        events, [&](const store::EventRow& row) { return is_to_be_met(*note_.regathering, row); });
  }
  return take_events(session, events);
}

base::Result<StepResult> OwnedTrack::regather_chunk(store::Session& session, Regathering from) {
  TRY(const std::vector<store::EventRow> events,
      session.events_since(entering_events(), from.since, from.after, kRetestChunk));
  TRY(StepResult result, take_events(session, events));
  if (result.fenced) {
    return result;
  }
  if (events.size() < static_cast<std::size_t>(kRetestChunk)) {
    note_.regathering.reset();
  } else {
    note_.regathering = Regathering{from.since, {events.back().contact, events.back().event.id}};
    result.more = true;
  }
  TRY(const StepResult noted, note_progress(session));
  result.fenced = noted.fenced;
  return result;
}

base::Result<StepResult> OwnedTrack::take_events(store::Session& session,
                                                 const std::vector<store::EventRow>& events) {
  const decide::Program& program = *entry_->program;
  StepResult result;
  if (events.empty()) {
    return result;
  }
  std::map<base::ContactId, std::int64_t> last;
  TRY(result, take_off(session, events, last));
  if (result.fenced) {
    return result;
  }
  base::Instant now;
  TRY(std::vector<store::Arrival> coming, arrivals(session, events, now));
  std::erase_if(coming, [&](const store::Arrival& arrival) {
    const auto off = last.find(arrival.contact);
    return off != last.end() && arrival.event < off->second;  // and off again
  });
  const auto stopped_by = program.may_have_stopped_by(now);
  // One of each contact at a time, in order: where entries are told apart, several may come in.
  while (!coming.empty()) {
    std::vector<store::Arrival> these;
    std::vector<store::Arrival> later;
    for (store::Arrival& arrival : coming) {
      const bool again = !these.empty() && these.back().contact == arrival.contact;
      (again ? later : these).push_back(std::move(arrival));
    }
    TRY(const store::GatherResult got,
        session.enter(fence_, entry_->published.version, stopped_by, these));
    result.made_due = result.made_due || got.gathered > 0;
    if (got.fenced) {
      result.fenced = true;
      break;
    }
    coming = std::move(later);
  }
  return result;
}

}  // namespace turnout::work
