#include "deliver/zone_offset.h"

#include <cctz/time_zone.h>

#include <algorithm>
#include <filesystem>
#include <string>

namespace turnout::deliver {
namespace {

constexpr const char* kZoneFolder = "/usr/share/zoneinfo/";

}  // namespace

std::optional<std::chrono::seconds> zone_offset(std::string_view zone, base::Instant at) {
  // cctz opens files by the name it is given and remembers every name for ever, right or wrong, so
  // only the names of files that are there reach it.
  const bool plain = std::all_of(zone.begin(), zone.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
           c == '_' || c == '-' || c == '+';
  });
  const std::string name(zone);
  std::error_code error;
  if (!plain || name.empty() || name.size() > 64 || name.front() == '/' || name == "localtime" ||
      !std::filesystem::is_regular_file(kZoneFolder + name, error)) {
    return std::nullopt;
  }
  cctz::time_zone found;
  if (!cctz::load_time_zone(name, &found)) {
    return std::nullopt;
  }
  const auto seconds = std::chrono::floor<std::chrono::seconds>(std::chrono::microseconds{at.us});
  const cctz::time_point<cctz::seconds> point{cctz::seconds{seconds.count()}};
  return std::chrono::seconds{found.lookup(point).offset};
}

}  // namespace turnout::deliver
