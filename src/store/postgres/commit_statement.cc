#include "store/postgres/commit_statement.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "base/check.h"
#include "store/sql/fields.h"
#include "store/sql/places.h"
#include "store/sql/session.h"

namespace turnout::store::postgres {

namespace {

using track::BlockOutcome;
using track::ContactBlock;
using track::PositionState;
using track::Shape;

// Ranges of a list that belongs to the shapes: elements first(s) … last(s), 1-based, of all the
// shapes' lists one after another.
class Ranges {
 public:
  void add(std::size_t count) {
    from_.push_back(next_);
    next_ += static_cast<std::int32_t>(count);
    to_.push_back(next_ - 1);
  }
  bool empty() const { return next_ == 1; }
  const std::vector<std::int32_t>& from() const { return from_; }
  const std::vector<std::int32_t>& to() const { return to_; }

 private:
  std::vector<std::int32_t> from_;
  std::vector<std::int32_t> to_;
  std::int32_t next_ = 1;
};

class Builder {
 public:
  Builder(const Commit& commit, std::span<const std::uint32_t> rows)
      : commit_(commit), before_(*commit.before), after_(*commit.after), rows_(rows) {
    CHECK(!rows.empty() && before_.rows() == after_.rows());
    CHECK(after_.writes.empty() || commit.fields != nullptr);
  }

  Statement build() {
    bind_fence();
    fence();
    moved();
    timers();
    journal();
    outbox();
    withdraw();
    tags(true);
    tags(false);
    fields();
    places();
    tally();
    s_.text += " select exists(select from fence), case when count(*) < ";
    s_.params.add(static_cast<std::int64_t>(rows_.size()));
    s_.text += s_.last() + " then coalesce(array_agg(i), '{}') end from moved";
    return std::move(s_);
  }

 private:
  // $1 track, $2 timeline, $3 epoch, $4 version, $5 peer, $6 incarnation.
  void bind_fence() {
    s_.params.add(commit_.fence.track.get());
    s_.params.add(commit_.fence.timeline.get());
    s_.params.add(commit_.fence.epoch.get());
    s_.params.add(commit_.version.get());
    s_.params.add(std::string_view(commit_.peer.name.get()));
    s_.params.add(commit_.peer.incarnation.get());
  }

  void fence() {
    s_.text +=
        "with fence as materialized (select watched from ledger where track_id = $1 and timeline = "
        "$2"
        " and epoch = $3 and state = 0 for share)";
  }

  const Shape& shape_of(std::size_t i) const { return after_.shape_of(rows_[i]); }

  // Arrays per row of the block and per shape; gives the placeholder.
  template <class F>
  std::string int4s(std::size_t n, F value) {
    s_.params.add_int4s(n, value);
    return s_.last();
  }
  template <class F>
  std::string int8s(F value) {
    s_.params.add_int8s(rows_.size(), [&](std::size_t i) { return value(rows_[i]); });
    return s_.last();
  }
  template <class F>
  std::string instants(F value) {
    s_.params.add_instants(rows_.size(), [&](std::size_t i) { return value(rows_[i]); });
    return s_.last();
  }
  template <class F>
  std::string shape_int4s(F value) {
    return int4s(after_.shapes.size(), [&](std::size_t s) { return value(after_.shapes[s]); });
  }

  bool any_moves() const {
    for (const Shape& shape : after_.shapes) {
      if (shape.moves > 0) {
        return true;
      }
    }
    return false;
  }
  bool any_payload() const {
    for (const Shape& shape : after_.shapes) {
      for (const Shape::Act& act : shape.acts) {
        if (act.has_payload) {
          return true;
        }
      }
    }
    return false;
  }

