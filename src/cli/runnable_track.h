#pragma once

// A track in a file, read for a command that runs it.

#include <optional>
#include <string>

#include "base/time.h"
#include "cli/known_names.h"
#include "track/track.h"

namespace turnout::cli {

// Nothing when the file cannot be read, or is no track that runs there: which is said on standard
// error, with every mistake.
std::optional<track::Track> read_runnable(const std::string& file, const KnownNames& known,
                                          lang::RunBy by = lang::RunBy::kDryRun);

// The present by this machine's clock, for commands that ask no server.
base::Instant machine_now();

}  // namespace turnout::cli
