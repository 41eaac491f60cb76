#pragma once

// What an owner leaves in the database for the next owner of a track: up to where the feed of
// changes was followed, and what was still to be looked at then that the feed does not tell of. All
// in one text, so that the two are never written apart. Plain values; no thread-safety of their
// own.

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/time.h"
#include "store/store.h"

namespace turnout::work {

// Events from `since` on, above `after`, may gather though the feed does not tell of them.
struct Regathering {
  base::Instant since;
  store::EventKey after;
};

struct FeedNote {
  std::string cursor;                             // store::FeedCursor::text
  base::Instant at = track::kNever;               // when the feed had been followed up to there
  std::optional<Regathering> regathering = {};    // no earlier than what is still to be looked at
  std::optional<base::ContactId> retesting = {};  // contacts above this one are to be tested again

  // "CURSOR|AT|SINCE CONTACT EVENT|CONTACT", times in microseconds since 1970; what is not to be
  // done is left out, also at the end.
  std::string text() const;
  // Of a text that is none, what can be read.
  static FeedNote parse(std::string_view text);

  // Everybody is to be tested once, and all events since it was noted are to be looked at: the
  // feed was lost.
  void lose_feed();
};

}  // namespace turnout::work
