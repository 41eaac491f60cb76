// What clients send: JSON texts as records of the store, with each mistake's place.

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <unordered_set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "web/api.h"
#include "web/json.h"

namespace turnout::web {
namespace {

using SortedJson = nlohmann::json;

bool fail(BadInput& bad, std::string where, std::string message, std::string remedy = {}) {
  bad = {std::move(message), std::move(where), std::move(remedy)};
  return false;
}

bool parse_object(std::string_view body, SortedJson& json, BadInput& bad) {
  try {
    json = SortedJson::parse(body);
  } catch (const SortedJson::exception& error) {
    const std::string what = error.what();
    const std::size_t text = what.find("] ");
    return fail(bad, "body", text == std::string::npos ? what : what.substr(text + 2),
                "send one JSON object in UTF-8");
  }
  return json.is_object() || fail(bad, "body", "is not a JSON object", "send one JSON object");
}

// Refuses members that we do not know: a misspelt one would be passed over silently.
bool only_members(const SortedJson& json, std::initializer_list<const char*> names, BadInput& bad) {
  for (const auto& [name, value] : json.items()) {
    if (std::find_if(names.begin(), names.end(), [&](const char* n) { return name == n; }) ==
        names.end()) {
      return fail(bad, name, "is no member of this object",
                  fmt::format("members are {}", fmt::join(names, ", ")));
    }
  }
  return true;
}

bool is_plain_name(std::string_view name) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && name.size() <= 63 && letter(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

// One cell of a column as a value of the field's type; nullopt when it is none.
std::optional<track::Value> read_value(const SortedJson& cell, const track::Field& field,
                                       std::string& wanted) {
  if (cell.is_null()) {
    return track::Value(track::Missing{});
  }
  switch (field.type) {
    case track::Type::kNumber:
      if (cell.is_number() && std::isfinite(cell.get<double>())) {
        return track::Value(cell.get<double>());
      }
      wanted = "a number";
      return std::nullopt;
    case track::Type::kBoolean:
      if (cell.is_boolean()) {
        return track::Value(cell.get<bool>());
      }
      wanted = "true or false";
      return std::nullopt;
    case track::Type::kTimestamp: {
      wanted = "a time such as \"2026-12-01T09:00:00Z\"";
      auto at = cell.is_string()
                    ? base::parse_instant(cell.get_ref<const std::string&>())
                    : base::Result<base::Instant>(base::fail(base::ErrorCode::kInvalid, ""));
      return at ? std::optional<track::Value>(at.value()) : std::nullopt;
    }
    case track::Type::kDate: {
      wanted = "a date such as \"2026-12-01\"";
      auto date = cell.is_string()
                      ? base::parse_date(cell.get_ref<const std::string&>())
                      : base::Result<base::Date>(base::fail(base::ErrorCode::kInvalid, ""));
      return date ? std::optional<track::Value>(date.value()) : std::nullopt;
    }
    case track::Type::kText:
    case track::Type::kUntyped:
      break;
  }
  const std::size_t most = field.name == "email" ? kMaxEmailBytes : kMaxTextBytes;
  wanted = fmt::format("text of at most {} bytes without NUL", most);
  if (!cell.is_string() || cell.get_ref<const std::string&>().size() > most ||
      cell.get_ref<const std::string&>().find('\0') != std::string::npos) {
    return std::nullopt;
  }
  return track::Value(cell.get<std::string>());
}

bool read_keys(const SortedJson& json, store::ContactBatch& batch, BadInput& bad) {
  const auto keys = json.find("key");
  if (keys == json.end() || !keys->is_array()) {
    return fail(bad, "key", "is not an array", "give one key per contact");
  }
  if (keys->size() > kMaxImportRows) {
    return fail(bad, "key", fmt::format("has {} rows, more than {}", keys->size(), kMaxImportRows),
                "send several batches");
  }
  std::unordered_set<std::string_view> seen;
  batch.key.reserve(keys->size());
  for (std::size_t row = 0; row < keys->size(); ++row) {
    const SortedJson& cell = (*keys)[row];
    const std::string where = fmt::format("key[{}]", row);
    if (!cell.is_string()) {
      return fail(bad, where, "is not text");
    }
    const auto& key = cell.get_ref<const std::string&>();
    if (key.empty() || key.size() > kMaxKeyBytes || key.find('\0') != std::string::npos) {
      return fail(bad, where, fmt::format("a key has 1 to {} bytes without NUL", kMaxKeyBytes));
    }
    if (!seen.insert(key).second) {
      return fail(bad, where, fmt::format("\"{}\" stands twice in this batch", key),
                  "send each contact once");
    }
    batch.key.push_back(key);
  }
  return true;
}

bool read_column(const SortedJson& column, std::size_t index, std::size_t rows,
                 const track::Field& field, store::ContactBatch& batch, BadInput& bad) {
  const std::string where = fmt::format("columns[{}]", index);
  if (!column.is_array() || column.size() != rows) {
    return fail(bad, where, fmt::format("is not an array of {} values", rows),
                "each column has one value per key");
  }
  track::Column& to = batch.columns.emplace_back();
  to.type = field.type;
  std::string wanted;
  for (std::size_t row = 0; row < rows; ++row) {
    auto value = read_value(column[row], field, wanted);
    if (!value) {
      return fail(bad, fmt::format("{}[{}]", where, row),
                  fmt::format("field \"{}\" of contact \"{}\" is not {}", field.name,
                              batch.key[row], wanted),
                  "null stands for a missing value");
    }
    to.append(*value);
  }
  return true;
}

// The field called `name` if clients may write it.
const track::Field* writable_field(const track::Catalogue& catalogue, const std::string& name,
                                   const std::string& where, BadInput& bad) {
  const track::Field* field = catalogue.find(name);
  if (field == nullptr) {
    std::vector<std::string> names;
    names.reserve(catalogue.fields.size());
    for (const track::Field& f : catalogue.fields) {
      names.push_back(f.name);
    }
    const std::string_view meant = base::closest(name, names);
    fail(bad, where, fmt::format("field \"{}\" does not exist", name),
         meant.empty() ? "declare it first: POST /api/fields"
                       : fmt::format("did you mean \"{}\"?", meant));
    return nullptr;
  }
  if (name == "key" || name == "created_at" || name == "updated_at") {
    fail(bad, where, fmt::format("field \"{}\" cannot be written", name),
         name == "key" ? "keys stand in \"key\"" : "the database keeps it");
    return nullptr;
  }
  return field;
}

}  // namespace

bool read_fields(std::string_view body, std::vector<track::Field>& fields, BadInput& bad) {
  SortedJson json;
  if (!parse_object(body, json, bad) || !only_members(json, {"fields"}, bad)) {
    return false;
  }
  const auto list = json.find("fields");
  if (list == json.end() || !list->is_array() || list->size() > kMaxImportFields) {
    return fail(bad, "fields",
                fmt::format("is not an array of at most {} fields", kMaxImportFields));
  }
  for (std::size_t i = 0; i < list->size(); ++i) {
    const SortedJson& item = (*list)[i];
    const std::string where = fmt::format("fields[{}]", i);
    if (!item.is_object() || !item.contains("name") || !item["name"].is_string() ||
        !item.contains("type") || !item["type"].is_string()) {
      return fail(bad, where, "is not {\"name\": …, \"type\": …}");
    }
    const auto name = item["name"].get<std::string>();
    const auto type = track::type_named(item["type"].get<std::string>());
    if (!is_plain_name(name)) {
      return fail(bad, where + ".name", fmt::format("\"{}\" cannot be a field's name", name),
                  "use 1 to 63 letters, digits and \"_\", not beginning with a digit");
    }
    if (!type) {
      return fail(bad, where + ".type",
                  fmt::format("\"{}\" is no type", item["type"].get<std::string>()),
                  "types are text, number, boolean, timestamp and date");
    }
    fields.push_back({name, *type, ""});
  }
  return true;
}

bool read_import(std::string_view body, const track::Catalogue& catalogue,
                 store::ContactBatch& batch, BadInput& bad) {
  SortedJson json;
  if (!parse_object(body, json, bad) || !only_members(json, {"key", "fields", "columns"}, bad) ||
      !read_keys(json, batch, bad)) {
    return false;
  }
  const auto names = json.find("fields");
  const auto columns = json.find("columns");
  if (names == json.end() || !names->is_array() || names->size() > kMaxImportFields) {
    return fail(bad, "fields",
                fmt::format("is not an array of at most {} names", kMaxImportFields));
  }
  if (columns == json.end() || !columns->is_array() || columns->size() != names->size()) {
    return fail(bad, "columns", "is not an array of as many columns as there are fields");
  }
  std::set<std::string> seen;
  for (std::size_t i = 0; i < names->size(); ++i) {
    const std::string where = fmt::format("fields[{}]", i);
    if (!(*names)[i].is_string()) {
      return fail(bad, where, "is not text");
    }
    const auto name = (*names)[i].get<std::string>();
    const track::Field* field = writable_field(catalogue, name, where, bad);
    if (field == nullptr) {
      return false;
    }
    if (!seen.insert(name).second) {
      return fail(bad, where, fmt::format("field \"{}\" stands twice", name));
    }
    batch.fields.push_back(*field);
    if (!read_column((*columns)[i], i, batch.key.size(), *field, batch, bad)) {
      return false;
    }
  }
  return true;
}

namespace {

bool read_text(const SortedJson& json, const char* name, std::string& out, BadInput& bad) {
  if (!json.contains(name)) {
    return true;
  }
  if (!json[name].is_string()) {
    return fail(bad, name, "is not text");
  }
  out = json[name].get<std::string>();
  return true;
}

bool read_number(const SortedJson& json, const char* name, std::int64_t low, std::int64_t high,
                 std::int64_t& out, BadInput& bad) {
  if (!json.contains(name)) {
    return true;
  }
  if (!json[name].is_number_integer() || json[name] < low || json[name] > high) {
    return fail(bad, name, fmt::format("must be a whole number from {} to {}", low, high));
  }
  out = json[name].get<std::int64_t>();
  return true;
}

// A track and the name of its file.
template <class Request>
bool read_track(const SortedJson& json, Request& request, BadInput& bad) {
  if (!json.contains("text") || !json["text"].is_string()) {
    return fail(bad, "text", "is missing", "send the track's text");
  }
  request.text = json["text"].get<std::string>();
  return read_text(json, "file", request.file, bad);
}

}  // namespace

bool read_backtest(std::string_view body, BacktestRequest& request, BadInput& bad) {
  SortedJson json;
  std::int64_t after = 0;
  std::int64_t limit = request.limit;
  if (!parse_object(body, json, bad) ||
      !only_members(json, {"text", "file", "after", "limit", "now", "length"}, bad) ||
      !read_track(json, request, bad) || !read_text(json, "now", request.now, bad) ||
      !read_text(json, "length", request.length, bad) ||
      !read_number(json, "after", 0, std::numeric_limits<std::int64_t>::max(), after, bad) ||
      !read_number(json, "limit", 1, kMaxBacktest, limit, bad)) {
    return false;
  }
  request.after = base::ContactId(after);
  request.limit = static_cast<int>(limit);
  return true;
}

namespace {

bool read_event(const SortedJson& json, const std::string& where, store::NewEvent& event,
                BadInput& bad) {
  const bool read =
      json.is_object()
          ? only_members(json, {"key", "event", "properties", "id"}, bad) &&
                read_text(json, "key", event.key, bad) &&
                read_text(json, "event", event.name, bad) && read_text(json, "id", event.id, bad)
          : fail(bad, "", "is not an object", "an event is {\"key\": …, \"event\": …}");
  if (!read) {
    bad.where = bad.where.empty() ? where : where + "." + bad.where;
    return false;
  }
  for (const auto& [name, text] : {std::pair("key", &event.key), std::pair("event", &event.name),
                                   std::pair("id", &event.id)}) {
    if (text->size() > kMaxNameBytes) {
      return fail(bad, where + "." + name, fmt::format("is longer than {} bytes", kMaxNameBytes));
    }
    if (text->empty() && name != std::string_view("id")) {
      return fail(bad, where + "." + name, "is missing",
                  "an event needs the key of a contact and a name");
    }
  }
  if (json.contains("properties")) {
    if (!json["properties"].is_object()) {
      return fail(bad, where + ".properties", "is not an object");
    }
    event.properties = json["properties"].dump();
    if (event.properties.size() > kMaxTextBytes) {
      return fail(bad, where + ".properties",
                  fmt::format("are longer than {} bytes", kMaxTextBytes));
    }
  }
  return true;
}

}  // namespace

bool read_events(std::string_view body, std::vector<store::NewEvent>& events, BadInput& bad) {
  SortedJson json;
  std::string source;
  if (!parse_object(body, json, bad) || !only_members(json, {"source", "events"}, bad) ||
      !read_text(json, "source", source, bad)) {
    return false;
  }
  if (!json.contains("events") || !json["events"].is_array() ||
      json["events"].size() > kMaxImportRows) {
    return fail(bad, "events", fmt::format("is not an array of at most {} events", kMaxImportRows));
  }
  for (std::size_t i = 0; i < json["events"].size(); ++i) {
    store::NewEvent& event = events.emplace_back();
    event.source = source;
    if (!read_event(json["events"][i], fmt::format("events[{}]", i), event, bad)) {
      return false;
    }
  }
  return true;
}

bool read_publish(std::string_view body, PublishRequest& request, BadInput& bad) {
  SortedJson json;
  if (!parse_object(body, json, bad) ||
      !only_members(json, {"text", "file", "map", "plan", "reschedule"}, bad) ||
      !read_track(json, request, bad)) {
    return false;
  }
  for (const auto& [name, flag] :
       {std::pair("plan", &request.plan), std::pair("reschedule", &request.reschedule)}) {
    if (json.contains(name)) {
      if (!json[name].is_boolean()) {
        return fail(bad, name, "is neither true nor false");
      }
      *flag = json[name].get<bool>();
    }
  }
  if (json.contains("map")) {
    if (!json["map"].is_object()) {
      return fail(bad, "map", "is not an object",
                  "write {\"Old step\": \"New step\", \"Gone step\": null}");
    }
    for (const auto& [from, to] : json["map"].items()) {
      if (!to.is_string() && !to.is_null()) {
        return fail(bad, "map." + from, "is neither a step nor null", "null stops the contacts");
      }
      request.map[from] =
          to.is_null() ? std::nullopt : std::optional<std::string>(to.get<std::string>());
    }
  }
  return true;
}

}  // namespace turnout::web