  // The rows of the block: what is subscripted by the row's number, and the texts and the values
  // with nulls, which are unnested since finding their n-th element means walking to it.
  void input() {
    const std::size_t n = rows_.size();
    std::string unnested;
    std::string names;
    const auto unnest = [&](const std::string& name) {
      unnested += (unnested.empty() ? "" : ", ") + s_.last();
      names += name + ", ";
    };
    if (has_moves_) {
      s_.params.add_texts(n, [&](std::size_t i) { return after_.seen[rows_[i]]; });
      unnest("seen");
      s_.params.add_texts(n,
                          [&](std::size_t i) { return std::string_view(shape_of(i).path_json); });
      unnest("path");
    }
    if (has_payload_) {
      s_.params.add_texts(n, [&](std::size_t i) { return after_.payload[rows_[i]]; });
      unnest("payload");
    }
    if (!after_.data.empty()) {
      s_.params.add_texts(n,
                          [&](std::size_t i) { return std::string_view(after_.data[rows_[i]]); });
      unnest("data");
    }
    for (std::size_t w = 0; w < after_.writes.size(); ++w) {
      s_.params.add_column(after_.writes[w].value, n, [&](std::size_t i) { return rows_[i]; });
      unnest("v" + std::to_string(w));
    }
    s_.text += "select $1 as track_id, i::integer as i, ";
    column("contact_id", int8s([&](std::uint32_t r) { return before_.contact[r].get(); }),
           "bigint");
    column("entry", int4s(n, [&](std::size_t i) { return before_.entry[rows_[i]]; }), "integer");
    column("move_no", int4s(n, [&](std::size_t i) { return before_.move_no[rows_[i]]; }),
           "integer");
    column("heard", int8s([&](std::uint32_t r) { return before_.heard[r]; }), "bigint");
    column("new_heard",
           int8s([&](std::uint32_t r) { return track::heard_after(before_, after_, r); }),
           "bigint");
    column("old_due", instants([&](std::uint32_t r) { return before_.due_at[r]; }), "timestamptz");
    column("new_due", instants([&](std::uint32_t r) { return new_due(before_, after_, r); }),
           "timestamptz");
    column("step_at", instants([&](std::uint32_t r) { return after_.step_at[r]; }), "timestamptz");
    column("stayed",
           int8s([&](std::uint32_t r) { return static_cast<std::int64_t>(after_.stayed[r]); }),
           "bigint");
    for (std::size_t w = 0; w < after_.writes.size(); ++w) {
      s_.params.add_int2s(n, [&](std::size_t i) {
        return static_cast<std::int16_t>(after_.writes[w].written[rows_[i]]);
      });
      column("w" + std::to_string(w), s_.last(), "smallint");
    }
    s_.text += names;
    s_.text += "(" + int4s(n, [&](std::size_t i) { return after_.shape[rows_[i]] + 1; }) +
               "::integer[])[i] as shape from fence, ";
    if (unnested.empty()) {
      s_.params.add(static_cast<std::int32_t>(n));
      s_.text += "generate_series(1, " + s_.last() + ") as u(i)";
    } else {
      names.resize(names.size() - 2);
      s_.text += "unnest(" + unnested + ") with ordinality as u(" + names + ", i)";
    }
    s_.text += " offset 0";  // keeps the columns opaque to the planner, see the header
  }

  void column(const std::string& name, const std::string& array, const std::string& type) {
    s_.text += "(" + array + "::" + type + "[])[i::integer] as " + name + ", ";
  }

