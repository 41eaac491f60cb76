#include "deliver/json_value.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace turnout::deliver {
namespace {

using Json = nlohmann::ordered_json;

base::Result<tmpl::Value> value_at(const Json& json, std::size_t depth) {
  if (depth > tmpl::kMaxValueDepth) {
    return base::fail(
        base::ErrorCode::kExhausted,
        fmt::format("arrays and objects may be {} deep at most", tmpl::kMaxValueDepth));
  }
  if (json.is_array()) {
    tmpl::Value::Items items;
    items.reserve(json.size());
    for (const Json& item : json) {
      TRY(auto value, value_at(item, depth + 1));
      items.push_back(std::move(value));
    }
    return tmpl::Value::array(std::move(items));
  }
  if (json.is_object()) {
    tmpl::Value::Members members;
    members.reserve(json.size());
    for (const auto& [name, member] : json.items()) {
      TRY(auto value, value_at(member, depth + 1));
      members.emplace_back(name, std::move(value));
    }
    return tmpl::Value::object(std::move(members));
  }
  if (json.is_string()) {
    return tmpl::Value(json.get<std::string>());
  }
  if (json.is_boolean()) {
    return tmpl::Value::boolean(json.get<bool>());
  }
  return json.is_number() ? tmpl::Value::number(json.get<double>()) : tmpl::Value::nil();
}

}  // namespace

base::Result<tmpl::Value> value_of_json(const Json& json) { return value_at(json, 0); }

}  // namespace turnout::deliver
