#include "store/sql/places.h"

#include <algorithm>

#include "store/sql/session.h"
#include "store/sql/text.h"
#include "track/mentions.h"

namespace turnout::store::sql {

std::map<std::string, Watched> watched_by(const track::Track& track) {
  std::map<std::string, Watched> names;
  for (const track::OnTrack* const place : track::places_of(track)) {
    if (place->track.text != track.name.text) {
      Watched& how = names[place->track.text];
      how = std::max(how, place->step ? Watched::kWhichStep : Watched::kWhoIsOn);
    }
  }
  return names;
}

base::Result<void> watch_places(Connection& connection, const track::Track& track) {
  for (const auto& [name, how] : watched_by(track)) {
    TRYV(connection.execute(
        "insert into watch (track, how) values ($1, $2) on conflict (track) do update set how ="
        " excluded.how where watch.how < excluded.how",
        {name, static_cast<std::int64_t>(how)}));
  }
  TRYV(connection.execute(
      "update ledger set watched = (select w.how from watch w join track t on t.name = w.track "
      "where"
      " t.id = ledger.track_id) where exists (select 1 from watch w join track t on t.name ="
      " w.track where t.id = ledger.track_id and w.how > ledger.watched)",
      {}));
  return base::ok();
}

std::string place_change_sql(Dialect dialect, const std::string& track) {
  const bool postgres = dialect == Dialect::kPostgres;
  return std::string("(select ") +
         (postgres ? "json_build_object('places', json_build_array(w.name))::text"
                   : "json_object('places', json_array(w.name))") +
         " from track w where w.id = " + track + ")";
}

base::Result<void> tell_places(Connection& connection, base::TrackId track,
                               const std::vector<base::ContactId>& contacts) {
  if (contacts.empty()) {
    return base::ok();
  }
  std::string rows = "[";
  for (const base::ContactId contact : contacts) {
    rows += (rows.size() > 1 ? ",[" : "[") + std::to_string(contact.get()) + "]";
  }
  const Dialect dialect = connection.dialect();
  TRYV(connection.execute(
      "insert into change (contact_id, track_id, what, at) select k.contact, $2, " +
          place_change_sql(dialect, "$2") + ", " + now_sql(dialect) + " from " +
          json_rows(dialect, "$1", {{"contact"}}) + " k where true",
      {rows + "]", std::int64_t{track.get()}}));
  return base::ok();
}

}  // namespace turnout::store::sql