  void moved() {
    has_moves_ = any_moves();
    has_payload_ = has_moves_ && any_payload();
    const std::string step = shape_int4s([](const Shape& shape) { return shape.step; });
    const std::string moves = shape_int4s([](const Shape& shape) { return shape.moves; });
    s_.params.add_int2s(after_.shapes.size(), [&](std::size_t s) {
      return static_cast<std::int16_t>(after_.shapes[s].state);
    });
    const std::string state = s_.last();
    s_.text += ", moved as (update position p set step = (" + step +
               "::integer[])[n.shape], state = (" + state +
               "::smallint[])[n.shape], move_no = n.move_no + (" + moves +
               "::integer[])[n.shape], version = $4, step_at = n.step_at,"
               " due_at = nullif(n.new_due, 'infinity'), stayed = n.stayed, heard = n.new_heard" +
               (after_.data.empty() ? "" : ", entry_data = nullif(n.data, '')::jsonb") + " from (";
    input();
    s_.text +=
        ") n where p.track_id = n.track_id and p.contact_id = n.contact_id and p.entry = n.entry"
        " and p.move_no = n.move_no and p.heard = n.heard"
        " and coalesce(p.due_at, 'infinity') = n.old_due and p.state <> 2"
        " returning n.track_id, n.i, n.contact_id, n.entry, n.move_no, n.shape, n.old_due,"
        " n.new_due, (" +
        moves + "::integer[])[n.shape] as moves";
    if (has_moves_) {
      s_.text += ", n.seen, n.path";
    }
    if (has_payload_) {
      s_.text += ", n.payload";
    }
    for (std::size_t w = 0; w < after_.writes.size(); ++w) {
      s_.text += ", n.v" + std::to_string(w) + ", n.w" + std::to_string(w);
    }
    s_.text += ")";
  }

  // A position that waits for no time has no timer; where the time stays, the timer does.
  void timers() {
    s_.text +=
        ", untimed as (delete from timer t using moved m where t.track_id = m.track_id"
        " and t.due_at = m.old_due and t.contact_id = m.contact_id and t.entry = m.entry"
        " and m.old_due <> m.new_due)"
        ", timed as (insert into timer (track_id, due_at, contact_id, entry, move_no)"
        " select track_id, new_due, contact_id, entry, move_no + moves from moved"
        " where new_due <> 'infinity' and old_due <> new_due)";
  }

  void journal() {
    if (!has_moves_) {
      return;
    }
    s_.text +=
        ", written as (insert into journal (track_id, contact_id, entry, from_move, to_move,"
        " version, at, peer, incarnation, path, seen) select track_id, contact_id, entry,"
        " move_no + 1, move_no + moves, $4, now(), $5, $6, path, seen from moved where moves > 0)";
  }

  // `select …, g.k` once per element of each moved row's range; "" when there are none.
  std::string per_element(const Ranges& ranges, const std::string& columns) {
    const std::size_t n = after_.shapes.size();
    const std::string from = int4s(n, [&](std::size_t s) { return ranges.from()[s]; });
    const std::string to = int4s(n, [&](std::size_t s) { return ranges.to()[s]; });
    return "(select " + columns + ", generate_series((" + from + "::integer[])[shape], (" + to +
           "::integer[])[shape]) as k from moved) e";
  }

