#include "track/json_members.h"

#include <algorithm>
#include <vector>

namespace turnout::track::json {

bool is_plain(const Json::Object& object) {
  std::vector<std::string_view> names;
  names.reserve(object.members.size());
  for (const Json::Member& member : object.members) {
    const std::string& name = member.first;
    const bool number = !name.empty() && std::all_of(name.begin(), name.end(),
                                                     [](char c) { return c >= '0' && c <= '9'; });
    if (number || name == "__proto__") {
      return false;
    }
    names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end()) == names.end();
}

}  // namespace turnout::track::json
