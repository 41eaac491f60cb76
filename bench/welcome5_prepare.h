#pragma once

// Fills a database with WELCOME-5's contacts, publishes its track and puts everybody on it.

#include <cstdint>
#include <map>
#include <string>

#include "bench/scratch.h"
#include "store/store.h"

namespace turnout::bench {

inline constexpr const char* kTrackName = "Welcome 5";

// What must come out, exactly.
struct Expected {
  std::int64_t moves = 0;
  std::map<std::string, std::int64_t> outcomes;
  std::map<std::string, std::int64_t> actions;  // by template or webhook
  std::int64_t tag_pro = 0;
};

struct Prepared {
  std::int64_t n = 0;
  base::TrackId track;
  base::Version version;
  Expected expected;
};

// `text`: the track's, renamed to kTrackName. Afterwards nobody owns the track, and no connection
// is open.
Prepared prepare(const Scratch& scratch, std::string text, std::int64_t n);

// Ends the process when report() says otherwise than expected.
void check_counts(store::Session& session, const Expected& expected);

}  // namespace turnout::bench