  void outbox() {
    Ranges ranges;
    std::vector<const Shape::Act*> acts;
    for (const Shape& shape : after_.shapes) {
      ranges.add(shape.acts.size());
      for (const Shape::Act& act : shape.acts) {
        acts.push_back(&act);
      }
    }
    if (acts.empty()) {
      return;
    }
    const std::string move = int4s(acts.size(), [&](std::size_t a) { return acts[a]->move; });
    const std::string name = int4s(acts.size(), [&](std::size_t a) { return acts[a]->name; });
    s_.params.add_int2s(acts.size(), [&](std::size_t a) { return acts[a]->action_no; });
    const std::string number = s_.last();
    s_.params.add_int2s(acts.size(),
                        [&](std::size_t a) { return static_cast<std::int16_t>(acts[a]->kind); });
    const std::string kind = s_.last();
    std::string payload;
    if (has_payload_) {
      // The place in the row's payload, or -1.
      std::vector<std::int32_t> place;
      for (const Shape& shape : after_.shapes) {
        for (std::size_t a = 0; a < shape.acts.size(); ++a) {
          place.push_back(shape.acts[a].has_payload ? static_cast<std::int32_t>(a) : -1);
        }
      }
      const std::string at = int4s(place.size(), [&](std::size_t a) { return place[a]; });
      payload = ", case when (" + at + "::integer[])[k] >= 0 and payload <> '' then" +
                " nullif((payload::json -> (" + at + "::integer[])[k])::text, 'null') end";
    }
    s_.text +=
        ", asked as (insert into outbox (track_id, contact_id, entry, move_no, action_no, kind,"
        " name, version, asked_at, due_at" +
        std::string(withdraws_ ? ", state" : "") + std::string(has_payload_ ? ", payload" : "") +
        ") select track_id, contact_id, entry, move_no + (" + move + "::integer[])[k], (" + number +
        "::smallint[])[k], (" + kind + "::smallint[])[k], (" + name +
        "::integer[])[k], $4, now(), now()" +
        (withdraws_ ? ", case when " + withdrawing() + " and (" + kind +
                          "::smallint[])[k] not in (3, 5, 6) then 5 else 0 end"
                    : "") +
        payload + " from " +
        per_element(ranges, std::string("track_id, contact_id, entry, move_no, shape") +
                                (has_payload_ ? ", payload" : "")) +
        ")";
  }

  // Whether the moved row's shape withdraws its messages. What this statement puts in the outbox is
  // written so; `withdrawn` sees what was there before.
  std::string withdrawing() {
    s_.params.add_bools(after_.shapes.size(),
                        [&](std::size_t s) { return after_.shapes[s].withdraws; });
    return "(" + s_.last() + "::boolean[])[shape]";
  }

  void withdraw() {
    static_assert(static_cast<int>(OutboxState::kWithdrawn) == 5);
    if (withdraws_) {
      s_.text +=
          ", withdrawn as (update outbox o set state = 5 from moved m where " + withdrawing() +
          " and o.track_id = m.track_id and o.contact_id = m.contact_id and o.entry = m.entry"
          " and o.state = 0 and o.kind not in (3, 5, 6))";  // track::is_recorded
    }
  }

  void tags(bool add) {
    Ranges ranges;
    std::vector<const Shape::Tag*> tags;
    for (const Shape& shape : after_.shapes) {
      std::size_t count = 0;
      for (const Shape::Tag& tag : shape.tags) {
        if (tag.add == add) {
          tags.push_back(&tag);
          ++count;
        }
      }
      ranges.add(count);
    }
    if (tags.empty()) {
      return;
    }
    s_.params.add_texts(tags.size(), [&](std::size_t t) { return std::string_view(tags[t]->tag); });
    const std::string tag = "(" + s_.last() + "::text[])[k]";
    const std::string elements = per_element(ranges, "contact_id, shape");
    const std::string cte = add ? "tagged" : "untagged";
    if (add) {
      s_.text += ", tagged as (insert into contact_tag (contact_id, tag, at) select contact_id, " +
                 tag + ", now() from " + elements +
                 " on conflict do nothing returning contact_id, tag)";
    } else {
      s_.text += ", untagged as (delete from contact_tag t using " + elements +
                 " where t.contact_id = e.contact_id and t.tag = " + tag +
                 " returning t.contact_id, t.tag)";
    }
    s_.text += ", " + cte +
               "_change as (insert into change (contact_id, track_id, what) select contact_id, $1,"
               " '{\"tags\":[' || to_json(tag)::text || ']}' from " +
               cte + ")";
  }

