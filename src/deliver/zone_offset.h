#pragma once

// Time zones for templates, from the system's IANA database (cctz).

#include <chrono>
#include <optional>
#include <string_view>

#include "base/time.h"

namespace turnout::deliver {

// How far the clocks of that zone are ahead of UTC then, or nothing if there is no such zone. Names
// that mean a file elsewhere are refused. Thread-safe; a zone is read once.
std::optional<std::chrono::seconds> zone_offset(std::string_view zone, base::Instant at);

}  // namespace turnout::deliver
