#pragma once

// What can be known to be wrong with a track before it runs: names that do not exist, types that
// cannot compare, steps that nothing leads to or that can never be left, loops without a wait. Time
// zones, regular expressions and recurrence rules are checked where they are compiled (room
// `decide`).

#include <string_view>
#include <vector>

#include "lang/diagnostic.h"
#include "track/catalogue.h"
#include "track/track.h"

namespace turnout::lang {

enum class Depth {
  kWhole,  // everything
  kLocal,  // only what can be judged in a tree with holes: names, types, numbers
};

// All mistakes and warnings, ordered by place. Thread-safe. Linear in the size of the track times
// the size of the catalogue's lists, but for a name not found.
std::vector<Diagnostic> check(const track::Track& track, const track::Catalogue& catalogue,
                              Depth depth = Depth::kWhole);

enum class RunBy {
  kServers,  // published
  kDryRun,   // in virtual time, with events that are given: `turnout test`, `turnout try`
};

// Names each construct that this version of Turnout reads but does not run there yet (code
// "not-run-yet"). A track is published only when this is empty. Tests in the file are not looked
// at.
std::vector<Diagnostic> check_runnable(const track::Track& track, RunBy by = RunBy::kServers);

struct Analysis {
  track::Track track;
  std::vector<Diagnostic> diagnostics;  // of parser and checker, ordered by place
  bool ok() const { return !has_errors(diagnostics); }
};

// Parses and checks: what `turnout check` does. When the text has mistakes of form, only those
// checks are made that holes in the tree cannot mislead.
Analysis analyse(std::string_view text, const track::Catalogue& catalogue);

}  // namespace turnout::lang
