// Writing a block.

#include <map>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/check.h"
#include "store/model/session.h"
#include "store/sql/change.h"

namespace turnout::store::model {

namespace {

// What the entries of one contact do to it, folded: the last one counts.
struct FieldEffect {
  std::optional<track::Value> set;
  double added = 0;
  track::Value on(const track::Value& before) const {
    const track::Value& value = set ? *set : before;
    if (added == 0 && (set || !std::holds_alternative<track::Missing>(before))) {
      return value;
    }
    const double* const number = std::get_if<double>(&value);
    return (number != nullptr ? *number : 0) + added;
  }
};

struct Effects {
  std::map<std::size_t, FieldEffect> fields;  // by index into Commit::fields
  std::map<std::string, bool> tags;           // true: added
};

class BlockWriter {
 public:
  BlockWriter(Tables& tables, const Commit& commit) : t_(tables), commit_(commit) {}

  CommitResult write() {
    const track::BlockOutcome& after = *commit_.after;
    std::vector<std::int64_t> moved(after.shapes.size(), 0);
    for (std::size_t row = 0; row < after.rows(); ++row) {
      const auto shape = static_cast<std::size_t>(after.shape[row]);
      if (!write_position(row, after.shapes[shape])) {
        result_.stale.push_back(static_cast<std::uint32_t>(row));
        if (t_.fault == Fault::kOutboxForUnmoved) {
          write_actions(row, after.shapes[shape]);
        }
        continue;
      }
      ++result_.positions;
      if (after.shapes[shape].moves > 0) {
        ++moved[shape];
        result_.moves += after.shapes[shape].moves;
        write_journal(row, after.shapes[shape]);
        write_actions(row, after.shapes[shape]);
        if (after.shapes[shape].withdraws) {
          withdraw_messages(t_, key(row));
        }
        note_effects(row, after.shapes[shape]);
        bool& stopped = told_[commit_.before->contact[row]];
        stopped = stopped || after.shapes[shape].state == track::PositionState::kStopped;
      }
    }
    for (const auto& [contact, effects] : effects_) {
      change_contact(contact, effects);
    }
    for (const auto& [contact, stopped] : told_) {
      t_.tell_place(commit_.fence.track, contact, !stopped);
    }
    t_.note_write(commit_.fence);
    for (const auto& [at, times] : sql::tally_of(after.shapes, moved)) {
      t_.add_tally(commit_.fence.track, commit_.version, at.first, at.second, commit_.connection,
                   times);
    }
    return std::move(result_);
  }

 private:
  PositionKey key(std::size_t row) const {
    return {commit_.fence.track, commit_.before->contact[row], commit_.before->entry[row]};
  }

  // Whether the position still is as it was read.
  bool is_there(const Position& position, std::size_t row) const {
    const track::ContactBlock& before = *commit_.before;
    if (t_.fault == Fault::kMoveNumberLeftOut && position.move_no != before.move_no[row]) {
      return true;
    }
    return position.move_no == before.move_no[row] && position.heard == before.heard[row] &&
           (position.due_at == before.due_at[row] || t_.fault == Fault::kDueTimeLeftOut) &&
           position.state != track::PositionState::kStopped;
  }

  bool write_position(std::size_t row, const track::Shape& way) {
    const track::ContactBlock& before = *commit_.before;
    const auto found = t_.positions.find(key(row));
    if (found == t_.positions.end() || !is_there(found->second, row)) {
      return false;
    }
    Position& position = found->second;
    const bool stopped = way.state == track::PositionState::kStopped;
    position.step = way.moves == 0 ? before.step[row] : way.step;
    position.state = way.state;
    position.move_no = before.move_no[row] + way.moves;
    position.step_at = commit_.after->step_at[row];
    position.stayed = commit_.after->stayed[row];
    position.heard = track::heard_after(before, *commit_.after, row);
    if (!commit_.after->data.empty()) {
      position.data = commit_.after->data[row];
    }
    position.version = commit_.version;
    t_.set_due(found->first, position, stopped ? track::kNever : commit_.after->due_at[row]);
    t_.note_position(found->first, position);
    return true;
  }

