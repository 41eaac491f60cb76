// What people ask: reports, progress, why, the outbox.

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/check.h"
#include "store/sql/fields.h"
#include "store/sql/session.h"
#include "store/sql/tracks.h"

namespace turnout::store::sql {

namespace {

constexpr int kStopped = 2;

base::Result<void> count_positions(Connection& c, const track::Numbering& numbering,
                                   std::int64_t track, Report& report) {
  TRY(const Rows rows,
      c.query("select state, step, count(*) from position where track_id = $1 group by state, step",
              {track}));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string name = numbering.name_of(rows.integer32(i, 1));
    const std::int64_t contacts = rows.integer(i, 2);
    report.entered += contacts;
    auto& counts = rows.integer(i, 0) == kStopped ? report.stopped : report.waiting;
    counts[name] += contacts;
  }
  return base::ok();
}

base::Result<void> count_actions(Connection& c, const track::Numbering& numbering,
                                 std::int64_t track, Report& report) {
  TRY(const Rows rows,
      c.query(
          "select kind, name, state, count(*) from outbox where track_id = $1 group by kind, name, "
          "state order by kind, name, state",
          {track}));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto kind = static_cast<track::ActionKind>(rows.integer(i, 0));
    const std::string name = action_name(numbering, rows.integer32(i, 1));
    if (report.actions.empty() || report.actions.back().kind != kind ||
        report.actions.back().name != name) {
      report.actions.push_back({kind, name, {}});
    }
    report.actions.back().states[static_cast<OutboxState>(rows.integer(i, 2))] = rows.integer(i, 3);
  }
  std::sort(report.actions.begin(), report.actions.end(),
            [](const ActionCount& a, const ActionCount& b) {
              return std::pair(a.kind, a.name) < std::pair(b.kind, b.name);
            });
  return base::ok();
}

base::Result<void> count_tags(Connection& c, std::int64_t track, Report& report) {
  TRY(const Rows rows,
      c.query("select t.tag, count(*) from contact_tag t where exists (select 1 from position p "
              "where p.track_id = $1 and p.contact_id = t.contact_id) group by t.tag",
              {track}));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    report.tags[rows.text(i, 0)] = rows.integer(i, 1);
  }
  return base::ok();
}

base::Result<Report> read_report(Connection& c, const std::string& name) {
  TRY(const TrackRow track, track_named(c, name));
  const std::int64_t id = track.id.get();
  TRY(const track::Numbering numbering, read_numbering(c, track.id));
  Report report;
  report.track = track.name;
  report.version = track.version;
  TRYV(count_positions(c, numbering, id, report));
  TRY(const Rows moves,
      c.query("select sum(to_move - from_move + 1) from journal where track_id = $1", {id}));
  report.moves = moves.integer(0, 0);
  TRYV(count_actions(c, numbering, id, report));
  TRYV(count_tags(c, id, report));
  return report;
}

base::Result<Progress> read_progress(Connection& c, const std::string& name) {
  TRY(const TrackRow track, track_named(c, name));
  TRY(const track::Numbering numbering, read_numbering(c, track.id));
  TRY(const Rows rows,
      c.query("select step, rule, sum(times) from tally where track_id = $1 group by step, rule",
              {static_cast<std::int64_t>(track.id.get())}));
  Progress progress;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::int64_t rule = rows.integer(i, 1);
    const std::int64_t times = rows.integer(i, 2);
    if (is_move(rule)) {
      progress.moves += times;
    } else {
      progress.on_step[numbering.name_of(rows.integer32(i, 0))] += times;
      progress.gathered += rule == kTallyEntered ? times : 0;
    }
  }
  std::erase_if(progress.on_step, [](const auto& step) { return step.second == 0; });
  return progress;
}

// -- Why
// -----------------------------------------------------------------------------------------------------------------

struct KnownTrack {
  TrackRow row;
  track::Numbering numbering;
};

