#include "store/postgres/reads.h"

#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "store/sql/events.h"
#include "store/sql/fields.h"

namespace turnout::store::postgres {

namespace {

std::string names(Statement& s, const std::set<std::string>& names) {
  const std::vector<std::string_view> listed(names.begin(), names.end());
  s.params.add_texts(listed.size(), [&](std::size_t i) { return listed[i]; });
  return "any(" + s.last() + ")";
}

std::string text(Statement& s, const std::string& value) {
  s.params.add(std::string_view(value));
  return s.last();
}

}  // namespace

void ReadColumns::select(Statement& s, std::string& out) const {
  for (const track::Field& field : reads_.fields) {
    out += field.column.empty() ? std::string(", null::") + sql_type(field.type)
                                : ", c." + sql::quoted(field.column);
  }
  for (const std::string& tag : reads_.tags) {
    out +=
        ", exists(select from contact_tag t where t.contact_id = c.id and t.tag = " + text(s, tag) +
        ")";
  }
  for (const track::OtherPlace& place : reads_.places) {
    out += ", exists(select from track t join position q on q.track_id = t.id where t.name = " +
           text(s, place.track) + " and q.contact_id = c.id and q.state <> 2";
    if (!place.step.empty()) {
      out +=
          " and q.step = (select number from track_name w where w.track_id = t.id and w.kind ="
          " 'step' and w.name = " +
          text(s, place.step) + ")";
    }
    out += ")";
  }
  if (reads_.events()) {
    select_events(s, out);
  }
  if (reads_.data) {
    out += entries_ ? ", p.entry_data::text" : ", null::text";
  }
}

void ReadColumns::select_events(Statement& s, std::string& out) const {
  out += ", coalesce((select newest from event_count n where n.contact_id = c.id), 0)";
  static_assert(static_cast<int>(EventOrigin::kAnswer) == 2);
  const std::string heard =
      entries_ ? "case e.origin when 0 then true"
                 " else (e.track_id = $1 and e.entry = p.entry) = (e.origin = 2) end"
               : "true";
  out +=
      ", (select json_agg(json_build_array(e.number,"
      " (extract(epoch from least(e.at, now())) * 1000000)::bigint, e.name, e.properties, " +
      heard + ") order by e.number)::text from event e where e.contact_id = c.id and (e.name = " +
      names(s, reads_.recalls);
  if (entries_) {
    out += " or e.number > p.heard and e.name = " + names(s, reads_.hears);
  }
  out += "))";
}

std::string ReadColumns::nulls() const {
  std::string out;
  for (const track::Field& field : reads_.fields) {
    out += std::string(", null::") + sql_type(field.type);
  }
  for (std::size_t i = 0; i < reads_.tags.size() + reads_.places.size(); ++i) {
    out += ", null::boolean";
  }
  return out;
}

void ReadColumns::begin(track::ContactBlock& block, std::size_t rows) const {
  block.clear();
  block.columns.resize(reads_.fields.size());
  block.tags.assign(reads_.tags.size(), {});
  block.places.assign(reads_.places.size(), {});
  for (std::size_t f = 0; f < reads_.fields.size(); ++f) {
    block.columns[f].clear();
    block.columns[f].type = reads_.fields[f].type;
    block.columns[f].present.reserve(rows);
  }
}

void ReadColumns::read(const Answer& answer, int row, int first, track::ContactBlock& block) const {
  int column = first;
  for (track::Column& field : block.columns) {
    answer.append_to(field, row, column++);
  }
  for (auto* const flags : {&block.tags, &block.places}) {
    for (std::vector<std::uint8_t>& flag : *flags) {
      flag.push_back(answer.boolean(row, column++) ? 1 : 0);
    }
  }
  if (reads_.events()) {
    block.newest.push_back(answer.int8(row, column++));
    block.events.push_back(sql::read_events(answer.text(row, column++)));
  }
  if (reads_.data) {
    block.data.emplace_back(answer.text(row, column++));
  }
}

}  // namespace turnout::store::postgres
