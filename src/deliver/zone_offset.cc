#include "deliver/zone_offset.h"

#include <cctz/time_zone.h>

#include <string>

#include "base/zone_name.h"

namespace turnout::deliver {

std::optional<std::chrono::seconds> zone_offset(std::string_view zone, base::Instant at) {
  const std::string name(zone);
  cctz::time_zone found;
  if (!base::zone_exists(name) || !cctz::load_time_zone(name, &found)) {
    return std::nullopt;
  }
  const auto seconds = std::chrono::floor<std::chrono::seconds>(std::chrono::microseconds{at.us});
  const cctz::time_point<cctz::seconds> point{cctz::seconds{seconds.count()}};
  return std::chrono::seconds{found.lookup(point).offset};
}

}  // namespace turnout::deliver
