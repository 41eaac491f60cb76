#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/check.h"
#include "store/model/session.h"
#include "store/sql/session.h"
#include "store/sql/tracks.h"

namespace turnout::store::model {

base::Result<Report> ModelSession::report(const std::string& name) {
  const std::lock_guard guard(t_->mutex);
  const auto found = t_->tracks.find(name);
  if (found == t_->tracks.end()) {
    return no_track(name);
  }
  const ModelTrack& track = found->second;
  Report report;
  report.track = name;
  report.version = track.version;
  for (const auto& [key, position] : t_->positions) {
    if (key.track == track.id) {
      ++report.entered;
      auto& counts =
          position.state == track::PositionState::kStopped ? report.stopped : report.waiting;
      ++counts[track.numbering.name_of(position.step)];
    }
  }
  for (const auto& [at, passage] : t_->journal) {
    if (at.first.track == track.id) {
      report.moves += at.second - passage.from_move + 1;
    }
  }
  std::map<std::pair<track::ActionKind, std::string>, std::map<OutboxState, std::int64_t>> actions;
  for (const auto& [key, action] : t_->outbox) {
    if (key.track == track.id) {
      ++actions[{action.kind, sql::action_name(track.numbering, action.name)}][action.state];
    }
  }
  for (auto& [action, states] : actions) {
    report.actions.push_back({action.first, action.second, std::move(states)});
  }
  std::set<base::ContactId> here;
  for (const auto& [key, position] : t_->positions) {
    if (key.track == track.id) {
      here.insert(key.contact);
    }
  }
  for (const auto& [contact, tag] : t_->tags) {
    if (here.contains(contact)) {
      ++report.tags[tag];
    }
  }
  return report;
}

base::Result<Progress> ModelSession::progress(const std::string& name) {
  const std::lock_guard guard(t_->mutex);
  const auto found = t_->tracks.find(name);
  if (found == t_->tracks.end()) {
    return no_track(name);
  }
  const ModelTrack& track = found->second;
  Progress progress;
  // Not from the tally, unlike the databases: that the two agree is to be shown.
  for (const auto& [key, position] : t_->positions) {
    if (key.track == track.id) {
      ++progress.gathered;
      ++progress.on_step[track.numbering.name_of(position.step)];
    }
  }
  for (const auto& [at, passage] : t_->journal) {
    if (at.first.track == track.id) {
      progress.moves += at.second - passage.from_move + 1;
    }
  }
  return progress;
}

base::Result<ContactReport> ModelSession::why(const std::string& contact_key) {
  const std::lock_guard guard(t_->mutex);
  const auto found = t_->contact_by_key.find(contact_key);
  if (found == t_->contact_by_key.end()) {
    return base::fail(base::ErrorCode::kNotFound,
                      "there is no contact with the key \"" + contact_key + "\"");
  }
  const Contact& contact = t_->contacts.at(found->second);
  ContactReport report;
  report.id = found->second;
  report.key = contact_key;
  for (const char* name : {"email", "created_at", "updated_at"}) {
    report.fields.emplace_back(name, value_of(contact, name));
  }
  for (const track::Field& field : t_->fields) {
    report.fields.emplace_back(field.name, value_of(contact, field.column));
  }
  for (const auto& [id, tag] : t_->tags) {
    if (id == report.id) {
      report.tags.push_back(tag);
    }
  }
  if (const auto events = t_->events.find(report.id); events != t_->events.end()) {
    std::int64_t number = 0;
    const auto all = static_cast<std::int64_t>(events->second.size());
    for (const ModelEvent& event : events->second) {
      if (++number > all - kReportedEvents) {
        report.events.push_back({number, event.at, event.name, event.properties});
      }
    }
  }
  for (const auto& [name, track] : t_->tracks) {
    for (const auto& [key, position] : t_->positions) {
      if (key.track == track.id && key.contact == report.id) {
        report.positions.push_back({name, position.version, key.entry,
                                    track.numbering.name_of(position.step), position.state,
                                    position.entered_at, position.step_at, position.due_at});
      }
    }
    for (const auto& [at, passage] : t_->journal) {
      if (at.first.track != track.id || at.first.contact != report.id) {
        continue;
      }
      for (std::size_t i = 0; i + 2 < passage.path.size(); i += 2) {
        report.moves.push_back({name, passage.version, at.first.entry,
                                passage.from_move + static_cast<std::int32_t>(i / 2), passage.at,
                                passage.peer.name.get(), track.numbering.name_of(passage.path[i]),
                                passage.path[i + 1], track.numbering.name_of(passage.path[i + 2]),
                                passage.seen});
      }
    }
  }
  return report;
}

}  // namespace turnout::store::model
