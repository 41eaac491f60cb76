#pragma once

// What a track may name: the declared fields of contacts, templates, webhooks and databases.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "track/value.h"

namespace turnout::track {

// Fields that every contact has as columns of the table `contact`, beside the declared ones.
// `email` and `key` are text, `created_at` and `updated_at` timestamps.
inline constexpr const char* kBuiltInFields[] = {"key", "email", "created_at", "updated_at"};

struct Field {
  std::string name;  // as written in tracks; unique without regard to ASCII case
  Type type = Type::kText;
  std::string column;  // its column in the table `contact`
};

// A plain value: whoever holds it may read it from any thread.
struct Catalogue {
  std::vector<Field> fields;  // the built-in ones first
  // Names that exist; nullopt: not known here, so not checked.
  std::optional<std::vector<std::string>> templates;
  std::optional<std::vector<std::string>> webhooks;
  std::optional<std::vector<std::string>> databases;
  std::optional<std::vector<std::string>> tracks;

  // The field of that exact name, or null.
  const Field* find(std::string_view name) const;
};

// A catalogue that has the built-in fields only.
Catalogue built_in_catalogue();

}  // namespace turnout::track
