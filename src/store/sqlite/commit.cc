// Writing a block. Every row costs one UPDATE of its position (the compare-and-set), and where it
// moved the rows that say so, each by a statement prepared once and bound to the block's own
// memory.

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/mutant.h"
#include "store/sql/change.h"
#include "store/sql/fields.h"
#include "store/sql/ledger.h"
#include "store/sqlite/session.h"

namespace turnout::store::sqlite {

namespace {

using Written = track::BlockOutcome::Written;

constexpr const char* kPosition =
    "update position set step = ?1, state = ?2, move_no = ?3, step_at = ?4, due_at = ?5, stayed = "
    "?6, version = ?7, heard = ?14 "
    "where track_id = ?8 and contact_id = ?9 and entry = ?10 and move_no = ?11 and heard = ?12 and "
    "due_at is ?13 and "
    "state <> 2";

// kPosition, or one that compares too little.
const std::string& position_sql() {
  static const std::string text = [] {
    std::string sql = kPosition;
    const auto leave_out = [&](base::Mutant mutant, std::string_view condition,
                               std::string_view rest) {
      if (base::planted(mutant)) {
        sql.replace(sql.find(condition), condition.size(), rest);
      }
    };
    leave_out(base::Mutant::kMoveNumberNotCompared, "move_no = ?11", "?11 is not null");
    leave_out(base::Mutant::kHeardNotCompared, "heard = ?12", "?12 is not null");
    leave_out(base::Mutant::kDueTimeNotCompared, "due_at is ?13", "(due_at is ?13 or true)");
    return sql;
  }();
  return text;
}

constexpr const char* kData =
    "update position set entry_data = ?1 where track_id = ?2 and contact_id = ?3 and entry = ?4";
constexpr const char* kDropTimer =
    "delete from timer where track_id = ?1 and due_at = ?2 and contact_id = ?3 and entry = ?4";
constexpr const char* kAddTimer =
    "insert into timer (track_id, due_at, contact_id, entry, move_no) values (?1, ?2, ?3, ?4, ?5)";
constexpr const char* kJournal =
    "insert into journal (track_id, contact_id, entry, from_move, to_move, version, at, peer, "
    "incarnation, path, seen) "
    "values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
constexpr const char* kOutbox =
    "insert into outbox (track_id, contact_id, entry, move_no, action_no, kind, name, version, "
    "asked_at, due_at, payload) "
    "values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10)";
constexpr const char* kWithdraw =
    "update outbox set state = 5 where track_id = ?1 and contact_id = ?2 and entry = ?3 and "
    "state = 0 and kind not in (3, 5, 6)";  // track::is_recorded
static_assert(static_cast<int>(OutboxState::kWithdrawn) == 5);
constexpr const char* kAddTag =
    "insert or ignore into contact_tag (contact_id, tag, at) values (?1, ?2, ?3)";
constexpr const char* kDropTag = "delete from contact_tag where contact_id = ?1 and tag = ?2";
constexpr const char* kChange =
    "insert into change (contact_id, track_id, what, at) values (?1, ?2, ?3, ?4)";
constexpr const char* kTally =
    "insert into tally (track_id, version, step, rule, connection, times) values (?1, ?2, ?3, ?4, "
    "?5, ?6) "
    "on conflict do update set times = times + excluded.times";

std::int64_t wide(std::int32_t number) { return number; }

// Changes nothing where the value is the same already.
std::string set_field_sql(const std::string& column) {
  std::string sql = "update contact set ";
  sql += column;
  sql += " = ?1, updated_at = ?2 where id = ?3 and ";
  sql += column;
  sql += " is not ?1";
  return sql;
}

std::string add_to_field_sql(const std::string& column) {
  std::string sql = "update contact set ";
  sql += column;
  sql += " = coalesce(";
  sql += column;
  sql += ", 0) + ?1, updated_at = ?2 where id = ?3 and (?1 <> 0 or ";
  sql += column;
  sql += " is null)";
  return sql;
}

class BlockWriter {
 public:
  BlockWriter(SqliteConnection& connection, const Commit& commit)
      : connection_(connection),
        db_(connection.database()),
        commit_(commit),
        before_(*commit.before),
        after_(*commit.after),
        moved_(after_.shapes.size(), 0) {}

