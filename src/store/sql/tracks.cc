#include "store/sql/tracks.h"

#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "store/sql/ledger.h"
#include "store/sql/session.h"

namespace turnout::store::sql {

namespace {

TrackRow read_track(const Rows& rows, std::size_t i) {
  return {base::TrackId(rows.integer32(i, 0)), rows.text(i, 1), base::Version(rows.integer32(i, 2)),
          rows.boolean(i, 3)};
}

base::Result<void> add_name(Connection& connection, base::TrackId track, std::int32_t number,
                            const char* kind, const std::string& name) {
  TRYV(connection.execute(
      "insert into track_name (track_id, number, kind, name) values ($1, $2, $3, $4)",
      {static_cast<std::int64_t>(track.get()), static_cast<std::int64_t>(number), std::string(kind),
       name}));
  return base::ok();
}

}  // namespace

base::Result<std::optional<TrackRow>> find_track(Connection& connection, const std::string& name) {
  TRY(const Rows rows,
      connection.query("select id, name, version, active from track where name = $1", {name}));
  std::optional<TrackRow> found;
  if (!rows.empty()) {
    found = read_track(rows, 0);
  }
  return found;
}

base::Result<TrackRow> track_named(Connection& connection, const std::string& name) {
  TRY(std::optional<TrackRow> found, find_track(connection, name));
  if (!found) {
    return base::fail(base::ErrorCode::kNotFound, "there is no track \"" + name + "\"");
  }
  return std::move(*found);
}

namespace {

// Adds row `i` of (number, kind, name) from column `first` on.
void add_numbered(const Rows& rows, std::size_t i, std::size_t first, track::Numbering& numbering) {
  const std::int32_t number = rows.integer32(i, first);
  const std::string& kind = rows.text(i, first + 1);
  const std::string& name = rows.text(i, first + 2);
  if (kind == "step") {
    numbering.steps.emplace(name, number);
  } else if (kind == "outcome") {
    numbering.outcomes.emplace(name, number);
  } else {
    for (const track::ActionKind action : track::kActionKinds) {
      if (kind == track::action_kind_name(action)) {
        numbering.actions.emplace(std::pair(action, name), number);
      }
    }
  }
}

}  // namespace

base::Result<track::Numbering> read_numbering(Connection& connection, base::TrackId track) {
  TRY(const Rows rows,
      connection.query("select number, kind, name from track_name where track_id = $1",
                       {static_cast<std::int64_t>(track.get())}));
  track::Numbering numbering;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    add_numbered(rows, i, 0, numbering);
  }
  return numbering;
}

base::Result<void> add_names(Connection& connection, base::TrackId track,
                             const track::Numbering& known, const track::Numbering& all) {
  for (const auto& [name, number] : all.steps) {
    if (!known.steps.contains(name)) {
      TRYV(add_name(connection, track, number, "step", name));
    }
  }
  for (const auto& [name, number] : all.outcomes) {
    if (!known.outcomes.contains(name)) {
      TRYV(add_name(connection, track, number, "outcome", name));
    }
  }
  for (const auto& [action, number] : all.actions) {
    if (!known.actions.contains(action)) {
      TRYV(add_name(connection, track, number, track::action_kind_name(action.first),
                    action.second));
    }
  }
  return base::ok();
}

std::string action_name(const track::Numbering& numbering, std::int32_t number) {
  for (const auto& [action, n] : numbering.actions) {
    if (n == number) {
      return action.second;
    }
  }
  return "";
}

base::Result<void> SqlSession::set_active(const std::string& name, bool active) {
  return in_transaction(
      *connection_, TransactionMode::kWrite, [&](Connection& c) -> base::Result<void> {
        TRY(const TrackRow track, track_named(c, name));
        if (track.active == active) {
          return base::ok();
        }
        const std::int64_t id = track.id.get();
        TRYV(raise_epoch(c, track.id));
        TRYV(c.execute("update ledger set state = $1 where track_id = $2",
                       {static_cast<std::int64_t>(active ? 0 : 1), id}));
        TRYV(c.execute("update track set active = $1 where id = $2", {active, id}));
        return raise_catalogue_version(c);
      });
}

base::Result<std::vector<TrackVersion>> SqlSession::tracks() {
  return in_transaction(
      *connection_, TransactionMode::kRead,
      [](Connection& c) -> base::Result<std::vector<TrackVersion>> {
        TRY(const Rows rows,
            c.query("select t.id, t.name, t.version, t.active, v.text, (select min(w.published_at) "
                    "from track_version w where w.track_id = t.id) from track t join "
                    "track_version v "
                    "on v.track_id = t.id and v.version = t.version order by t.name",
                    {}));
        TRY(const Rows names, c.query("select track_id, number, kind, name from track_name", {}));
        std::unordered_map<std::int32_t, track::Numbering> numberings;
        for (std::size_t i = 0; i < names.size(); ++i) {
          add_numbered(names, i, 1, numberings[names.integer32(i, 0)]);
        }
        std::vector<TrackVersion> tracks;
        for (std::size_t i = 0; i < rows.size(); ++i) {
          TrackRow row = read_track(rows, i);
          tracks.push_back({row.id, std::move(row.name), row.version, rows.text(i, 4),
                            std::move(numberings[row.id.get()]), row.active, rows.instant(i, 5)});
        }
        return tracks;
      });
}

base::Result<TrackVersion> SqlSession::track_version(const std::string& name,
                                                     base::Version version) {
  return in_transaction(
      *connection_, TransactionMode::kRead, [&](Connection& c) -> base::Result<TrackVersion> {
        TRY(TrackRow row, track_named(c, name));
        TRY(const Rows rows,
            c.query(
                "select text, (select min(w.published_at) from track_version w where w.track_id = "
                "$1) from track_version where track_id = $1 and version = $2",
                {static_cast<std::int64_t>(row.id.get()),
                 static_cast<std::int64_t>(version.get())}));
        if (rows.empty()) {
          return base::fail(base::ErrorCode::kNotFound, "track \"" + name + "\" has no version " +
                                                            std::to_string(version.get()));
        }
        TRY(track::Numbering numbering, read_numbering(c, row.id));
        return TrackVersion{
            row.id,     std::move(row.name), version, rows.text(0, 0), std::move(numbering),
            row.active, rows.instant(0, 1)};
      });
}

}  // namespace turnout::store::sql