  void write_journal(std::size_t row, const track::Shape& way) {
    const std::int32_t from = commit_.before->move_no[row] + 1;
    for (Watcher* const watcher : t_.watchers) {
      for (std::int32_t move = 0; move < way.moves; ++move) {
        watcher->on_move(key(row), from + move, way.path[2 * static_cast<std::size_t>(move)]);
      }
    }
    const bool added =
        t_.journal
            .emplace(std::pair(key(row), from + way.moves - 1),
                     Passage{from, commit_.version, t_.clock(), commit_.peer, way.path,
                             way.path_json, std::string(commit_.after->seen[row])})
            .second;
    CHECK(added || t_.fault != Fault::kNone);
  }

  void write_actions(std::size_t row, const track::Shape& way) {
    const std::string_view text = commit_.after->payload[row];
    nlohmann::json payloads;
    if (!text.empty()) {
      payloads = nlohmann::json::parse(text);
    }
    for (std::size_t i = 0; i < way.acts.size(); ++i) {
      const track::Shape::Act& act = way.acts[i];
      Action action;
      action.kind = act.kind;
      action.name = act.name;
      action.version = commit_.version;
      action.asked_at = t_.clock();
      action.due_at = action.asked_at;
      action.deadline = track::kNever;
      if (act.has_payload && !payloads.at(i).is_null()) {
        action.payload = payloads.at(i).dump();
      }
      const OutboxKey at{commit_.fence.track, commit_.before->contact[row],
                         commit_.before->entry[row], commit_.before->move_no[row] + act.move,
                         act.action_no};
      const bool added = t_.outbox.emplace(at, std::move(action)).second;
      CHECK(added || t_.fault != Fault::kNone);
      for (Watcher* const watcher : t_.watchers) {
        watcher->on_action(at);
      }
      ++result_.actions;
    }
  }

  void note_effects(std::size_t row, const track::Shape& way) {
    if (way.tags.empty() && commit_.after->writes.empty()) {
      return;
    }
    Effects& effects = effects_[commit_.before->contact[row]];
    for (const track::BlockOutcome::FieldWrite& write : commit_.after->writes) {
      const track::Value value = write.value.at(row);
      if (write.written[row] == track::BlockOutcome::Written::kSet) {
        effects.fields[write.field] = {value, 0};
      } else if (write.written[row] == track::BlockOutcome::Written::kAdded) {
        effects.fields[write.field].added += std::get<double>(value);
      }
    }
    for (const track::Shape::Tag& tag : way.tags) {
      effects.tags[tag.tag] = tag.add;
    }
  }

  void change_contact(base::ContactId id, const Effects& effects) {
    Contact& contact = t_.contacts.at(id);
    Change change{id, {}, {}, {}, commit_.fence.track, false};
    for (const auto& [index, effect] : effects.fields) {
      const track::Field& field = (*commit_.fields)[index];
      const track::Value value = effect.on(value_of(contact, field.column));
      if (value_of(contact, field.column) != value) {
        contact.values[field.column] = value;
        contact.updated_at = t_.clock();
        change.fields.push_back(field.name);
      }
    }
    if (!change.fields.empty()) {
      for (Watcher* const watcher : t_.watchers) {
        watcher->on_contact(id, contact);
      }
    }
    for (const auto& [tag, add] : effects.tags) {
      const bool changed = add ? t_.tags.insert({id, tag}).second : t_.tags.erase({id, tag}) > 0;
      if (changed) {
        change.tags.push_back(tag);
      }
    }
    if (!change.fields.empty() || !change.tags.empty()) {
      t_.changes.push_back(std::move(change));
    }
  }

  Tables& t_;
  const Commit& commit_;
  CommitResult result_;
  std::map<base::ContactId, Effects> effects_;
  std::map<base::ContactId, bool> told_;  // of their moves; true: something stopped
};

}  // namespace

void withdraw_messages(Tables& tables, const PositionKey& entry) {
  for (auto& [at, action] : tables.outbox) {
    if (at.track == entry.track && at.contact == entry.contact && at.entry == entry.entry &&
        action.state == OutboxState::kWaiting && !track::is_recorded(action.kind)) {
      action.state = OutboxState::kWithdrawn;
      tables.note_delivery(at, OutboxState::kWaiting, action);
    }
  }
}

base::Result<CommitResult> ModelSession::commit(const Commit& commit) {
  CHECK(commit.before->rows() == commit.after->rows());
  const std::lock_guard guard(t_->mutex);
  if (!t_->admits(commit.fence)) {
    CommitResult result;
    result.fenced = true;
    return result;
  }
  return BlockWriter(*t_, commit).write();
}

}  // namespace turnout::store::model
