#include <algorithm>

#include "base/check.h"
#include "store/postgres/reads.h"
#include "store/postgres/session.h"
#include "store/postgres/statement.h"

namespace turnout::store::postgres {

namespace {

using base::Result;
using track::ContactBlock;

// The answer's rows in the order of their first column. The nested loops give them so already.
std::vector<int> rows_in_order(const Answer& answer) {
  std::vector<int> rows(static_cast<std::size_t>(answer.rows()));
  for (int r = 0; r < answer.rows(); ++r) {
    rows[static_cast<std::size_t>(r)] = r;
  }
  const auto before = [&](int a, int b) { return answer.int4(a, 0) < answer.int4(b, 0); };
  if (!std::is_sorted(rows.begin(), rows.end(), before)) {
    std::sort(rows.begin(), rows.end(), before);
  }
  return rows;
}

// A block of contacts that are on no track: the positions' columns stay zero.
ContactBlock contacts_of(const Answer& answer, const std::vector<int>& rows, base::Instant now,
                         const ReadColumns& columns) {
  ContactBlock block;
  const std::size_t n = rows.size();
  columns.begin(block, n);
  block.now = now;
  block.contact.reserve(n);
  for (const int row : rows) {
    block.contact.emplace_back(answer.int8(row, 1));
    columns.read(answer, row, 3, block);
  }
  block.entry.assign(n, 0);
  block.move_no.assign(n, 0);
  block.step.assign(n, 0);
  block.version.assign(n, 0);
  block.heard.assign(n, 0);
  block.state.assign(n, track::PositionState::kOpen);
  block.entered_at.assign(n, base::Instant{});
  block.step_at.assign(n, base::Instant{});
  block.due_at.assign(n, track::kNever);
  block.stayed.assign(n, 0);
  return block;
}

// The places of a position's columns in an answer, from `first` on, as kPositionColumns names them.
constexpr const char* kPositionColumns =
    "p.version, p.step, p.state, p.heard, p.stayed, p.entered_at, p.step_at, p.due_at";
constexpr int kPositionColumnCount = 8;

void read_position(const Answer& answer, int row, int first, ContactBlock& out) {
  out.version.push_back(answer.int4(row, first));
  out.step.push_back(answer.int4(row, first + 1));
  out.state.push_back(static_cast<track::PositionState>(answer.int2(row, first + 2)));
  out.heard.push_back(answer.int8(row, first + 3));
  out.stayed.push_back(static_cast<std::uint64_t>(answer.int8(row, first + 4)));
  out.entered_at.push_back(answer.instant(row, first + 5));
  out.step_at.push_back(answer.instant(row, first + 6));
  out.due_at.push_back(answer.instant(row, first + 7));
}

void read_item(const BlockItem& item, ContactBlock& out) {
  out.contact.push_back(item.contact);
  out.entry.push_back(item.entry);
  out.move_no.push_back(item.move_no);
}

// The order in which rows are locked, too.
bool by_contact(const BlockItem& a, const BlockItem& b) {
  return a.contact != b.contact ? a.contact < b.contact : a.entry < b.entry;
}

// Contacts from `first` to `last`.
struct Range {
  base::ContactId first;
  base::ContactId last;
};

// The ranges in which the items stand, when they are so near to each other that reading these once
// through each table costs less than looking each item up; none otherwise. A block is cut by due
// time, so it has the neighbours of one earlier block or of a few. All items must be of one entry
// and in the order of their contacts.
std::vector<Range> ranges_of(const std::vector<BlockItem>& items) {
  constexpr std::size_t kFewest = 16;  // items in a range, on average
  constexpr std::int64_t kGap = 4;     // a row of a range costs about a fifth of a look-up
  std::vector<Range> ranges;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const base::ContactId contact = items[i].contact;
    if (i > 0 && (contact <= items[i - 1].contact || items[i].entry != items[0].entry)) {
      return {};
    }
    if (i == 0 || contact.get() - items[i - 1].contact.get() > kGap) {
      ranges.push_back({contact, contact});
    }
    ranges.back().last = contact;
  }
  return ranges.size() * kFewest <= items.size() ? ranges : std::vector<Range>{};
}

// One statement, so that positions and contacts are of one snapshot; each of its two rows' kinds
// leaves the other's columns null. Column 0 is the contact, column 1 the move number, null in a
// contact's row. LATERAL with OFFSET 0 leaves no other way than by each range through the key.
Statement range_statement(base::TrackId track, std::int32_t entry, const std::vector<Range>& ranges,
                          const ReadColumns& columns) {
  Statement s;
  const std::size_t n = ranges.size();
  s.params.add(track.get());
  s.params.add(entry);
  s.params.add_int8s(n, [&](std::size_t i) { return ranges[i].first.get(); });
  s.params.add_int8s(n, [&](std::size_t i) { return ranges[i].last.get(); });
  s.text = std::string("select p.contact_id, p.move_no, now(), ") + kPositionColumns +
           columns.nulls() +
           " from unnest($3::bigint[], $4::bigint[]) r(first, last) cross join lateral"
           " (select * from position where track_id = $1 and entry = $2"
           " and contact_id between r.first and r.last offset 0) p"
           " union all select c.id, null, now()";
  for (int i = 0; i < kPositionColumnCount; ++i) {
    s.text += ", null";
  }
  columns.select(s, s.text);
  s.text +=
      " from unnest($3::bigint[], $4::bigint[]) r(first, last) cross join lateral"
      " (select * from contact where id between r.first and r.last offset 0) c";
  return s;
}

// The answer's rows by contact: those of positions (or, `positions` false, of contacts).
std::vector<int> rows_by_contact(const Answer& answer, bool positions) {
  std::vector<int> rows;
  rows.reserve(static_cast<std::size_t>(answer.rows()) / 2 + 1);
  for (int r = 0; r < answer.rows(); ++r) {
    if (answer.is_null(r, 1) != positions) {
      rows.push_back(r);
    }
  }
  const auto before = [&](int a, int b) { return answer.int8(a, 0) < answer.int8(b, 0); };
  if (!std::is_sorted(rows.begin(), rows.end(), before)) {
    std::sort(rows.begin(), rows.end(), before);
  }
  return rows;
}

// Takes the items' rows out of what range_statement has read.
void read_range(const Answer& answer, const std::vector<BlockItem>& items,
                const ReadColumns& columns, ContactBlock& out) {
  const std::vector<int> positions = rows_by_contact(answer, true);
  const std::vector<int> contacts = rows_by_contact(answer, false);
  const auto row_of = [&](const std::vector<int>& rows, std::size_t& at, const BlockItem& item) {
    while (at < rows.size() && answer.int8(rows[at], 0) < item.contact.get()) {
      ++at;
    }
    const bool found = at < rows.size() && answer.int8(rows[at], 0) == item.contact.get();
    return found ? rows[at] : -1;
  };
  std::size_t p = 0;
  std::size_t c = 0;
  for (const BlockItem& item : items) {
    const int position = row_of(positions, p, item);
    const int contact = row_of(contacts, c, item);
    if (position < 0 || contact < 0 || answer.int4(position, 1) != item.move_no) {
      continue;
    }
    read_item(item, out);
    read_position(answer, position, 3, out);
    columns.read(answer, contact, 3 + kPositionColumnCount, out);
  }
}

// Looks each of the items up.
Statement items_statement(base::TrackId track, const std::vector<BlockItem>& items,
                          const ReadColumns& columns) {
  Statement s;
  const std::size_t n = items.size();
  s.params.add(track.get());
  s.params.add_int8s(n, [&](std::size_t i) { return items[i].contact.get(); });
  s.params.add_int4s(n, [&](std::size_t i) { return items[i].entry; });
  s.params.add_int4s(n, [&](std::size_t i) { return items[i].move_no; });
  s.params.add(static_cast<std::int32_t>(n));
  s.text = std::string("select n.i, 0, now(), ") + kPositionColumns;
  columns.select(s, s.text);
  // OFFSET 0 keeps n's columns opaque, so that position and contact are the inner sides of loops.
  s.text +=
      " from (select $1::integer as track_id, i, ($2::bigint[])[i] as contact_id,"
      " ($3::integer[])[i] as entry, ($4::integer[])[i] as move_no"
      " from generate_series(1, $5::integer) as i offset 0) n"
      " join position p on p.track_id = n.track_id and p.contact_id = n.contact_id"
      " and p.entry = n.entry and p.move_no = n.move_no join contact c on c.id = n.contact_id";
  return s;
}

}  // namespace

