#include "base/zone_name.h"

#include <algorithm>
#include <filesystem>

namespace turnout::base {
namespace {

constexpr const char* kZoneFolder = "/usr/share/zoneinfo/";
constexpr std::size_t kMaxName = 64;  // bytes

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '+' || c == '-' || c == '/';
}

}  // namespace

bool zone_exists(const std::string& name) {
  if (name.empty() || name.size() > kMaxName || name.front() == '/' || name == "localtime" ||
      !std::all_of(name.begin(), name.end(), is_plain)) {
    return false;
  }
  std::error_code error;
  return std::filesystem::is_regular_file(kZoneFolder + name, error);
}

}  // namespace turnout::base
