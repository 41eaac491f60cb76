#include "store/sql/fields.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/text.h"

namespace turnout::store::sql {

namespace {

constexpr std::array<std::string_view, 18> kReserved = {
    "id",    "key",   "email", "created_at", "updated_at", "merged_into",
    "extra", "rowid", "oid",   "_rowid_",    "ctid",       "xmin",
    "xmax",  "cmin",  "cmax",  "tableoid",   "c",          "p"};
// A row of `contact` has at most 1,600 columns on PostgreSQL.
constexpr std::size_t kMaxFields = 1000;
// PostgreSQL cuts longer names off.
constexpr std::size_t kMaxName = 63;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

bool is_reserved(std::string_view column) {
  return std::find(kReserved.begin(), kReserved.end(), base::to_lower_ascii(column)) !=
         kReserved.end();
}

base::Result<void> check_field(const track::Field& field) {
  const std::string said = "field \"" + field.name + "\": ";
  if (is_reserved(field.name)) {
    return base::fail(
        base::ErrorCode::kInvalid,
        said + "this name is taken by a column that every contact has; choose another");
  }
  if (field.name.empty() || field.name.size() > kMaxName || !is_letter(field.name[0]) ||
      !std::all_of(field.name.begin(), field.name.end(),
                   [](char c) { return is_letter(c) || is_digit(c); })) {
    return base::fail(
        base::ErrorCode::kInvalid,
        said + "a name has 1 to 63 letters, digits and '_', and does not begin with a digit");
  }
  if (field.type == track::Type::kUntyped) {
    return base::fail(base::ErrorCode::kInvalid,
                      said + "needs a type: text, number, boolean, timestamp or date");
  }
  return base::ok();
}

base::Result<std::vector<track::Field>> missing_fields(const track::Catalogue& known,
                                                       const std::vector<track::Field>& fields) {
  std::vector<track::Field> missing;
  std::vector<track::Field> all = known.fields;
  for (const track::Field& field : fields) {
    TRYV(check_field(field));
    const auto same = std::find_if(all.begin(), all.end(), [&](const track::Field& other) {
      return base::equals_ignoring_case(other.name, field.name);
    });
    if (same == all.end()) {
      all.push_back(field);
      missing.push_back({field.name, field.type, base::to_lower_ascii(field.name)});
    } else if (same->name != field.name) {
      return base::fail(base::ErrorCode::kConflict,
                        "field \"" + field.name + "\" differs from the field \"" + same->name +
                            "\" in case only; use the name that is there");
    } else if (same->type != field.type) {
      return base::fail(base::ErrorCode::kConflict, "field \"" + field.name + "\" is declared as " +
                                                        track::type_name(same->type) +
                                                        " already, not as " +
                                                        track::type_name(field.type));
    }
  }
  if (all.size() > kMaxFields) {
    return base::fail(base::ErrorCode::kExhausted,
                      "contacts have at most " + std::to_string(kMaxFields) + " fields");
  }
  return missing;
}

std::string quoted(std::string_view name) {
  std::string result = "\"";
  for (const char c : name) {
    result += c;
    if (c == '"') {
      result += c;
    }
  }
  return result + '"';
}

const char* column_type(Dialect dialect, track::Type type) {
  const bool postgres = dialect == Dialect::kPostgres;
  switch (type) {
    case track::Type::kText:
      return postgres ? "text collate \"C\"" : "text";
    case track::Type::kNumber:
      return postgres ? "double precision" : "real";
    case track::Type::kBoolean:
      return postgres ? "boolean" : "integer";
    case track::Type::kTimestamp:
      return postgres ? "timestamptz" : "integer";
    case track::Type::kDate:
      return postgres ? "date" : "integer";
    case track::Type::kUntyped:
      break;
  }
  CHECK(type != track::Type::kUntyped);
  return "";
}

}  // namespace turnout::store::sql