  // Contacts are locked in the order of their ids, and only what differs from the locked version is
  // a change.
  void fields() {
    if (after_.writes.empty()) {
      return;
    }
    std::string values;
    std::string any_written;
    std::string any_differs;
    std::string set;
    std::string what;
    for (std::size_t w = 0; w < after_.writes.size(); ++w) {
      const track::Field& field = (*commit_.fields)[after_.writes[w].field];
      const std::string column = sql::quoted(field.column);
      const char* const separator = w == 0 ? "" : " or ";
      // Only numbers are added to.
      const bool adds =
          std::ranges::find(after_.writes[w].written, BlockOutcome::Written::kAdded) !=
          after_.writes[w].written.end();
      const std::string value =
          adds ? fmt::format("case m.w{0} when 2 then coalesce(c.{1}, 0) + m.v{0} else m.v{0} end",
                             w, column)
               : fmt::format("m.v{}", w);
      values += fmt::format(", {2} as v{0}, m.w{0} <> 0 and c.{1} is distinct from {2} as d{0}", w,
                            column, value);
      any_written += fmt::format("{}w{} <> 0", separator, w);
      any_differs += fmt::format("{}l.d{}", separator, w);
      set += fmt::format("{1} = case when l.d{0} then l.v{0} else c.{1} end, ", w, column);
      s_.params.add(std::string_view(json_quoted(field.name)));
      what += fmt::format(", case when l.d{} then {} end", w, s_.last());
    }
    s_.text += ", locked as materialized (select c.id" + values +
               " from (select * from moved where " + any_written +
               ") m join contact c on c.id = m.contact_id order by c.id for no key update of c)"
               ", changed as (update contact c set " +
               set + "updated_at = now() from locked l where c.id = l.id and (" + any_differs +
               ")), field_change as (insert into change (contact_id, track_id, what) select l.id,"
               " $1, '{\"fields\":[' || concat_ws(','" +
               what + ") || ']}' from locked l where " + any_differs + ")";
  }

  // For tracks that ask where contacts stand on this one.
  void places() {
    if (!has_moves_) {
      return;
    }
    s_.params.add_bools(after_.shapes.size(), [&](std::size_t s) {
      return after_.shapes[s].state == PositionState::kStopped;
    });
    s_.text +=
        ", place_change as (insert into change (contact_id, track_id, what) select"
        " contact_id, $1, " +
        sql::place_change_sql(sql::Dialect::kPostgres, "$1") +
        " from moved, fence where moves > 0 and (watched = 2 or watched = 1 and (" + s_.last() +
        "::boolean[])[shape]))";
  }

  // How often each rule fired, and how many contacts came to a step or outcome and went from one,
  // counted by shape first. `connection` keeps commits of the same moment apart.
  void tally() {
    const std::vector<ShapeCount> counts = shape_counts(after_);
    if (counts.empty()) {
      return;
    }
    const std::size_t n = after_.shapes.size();
    const std::size_t m = counts.size();
    Ranges ranges;
    for (std::size_t s = 0, c = 0; s < n; ++s) {
      const std::size_t first = c;
      while (c < m && static_cast<std::size_t>(counts[c].shape) == s) {
        ++c;
      }
      ranges.add(c - first);
    }
    const std::string from = int4s(n, [&](std::size_t s) { return ranges.from()[s]; });
    const std::string to = int4s(n, [&](std::size_t s) { return ranges.to()[s]; });
    const std::string step = int4s(m, [&](std::size_t c) { return counts[c].count.step; });
    const std::string rule = int4s(m, [&](std::size_t c) { return counts[c].count.rule; });
    const std::string times = int4s(m, [&](std::size_t c) { return counts[c].count.times; });
    s_.params.add(commit_.connection);
    s_.text +=
        ", counted as (insert into tally (track_id, version, step, rule, connection, times)"
        " select $1, $4, (" +
        step + "::integer[])[k], (" + rule + "::integer[])[k], " + s_.last() + ", sum(n * (" +
        times + "::integer[])[k])::bigint from (select n, generate_series((" + from +
        "::integer[])[shape], (" + to +
        "::integer[])[shape]) as k from (select shape, count(*) as n from moved"
        " group by shape) g) e group by 3, 4"
        " on conflict (track_id, version, step, rule, connection)"
        " do update set times = tally.times + excluded.times)";
  }

