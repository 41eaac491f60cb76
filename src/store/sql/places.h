#pragma once

// What `on track` needs: which tracks are asked about, and change rows for contacts whose place on
// one of those changes. A track's row of the ledger says how much others ask; every write for the
// track holds that row, so publishing a track that asks waits for those in flight, and all that
// come later tell.

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/sql/connection.h"
#include "store/types.h"
#include "track/track.h"

namespace turnout::store::sql {

// The other tracks about which this one asks.
std::map<std::string, Watched> watched_by(const track::Track& track);

// Notes that `track` is being published: what it asks about is watched from now on, be it there
// already or made later; and whether it is watched itself. The last part of the transaction, after
// raise_catalogue_version(), whose lock makes one of two publishers see the other.
base::Result<void> watch_places(Connection& connection, const track::Track& track);

// The text of the column `change.what`: that the contact's place on a track may be another. `track`
// is the parameter that holds the track's number.
std::string place_change_sql(Dialect dialect, const std::string& track);

// Writes a change row for each of these contacts.
base::Result<void> tell_places(Connection& connection, base::TrackId track,
                               const std::vector<base::ContactId>& contacts);

}  // namespace turnout::store::sql