Result<void> PgSession::load(base::TrackId track, const std::vector<BlockItem>& items,
                             const Reads& reads, ContactBlock& out) {
  std::vector<BlockItem> sorted = items;
  if (!std::is_sorted(sorted.begin(), sorted.end(), by_contact)) {
    std::sort(sorted.begin(), sorted.end(), by_contact);
  }
  const ReadColumns columns(reads, true);
  const std::vector<Range> ranges = columns.of_entries() ? std::vector<Range>() : ranges_of(sorted);
  const bool range = !ranges.empty();
  const Statement s = range ? range_statement(track, sorted.front().entry, ranges, columns)
                            : items_statement(track, sorted, columns);
  TRY(const Answer answer, run_again(s.text, s.params));
  columns.begin(out, items.size());
  if (answer.rows() == 0) {
    TRY(out.now, connection_.now());
    return base::ok();
  }
  out.now = answer.instant(0, 2);
  if (range) {
    read_range(answer, sorted, columns, out);
    return base::ok();
  }
  for (const int row : rows_in_order(answer)) {
    read_item(sorted[static_cast<std::size_t>(answer.int4(row, 0)) - 1], out);
    read_position(answer, row, 3, out);
    columns.read(answer, row, 3 + kPositionColumnCount, out);
  }
  return base::ok();
}

