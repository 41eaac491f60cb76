#pragma once

// Tracks, their versions and the numbers of their names, as SqlSession's parts share them.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/sql/connection.h"
#include "store/types.h"
#include "track/numbering.h"

namespace turnout::store::sql {

struct TrackRow {
  base::TrackId id;
  std::string name;
  base::Version version;
  bool active = true;
};

// nullopt when there is none of that name.
base::Result<std::optional<TrackRow>> find_track(Connection& connection, const std::string& name);
// kNotFound when there is none of that name.
base::Result<TrackRow> track_named(Connection& connection, const std::string& name);
base::Result<track::Numbering> read_numbering(Connection& connection, base::TrackId track);
// Adds the names that are in `all` and not in `known`.
base::Result<void> add_names(Connection& connection, base::TrackId track,
                             const track::Numbering& known, const track::Numbering& all);
// The name of an action's number, "" when there is none.
std::string action_name(const track::Numbering& numbering, std::int32_t number);
base::Result<void> write_cursor(Connection& connection, base::TrackId track,
                                const std::string& clause, const std::string& text);
// So that every peer reads catalogue and tracks again.
base::Result<void> raise_catalogue_version(Connection& connection);

}  // namespace turnout::store::sql
