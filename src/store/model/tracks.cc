// Tracks and publishing.

#include <algorithm>
#include <set>
#include <utility>

#include "base/check.h"
#include "store/model/session.h"
#include "store/sql/places.h"
#include "store/sql/session.h"

namespace turnout::store::model {

namespace {

std::set<std::string> step_names(const track::Track& track) {
  std::set<std::string> names;
  for (const track::Step* step : track.steps()) {
    names.insert(step->name.text);
  }
  return names;
}

base::Result<void> check_map(const Publish& publish, const track::Numbering& known,
                             const std::set<std::string>& steps) {
  for (const auto& [from, to] : publish.map) {
    if (!known.steps.contains(from) || steps.contains(from) || (to && !steps.contains(*to))) {
      return base::fail(base::ErrorCode::kInvalid, "the step map does not fit: \"" + from + "\"");
    }
  }
  return base::ok();
}

// Contacts on each step.
std::map<std::string, std::int64_t> waiting(const Tables& tables, const ModelTrack& track) {
  std::map<std::string, std::int64_t> counts;
  for (const auto& [key, position] : tables.positions) {
    if (key.track == track.id && position.state != track::PositionState::kStopped &&
        position.step != track::kHeldOutStep) {
      ++counts[track.numbering.name_of(position.step)];
    }
  }
  return counts;
}

// What publishing would meet: the answer, as far as it is known before anything is written.
base::Result<Published> look(const Tables& tables, const Publish& publish,
                             const std::set<std::string>& steps) {
  const std::string& name = publish.track.name.text;
  if (name.empty()) {
    return base::fail(base::ErrorCode::kInvalid, "a track needs a name");
  }
  const auto found = tables.tracks.find(name);
  Published published;
  published.is_new = found == tables.tracks.end();
  if (published.is_new) {
    TRYV(check_map(publish, {}, steps));
    return published;
  }
  const ModelTrack& track = found->second;
  published.id = track.id;
  published.version = track.version;
  published.unchanged = track.texts.at(track.version) == publish.text;
  published.waiting = waiting(tables, track);
  if (published.unchanged) {
    return published;
  }
  TRYV(check_map(publish, track.numbering, steps));
  for (const auto& [step, contacts] : published.waiting) {
    if (!steps.contains(step) && !publish.map.contains(step)) {
      published.homeless.emplace_back(step, contacts);
    }
  }
  return published;
}

void raise_epoch(LedgerRow& row, base::Timeline current) {
  row.epoch = base::Epoch(row.epoch.get() + 1);
  row.timeline = current;
}

void map_position(Tables& tables, const ModelTrack& track, const PositionKey& key,
                  Position& position, const std::optional<std::string>& to) {
  const std::int32_t from = position.step;
  position.step =
      to ? track.numbering.steps.at(*to) : track.numbering.outcomes.at(track::kCompleted);
  ++position.move_no;
  position.version = track.version;
  position.step_at = tables.clock();
  const base::Instant due = position.due_at;
  tables.set_due(key, position, track::kNever);
  if (to) {
    tables.set_due(key, position, due);
  } else {
    position.state = track::PositionState::kStopped;
  }
  Passage passage;
  passage.from_move = position.move_no;
  passage.version = track.version;
  passage.at = tables.clock();
  passage.path = {from, sql::kTallyMapped, position.step};
  passage.path_json = "[" + std::to_string(from) + "," + std::to_string(sql::kTallyMapped) + "," +
                      std::to_string(position.step) + "]";
  passage.seen = "{}";
  tables.journal.emplace(std::pair(key, position.move_no), std::move(passage));
  tables.add_tally(track.id, track.version, from, sql::kTallyMapped, 0, 1);
  tables.add_tally(track.id, track.version, from, sql::kTallyNet, 0, -1);
  tables.add_tally(track.id, track.version, position.step, sql::kTallyNet, 0, 1);
  tables.tell_place(track.id, key.contact, to.has_value());
}

// It keeps when it opens.
void look_now(Tables& tables, const PositionKey& key, Position& position) {
  const base::Instant now = tables.clock();
  if (position.due_at > now) {
    position.stayed = track::looked_at(position.stayed, position.due_at);
  }
  tables.set_due(key, position, now);
}

void move_on(Tables& tables, const ModelTrack& track, const track::Numbering& before,
             const std::set<std::string>& steps, const Publish& publish) {
  for (auto& [key, position] : tables.positions) {
    if (key.track != track.id || position.state == track::PositionState::kStopped) {
      continue;
    }
    const std::string name = before.name_of(position.step);
    if (position.step != track::kHeldOutStep && !steps.contains(name)) {
      map_position(tables, track, key, position, publish.map.at(name));
    }
    if (position.state == track::PositionState::kOpen) {
      position.stayed = 0;
      tables.set_due(key, position, tables.clock());
    } else if (position.state == track::PositionState::kClosed &&
               track::has_leave_condition(publish.track)) {
      look_now(tables, key, position);
    }
    tables.note_position(key, position);
  }
}

}  // namespace

base::Result<Published> ModelSession::plan(const Publish& publish) {
  const std::lock_guard guard(t_->mutex);
  return look(*t_, publish, step_names(publish.track));
}

base::Result<Published> ModelSession::publish(const Publish& publish) {
  const std::lock_guard guard(t_->mutex);
  const std::string& name = publish.track.name.text;
  const std::set<std::string> steps = step_names(publish.track);
  TRY(Published published, look(*t_, publish, steps));
  if (published.unchanged || !published.homeless.empty()) {
    return published;
  }
  if (published.is_new) {
    published.id = base::TrackId(static_cast<std::int32_t>(t_->tracks.size()) + 1);
    LedgerRow row;
    row.track = published.id;
    row.timeline = t_->timeline;
    row.since = t_->clock();
    t_->ledger[published.id] = row;
    t_->tracks[name].id = published.id;
    t_->tracks[name].created_at = t_->clock();
  }
  ModelTrack& track = t_->tracks[name];
  const track::Numbering before = track.numbering;
  track.version = base::Version(track.version.get() + 1);
  track.texts[track.version] = publish.text;
  track.numbering = track::extend(before, publish.track);
  LedgerRow& row = t_->ledger[track.id];
  raise_epoch(row, t_->timeline);
  row.version = track.version;
  move_on(*t_, track, before, steps, publish);
  for (const auto& [other, how] : sql::watched_by(publish.track)) {
    t_->watched[other] = std::max(t_->watched[other], how);
  }
  if (publish.reschedule) {
    t_->cursors[{track.id, kReschedule}] = "0 0";
  }
  ++t_->catalogue_version;
  published.version = track.version;
  return published;
}

base::Result<void> ModelSession::set_active(const std::string& name, bool active) {
  const std::lock_guard guard(t_->mutex);
  const auto found = t_->tracks.find(name);
  if (found == t_->tracks.end()) {
    return no_track(name);
  }
  if (found->second.active != active) {
    found->second.active = active;
    LedgerRow& row = t_->ledger[found->second.id];
    row.active = active;
    raise_epoch(row, t_->timeline);
    ++t_->catalogue_version;
  }
  return base::ok();
}

base::Result<std::vector<TrackVersion>> ModelSession::tracks() {
  const std::lock_guard guard(t_->mutex);
  std::vector<TrackVersion> result;
  for (const auto& [name, track] : t_->tracks) {
    result.push_back({track.id, name, track.version, track.texts.at(track.version), track.numbering,
                      track.active, track.created_at});
  }
  return result;
}

base::Result<TrackVersion> ModelSession::track_version(const std::string& name,
                                                       base::Version version) {
  const std::lock_guard guard(t_->mutex);
  const auto found = t_->tracks.find(name);
  if (found == t_->tracks.end()) {
    return no_track(name);
  }
  const ModelTrack& track = found->second;
  const auto text = track.texts.find(version);
  if (text == track.texts.end()) {
    return base::fail(base::ErrorCode::kNotFound,
                      "track \"" + name + "\" has no version " + std::to_string(version.get()));
  }
  return TrackVersion{track.id,        name,         version,         text->second,
                      track.numbering, track.active, track.created_at};
}

}  // namespace turnout::store::model