  const Commit& commit_;
  const ContactBlock& before_;
  const BlockOutcome& after_;
  const std::span<const std::uint32_t> rows_;
  const bool withdraws_ = std::ranges::any_of(after_.shapes, &Shape::withdraws);
  bool has_moves_ = false;
  bool has_payload_ = false;
  Statement s_;
};

}  // namespace

base::Instant new_due(const ContactBlock& before, const BlockOutcome& after, std::uint32_t row) {
  const Shape& shape = after.shape_of(row);
  if (shape.state == PositionState::kStopped) {
    return track::kNever;
  }
  const base::Instant due = after.due_at[row];
  if (shape.moves > 0 && due == before.due_at[row] && due != track::kNever) {
    return due + base::Duration(1);
  }
  return due;
}

std::vector<ShapeCount> shape_counts(const BlockOutcome& after) {
  std::vector<ShapeCount> counts;
  for (std::size_t s = 0; s < after.shapes.size(); ++s) {
    const Shape& shape = after.shapes[s];
    if (shape.moves == 0) {
      continue;
    }
    const auto number = static_cast<std::int32_t>(s);
    for (const Shape::Count& count : shape.counts) {
      counts.push_back({number, count});
    }
    if (!shape.path.empty() && shape.path.front() != shape.step) {
      counts.push_back({number, {shape.path.front(), sql::kTallyNet, -1}});
      counts.push_back({number, {shape.step, sql::kTallyNet, 1}});
    }
  }
  return counts;
}

Statement commit_statement(const Commit& commit, std::span<const std::uint32_t> rows) {
  return Builder(commit, rows).build();
}

Statement recognise_statement(const Commit& commit, std::span<const std::uint32_t> rows) {
  const ContactBlock& before = *commit.before;
  const BlockOutcome& after = *commit.after;
  const std::size_t n = rows.size();
  const auto shape = [&](std::size_t i) -> const Shape& { return after.shape_of(rows[i]); };
  Statement s;
  s.params.add(commit.fence.track.get());
  s.params.add(std::string_view(commit.peer.name.get()));
  s.params.add(commit.peer.incarnation.get());
  s.params.add_int8s(n, [&](std::size_t i) { return before.contact[rows[i]].get(); });
  s.params.add_int4s(n, [&](std::size_t i) { return before.entry[rows[i]]; });
  s.params.add_int4s(n, [&](std::size_t i) { return before.move_no[rows[i]]; });
  s.params.add_int4s(n, [&](std::size_t i) { return shape(i).moves; });
  s.params.add_instants(n, [&](std::size_t i) { return new_due(before, after, rows[i]); });
  s.params.add_int8s(
      n, [&](std::size_t i) { return static_cast<std::int64_t>(after.stayed[rows[i]]); });
  s.params.add(static_cast<std::int32_t>(n));
  s.text =
      "with n as materialized (select $1::integer as track_id, i, ($4::bigint[])[i] as contact_id,"
      " ($5::integer[])[i] as entry, ($6::integer[])[i] as move_no, ($7::integer[])[i] as moves,"
      " ($8::timestamptz[])[i] as due_at, ($9::bigint[])[i] as stayed"
      " from generate_series(1, $10::integer) as i)"
      " select n.i from n join journal j on j.track_id = n.track_id"
      " and j.contact_id = n.contact_id and j.entry = n.entry and j.to_move = n.move_no + n.moves"
      " where n.moves > 0 and j.from_move = n.move_no + 1 and j.peer = $2 and j.incarnation = $3"
      " union all"
      " select n.i from n join position p on p.track_id = n.track_id"
      " and p.contact_id = n.contact_id and p.entry = n.entry where n.moves = 0"
      " and p.move_no = n.move_no and coalesce(p.due_at, 'infinity') = n.due_at"
      " and p.stayed = n.stayed";
  return s;
}

}  // namespace turnout::store::postgres
