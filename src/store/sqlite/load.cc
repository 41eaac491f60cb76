// Reading what a block needs: positions and their contacts' columns.

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"
#include "store/sqlite/reads.h"
#include "store/sqlite/session.h"

namespace turnout::store::sqlite {

namespace {

// Neighbours are read by one scan over the range of their ids when at least one in this many
// contacts of the range is asked for, and else by a lookup each: a step of a scan costs a quarter
// of a lookup.
constexpr std::int64_t kScanAtLeastOneIn = 4;
constexpr std::size_t kSmallestScan = 16;

constexpr const char* kPositionColumns =
    "p.contact_id, p.entry, p.move_no, p.step, p.version, p.heard, p.state, p.entered_at, "
    "p.step_at, p.due_at, p.stayed";
constexpr int kFirstField = 11;

void append_position(track::ContactBlock& out, const Statement& row) {
  out.contact.emplace_back(row.integer(0));
  out.entry.push_back(row.integer32(1));
  out.move_no.push_back(row.integer32(2));
  out.step.push_back(row.integer32(3));
  out.version.push_back(row.integer32(4));
  out.heard.push_back(row.integer(5));
  out.state.push_back(static_cast<track::PositionState>(row.integer32(6)));
  out.entered_at.push_back(row.time(7));
  out.step_at.push_back(row.time(8));
  out.due_at.push_back(row.time(9));
  out.stayed.push_back(static_cast<std::uint64_t>(row.integer(10)));
}

class BlockReader {
 public:
  BlockReader(track::ContactBlock& out, ContactReader contacts)
      : out_(out), contacts_(std::move(contacts)) {}

  bool append(const Statement& row) {
    append_position(out_, row);
    return contacts_.append(row, kFirstField);
  }