base::Result<std::vector<KnownTrack>> all_tracks(Connection& c) {
  TRY(const Rows rows, c.query("select name from track order by name", {}));
  std::vector<KnownTrack> tracks;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    TRY(TrackRow row, track_named(c, rows.text(i, 0)));
    TRY(track::Numbering numbering, read_numbering(c, row.id));
    tracks.push_back({std::move(row), std::move(numbering)});
  }
  return tracks;
}

base::Result<void> read_contact(Connection& c, const track::Catalogue& catalogue,
                                const std::string& key, ContactReport& report) {
  std::string columns;
  for (const track::Field& field : catalogue.fields) {
    columns += ", " + sql::quoted(field.column);
  }
  TRY(const Rows rows, c.query("select id" + columns + " from contact where key = $1", {key}));
  if (rows.empty()) {
    return base::fail(base::ErrorCode::kNotFound,
                      "there is no contact with the key \"" + key + "\"");
  }
  report.id = base::ContactId(rows.integer(0, 0));
  report.key = key;
  for (std::size_t i = 0; i < catalogue.fields.size(); ++i) {
    const track::Field& field = catalogue.fields[i];
    if (field.name != "key") {
      report.fields.emplace_back(field.name, from_sql(rows.at(0, i + 1), field.type));
    }
  }
  TRY(const Rows tags,
      c.query("select tag from contact_tag where contact_id = $1 order by tag", {report.id.get()}));
  for (std::size_t i = 0; i < tags.size(); ++i) {
    report.tags.push_back(tags.text(i, 0));
  }
  return base::ok();
}

base::Result<void> read_newest_events(Connection& c, ContactReport& report) {
  TRY(const Rows rows,
      c.query("select number, name, properties" +
                  std::string(c.dialect() == Dialect::kPostgres ? "::text" : "") +
                  ", at from event where contact_id = $1 order by number desc limit $2",
              {report.id.get(), kReportedEvents}));
  for (std::size_t i = rows.size(); i > 0; --i) {
    track::BlockEvent& event = report.events.emplace_back();
    event.id = rows.integer(i - 1, 0);
    event.name = rows.text(i - 1, 1);
    event.properties = rows.text(i - 1, 2);
    event.at = rows.instant(i - 1, 3);
  }
  return base::ok();
}

base::Result<void> read_positions(Connection& c, const KnownTrack& track, ContactReport& report) {
  TRY(const Rows rows,
      c.query("select version, entry, step, state, entered_at, step_at, due_at from position where "
              "track_id = $1 and contact_id = $2 order by entry",
              {static_cast<std::int64_t>(track.row.id.get()), report.id.get()}));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    PositionReport position;
    position.track = track.row.name;
    position.version = base::Version(rows.integer32(i, 0));
    position.entry = rows.integer32(i, 1);
    position.step = track.numbering.name_of(rows.integer32(i, 2));
    position.state = static_cast<track::PositionState>(rows.integer(i, 3));
    position.entered_at = rows.instant(i, 4);
    position.step_at = rows.instant(i, 5);
    position.due_at = rows.instant(i, 6);
    report.positions.push_back(std::move(position));
  }
  return base::ok();
}

base::Result<void> read_moves(Connection& c, const KnownTrack& track, ContactReport& report) {
  TRY(const Rows rows, c.query("select version, entry, from_move, at, peer, path, seen from "
                               "journal where track_id = $1 and "
                               "contact_id = $2 order by entry, to_move",
                               {static_cast<std::int64_t>(track.row.id.get()), report.id.get()}));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const nlohmann::json path = nlohmann::json::parse(rows.text(i, 5), nullptr, false);
    CHECK(path.is_array() && path.size() % 2 == 1);
    for (std::size_t at = 0; at + 2 < path.size(); at += 2) {
      MoveRow move;
      move.track = track.row.name;
      move.version = base::Version(rows.integer32(i, 0));
      move.entry = rows.integer32(i, 1);
      move.move_no = rows.integer32(i, 2) + static_cast<std::int32_t>(at / 2);
      move.at = rows.instant(i, 3);
      move.peer = rows.text(i, 4);
      move.from = track.numbering.name_of(path[at].get<std::int32_t>());
      move.rule = path[at + 1].get<std::int32_t>();
      move.to = track.numbering.name_of(path[at + 2].get<std::int32_t>());
      move.seen = rows.text(i, 6);
      report.moves.push_back(std::move(move));
    }
  }
  return base::ok();
}

}  // namespace