  base::Result<void> prepare();
  // Whom the feed is to tell of moves.
  base::Result<void> tell(Watched watched);
  base::Result<void> write();
  CommitResult& result() { return result_; }

 private:
  bool write_row(std::size_t row);
  bool set_position(std::size_t row, const track::Shape& shape, base::Instant due);
  bool set_data(std::size_t row);
  bool set_timer(std::size_t row, const track::Shape& shape, base::Instant due);
  bool add_journal(std::size_t row, const track::Shape& shape);
  bool add_actions(std::size_t row, const track::Shape& shape);
  bool touches_contact(std::size_t row, const track::Shape& shape) const;
  bool is_told(const track::Shape& shape) const;
  bool change_contacts();
  bool change_contact(std::size_t begin, std::size_t end);
  bool write_fields(std::size_t begin, std::size_t end);
  bool withdraw(std::size_t row);
  bool write_tags(std::size_t begin, std::size_t end);
  bool add_tally();

  const track::Shape& shape(std::size_t row) const { return after_.shape_of(row); }

  SqliteConnection& connection_;
  Database& db_;
  const Commit& commit_;
  const track::ContactBlock& before_;
  const track::BlockOutcome& after_;
  CommitResult result_;
  std::vector<std::int64_t> moved_;      // per shape: rows that moved that way
  std::vector<std::uint32_t> touching_;  // rows that moved and change their contact or are told
  Watched watched_ = Watched::kNot;
  std::string track_name_;  // where it is watched
  std::vector<std::string_view> payloads_;
  std::vector<std::string_view> changed_fields_;
  std::vector<std::string_view> changed_tags_;
  std::vector<std::string_view> changed_places_;
  std::string what_;