 private:
  track::ContactBlock& out_;
  ContactReader contacts_;
};

bool before(const BlockItem& item, const Statement& row) {
  const std::int64_t contact = row.integer(0);
  return item.contact.get() != contact ? item.contact.get() < contact
                                       : item.entry < row.integer32(1);
}

// Items [begin, end), which ascend, against the scan's rows.
bool merge(Statement& scan, const std::vector<BlockItem>& items, std::size_t begin, std::size_t end,
           BlockReader& reader) {
  scan.bind(2, items[begin].contact.get());
  scan.bind(3, items[end - 1].contact.get());
  std::size_t next = begin;
  int rc = scan.step();
  for (; rc == SQLITE_ROW && next < end; rc = scan.step()) {
    while (next < end && before(items[next], scan)) {
      ++next;  // it is not there any more
    }
    if (next < end && items[next].contact.get() == scan.integer(0) &&
        items[next].entry == scan.integer32(1)) {
      if (items[next].move_no == scan.integer32(2) && !reader.append(scan)) {
        rc = SQLITE_ERROR;
        break;
      }
      ++next;
    }
  }
  scan.reset();
  return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

bool look_up(Statement& lookup, const BlockItem& item, BlockReader& reader) {
  lookup.bind(2, item.contact.get());
  lookup.bind(3, static_cast<std::int64_t>(item.entry));
  lookup.bind(4, static_cast<std::int64_t>(item.move_no));
  const int rc = lookup.step();
  const bool read = rc == SQLITE_ROW ? reader.append(lookup) : rc == SQLITE_DONE;
  lookup.reset();
  return read;
}

// The end of the longest run from `begin` that ascends and is dense enough to be scanned.
std::size_t end_of_run(const std::vector<BlockItem>& items, std::size_t begin) {
  std::size_t end = begin + 1;
  while (end < items.size()) {
    const BlockItem& last = items[end - 1];
    const BlockItem& item = items[end];
    const bool ascends =
        last.contact < item.contact || (last.contact == item.contact && last.entry < item.entry);
    const auto gap = item.contact.get() - last.contact.get();
    if (!ascends || gap > kScanAtLeastOneIn * static_cast<std::int64_t>(kSmallestScan)) {
      break;
    }
    const auto span = item.contact.get() - items[begin].contact.get() + 1;
    if (end - begin >= kSmallestScan &&
        span > kScanAtLeastOneIn * static_cast<std::int64_t>(end - begin + 1)) {
      break;
    }
    ++end;
  }
  return end;
}

bool worth_a_scan(const std::vector<BlockItem>& items, std::size_t begin, std::size_t end) {
  const auto span = items[end - 1].contact.get() - items[begin].contact.get() + 1;
  return end - begin >= kSmallestScan &&
         span <= kScanAtLeastOneIn * static_cast<std::int64_t>(end - begin);
}

}  // namespace

base::Result<void> SqliteSession::load(base::TrackId track, const std::vector<BlockItem>& items,
                                       const Reads& reads, track::ContactBlock& out) {
  Database& db = sqlite_.database();
  sqlite_.make_room();
  // `cross join` fixes the order: the positions first, then each one's contact by its row number.
  const std::string select =
      std::string("select ") + kPositionColumns + ContactReader::column_list(reads) +
      " from position p cross join contact c on c.id = p.contact_id where p.track_id = ?1 ";
  TRY(Statement * scan,
      sqlite_.cached(select + "and p.contact_id between ?2 and ?3 order by p.contact_id, p.entry"));
  TRY(Statement * lookup,
      sqlite_.cached(select + "and p.contact_id = ?2 and p.entry = ?3 and p.move_no = ?4"));
  TRY(ContactReader contacts, ContactReader::make(sqlite_, track, reads, out));
  BlockReader reader(out, std::move(contacts));
  sqlite_.count_statements(2);

  const RollbackUnlessEnded guard(db);
  TRYV(db.begin_read());
  out.now = db.now();
  scan->bind(1, static_cast<std::int64_t>(track.get()));
  lookup->bind(1, static_cast<std::int64_t>(track.get()));
  for (std::size_t begin = 0; begin < items.size();) {
    const std::size_t end = end_of_run(items, begin);
    bool read = true;
    if (worth_a_scan(items, begin, end)) {
      read = merge(*scan, items, begin, end, reader);
    } else {
      for (std::size_t i = begin; i < end && read; ++i) {
        read = look_up(*lookup, items[i], reader);
      }
    }
    if (!read) {
      return failed(db);
    }
    begin = end;
  }
  return db.end();
}

namespace {

// A contact without a position.
bool append_contact(track::ContactBlock& block, const Statement& row, ContactReader& contacts) {
  block.contact.emplace_back(row.integer(0));
  block.entry.push_back(0);
  block.move_no.push_back(0);
  block.step.push_back(0);
  block.version.push_back(0);
  block.heard.push_back(0);
  block.state.push_back(track::PositionState::kOpen);
  block.entered_at.push_back(base::Instant{0});
  block.step_at.push_back(base::Instant{0});
  block.due_at.push_back(track::kNever);
  block.stayed.push_back(0);
  return contacts.append(row, 1);
}

}  // namespace

base::Result<track::ContactBlock> SqliteSession::load_contacts(base::ContactId after, int limit,
                                                               const Reads& reads) {
  track::ContactBlock block;
  Database& db = sqlite_.database();
  sqlite_.make_room();
  TRY(Statement * select,
      sqlite_.cached(
          "select c.id" + ContactReader::column_list(reads) +
          " from contact c where c.id > ?1 and c.merged_into is null order by c.id limit ?2"));
  TRY(ContactReader reader, ContactReader::make(sqlite_, base::TrackId(0), reads, block));
  sqlite_.count_statements(1);
  const RollbackUnlessEnded guard(db);
  TRYV(db.begin_read());
  block.now = db.now();
  select->bind(1, after.get());
  select->bind(2, static_cast<std::int64_t>(limit));
  int rc = select->step();
  while (rc == SQLITE_ROW && append_contact(block, *select, reader)) {
    rc = select->step();
  }
  select->reset();
  if (rc != SQLITE_DONE) {
    return failed(db);
  }
  TRYV(db.end());
  return block;
}

base::Result<track::ContactBlock> SqliteSession::load_these(
    const std::vector<base::ContactId>& contacts, const Reads& reads) {
  track::ContactBlock block;
  Database& db = sqlite_.database();
  sqlite_.make_room();
  TRY(Statement * select,
      sqlite_.cached("select c.id" + ContactReader::column_list(reads) +
                     " from contact c where c.id = ?1 and c.merged_into is null"));
  TRY(ContactReader reader, ContactReader::make(sqlite_, base::TrackId(0), reads, block));
  sqlite_.count_statements(1);
  const RollbackUnlessEnded guard(db);
  TRYV(db.begin_read());
  block.now = db.now();
  for (const base::ContactId contact : contacts) {
    select->bind(1, contact.get());
    const int rc = select->step();
    const bool read = rc == SQLITE_ROW ? append_contact(block, *select, reader) : rc == SQLITE_DONE;
    select->reset();
    if (!read) {
      return failed(db);
    }
  }
  TRYV(db.end());
  return block;
}

}  // namespace turnout::store::sqlite
