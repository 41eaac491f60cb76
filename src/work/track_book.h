#pragma once

// This peer's copy of every track (R8), compiled. Brought up to date from the store when the
// catalogue's version moves on.

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "decide/gather.h"
#include "decide/guards.h"
#include "decide/program.h"
#include "store/store.h"

namespace turnout::work {

// The current version of a track, ready to run. Immutable; shared by all threads.
struct TrackEntry {
  store::TrackVersion published;
  std::shared_ptr<const decide::Program> program;                    // null when `problem` is set
  std::shared_ptr<const std::vector<decide::GatherClause>> gathers;  // null when `problem` is set
  std::shared_ptr<const decide::Guards> guards;  // null where no message is ever held up
  store::Reads reads;                            // of a block
  std::vector<store::Reads> gather_reads;        // of contacts, parallel to `gathers`
  std::string problem;  // why this program cannot run it (an older server and a newer track), or ""
};

// Thread-safe.
class TrackBook {
 public:
  // The syntax tree of a track's text, or why it cannot be read. Called under no lock.
  using Parse = std::function<base::Result<track::Track>(const std::string& text)>;

  explicit TrackBook(Parse parse) : parse_(std::move(parse)) {}

  // Reads catalogue and tracks anew if the catalogue's version has moved on since the last time, so
  // that asking again costs one small statement. Tracks whose version is known already are kept as
  // they are unless fields were added. Of several under way at once what the one that began last
  // has read stays. Errors are the session's.
  base::Result<void> refresh(store::Session& session);

  // The next refresh() reads everything, whatever the catalogue's version: after a fail-over that
  // lost the tail the same number may stand for something else.
  void forget_version();
  // The current version of the track, or null.
  std::shared_ptr<const TrackEntry> find(base::TrackId id) const;
  std::vector<std::shared_ptr<const TrackEntry>> all() const;
  track::Catalogue catalogue() const;

 private:
  std::shared_ptr<const TrackEntry> compile(store::TrackVersion published,
                                            const track::Catalogue& catalogue) const;

  const Parse parse_;
  mutable std::mutex mutex_;
  std::int64_t version_ = 0;  // of the catalogue, as read before the rest; 0: nothing read yet
  std::uint64_t begun_ = 0;   // refreshes so far
  std::uint64_t taken_ = 0;   // of which the last one is that which has left what is here
  track::Catalogue catalogue_;
  std::map<base::TrackId, std::shared_ptr<const TrackEntry>> tracks_;
};

}  // namespace turnout::work
