// Contacts by key.

#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "store/sql/change.h"
#include "store/sql/fields.h"
#include "store/sqlite/session.h"

namespace turnout::store::sqlite {

namespace {

// A track has no part in it.
constexpr std::int64_t kNoTrack = 0;

class Import {
 public:
  Import(SqliteConnection& connection, const ContactBatch& batch)
      : connection_(connection), batch_(batch) {}

  base::Result<void> prepare();
  bool write(std::size_t row);
  const ImportResult& result() const { return result_; }

 private:
  bool insert(std::size_t row);
  bool update(std::size_t row, std::int64_t id);
  bool add_change(std::int64_t contact, bool created);
  // The value in the batch is the one that the found row has.
  bool same(std::size_t field, std::size_t row) const;

  SqliteConnection& connection_;
  const ContactBatch& batch_;
  ImportResult result_;
  std::vector<std::string_view> changed_;
  std::string what_;
  Statement* find_ = nullptr;
  Statement* insert_ = nullptr;
  Statement* update_ = nullptr;
  Statement* change_ = nullptr;
};

base::Result<void> Import::prepare() {
  std::string names;
  std::string numbers;
  std::string settings;
  for (std::size_t i = 0; i < batch_.fields.size(); ++i) {
    const std::string column = sql::quoted(batch_.fields[i].column);
    const std::string number = "?" + std::to_string(i + 3);
    names += ", " + column;
    numbers += ", " + number;
    settings += ", " + column;
    settings += " = " + number;
  }
  TRY(find_, connection_.cached("select c.id" + column_list(batch_.fields) +
                                " from contact c where c.key = ?1"));
  TRY(insert_, connection_.cached("insert into contact (key, created_at, updated_at" + names +
                                  ") values (?1, ?2, ?2" + numbers + ")"));
  TRY(update_,
      connection_.cached("update contact set updated_at = ?2" + settings + " where id = ?1"));
  TRY(change_, connection_.cached("insert into change (contact_id, track_id, created, what, at) "
                                  "values (?1, ?2, ?3, ?4, ?5)"));
  const std::int64_t now = connection_.database().now().us;
  insert_->bind(2, now);
  update_->bind(2, now);
  change_->bind(2, kNoTrack);
  change_->bind(5, now);
  connection_.count_statements(4);
  return base::ok();
}

bool Import::same(std::size_t field, std::size_t row) const {
  const track::Column& column = batch_.columns[field];
  const int at = static_cast<int>(field) + 1;
  const bool there = !find_->is_null(at);
  if (there != (column.present[row] != 0)) {
    return false;
  }
  if (!there) {
    return true;
  }
  switch (column.type) {
    case track::Type::kText:
      return find_->text(at) == column.text[row];
    case track::Type::kNumber:
      return sqlite3_column_double(find_->get(), at) == column.number[row];
    case track::Type::kBoolean:
      return (find_->integer(at) != 0) == (column.boolean[row] != 0);
    case track::Type::kTimestamp:
    case track::Type::kDate:
      return find_->integer(at) == column.time[row];
    case track::Type::kUntyped:
      break;
  }
  CHECK(column.type != track::Type::kUntyped);
  return false;
}

bool Import::write(std::size_t row) {
  find_->bind(1, std::string_view(batch_.key[row]));
  const int rc = find_->step();
  std::int64_t id = 0;
  changed_.clear();
  if (rc == SQLITE_ROW) {
    id = find_->integer(0);
    for (std::size_t i = 0; i < batch_.fields.size(); ++i) {
      if (!same(i, row)) {
        changed_.emplace_back(batch_.fields[i].name);
      }
    }
  }
  find_->reset();
  if (rc == SQLITE_DONE) {
    return insert(row);
  }
  return rc == SQLITE_ROW && update(row, id);
}

bool Import::insert(std::size_t row) {
  insert_->bind(1, std::string_view(batch_.key[row]));
  for (std::size_t i = 0; i < batch_.fields.size(); ++i) {
    bind_value(*insert_, static_cast<int>(i) + 3, batch_.columns[i], row);
    if (batch_.columns[i].present[row] != 0) {
      changed_.emplace_back(batch_.fields[i].name);
    }
  }
  ++result_.inserted;
  return insert_->run() &&
         add_change(sqlite3_last_insert_rowid(connection_.database().get()), true);
}

bool Import::update(std::size_t row, std::int64_t id) {
  if (changed_.empty()) {
    ++result_.unchanged;
    return true;
  }
  update_->bind(1, id);
  for (std::size_t i = 0; i < batch_.fields.size(); ++i) {
    bind_value(*update_, static_cast<int>(i) + 3, batch_.columns[i], row);
  }
  ++result_.updated;
  return update_->run() && add_change(id, false);
}

bool Import::add_change(std::int64_t contact, bool created) {
  sql::change_json(changed_, {}, {}, what_);
  change_->bind(1, contact);
  change_->bind(3, static_cast<std::int64_t>(created ? 1 : 0));
  change_->bind(4, std::string_view(what_));
  return change_->run();
}

}  // namespace

base::Result<ImportResult> SqliteSession::import_contacts(const ContactBatch& batch) {
  TRYV(sql::check_batch(batch));
  Database& db = sqlite_.database();
  sqlite_.make_room();
  const std::vector<std::uint8_t> counts = sql::last_of_each_key(batch);
  Import import(sqlite_, batch);
  const RollbackUnlessEnded guard(db);
  TRYV(sqlite_.begin(sql::TransactionMode::kWrite));
  TRYV(import.prepare());
  for (std::size_t row = 0; row < batch.key.size(); ++row) {
    if (counts[row] != 0 && !import.write(row)) {
      return failed(db);
    }
  }
  TRYV(sqlite_.commit());
  return import.result();
}

}  // namespace turnout::store::sqlite
