#include "coverage.h"

#include <algorithm>
#include <set>

namespace turnout::lang {

using nlohmann::json;

namespace {

bool is_required(const json& schema, const std::string& name) {
  const json required = schema.value("required", json::array());
  return std::find(required.begin(), required.end(), name) != required.end();
}

bool has_type(const json& schema, const json& value) {
  const json type = schema.value("type", json());
  const auto is = [&](const std::string& name) {
    return (name == "object" && value.is_object()) || (name == "array" && value.is_array()) ||
           (name == "string" && value.is_string()) || (name == "number" && value.is_number()) ||
           (name == "boolean" && value.is_boolean());
  };
  return type.is_null() || (type.is_array() ? std::any_of(type.begin(), type.end(), is)
                                            : is(type.get<std::string>()));
}

}  // namespace

SchemaCoverage::SchemaCoverage(json schema) : schema_(std::move(schema)) {
  expect(schema_, "");
  for (const auto& [name, def] : schema_["$defs"].items()) {
    expect(def, "/$defs/" + name);
  }
}

const json& SchemaCoverage::resolve(const json& schema, std::string& place) const {
  const json* at = &schema;
  while (at->contains("$ref")) {
    place = at->at("$ref").get<std::string>().substr(1);
    at = &schema_.at(json::json_pointer(place));
  }
  return *at;
}

void SchemaCoverage::expect(const json& schema, const std::string& place) {
  for (const char* const choice : {"oneOf", "anyOf"}) {
    for (std::size_t i = 0; i < schema.value(choice, json::array()).size(); ++i) {
      const std::string at = place + "/" + choice + "/" + std::to_string(i);
      branches_[at] = false;
      expect(schema[choice][i], at);
    }
  }
  const json properties = schema.value("properties", json::object());
  for (const auto& [name, property] : properties.items()) {
    const std::string at = place + "/properties/" + name;
    branches_[at + " there"] = false;
    if (!is_required(schema, name)) {
      branches_[at + " not there"] = false;
    }
    expect(property, at);
  }
  for (const json& word : schema.value("enum", json::array())) {
    branches_[place + " = " + word.dump()] = false;
  }
  if (schema.contains("items")) {
    branches_[place + " not empty"] = false;
    if (!schema.contains("minItems")) {
      branches_[place + " empty"] = false;
    }
    expect(schema["items"], place + "/items");
  }
}

// Whether it is this alternative: by type, by the words of its members, by its required members.
bool SchemaCoverage::fits(const json& schema, const json& value) const {
  std::string place;
  const json& at = resolve(schema, place);
  for (const json& one : at.value("anyOf", json::array())) {
    if (fits(one, value)) {
      return true;
    }
  }
  if (at.contains("anyOf") || !has_type(at, value)) {
    return false;
  }
  if (at.contains("const")) {
    return at["const"] == value;
  }
  if (at.contains("enum") &&
      std::find(at["enum"].begin(), at["enum"].end(), value) == at["enum"].end()) {
    return false;
  }
  if (!value.is_object() || !at.contains("properties")) {
    return true;
  }
  for (const json& name : at.value("required", json::array())) {
    if (!value.contains(name) ||
        !fits(at["properties"][name.get<std::string>()], value[name.get<std::string>()])) {
      return false;
    }
  }
  return std::all_of(value.items().begin(), value.items().end(),
                     [&](const auto& item) { return at["properties"].contains(item.key()); });
}

void SchemaCoverage::use_object(const json& schema, const std::string& place, const json& value) {
  for (const auto& [name, property] : schema["properties"].items()) {
    const std::string at = place + "/properties/" + name;
    const bool there = value.contains(name);
    branches_[at + (there ? " there" : " not there")] = true;
    if (there) {
      use(property, at, value[name]);
    }
  }
}

void SchemaCoverage::use(const json& schema, const std::string& from, const json& value) {
  std::string place = from;
  const json& at = resolve(schema, place);
  for (const char* const choice : {"oneOf", "anyOf"}) {
    for (std::size_t i = 0; at.contains(choice) && i < at[choice].size(); ++i) {
      if (fits(at[choice][i], value)) {
        const std::string branch = place + "/" + choice + "/" + std::to_string(i);
        branches_[branch] = true;
        use(at[choice][i], branch, value);
      }
    }
  }
  if (at.contains("enum")) {
    branches_[place + " = " + value.dump()] = true;
  }
  if (value.is_object() && at.contains("properties")) {
    use_object(at, place, value);
  } else if (value.is_object() && at.contains("additionalProperties")) {
    for (const json& member : value) {
      use(at["additionalProperties"], place + "/additionalProperties", member);
    }
  } else if (value.is_array() && at.contains("items")) {
    branches_[place + (value.empty() ? " empty" : " not empty")] = true;
    for (const json& item : value) {
      use(at["items"], place + "/items", item);
    }
  } else if (value.is_array() && at.contains("prefixItems")) {
    use(at["prefixItems"][1], place + "/prefixItems/1", value.at(1));
  }
}

void SchemaCoverage::add(const json& document) { use(schema_, "", document); }

std::vector<std::string> SchemaCoverage::unused() const {
  std::vector<std::string> out;
  for (const auto& [branch, used] : branches_) {
    if (!used) {
      out.push_back(branch);
    }
  }
  return out;
}

}  // namespace turnout::lang
