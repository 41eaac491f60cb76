// Contacts, gathering, loading, the feed, waking.

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/check.h"
#include "store/model/session.h"
#include "store/sql/change.h"
#include "store/sql/events.h"
#include "store/sql/fields.h"
#include "store/sql/ledger.h"
#include "store/sql/session.h"

namespace turnout::store::model {

track::Value value_of(const Contact& contact, const std::string& column) {
  if (column == "key") {
    return contact.key;
  }
  if (column == "created_at") {
    return contact.created_at;
  }
  if (column == "updated_at") {
    return contact.updated_at;
  }
  const auto found = contact.values.find(column);
  return found == contact.values.end() ? track::Value(track::Missing{}) : found->second;
}

base::Result<base::Instant> ModelSession::now() {
  const std::lock_guard guard(t_->mutex);
  return t_->clock();
}

base::Result<std::int64_t> ModelSession::catalogue_version() {
  const std::lock_guard guard(t_->mutex);
  return t_->catalogue_version;
}

base::Result<track::Catalogue> ModelSession::catalogue() {
  const std::lock_guard guard(t_->mutex);
  track::Catalogue catalogue = track::built_in_catalogue();
  catalogue.fields.insert(catalogue.fields.end(), t_->fields.begin(), t_->fields.end());
  return catalogue;
}

base::Result<void> ModelSession::declare_fields(const std::vector<track::Field>& fields) {
  const std::lock_guard guard(t_->mutex);
  track::Catalogue known = track::built_in_catalogue();
  known.fields.insert(known.fields.end(), t_->fields.begin(), t_->fields.end());
  TRY(const std::vector<track::Field> missing, sql::missing_fields(known, fields));
  if (!missing.empty()) {
    t_->fields.insert(t_->fields.end(), missing.begin(), missing.end());
    std::sort(t_->fields.begin(), t_->fields.end(),
              [](const track::Field& a, const track::Field& b) { return a.name < b.name; });
    ++t_->catalogue_version;
  }
  return base::ok();
}

base::Result<ImportResult> ModelSession::import_contacts(const ContactBatch& batch) {
  TRYV(sql::check_batch(batch));
  const std::lock_guard guard(t_->mutex);
  const std::vector<std::uint8_t> counts = sql::last_of_each_key(batch);
  const base::Instant now = t_->clock();
  ImportResult result;
  for (std::size_t row = 0; row < batch.key.size(); ++row) {
    if (counts[row] == 0) {
      continue;
    }
    const auto [place, created] = t_->contact_by_key.emplace(
        batch.key[row], base::ContactId(static_cast<std::int64_t>(t_->contacts.size()) + 1));
    Contact& contact = t_->contacts[place->second];
    Change change{place->second, {}, {}, {}, base::TrackId(0), created};
    for (std::size_t i = 0; i < batch.fields.size(); ++i) {
      const track::Value value = batch.columns[i].at(row);
      if (value_of(contact, batch.fields[i].column) != value) {
        contact.values[batch.fields[i].column] = value;
        change.fields.push_back(batch.fields[i].name);
      }
    }
    if (created) {
      contact.key = batch.key[row];
      contact.created_at = now;
    }
    if (created || !change.fields.empty()) {
      contact.updated_at = now;
      t_->changes.push_back(change);
      for (Watcher* const watcher : t_->watchers) {
        watcher->on_contact(place->second, contact);
      }
    }
    ++(created ? result.inserted : change.fields.empty() ? result.unchanged : result.updated);
  }
  return result;
}

// -- Timers
// --------------------------------------------------------------------------------------------------------------

base::Result<std::vector<DueItem>> ModelSession::due(base::TrackId track, const DueCursor& from,
                                                     base::Instant until, int limit) {
  CHECK(limit >= 1 && limit <= 100'000);
  const std::lock_guard guard(t_->mutex);
  std::vector<DueItem> items;
  for (auto timer = t_->timers.upper_bound({track, from.due, from.contact, from.entry});
       timer != t_->timers.end() && timer->first.track == track && timer->first.due <= until &&
       static_cast<int>(items.size()) < limit;
       ++timer) {
    items.push_back({timer->first.due, timer->first.contact, timer->first.entry, timer->second});
  }
  return items;
}

base::Result<base::Instant> ModelSession::next_due(base::TrackId track) {
  const std::lock_guard guard(t_->mutex);
  const auto timer =
      t_->timers.lower_bound({track, base::Instant{INT64_MIN}, base::ContactId(0), 0});
  return timer != t_->timers.end() && timer->first.track == track ? timer->first.due
                                                                  : track::kNever;
}

// -- Gathering
// -------------------------------------------------------------------------------------------------------------

bool ModelSession::enter(const Fence& fence, const Entrance& entrance, base::ContactId contact) {
  if (!t_->contacts.contains(contact)) {
    return false;
  }
  std::int32_t entry = 1;
  for (auto any = t_->positions.lower_bound({fence.track, contact, INT32_MIN});
       any != t_->positions.end() && any->first.track == fence.track &&
       any->first.contact == contact;
       ++any) {
    if (!entrance.stopped_by || any->second.state != track::PositionState::kStopped ||
        any->second.step_at > *entrance.stopped_by) {
      return false;
    }
    entry = any->first.entry + 1;
  }
  const PositionKey key{fence.track, contact, entry};
  const base::Instant now = t_->clock();
  Position& position = t_->positions[key];
  position.step = entrance.step;
  position.version = entrance.version;
  position.entered_at = now;
  position.step_at = now;
  position.due_at = track::kNever;
  t_->set_due(key, position, now);
  t_->note_position(key, position);
  t_->add_tally(fence.track, entrance.version, entrance.step, sql::kTallyEntered, 0, 1);
  t_->tell_place(fence.track, contact);
  return true;
}

namespace {

base::Result<void> refuse_condition(const std::string& where) {
  if (!where.empty()) {
    return base::fail(base::ErrorCode::kInvalid, "the model knows no SQL: " + where);
  }
  return base::ok();
}

}  // namespace

base::Result<GatherResult> ModelSession::gather(const Fence& fence, const Entrance& entrance,
                                                const std::string& where,
                                                const std::vector<track::Value>& /*values*/,
                                                base::ContactId after, int chunk) {
  CHECK(chunk >= 1 && chunk <= 20'000);
  TRYV(refuse_condition(where));
  const std::lock_guard guard(t_->mutex);
  GatherResult result{.last = after};
  if (!t_->admits(fence)) {
    return GatherResult{.fenced = true};
  }
  auto contact = t_->contacts.upper_bound(after);
  for (int looked = 0; looked < chunk && contact != t_->contacts.end(); ++looked, ++contact) {
    result.gathered += enter(fence, entrance, contact->first) ? 1 : 0;
    result.last = contact->first;
  }
  result.done = contact == t_->contacts.end();
  t_->note_write(fence);
  return result;
}

base::Result<GatherResult> ModelSession::gather_these(
    const Fence& fence, const Entrance& entrance, const std::string& where,
    const std::vector<track::Value>& /*values*/, const std::vector<base::ContactId>& contacts) {
  TRYV(refuse_condition(where));
  const std::lock_guard guard(t_->mutex);
  if (!t_->admits(fence)) {
    return GatherResult{.fenced = true};
  }
  GatherResult result{.done = true};
  for (const base::ContactId contact : contacts) {
    result.gathered += enter(fence, entrance, contact) ? 1 : 0;
    result.last = std::max(result.last, contact);
  }
  t_->note_write(fence);
  return result;
}

// -- Loading
// ---------------------------------------------------------------------------------------------------------------

namespace {

void shape_columns(track::ContactBlock& block, const Reads& reads) {
  block.clear();
  block.columns.resize(reads.fields.size());
  for (std::size_t i = 0; i < reads.fields.size(); ++i) {
    block.columns[i].type = reads.fields[i].type;
  }
  block.tags.assign(reads.tags.size(), {});
  block.places.assign(reads.places.size(), {});
}

bool stands(const Tables& tables, base::ContactId contact, const track::OtherPlace& place) {
  const auto named = tables.tracks.find(place.track);
  if (named == tables.tracks.end()) {
    return false;
  }
  const ModelTrack& track = named->second;
  for (auto at = tables.positions.lower_bound({track.id, contact, INT32_MIN});
       at != tables.positions.end() && at->first.track == track.id && at->first.contact == contact;
       ++at) {
    const auto step = track.numbering.steps.find(place.step);
    if (at->second.state != track::PositionState::kStopped &&
        (place.step.empty() ||
         (step != track.numbering.steps.end() && step->second == at->second.step))) {
      return true;
    }
  }
  return false;
}

// Of the contact's last row in the block.
void append_events(const Tables& tables, base::TrackId track, const Reads& reads,
                   track::ContactBlock& block) {
  const auto found = tables.events.find(block.contact.back());
  std::vector<track::BlockEvent>& events = block.events.emplace_back();
  block.newest.push_back(0);
  if (found == tables.events.end()) {
    return;
  }
  for (const ModelEvent& event : found->second) {
    const std::int64_t number = ++block.newest.back();
    const bool unheard = number > block.heard.back() && reads.hears.contains(event.name);
    if (reads.recalls.contains(event.name) || (track != base::TrackId(0) && unheard)) {
      const bool own =
          track != base::TrackId(0) && event.track == track && event.entry == block.entry.back();
      events.push_back({number, std::min(event.at, block.now), event.name, event.properties,
                        sql::is_heard(event.origin, own)});
    }
  }
}

// `track`: whose entry it is; 0: none's.
void append_row(const Tables& tables, base::TrackId track, base::ContactId contact,
                std::int32_t entry, const Position& position, const Reads& reads,
                track::ContactBlock& block) {
  block.contact.push_back(contact);
  block.entry.push_back(entry);
  block.move_no.push_back(position.move_no);
  block.step.push_back(position.step);
  block.version.push_back(position.version.get());
  block.heard.push_back(position.heard);
  block.state.push_back(position.state);
  block.entered_at.push_back(position.entered_at);
  block.step_at.push_back(position.step_at);
  block.due_at.push_back(position.due_at);
  block.stayed.push_back(position.stayed);
  for (std::size_t i = 0; i < reads.fields.size(); ++i) {
    block.columns[i].append(reads.fields[i].column.empty()
                                ? track::Value(track::Missing{})
                                : value_of(tables.contacts.at(contact), reads.fields[i].column));
  }
  for (std::size_t i = 0; i < reads.tags.size(); ++i) {
    block.tags[i].push_back(tables.tags.contains({contact, reads.tags[i]}) ? 1 : 0);
  }
  for (std::size_t i = 0; i < reads.places.size(); ++i) {
    block.places[i].push_back(stands(tables, contact, reads.places[i]) ? 1 : 0);
  }
  if (reads.events()) {
    append_events(tables, track, reads, block);
  }
  if (reads.data) {
    block.data.push_back(position.data);
  }
}

Position no_position() {
  Position position;
  position.due_at = track::kNever;
  return position;
}

}  // namespace

base::Result<void> ModelSession::load(base::TrackId track, const std::vector<BlockItem>& items,
                                      const Reads& reads, track::ContactBlock& out) {
  const std::lock_guard guard(t_->mutex);
  shape_columns(out, reads);
  out.now = t_->clock();
  for (const BlockItem& item : items) {
    const auto found = t_->positions.find({track, item.contact, item.entry});
    if (found != t_->positions.end() && found->second.move_no == item.move_no) {
      append_row(*t_, track, item.contact, item.entry, found->second, reads, out);
    }
  }
  return base::ok();
}

base::Result<track::ContactBlock> ModelSession::load_contacts(base::ContactId after, int limit,
                                                              const Reads& reads) {
  const std::lock_guard guard(t_->mutex);
  track::ContactBlock block;
  shape_columns(block, reads);
  block.now = t_->clock();
  for (auto contact = t_->contacts.upper_bound(after);
       contact != t_->contacts.end() && block.rows() < static_cast<std::size_t>(limit); ++contact) {
    append_row(*t_, base::TrackId(0), contact->first, 0, no_position(), reads, block);
  }
  return block;
}

base::Result<track::ContactBlock> ModelSession::load_these(
    const std::vector<base::ContactId>& contacts, const Reads& reads) {
  const std::lock_guard guard(t_->mutex);
  track::ContactBlock block;
  shape_columns(block, reads);
  block.now = t_->clock();
  for (const base::ContactId contact : contacts) {
    if (t_->contacts.contains(contact)) {
      append_row(*t_, base::TrackId(0), contact, 0, no_position(), reads, block);
    }
  }
  return block;
}

// -- The feed, waiting positions
// -----------------------------------------------------------------------------------------

namespace {

// "timeline/number of changes seen"; nothing when it is of another timeline.
std::optional<std::size_t> place_in_feed(const std::string& cursor, base::Timeline timeline) {
  const std::string of_this = std::to_string(timeline.get()) + "/";
  std::size_t place = 0;
  const char* const end = cursor.data() + cursor.size();
  if (!cursor.starts_with(of_this) ||
      std::from_chars(cursor.data() + of_this.size(), end, place).ptr != end) {
    return std::nullopt;
  }
  return place;
}

}  // namespace

base::Result<FeedBatch> ModelSession::changes(const FeedCursor& from, int limit) {
  const std::lock_guard guard(t_->mutex);
  const std::optional<std::size_t> place = place_in_feed(from.text, t_->timeline);
  FeedBatch batch;
  batch.lost = !from.text.empty() && (!place || *place > t_->changes.size());
  std::size_t seen = place && !batch.lost ? *place : t_->changes.size();
  for (int i = 0; i < limit && seen < t_->changes.size(); ++i, ++seen) {
    sql::append_change(batch.changes, t_->changes[seen]);
  }
  batch.more = seen < t_->changes.size();
  batch.next.text = std::to_string(t_->timeline.get()) + "/" + std::to_string(seen);
  return batch;
}

base::Result<std::vector<PositionRow>> ModelSession::positions(
    base::TrackId track, const std::vector<base::ContactId>& contacts) {
  const std::lock_guard guard(t_->mutex);
  const base::Instant now = t_->clock();
  std::vector<PositionRow> rows;
  for (const base::ContactId contact : contacts) {
    for (auto at = t_->positions.lower_bound({track, contact, INT32_MIN});
         at != t_->positions.end() && at->first.track == track && at->first.contact == contact;
         ++at) {
      const Position& position = at->second;
      if (position.state != track::PositionState::kStopped) {
        rows.push_back({contact, at->first.entry, position.move_no, position.step, position.state,
                        position.stayed, position.due_at <= now});
      }
    }
  }
  return rows;
}

namespace {

bool may_wake(const Position& position, const Wake& wake, base::Instant now) {
  return position.state == track::PositionState::kOpen ||
         (position.state == track::PositionState::kClosed &&
          (wake.looks || position.due_at <= now || (position.stayed & track::kFollows) != 0));
}

auto refuse(const Fence& fence) {
  const base::Error why = sql::fenced_error(fence);
  return base::fail(why.code, why.message);
}

}  // namespace

base::Result<std::int64_t> ModelSession::wake(const Fence& fence, const std::vector<Wake>& wakes) {
  const std::lock_guard guard(t_->mutex);
  if (!t_->admits(fence)) {
    return refuse(fence);
  }
  std::int64_t woken = 0;
  for (const Wake& wake : wakes) {
    const PositionKey key{fence.track, wake.contact, wake.entry};
    const auto found = t_->positions.find(key);
    const base::Instant now = t_->clock();
    if (found == t_->positions.end() || found->second.move_no != wake.move_no ||
        !may_wake(found->second, wake, now)) {
      continue;
    }
    Position& position = found->second;
    const base::Instant due = position.due_at == now ? now + base::Duration(1) : now;
    if (position.state == track::PositionState::kClosed && position.due_at > due) {
      position.stayed = track::looked_at(position.stayed, position.due_at);
    } else {
      position.stayed &= ~wake.woken;
    }
    t_->set_due(key, position, due);
    t_->note_position(key, position);
    ++woken;
  }
  t_->note_write(fence);
  return woken;
}

base::Result<std::vector<Delayed>> ModelSession::delayed(base::TrackId track,
                                                         const DelayedCursor& after, int limit) {
  const std::lock_guard guard(t_->mutex);
  std::vector<Delayed> delayed;
  for (auto at = t_->positions.upper_bound({track, after.contact, after.entry});
       at != t_->positions.end() && at->first.track == track &&
       static_cast<int>(delayed.size()) < limit;
       ++at) {
    const auto [key, position] = *at;
    const auto passage = t_->journal.find({key, position.move_no});
    if (position.state == track::PositionState::kClosed && passage != t_->journal.end()) {
      const std::vector<std::int32_t>& path = passage->second.path;
      delayed.push_back({{key.contact, key.entry, position.move_no},
                         path.at(path.size() - 3),
                         path.at(path.size() - 2),
                         passage->second.at});
    }
  }
  return delayed;
}

base::Result<std::int64_t> ModelSession::reschedule(const Fence& fence,
                                                    const std::vector<Reschedule>& what) {
  const std::lock_guard guard(t_->mutex);
  if (!t_->admits(fence)) {
    return refuse(fence);
  }
  std::int64_t done = 0;
  for (const Reschedule& one : what) {
    const PositionKey key{fence.track, one.item.contact, one.item.entry};
    const auto found = t_->positions.find(key);
    if (found != t_->positions.end() && found->second.move_no == one.item.move_no &&
        found->second.state == track::PositionState::kClosed) {
      Position& position = found->second;
      const base::Instant now = t_->clock();
      position.stayed = one.stayed;
      t_->set_due(key, position, position.due_at == now ? now + base::Duration(1) : now);
      t_->note_position(key, position);
      ++done;
    }
  }
  t_->note_write(fence);
  return done;
}

base::Result<std::optional<std::string>> ModelSession::cursor(base::TrackId track,
                                                              const std::string& clause) {
  const std::lock_guard guard(t_->mutex);
  const auto found = t_->cursors.find({track, clause});
  return found == t_->cursors.end() ? std::nullopt : std::optional(found->second);
}

base::Result<void> ModelSession::set_cursor(const Fence& fence, const std::string& clause,
                                            const std::string& text) {
  const std::lock_guard guard(t_->mutex);
  if (!t_->admits(fence)) {
    return refuse(fence);
  }
  t_->cursors[{fence.track, clause}] = text;
  t_->note_write(fence);
  return base::ok();
}

}  // namespace turnout::store::model