// On SQLite every count is a read of its own, since a read of everything at once would hold up
// checkpoints for longer than a second on a large database; while contacts move, its figures may be
// some milliseconds apart.
base::Result<Report> SqlSession::report(const std::string& track) {
  if (connection_->dialect() == Dialect::kSqlite) {
    return read_report(*connection_, track);
  }
  return in_transaction(*connection_, TransactionMode::kRead,
                        [&](Connection& c) { return read_report(c, track); });
}

base::Result<Progress> SqlSession::progress(const std::string& track) {
  return in_transaction(*connection_, TransactionMode::kRead,
                        [&](Connection& c) { return read_progress(c, track); });
}

base::Result<ContactReport> SqlSession::why(const std::string& contact_key) {
  return in_transaction(*connection_, TransactionMode::kRead,
                        [&](Connection& c) -> base::Result<ContactReport> {
                          TRY(const track::Catalogue known, catalogue());
                          ContactReport report;
                          TRYV(read_contact(c, known, contact_key, report));
                          TRYV(read_newest_events(c, report));
                          TRY(const std::vector<KnownTrack> tracks, all_tracks(c));
                          for (const KnownTrack& track : tracks) {
                            TRYV(read_positions(c, track, report));
                            TRYV(read_moves(c, track, report));
                          }
                          return report;
                        });
}

base::Result<std::vector<OutboxRow>> SqlSession::outbox(std::optional<OutboxState> state,
                                                        int limit) {
  return in_transaction(
      *connection_, TransactionMode::kRead,
      [&](Connection& c) -> base::Result<std::vector<OutboxRow>> {
        const std::string only =
            state ? " where o.state = " + std::to_string(static_cast<int>(*state)) : "";
        TRY(const Rows rows,
            c.query("select o.track_id, o.contact_id, o.entry, o.move_no, o.action_no, t.name, "
                    "c.key, o.kind, n.name, o.state, "
                    "o.attempt, o.due_at, d.answer from (select * from outbox o" +
                        only +
                        " order by track_id, contact_id, entry, move_no, action_no limit $1) o "
                        "join track t on t.id = o.track_id join contact c on c.id = o.contact_id "
                        "join track_name n on n.track_id = o.track_id and n.number = o.name "
                        "left join delivery d on d.track_id = o.track_id and d.contact_id = "
                        "o.contact_id and "
                        "d.entry = o.entry and d.move_no = o.move_no and d.action_no = o.action_no "
                        "and d.attempt = o.attempt "
                        "order by o.track_id, o.contact_id, o.entry, o.move_no, o.action_no",
                    {static_cast<std::int64_t>(limit)}));
        std::vector<OutboxRow> outbox;
        for (std::size_t i = 0; i < rows.size(); ++i) {
          OutboxRow row;
          row.key = {base::TrackId(rows.integer32(i, 0)), base::ContactId(rows.integer(i, 1)),
                     rows.integer32(i, 2), rows.integer32(i, 3),
                     static_cast<std::int16_t>(rows.integer(i, 4))};
          row.track = rows.text(i, 5);
          row.contact_key = rows.text(i, 6);
          row.kind = static_cast<track::ActionKind>(rows.integer(i, 7));
          row.name = rows.text(i, 8);
          row.state = static_cast<OutboxState>(rows.integer(i, 9));
          row.attempt = rows.integer32(i, 10);
          row.due = rows.instant(i, 11);
          row.answer = rows.text(i, 12);
          outbox.push_back(std::move(row));
        }
        return outbox;
      });
}

}  // namespace turnout::store::sql
