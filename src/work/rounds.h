#pragma once

// What an owner does for all its tracks, round after round, through one session: it begins with
// those that are new, follows the feed of changes, notes how far, and gathers.

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store/store.h"
#include "work/owned_track.h"
#include "work/track_book.h"

namespace turnout::work {

// How a round tells what it has found.
struct RoundCallbacks {
  std::function<void(base::TrackId)> made_due;  // there is something to cut
  std::function<void(store::Fence)> fenced;     // a write was refused: the track is somebody else's
  std::function<void(base::TrackId, std::string)> problem;  // this track cannot go on; says why
  // An attempt on the database that began then has succeeded or failed.
  std::function<void(bool succeeded, base::Tick began)> database;
};

// Not thread-safe. A statement that fails ends the round; the next one begins where it stands.
class Rounds {
 public:
  using Clock = std::function<base::Tick()>;

  // `session` and `callbacks` must outlive this.
  Rounds(store::Session& session, const RoundCallbacks& callbacks, Clock clock = base::boot_now)
      : session_(session), callbacks_(callbacks), clock_(std::move(clock)) {}

  void own(const store::Fence& fence, std::shared_ptr<const TrackEntry> entry);
  void disown(base::TrackId track);
  // One round. `between` is called between the steps: what others wait for goes first. True when
  // there is more to do at once.
  bool go_round(const std::function<void()>& between);

 private:
  bool start_feed();
  bool begin_new_tracks();
  bool read_feed();
  bool note_feed();
  bool gather();
  std::vector<base::TrackId> ids() const;
  // Takes in what a step on a track came to. False when the track is lost or failed.
  bool settle(base::TrackId track, const base::Result<StepResult>& result, base::Tick began);

  store::Session& session_;
  const RoundCallbacks& callbacks_;
  const Clock clock_;
  std::map<base::TrackId, OwnedTrack> tracks_;
  std::optional<store::FeedCursor> feed_;  // none: no track has begun
  std::size_t feed_unnoted_ = 0;           // changes read since it was last noted
  base::Tick feed_noted_{};
  bool busy_ = false;  // there is more to do at once
  std::function<void()> between_;
};

// Tells RoundCallbacks::database: an attempt that was refused has reached the database, too.
void report_attempt(const RoundCallbacks& callbacks, const base::Error* error, base::Tick began);

}  // namespace turnout::work
