#include "store/sql/change.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "store/sql/fields.h"
#include "store/sql/session.h"

namespace turnout::store::sql {

void append_json_string(std::string_view text, std::string& out) {
  constexpr const char* kHex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += kHex[static_cast<unsigned char>(c) >> 4];
      out += kHex[static_cast<unsigned char>(c) & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

namespace {

void append_list(const std::vector<std::string_view>& names, std::string& out) {
  out += '[';
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) {
      out += ',';
    }
    append_json_string(names[i], out);
  }
  out += ']';
}

void add_missing(std::vector<std::string>& to, const std::vector<std::string>& from) {
  for (const std::string& name : from) {
    if (std::find(to.begin(), to.end(), name) == to.end()) {
      to.push_back(name);
    }
  }
}

}  // namespace

void change_json(const std::vector<std::string_view>& fields,
                 const std::vector<std::string_view>& tags,
                 const std::vector<std::string_view>& places, std::string& out) {
  out.clear();
  out += "{\"fields\":";
  append_list(fields, out);
  out += ",\"tags\":";
  append_list(tags, out);
  if (!places.empty()) {
    out += ",\"places\":";
    append_list(places, out);
  }
  out += '}';
}

std::string events_json(const std::vector<std::pair<std::string, std::int64_t>>& events) {
  return nlohmann::json{{"events", events}}.dump();
}

void parse_change_json(const std::string& what, Change& change) {
  const nlohmann::json json = nlohmann::json::parse(what, nullptr, false);
  CHECK(json.is_object());
  change.fields = json.value("fields", std::vector<std::string>());
  change.tags = json.value("tags", std::vector<std::string>());
  change.places = json.value("places", std::vector<std::string>());
  change.events = json.value("events", std::vector<std::pair<std::string, std::int64_t>>());
}

void append_change(std::vector<Change>& changes, Change change) {
  if (!changes.empty() && changes.back().contact == change.contact &&
      changes.back().by == change.by) {
    Change& last = changes.back();
    add_missing(last.fields, change.fields);
    add_missing(last.tags, change.tags);
    add_missing(last.places, change.places);
    last.events.insert(last.events.end(), change.events.begin(), change.events.end());
    last.created = last.created || change.created;
    return;
  }
  changes.push_back(std::move(change));
}

void split_json_array(std::string_view array, std::vector<std::string_view>& elements) {
  elements.clear();
  CHECK(array.size() >= 2 && array.front() == '[' && array.back() == ']');
  std::size_t begin = 1;
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 1; i < array.size(); ++i) {
    const char c = array[i];
    if (quoted) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        quoted = false;
      }
      continue;
    }
    if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if (depth > 0 && (c == ']' || c == '}')) {
      --depth;
    } else if (depth == 0 && (c == ',' || c == ']')) {
      const std::string_view element = array.substr(begin, i - begin);
      if (c == ',' || !elements.empty() || !element.empty()) {
        elements.push_back(element == "null" ? std::string_view() : element);
      }
      begin = i + 1;
    }
  }
}

std::map<std::pair<std::int32_t, std::int32_t>, std::int64_t> tally_of(
    const std::vector<track::Shape>& shapes, const std::vector<std::int64_t>& moved) {
  std::map<std::pair<std::int32_t, std::int32_t>, std::int64_t> sums;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    if (moved[i] == 0 || shapes[i].moves == 0) {
      continue;
    }
    for (const track::Shape::Count& count : shapes[i].counts) {
      sums[{count.step, count.rule}] += count.times * moved[i];
    }
    CHECK(shapes[i].path.size() >= 3);
    sums[{shapes[i].path.front(), kTallyNet}] -= moved[i];
    sums[{shapes[i].path.back(), kTallyNet}] += moved[i];
  }
  std::erase_if(sums, [](const auto& sum) { return sum.second == 0; });
  return sums;
}

namespace {

// PostgreSQL would refuse the whole batch for such a text, and SQLite would cut it off.
base::Result<void> check_text(std::size_t row, std::string_view text) {
  if (text.find('\0') != std::string_view::npos ||
      base::first_invalid_utf8(text) != std::string_view::npos) {
    return base::fail(base::ErrorCode::kInvalid,
                      "row " + std::to_string(row + 1) +
                          " of the batch has a text that is not UTF-8 or holds a NUL");
  }
  return base::ok();
}

}  // namespace

base::Result<void> check_batch(const ContactBatch& batch) {
  if (batch.key.size() > kMaxImportRows) {
    return base::fail(base::ErrorCode::kInvalid,
                      "an import takes at most " + std::to_string(kMaxImportRows) +
                          " contacts at a time, not " + std::to_string(batch.key.size()));
  }
  CHECK(batch.fields.size() == batch.columns.size());
  for (std::size_t i = 0; i < batch.fields.size(); ++i) {
    CHECK(batch.columns[i].size() == batch.key.size());
    CHECK(batch.columns[i].type == batch.fields[i].type);
    if (is_reserved(batch.fields[i].column) && batch.fields[i].column != "email") {
      return base::fail(
          base::ErrorCode::kInvalid,
          "the field " + batch.fields[i].name + " is kept by Turnout and cannot be imported");
    }
  }
  for (std::size_t row = 0; row < batch.key.size(); ++row) {
    TRYV(check_text(row, batch.key[row]));
    for (const track::Column& column : batch.columns) {
      if (column.type == track::Type::kText && column.present[row] != 0) {
        TRYV(check_text(row, column.text[row]));
      }
    }
    if (batch.key[row].empty()) {
      return base::fail(base::ErrorCode::kInvalid,
                        "row " + std::to_string(row + 1) + " of the batch has an empty key");
    }
  }
  return base::ok();
}

std::vector<std::uint8_t> last_of_each_key(const ContactBatch& batch) {
  std::vector<std::uint8_t> counts(batch.key.size(), 0);
  std::unordered_map<std::string_view, std::size_t> last;
  last.reserve(batch.key.size());
  for (std::size_t i = 0; i < batch.key.size(); ++i) {
    last[batch.key[i]] = i;
  }
  for (const auto& [key, row] : last) {
    counts[row] = 1;
  }
  return counts;
}

}  // namespace turnout::store::sql