  Statement* position_ = nullptr;
  Statement* data_ = nullptr;
  Statement* drop_timer_ = nullptr;
  Statement* add_timer_ = nullptr;
  Statement* journal_ = nullptr;
  Statement* outbox_ = nullptr;
  Statement* add_tag_ = nullptr;
  Statement* drop_tag_ = nullptr;
  Statement* change_ = nullptr;
  Statement* tally_ = nullptr;
  Statement* withdraw_ = nullptr;
  std::vector<Statement*> field_;   // parallel to after_.writes
  std::vector<Statement*> to_add_;  // the same, where something is to be added
};

base::Result<void> BlockWriter::prepare() {
  TRY(position_, connection_.cached(position_sql()));
  TRY(data_, connection_.cached(kData));
  TRY(drop_timer_, connection_.cached(kDropTimer));
  TRY(add_timer_, connection_.cached(kAddTimer));
  TRY(journal_, connection_.cached(kJournal));
  TRY(outbox_, connection_.cached(kOutbox));
  TRY(add_tag_, connection_.cached(kAddTag));
  TRY(drop_tag_, connection_.cached(kDropTag));
  TRY(change_, connection_.cached(kChange));
  TRY(tally_, connection_.cached(kTally));
  for (const auto& write : after_.writes) {
    const std::string column = sql::quoted((*commit_.fields)[write.field].column);
    TRY(Statement * statement, connection_.cached(set_field_sql(column)));
    field_.push_back(statement);
    to_add_.push_back(nullptr);
    if (std::ranges::find(write.written, Written::kAdded) != write.written.end()) {
      TRY(to_add_.back(), connection_.cached(add_to_field_sql(column)));
    }
  }
  TRY(withdraw_, connection_.cached(kWithdraw));
  return base::ok();
}

base::Result<void> BlockWriter::write() {
  const std::int64_t track = commit_.fence.track.get();
  const std::int64_t version = commit_.version.get();
  const std::int64_t now = db_.now().us;
  for (Statement* statement : {drop_timer_, add_timer_, journal_, outbox_, tally_, withdraw_}) {
    statement->bind(1, track);
  }
  position_->bind(7, version);
  position_->bind(8, track);
  data_->bind(2, track);
  journal_->bind(6, version);
  journal_->bind(7, now);
  journal_->bind(8, std::string_view(commit_.peer.name.get()));
  journal_->bind(9, commit_.peer.incarnation.get());
  outbox_->bind(8, version);
  outbox_->bind(9, now);
  add_tag_->bind(3, now);
  change_->bind(2, track);
  change_->bind(4, now);
  for (const auto& statements : {field_, to_add_}) {
    for (Statement* statement : statements) {
      if (statement != nullptr) {
        statement->bind(2, now);
      }
    }
  }
  for (std::size_t row = 0; row < before_.rows(); ++row) {
    if (!write_row(row)) {
      return failed(db_);
    }
  }
  if (!change_contacts() || !add_tally()) {
    return failed(db_);
  }
  connection_.count_statements(static_cast<std::int64_t>(8 + field_.size()));
  return base::ok();
}

base::Result<void> BlockWriter::tell(Watched watched) {
  watched_ = watched;
  if (watched_ != Watched::kNot) {
    TRY(const sql::Rows name, connection_.query("select name from track where id = $1",
                                                {std::int64_t{commit_.fence.track.get()}}));
    track_name_ = name.text(0, 0);
  }
  return base::ok();
}

bool BlockWriter::write_row(std::size_t row) {
  const track::Shape& way = shape(row);
  const base::Instant due =
      way.state == track::PositionState::kStopped ? track::kNever : after_.due_at[row];
  if (!set_position(row, way, due)) {
    return false;
  }
  if (db_.changes() == 0) {
    result_.stale.push_back(static_cast<std::uint32_t>(row));
    return !base::planted(base::Mutant::kActionsOfUnmoved) || add_actions(row, way);
  }
  ++result_.positions;
  if (!set_data(row) || !set_timer(row, way, due)) {
    return false;
  }
  if (way.moves == 0) {
    return true;
  }
  ++moved_[static_cast<std::size_t>(after_.shape[row])];
  result_.moves += way.moves;
  if (touches_contact(row, way) || is_told(way)) {
    touching_.push_back(static_cast<std::uint32_t>(row));
  }
  return add_journal(row, way) && add_actions(row, way) && (!way.withdraws || withdraw(row));
}

// Those of this passage are in the outbox already.
bool BlockWriter::withdraw(std::size_t row) {
  withdraw_->bind(2, before_.contact[row].get());
  withdraw_->bind(3, wide(before_.entry[row]));
  return withdraw_->run();
}

bool BlockWriter::set_position(std::size_t row, const track::Shape& way, base::Instant due) {
  position_->bind(1, wide(way.moves == 0 ? before_.step[row] : way.step));
  position_->bind(2, static_cast<std::int64_t>(way.state));
  position_->bind(3, wide(before_.move_no[row]) + way.moves);
  position_->bind(4, after_.step_at[row].us);
  position_->bind_time(5, due);
  position_->bind(6, static_cast<std::int64_t>(after_.stayed[row]));
  position_->bind(9, before_.contact[row].get());
  position_->bind(10, wide(before_.entry[row]));
  position_->bind(11, wide(before_.move_no[row]));
  position_->bind(12, before_.heard[row]);
  position_->bind_time(13, before_.due_at[row]);
  position_->bind(14, track::heard_after(before_, after_, row));
  return position_->run();
}

bool BlockWriter::set_data(std::size_t row) {
  if (after_.data.empty() || (!before_.data.empty() && after_.data[row] == before_.data[row])) {
    return true;
  }
  if (after_.data[row].empty()) {
    data_->bind_null(1);
  } else {
    data_->bind(1, std::string_view(after_.data[row]));
  }
  data_->bind(3, before_.contact[row].get());
  data_->bind(4, wide(before_.entry[row]));
  return data_->run();
}

bool BlockWriter::set_timer(std::size_t row, const track::Shape& way, base::Instant due) {
  const base::Instant old = before_.due_at[row];
  if (old == due && way.moves == 0) {
    return true;
  }
  if (old != track::kNever && !base::planted(base::Mutant::kTimerLeftBehind)) {
    drop_timer_->bind(2, old.us);
    drop_timer_->bind(3, before_.contact[row].get());
    drop_timer_->bind(4, wide(before_.entry[row]));
    if (!drop_timer_->run()) {
      return false;
    }
  }
  if (due == track::kNever) {
    return true;
  }
  add_timer_->bind(2, due.us);
  add_timer_->bind(3, before_.contact[row].get());
  add_timer_->bind(4, wide(before_.entry[row]));
  add_timer_->bind(5, wide(before_.move_no[row]) + way.moves);
  return add_timer_->run();
}

bool BlockWriter::add_journal(std::size_t row, const track::Shape& way) {
  journal_->bind(2, before_.contact[row].get());
  journal_->bind(3, wide(before_.entry[row]));
  journal_->bind(4, wide(before_.move_no[row]) + 1);
  journal_->bind(5, wide(before_.move_no[row]) + way.moves);
  journal_->bind(10, std::string_view(way.path_json));
  journal_->bind(11, after_.seen[row]);
  return journal_->run();
}

bool BlockWriter::add_actions(std::size_t row, const track::Shape& way) {
  if (way.acts.empty()) {
    return true;
  }
  const std::string_view all = after_.payload[row];
  payloads_.clear();
  if (!all.empty()) {
    sql::split_json_array(all, payloads_);
    CHECK(payloads_.size() == way.acts.size());
  }
  outbox_->bind(2, before_.contact[row].get());
  outbox_->bind(3, wide(before_.entry[row]));
  for (std::size_t i = 0; i < way.acts.size(); ++i) {
    const track::Shape::Act& act = way.acts[i];
    outbox_->bind(4, wide(before_.move_no[row]) + act.move);
    outbox_->bind(5, static_cast<std::int64_t>(act.action_no));
    outbox_->bind(6, static_cast<std::int64_t>(act.kind));
    outbox_->bind(7, wide(act.name));
    if (act.has_payload && i < payloads_.size() && !payloads_[i].empty()) {
      outbox_->bind(10, payloads_[i]);
    } else {
      outbox_->bind_null(10);
    }
    if (!outbox_->run()) {
      return false;
    }
    ++result_.actions;
  }
  return true;
}

// -- Contacts
// ------------------------------------------------------------------------------------------------------------

bool BlockWriter::touches_contact(std::size_t row, const track::Shape& way) const {
  return !way.tags.empty() ||
         std::any_of(after_.writes.begin(), after_.writes.end(),
                     [&](const auto& write) { return write.written[row] != Written::kNot; });
}

bool BlockWriter::is_told(const track::Shape& way) const {
  if (base::planted(base::Mutant::kPlaceNotTold)) {
    return false;
  }
  return watched_ == Watched::kWhichStep ||
         (watched_ == Watched::kWhoIsOn && way.state == track::PositionState::kStopped);
}

// The effects of all entries of one contact are folded first, in the order of the rows, so that its
// change row says what became of it.
bool BlockWriter::change_contacts() {
  const auto contact = [&](std::uint32_t row) { return before_.contact[row]; };
  std::sort(touching_.begin(), touching_.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::pair(contact(a), a) < std::pair(contact(b), b);
  });
  for (std::size_t begin = 0; begin < touching_.size();) {
    std::size_t end = begin + 1;
    while (end < touching_.size() && contact(touching_[end]) == contact(touching_[begin])) {
      ++end;
    }
    if (!change_contact(begin, end)) {
      return false;
    }
    begin = end;
  }
  return true;
}

bool BlockWriter::change_contact(std::size_t begin, std::size_t end) {
  changed_fields_.clear();
  changed_tags_.clear();
  changed_places_.clear();
  if (!write_fields(begin, end) || !write_tags(begin, end)) {
    return false;
  }
  if (std::any_of(touching_.begin() + static_cast<std::ptrdiff_t>(begin),
                  touching_.begin() + static_cast<std::ptrdiff_t>(end),
                  [&](std::uint32_t row) { return is_told(shape(row)); })) {
    changed_places_.emplace_back(track_name_);
  }
  if (changed_fields_.empty() && changed_tags_.empty() && changed_places_.empty()) {
    return true;
  }
  sql::change_json(changed_fields_, changed_tags_, changed_places_, what_);
  change_->bind(1, before_.contact[touching_[begin]].get());
  change_->bind(3, std::string_view(what_));
  return change_->run();
}

// The last entry that sets a field, and those after it that add to it, are what counts.
bool BlockWriter::write_fields(std::size_t begin, std::size_t end) {
  for (std::size_t i = 0; i < after_.writes.size(); ++i) {
    const std::vector<Written>& written = after_.writes[i].written;
    std::size_t from = end;
    while (from > begin && written[touching_[from - 1]] != Written::kSet) {
      --from;
    }
    bool changed = false;
    for (std::size_t at = from > begin ? from - 1 : begin; at < end; ++at) {
      const std::uint32_t row = touching_[at];
      if (written[row] == Written::kNot) {
        continue;
      }
      Statement& statement = *(written[row] == Written::kSet ? field_ : to_add_)[i];
      bind_value(statement, 1, after_.writes[i].value, row);
      statement.bind(3, before_.contact[row].get());
      if (!statement.run()) {
        return false;
      }
      changed = changed || db_.changes() > 0;
    }
    if (changed) {
      changed_fields_.emplace_back((*commit_.fields)[after_.writes[i].field].name);
    }
  }
  return true;
}

bool BlockWriter::write_tags(std::size_t begin, std::size_t end) {
  const auto named_later = [&](std::size_t from, const std::string& tag) {
    return std::any_of(
        touching_.begin() + static_cast<std::ptrdiff_t>(from),
        touching_.begin() + static_cast<std::ptrdiff_t>(end), [&](std::uint32_t row) {
          const auto& tags = shape(row).tags;
          return std::any_of(tags.begin(), tags.end(), [&](const auto& t) { return t.tag == tag; });
        });
  };
  for (std::size_t at = begin; at < end; ++at) {
    for (const track::Shape::Tag& tag : shape(touching_[at]).tags) {
      if (named_later(at + 1, tag.tag)) {
        continue;
      }
      Statement* const statement = tag.add ? add_tag_ : drop_tag_;
      statement->bind(1, before_.contact[touching_[at]].get());
      statement->bind(2, std::string_view(tag.tag));
      if (!statement->run()) {
        return false;
      }
      if (db_.changes() > 0) {
        changed_tags_.emplace_back(tag.tag);
      }
    }
  }
  return true;
}

// -- Tally
// ---------------------------------------------------------------------------------------------------------------

bool BlockWriter::add_tally() {
  const std::map<std::pair<std::int32_t, std::int32_t>, std::int64_t> sums =
      sql::tally_of(after_.shapes, moved_);
  tally_->bind(2, static_cast<std::int64_t>(commit_.version.get()));
  tally_->bind(5, static_cast<std::int64_t>(commit_.connection));
  for (const auto& [at, times] : sums) {
    tally_->bind(3, wide(at.first));
    tally_->bind(4, wide(at.second));
    tally_->bind(6, times);
    if (!tally_->run()) {
      return false;
    }
  }
  return true;
}

}  // namespace

base::Result<CommitResult> SqliteSession::commit(const Commit& commit) {
  CHECK(commit.before != nullptr && commit.after != nullptr && commit.fields != nullptr);
  CHECK(commit.before->rows() == commit.after->rows());
  Database& db = sqlite_.database();
  sqlite_.make_room();
  BlockWriter writer(sqlite_, commit);
  TRYV(writer.prepare());
  const RollbackUnlessEnded guard(db);
  TRYV(sqlite_.begin(sql::TransactionMode::kWrite));
  TRY(const std::optional<Watched> watched, sql::held(sqlite_, commit.fence));
  if (!watched && !base::planted(base::Mutant::kFenceNotCompared)) {
    CommitResult result;
    result.fenced = true;
    return result;
  }
  TRYV(writer.tell(watched.value_or(Watched::kNot)));
  TRYV(writer.write());
  TRYV(sqlite_.commit());
  return std::move(writer.result());
}

}  // namespace turnout::store::sqlite
