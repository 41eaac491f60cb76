#pragma once

#include "cli/config.h"

namespace turnout::cli {

// Runs a peer until SIGINT or SIGTERM, or until it must end. Returns the exit code; what goes wrong
// is on standard error.
int run_server(const Config& config);

}  // namespace turnout::cli
