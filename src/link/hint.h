#pragma once

namespace turnout::link {

// Says where there is something new in the database, so that others look at once rather than at
// their next turn. A hint that is lost costs that time and nothing else.
struct Hint {
  bool contacts = false;  // changed, or events have come: owners look at the feed of changes
  bool outbox = false;    // actions were put in it: the master looks there
  friend bool operator==(const Hint&, const Hint&) = default;
};

}  // namespace turnout::link