Result<ContactBlock> PgSession::load_contacts(base::ContactId after, int limit,
                                              const Reads& reads) {
  CHECK(limit > 0);
  const ReadColumns columns(reads, false);
  Statement s;
  s.params.add(after.get());
  s.params.add(static_cast<std::int64_t>(limit));
  s.text = "select 1, c.id, now()";
  columns.select(s, s.text);
  s.text += " from contact c where c.id > $1 and c.merged_into is null order by c.id limit $2";
  TRY(const Answer answer, run_again(s.text, s.params));
  std::vector<int> rows(static_cast<std::size_t>(answer.rows()));
  for (int r = 0; r < answer.rows(); ++r) {
    rows[static_cast<std::size_t>(r)] = r;
  }
  base::Instant now;
  if (rows.empty()) {
    TRY(now, connection_.now());
  } else {
    now = answer.instant(0, 2);
  }
  return contacts_of(answer, rows, now, columns);
}

Result<ContactBlock> PgSession::load_these(const std::vector<base::ContactId>& contacts,
                                           const Reads& reads) {
  const ReadColumns columns(reads, false);
  Statement s;
  s.params.add_int8s(contacts.size(), [&](std::size_t i) { return contacts[i].get(); });
  s.params.add(static_cast<std::int32_t>(contacts.size()));
  s.text = "select n.i, c.id, now()";
  columns.select(s, s.text);
  s.text +=
      " from (select i, ($1::bigint[])[i] as contact_id from generate_series(1, $2::integer) as i"
      " offset 0) n join contact c on c.id = n.contact_id where c.merged_into is null";
  TRY(const Answer answer, run_again(s.text, s.params));
  const std::vector<int> rows = rows_in_order(answer);
  base::Instant now;
  if (rows.empty()) {
    TRY(now, connection_.now());
  } else {
    now = answer.instant(0, 2);
  }
  return contacts_of(answer, rows, now, columns);
}

Result<std::vector<PositionRow>> PgSession::positions(
    base::TrackId track, const std::vector<base::ContactId>& contacts) {
  Params params;
  params.add(track.get());
  params.add_int8s(contacts.size(), [&](std::size_t i) { return contacts[i].get(); });
  params.add(static_cast<std::int32_t>(contacts.size()));
  TRY(const Answer answer,
      run_again("select p.contact_id, p.entry, p.move_no, p.step, p.state, p.stayed,"
                " coalesce(p.due_at <= clock_timestamp(), false)"
                " from (select $1::integer as track_id, ($2::bigint[])[i] as contact_id"
                " from generate_series(1, $3::integer) as i offset 0) n"
                " join position p on p.track_id = n.track_id and p.contact_id = n.contact_id"
                " where p.state <> 2",
                params));
  std::vector<PositionRow> rows(static_cast<std::size_t>(answer.rows()));
  for (int r = 0; r < answer.rows(); ++r) {
    PositionRow& row = rows[static_cast<std::size_t>(r)];
    row.contact = base::ContactId(answer.int8(r, 0));
    row.entry = answer.int4(r, 1);
    row.move_no = answer.int4(r, 2);
    row.step = answer.int4(r, 3);
    row.state = static_cast<track::PositionState>(answer.int2(r, 4));
    row.stayed = static_cast<std::uint64_t>(answer.int8(r, 5));
    row.due = answer.boolean(r, 6);
  }
  return rows;
}

Result<std::vector<DueItem>> PgSession::due(base::TrackId track, const DueCursor& from,
                                            base::Instant until, int limit) {
  CHECK(limit > 0);
  Params params;
  params.add(track.get());
  params.add(from.due);
  params.add(from.contact.get());
  params.add(from.entry);
  params.add(until);
  params.add(static_cast<std::int64_t>(limit));
  TRY(const Answer answer,
      run_again("select due_at, contact_id, entry, move_no from timer where track_id = $1"
                " and (due_at, contact_id, entry) > ($2, $3, $4) and due_at <= $5"
                " order by due_at, contact_id, entry limit $6",
                params));
  std::vector<DueItem> items(static_cast<std::size_t>(answer.rows()));
  for (int r = 0; r < answer.rows(); ++r) {
    DueItem& item = items[static_cast<std::size_t>(r)];
    item.due = answer.instant(r, 0);
    item.contact = base::ContactId(answer.int8(r, 1));
    item.entry = answer.int4(r, 2);
    item.move_no = answer.int4(r, 3);
  }
  return items;
}

Result<base::Instant> PgSession::next_due(base::TrackId track) {
  Params params;
  params.add(track.get());
  TRY(const Answer answer,
      run_again("select due_at from timer where track_id = $1 order by due_at limit 1", params));
  return answer.rows() == 0 ? track::kNever : answer.instant(0, 0);
}

}  // namespace turnout::store::postgres
