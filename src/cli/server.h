#pragma once

#include <functional>

#include "cli/config.h"

namespace turnout::cli {

// Runs one peer until SIGINT or SIGTERM (then it leaves the group in order) or until it must not go
// on. Prints what a person must know to standard error and, when it answers, one line with its
// address. Returns the exit status: 0 ended as asked, 1 the configuration is wrong, 3 the database,
// a port or the name could not be had.
//
// If there are key files or certificates: on SIGHUP `reread` is called for the configuration as it
// is then, and those that it names are read again; the rest of it waits for a restart.
int run_server(const Config& config, const std::function<ConfigAnswer()>& reread);

}  // namespace turnout::cli
