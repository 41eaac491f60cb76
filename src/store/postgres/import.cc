#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "base/text.h"
#include "store/postgres/session.h"
#include "store/postgres/statement.h"
#include "store/sql/change.h"
#include "store/sql/fields.h"

namespace turnout::store::postgres {

namespace {

using base::Result;

// PostgreSQL's text holds neither NUL nor broken UTF-8, and would refuse the whole batch for it.
Result<void> check_text(const std::string& key, std::string_view text) {
  if (text.find('\0') != std::string_view::npos ||
      base::first_invalid_utf8(text) != std::string_view::npos) {
    return base::fail(base::ErrorCode::kInvalid, "contact '" + key.substr(0, key.find('\0')) +
                                                     "': a text is not UTF-8 or has a NUL in it");
  }
  return base::ok();
}

Result<void> check(const ContactBatch& batch) {
  TRYV(sql::check_batch(batch));
  for (std::size_t i = 0; i < batch.key.size(); ++i) {
    TRYV(check_text(batch.key[i], batch.key[i]));
    for (const track::Column& column : batch.columns) {
      if (column.type == track::Type::kText && column.present[i] != 0) {
        TRYV(check_text(batch.key[i], column.text[i]));
      }
    }
  }
  return base::ok();
}

// `n` (i, key, v0, v1 …): the rows of this round. Key and values are unnested, see Params.
std::string input(Statement& s, const ContactBatch& batch, const std::vector<std::size_t>& rows) {
  const std::size_t n = rows.size();
  s.params.add_texts(n, [&](std::size_t i) { return std::string_view(batch.key[rows[i]]); });
  std::string arrays = s.last() + "::text[]";
  std::string names = "key";
  for (std::size_t f = 0; f < batch.fields.size(); ++f) {
    s.params.add_column(batch.columns[f], n, [&](std::size_t i) { return rows[i]; });
    arrays += ", " + s.last() + "::" + sql_type(batch.columns[f].type) + "[]";
    names += ", v" + std::to_string(f);
  }
  return "(select * from unnest(" + arrays + ") with ordinality as u(" + names + ", i) offset 0) n";
}

// Those that exist: locked in id order, written where a value differs. Gives i and whether changed.
Statement update_statement(const ContactBatch& batch, const std::vector<std::size_t>& rows) {
  Statement s;
  std::string differs;
  std::string set;
  std::string any;
  std::string what = ", null";
  for (std::size_t f = 0; f < batch.fields.size(); ++f) {
    const std::string column = sql::quoted(batch.fields[f].column);
    differs += fmt::format(", n.v{0}, c.{1} is distinct from n.v{0} as d{0}", f, column);
    set += fmt::format("{} = l.v{}, ", column, f);
    any += fmt::format("{}l.d{}", f == 0 ? "" : " or ", f);
  }
  if (batch.fields.empty()) {
    any = "false";
  }
  const std::string from = input(s, batch, rows);
  for (std::size_t f = 0; f < batch.fields.size(); ++f) {
    s.params.add(std::string_view(json_quoted(batch.fields[f].name)));
    what += ", case when l.d" + std::to_string(f) + " then " + s.last() + " end";
  }
  s.text = "with locked as materialized (select c.id, n.i" + differs + " from " + from +
           " join contact c on c.key = n.key order by c.id for no key update of c)"
           ", updated as (update contact c set " +
           set + "updated_at = now() from locked l where c.id = l.id and (" + any +
           ")), noted as (insert into change (contact_id, what) select l.id, '{\"fields\":[' ||"
           " concat_ws(','" +
           what + ") || ']}' from locked l where " + any + ") select l.i::integer, (" + any +
           ") from locked l";
  return s;
}

// Those that do not exist. Gives i of those inserted: a key that somebody else has inserted
// meanwhile is left to another round of updating.
Statement insert_statement(const ContactBatch& batch, const std::vector<std::size_t>& rows) {
  Statement s;
  std::string columns;
  std::string values;
  std::string what = ", null";
  for (std::size_t f = 0; f < batch.fields.size(); ++f) {
    columns += ", " + sql::quoted(batch.fields[f].column);
    values += ", n.v" + std::to_string(f);
  }
  const std::string from = input(s, batch, rows);
  for (std::size_t f = 0; f < batch.fields.size(); ++f) {
    s.params.add(std::string_view(json_quoted(batch.fields[f].name)));
    what += ", case when c." + sql::quoted(batch.fields[f].column) + " is not null then " +
            s.last() + " end";
  }
  s.text = "with inserted as (insert into contact as c (key" + columns + ") select n.key" + values +
           " from " + from +
           " order by n.i on conflict (key) do nothing returning c.id, c.key, '{\"fields\":[' ||"
           " concat_ws(','" +
           what +
           ") || ']}' as what), noted as (insert into change (contact_id, created, what)"
           " select id, true, what from inserted) select key from inserted";
  return s;
}

}  // namespace

Result<std::vector<std::size_t>> PgSession::update_known(const ContactBatch& batch,
                                                         const std::vector<std::size_t>& rows,
                                                         ImportResult& result) {
  const Statement update = update_statement(batch, rows);
  TRY(const Answer updated, connection_.run(update.text, update.params));
  std::vector<bool> known(rows.size(), false);
  for (int r = 0; r < updated.rows(); ++r) {
    known[static_cast<std::size_t>(updated.int4(r, 0)) - 1] = true;
    ++(updated.boolean(r, 1) ? result.updated : result.unchanged);
  }
  std::vector<std::size_t> fresh;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!known[i]) {
      fresh.push_back(rows[i]);
    }
  }
  return fresh;
}

Result<std::vector<std::size_t>> PgSession::insert_fresh(const ContactBatch& batch,
                                                         const std::vector<std::size_t>& rows,
                                                         ImportResult& result) {
  const Statement insert = insert_statement(batch, rows);
  TRY(const Answer inserted, connection_.run(insert.text, insert.params));
  result.inserted += inserted.rows();
  std::unordered_set<std::string_view> there;
  for (int r = 0; r < inserted.rows(); ++r) {
    there.insert(inserted.text(r, 0));
  }
  std::vector<std::size_t> left;
  for (const std::size_t row : rows) {
    if (!there.contains(batch.key[row])) {
      left.push_back(row);
    }
  }
  return left;
}

Result<ImportResult> PgSession::import_contacts(const ContactBatch& batch) {
  TRYV(check(batch));
  const std::vector<std::uint8_t> counts = sql::last_of_each_key(batch);
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] != 0) {
      rows.push_back(i);
    }
  }
  return sql::in_transaction(
      connection_, sql::TransactionMode::kWrite, [&](sql::Connection&) -> Result<ImportResult> {
        ImportResult result;
        std::vector<std::size_t> left = rows;
        // Again only for keys that somebody else has inserted between the two statements.
        while (!left.empty()) {
          TRY(std::vector<std::size_t> fresh, update_known(batch, left, result));
          left = std::move(fresh);
          if (!left.empty()) {
            TRY(std::vector<std::size_t> missed, insert_fresh(batch, left, result));
            left = std::move(missed);
          }
        }
        return result;
      });
}

}  // namespace turnout::store::postgres
