#pragma once

// Names of time zones, as they come from tracks, contacts and templates.

#include <string>

namespace turnout::base {

// Whether that is the IANA name of a zone whose data this machine has (under /usr/share/zoneinfo).
// Names that mean a file elsewhere or this machine's own zone are refused. To be asked before a
// name reaches cctz, which opens files by the name it is given and remembers every name for ever,
// right or wrong. Reads the file system; thread-safe.
bool zone_exists(const std::string& name);

}  // namespace turnout::base
