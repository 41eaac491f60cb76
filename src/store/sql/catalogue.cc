// The catalogue, and what else of SqlSession is small.

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/text.h"
#include "store/sql/fields.h"
#include "store/sql/ledger.h"
#include "store/sql/session.h"
#include "store/sql/tracks.h"

namespace turnout::store::sql {

namespace {

constexpr track::Type kTypes[] = {track::Type::kText, track::Type::kNumber, track::Type::kBoolean,
                                  track::Type::kTimestamp, track::Type::kDate};

track::Type type_of(const std::string& name) {
  const auto* found = std::find_if(std::begin(kTypes), std::end(kTypes), [&](track::Type type) {
    return name == track::type_name(type);
  });
  return found == std::end(kTypes) ? track::Type::kText : *found;
}

base::Result<track::Catalogue> read_catalogue(Connection& connection) {
  TRY(const Rows rows,
      connection.query("select name, type, column_name from field order by name", {}));
  track::Catalogue catalogue = track::built_in_catalogue();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    catalogue.fields.push_back({rows.text(i, 0), type_of(rows.text(i, 1)), rows.text(i, 2)});
  }
  return catalogue;
}

base::Result<void> add_field(Connection& connection, const track::Field& field) {
  TRYV(connection.execute("insert into field (name, type, column_name) values ($1, $2, $3)",
                          {field.name, std::string(track::type_name(field.type)), field.column}));
  return connection.run_script("alter table contact add column " + sql::quoted(field.column) + " " +
                               column_type(connection.dialect(), field.type));
}

}  // namespace

base::Result<void> raise_catalogue_version(Connection& connection) {
  TRYV(
      connection.execute("update setting set value = cast(cast(value as bigint) + 1 as text) where "
                         "name = 'catalogue_version'",
                         {}));
  return base::ok();
}

base::Result<void> write_cursor(Connection& connection, base::TrackId track,
                                const std::string& clause, const std::string& text) {
  TRYV(
      connection.execute("insert into cursor (track_id, clause, value) values ($1, $2, $3) "
                         "on conflict (track_id, clause) do update set value = excluded.value",
                         {static_cast<std::int64_t>(track.get()), clause, text}));
  return base::ok();
}

SqlSession::SqlSession(std::unique_ptr<Connection> connection)
    : connection_(std::move(connection)) {}

base::Result<base::Instant> SqlSession::now() { return connection_->now(); }

base::Result<track::Catalogue> SqlSession::catalogue() { return read_catalogue(*connection_); }

base::Result<std::int64_t> SqlSession::catalogue_version() {
  TRY(const Rows rows,
      connection_->query(
          "select cast(value as bigint) from setting where name = 'catalogue_version'", {}));
  return rows.integer(0, 0);
}

base::Result<void> SqlSession::declare_fields(const std::vector<track::Field>& fields) {
  // Mostly they are all there: no lock is taken then, and no peer has to read the catalogue again.
  TRY(const track::Catalogue before, read_catalogue(*connection_));
  TRY(const std::vector<track::Field> probably_missing, missing_fields(before, fields));
  if (probably_missing.empty()) {
    return base::ok();
  }
  return in_transaction(
      *connection_, TransactionMode::kWrite, [&](Connection& c) -> base::Result<void> {
        TRYV(raise_catalogue_version(c));  // first: its row lock keeps others that declare away
        TRY(const track::Catalogue known, read_catalogue(c));
        TRY(const std::vector<track::Field> missing, missing_fields(known, fields));
        for (const track::Field& field : missing) {
          TRYV(add_field(c, field));
        }
        return base::ok();
      });
}

base::Result<std::optional<std::string>> SqlSession::cursor(base::TrackId track,
                                                            const std::string& clause) {
  TRY(const Rows rows,
      connection_->query("select value from cursor where track_id = $1 and clause = $2",
                         {static_cast<std::int64_t>(track.get()), clause}));
  std::optional<std::string> value;
  if (!rows.empty()) {
    value = rows.text(0, 0);
  }
  return value;
}

base::Result<void> SqlSession::set_cursor(const Fence& fence, const std::string& clause,
                                          const std::string& text) {
  return in_transaction(*connection_, TransactionMode::kWrite,
                        [&](Connection& c) -> base::Result<void> {
                          TRY(const std::optional<Watched> watched, held(c, fence));
                          if (!watched) {
                            const base::Error why = fenced_error(fence);
                            return base::fail(why.code, why.message);
                          }
                          return write_cursor(c, fence.track, clause, text);
                        });
}

}  // namespace turnout::store::sql
