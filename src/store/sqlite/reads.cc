#include "store/sqlite/reads.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "store/sql/change.h"
#include "store/sql/events.h"
#include "store/sql/fields.h"
#include "store/sqlite/session.h"

namespace turnout::store::sqlite {

namespace {

std::string json_list(const std::set<std::string>& names) {
  std::string out = "[";
  for (const std::string& name : names) {
    out += out.size() > 1 ? "," : "";
    sql::append_json_string(name, out);
  }
  return out + "]";
}

}  // namespace

std::string ContactReader::column_list(const Reads& reads) {
  std::string list;
  for (const track::Field& field : reads.fields) {
    list += field.column.empty() ? ", null" : ", c." + sql::quoted(field.column);
  }
  return list;
}

base::Result<ContactReader> ContactReader::make(SqliteConnection& connection, base::TrackId track,
                                                const Reads& reads, track::ContactBlock& block) {
  ContactReader reader(reads, block);
  reader.track_ = track;
  block.clear();
  block.columns.resize(reads.fields.size());
  for (std::size_t i = 0; i < reads.fields.size(); ++i) {
    block.columns[i].clear();
    block.columns[i].type = reads.fields[i].type;
  }
  block.tags.assign(reads.tags.size(), {});
  block.places.assign(reads.places.size(), {});
  if (!reads.tags.empty()) {
    TRY(reader.tags_, connection.cached("select tag from contact_tag where contact_id = ?1"));
  }
  for (const track::OtherPlace& place : reads.places) {
    std::string sql =
        "select 1 from track t join position q on q.track_id = t.id where t.name = ?1 and "
        "q.contact_id = ?2 and q.state <> 2";
    if (!place.step.empty()) {
      sql +=
          " and q.step = (select number from track_name w where w.track_id = t.id and w.kind = "
          "'step' and w.name = ?3)";
    }
    TRY(Statement * statement, connection.cached(sql + " limit 1"));
    reader.places_.push_back({statement, &place});
  }
  if (reads.events()) {
    reader.recalls_ = json_list(reads.recalls);
    reader.hears_ = json_list(track == base::TrackId(0) ? std::set<std::string>() : reads.hears);
    TRY(reader.newest_, connection.cached("select newest from event_count where contact_id = ?1"));
    TRY(reader.events_,
        connection.cached("select number, at, name, properties, track_id, entry, origin from event "
                          "where contact_id = ?1 and (name in (select value from json_each(?2)) or "
                          "number > ?4 and name in (select value from json_each(?3))) order by "
                          "number"));
  }
  if (reads.data && track != base::TrackId(0)) {
    TRY(reader.data_, connection.cached("select entry_data from position where track_id = ?1 and "
                                        "contact_id = ?2 and entry = ?3"));
    reader.data_->bind(1, std::int64_t{track.get()});
  }
  return reader;
}

bool ContactReader::append(const Statement& row, int first) {
  for (std::size_t i = 0; i < block_.columns.size(); ++i) {
    append_value(block_.columns[i], row, first + static_cast<int>(i));
  }
  return append_tags() && append_places() && append_events() && append_data();
}

bool ContactReader::append_tags() {
  if (tags_ == nullptr) {
    return true;
  }
  for (std::vector<std::uint8_t>& column : block_.tags) {
    column.push_back(0);
  }
  tags_->bind(1, block_.contact.back().get());
  int rc = tags_->step();
  for (; rc == SQLITE_ROW; rc = tags_->step()) {
    const std::string_view tag = tags_->text(0);
    for (std::size_t i = 0; i < reads_.tags.size(); ++i) {
      if (reads_.tags[i] == tag) {
        block_.tags[i].back() = 1;
      }
    }
  }
  tags_->reset();
  return rc == SQLITE_DONE;
}

bool ContactReader::append_places() {
  for (std::size_t i = 0; i < places_.size(); ++i) {
    Statement& statement = *places_[i].statement;
    statement.bind(1, std::string_view(places_[i].place->track));
    statement.bind(2, block_.contact.back().get());
    if (!places_[i].place->step.empty()) {
      statement.bind(3, std::string_view(places_[i].place->step));
    }
    const int rc = statement.step();
    statement.reset();
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
      return false;
    }
    block_.places[i].push_back(rc == SQLITE_ROW ? 1 : 0);
  }
  return true;
}

bool ContactReader::append_events() {
  if (newest_ == nullptr) {
    return true;
  }
  const std::int64_t contact = block_.contact.back().get();
  newest_->bind(1, contact);
  int rc = newest_->step();
  block_.newest.push_back(rc == SQLITE_ROW ? newest_->integer(0) : 0);
  newest_->reset();
  if (rc != SQLITE_ROW) {
    block_.events.emplace_back();
    return rc == SQLITE_DONE;
  }
  events_->bind(1, contact);
  events_->bind(2, std::string_view(recalls_));
  events_->bind(3, std::string_view(hears_));
  events_->bind(4, block_.heard.back());
  std::vector<track::BlockEvent>& events = block_.events.emplace_back();
  for (rc = events_->step(); rc == SQLITE_ROW; rc = events_->step()) {
    track::BlockEvent& event = events.emplace_back();
    event.id = events_->integer(0);
    event.at = std::min(events_->time(1), block_.now);
    event.name = events_->text(2);
    event.properties = events_->text(3);
    const bool own = events_->integer(4) == track_.get() &&
                     events_->integer(5) == block_.entry.back() && track_ != base::TrackId(0);
    event.heard = sql::is_heard(static_cast<EventOrigin>(events_->integer(6)), own);
  }
  events_->reset();
  return rc == SQLITE_DONE;
}

bool ContactReader::append_data() {
  if (!reads_.data) {
    return true;
  }
  std::string& data = block_.data.emplace_back();
  if (data_ == nullptr) {
    return true;
  }
  data_->bind(2, block_.contact.back().get());
  data_->bind(3, std::int64_t{block_.entry.back()});
  const int rc = data_->step();
  if (rc == SQLITE_ROW && !data_->is_null(0)) {
    data = data_->text(0);
  }
  data_->reset();
  return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

}  // namespace turnout::store::sqlite
