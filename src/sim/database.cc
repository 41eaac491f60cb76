#include "sim/database.h"

#include <algorithm>
#include <utility>

#include "work/requests.h"

namespace turnout::sim {

namespace {

store::ContactBatch batch_of(const std::vector<track::Field>& fields) {
  store::ContactBatch batch;
  batch.fields = fields;
  batch.columns.resize(fields.size());
  batch.columns[0].type = fields[0].type;
  return batch;
}

void add(store::ContactBatch& batch, ContactId contact, std::int64_t value) {
  batch.key.push_back(std::to_string(contact.get()));
  batch.columns[0].append(static_cast<double>(value));
}

std::string track_name(TrackId track) { return "track " + std::to_string(track.get()); }

}  // namespace

// The catalogue's version first, so that what is published meanwhile is read again.
Book read_book(store::Session& session) {
  Book book;
  book.catalogue = must(session.catalogue_version());
  book.tracks = must(session.tracks());
  return book;
}

Database::Database(std::function<Instant()> clock, Duration cycle, int tracks, int contacts,
                   store::model::Fault fault)
    : store_(std::move(clock), fault), program_(cycle) {
  store_.migrate().value();
  intake_ = must(store_.open_session());
  group_ = must(store_.open_group_session());
  intake_->declare_fields(program_.fields()).value();
  store::ContactBatch batch = batch_of(program_.fields());
  for (int contact = 1; contact <= contacts; ++contact) {
    add(batch, ContactId(contact), 0);
  }
  must(intake_->import_contacts(batch));
  for (int number = 1; number <= tracks; ++number) {
    const store::Published track =
        must(intake_->publish(Program::publish(track_name(TrackId(number)), 1)));
    const Fence now = row(track.id).fence;
    const store::Fence fence{track.id, now.timeline, now.epoch};
    must(intake_->gather(fence, {track.version, 1}, "", {}, ContactId(0), std::max(1, contacts)));
    // As the owner that gathers first does.
    intake_->set_cursor(fence, kFeedCursor, must(intake_->changes({}, 1)).next.text).value();
  }
}

void Database::add_contact() {
  store::ContactBatch batch = batch_of(program_.fields());
  add(batch, ContactId(contacts() + 1), 0);
  must(intake_->import_contacts(batch));
}

void Database::raise_value(ContactId contact, std::int64_t by) {
  if (!tables().contacts.contains(contact)) {
    return;
  }
  store::ContactBatch batch = batch_of(program_.fields());
  add(batch, contact, std::min(Program::kMaxValue, value(contact) + by));
  must(intake_->import_contacts(batch));
}

std::int64_t Database::value(ContactId contact) {
  const auto& values = store_.tables().contacts.at(contact).values;
  const auto found = values.find(program_.fields()[0].column);
  return found == values.end() ? 0 : static_cast<std::int64_t>(std::get<double>(found->second));
}

std::vector<LedgerRow> Database::ledger() {
  std::vector<LedgerRow> rows;
  for (const auto& [track, row] : tables().ledger) {
    rows.push_back(work::to_group(row));
  }
  return rows;
}

LedgerRow Database::row(TrackId track) { return work::to_group(tables().ledger.at(track)); }

void Database::publish_again(TrackId track) {
  const base::Version next(tables().ledger.at(track).version.get() + 1);
  must(intake_->publish(Program::publish(track_name(track), next.get())));
}

void Database::set_active(TrackId track, bool active) {
  intake_->set_active(track_name(track), active).value();
}

void Database::steal(TrackId track, const PeerName& name, Incarnation incarnation) {
  const Fence now = row(track).fence;
  must(group_->take(track, now.timeline, now.epoch, {name, incarnation}, {}));
}

std::size_t Database::open_positions() {
  return static_cast<std::size_t>(std::count_if(
      tables().positions.begin(), tables().positions.end(),
      [](const auto& entry) { return entry.second.state != track::PositionState::kStopped; }));
}

}  // namespace turnout::sim
