#pragma once

// What an owner does for one of its tracks beside cutting blocks: it gathers contacts, and makes
// those due again whose waiting rules may be met since something changed. All through one session,
// in small steps.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/mutant.h"
#include "base/result.h"
#include "store/store.h"
#include "work/feed_note.h"
#include "work/track_book.h"

namespace turnout::work {

inline constexpr int kGatherChunk = 20'000;  // contacts looked at in one statement
inline constexpr int kRetestChunk = 5'000;   // contacts tested again in one statement
// Continuous gathering whose condition compares with the time looks at everybody again this often.
inline constexpr base::Duration kTimeRescan = std::chrono::minutes(1);

// Whether it is closed until a time that a field of its contact says.
inline bool is_following(const store::PositionRow& row) {
  return row.state == track::PositionState::kClosed && (row.stayed & track::kFollows) != 0;
}

// Whether an entry is to be made due again now that its contact has changed: it `listens` to what
// changed by its step, by the field that its delayed move follows or by a `leave` clause, or it is
// due. The latter may be in a block that has read the contact as it was, and would move it on to a
// step that it is never woken on again.
inline bool is_to_be_woken(const store::PositionRow& row, bool listens) {
  return listens || (row.due && !base::planted(base::Mutant::kDueNotWoken));
}

// Whether it is to be tested again by a version that has just become its own.
inline bool is_retested(const store::PositionRow& row, const decide::Program& program) {
  return row.state == track::PositionState::kOpen || is_following(row) || program.leaves();
}

// What a step of work came to.
struct StepResult {
  bool made_due = false;  // contacts were made due: there is something to cut
  bool more = false;      // there is more to do at once
  bool fenced = false;    // the track is somebody else's now
};

// One owned track. Used by the owner's thread only. Keeps where it stands in the database (table
// `cursor`), so that the next owner goes on from there.
class OwnedTrack {
 public:
  OwnedTrack(store::Fence fence, std::shared_ptr<const TrackEntry> entry)
      : fence_(fence), entry_(std::move(entry)) {}

  const store::Fence& fence() const { return fence_; }
  const TrackEntry& entry() const { return *entry_; }

  // Reads where the last owner stood, and follows the feed from there up to now; then the changes
  // that the owner reads for all its tracks go on from there.
  base::Result<StepResult> begin(store::Session& session);
  bool begun() const { return begun_; }

  // Gathers one chunk for each clause whose time has come.
  base::Result<StepResult> gather(store::Session& session, base::Instant now);

  // Looks at changes of contacts: gathers those that now meet a continuous clause, wakes those that
  // wait.
  base::Result<StepResult> changed(store::Session& session,
                                   const std::vector<store::Change>& changes);

  // Everybody is to be tested once (the feed was lost), by this owner or the next.
  base::Result<StepResult> test_everybody(store::Session& session);

  // Notes in the database that changes up to `cursor` were looked at, and what is still to be.
  base::Result<StepResult> note_feed(store::Session& session, const store::FeedCursor& cursor);

 private:
  struct Clause {
    const decide::GatherClause* gather = nullptr;
    const store::Reads* reads = nullptr;
    std::string name;  // in the table `cursor`; of this version
    std::optional<base::ContactId>
        scanning;  // a run is under way: contacts above this one are to be looked at
    base::Instant last_run = track::kNever;  // when the last complete run began
    base::Instant run_began = track::kNever;
  };

  struct WakeResult {
    std::int64_t woken = 0;
    bool fenced = false;
  };
  base::Result<WakeResult> wake(store::Session& session, const std::vector<store::Wake>& wakes);
  base::Result<void> read_clauses(store::Session& session);
  base::Result<StepResult> gather_chunk(store::Session& session, Clause& clause,
                                        base::ContactId from, base::Instant now);
  base::Result<StepResult> write_scan(store::Session& session, const Clause& clause);
  store::Entrance entrance(const decide::GatherClause& clause, base::Instant now) const;
  base::Result<store::GatherResult> take(store::Session& session, const Clause& clause,
                                         base::Instant now, std::vector<base::ContactId> contacts);
  base::Result<store::GatherResult> take_chunk(store::Session& session, const Clause& clause,
                                               base::ContactId from, base::Instant now);
  base::Result<StepResult> gather_changed(store::Session& session,
                                          const std::vector<store::Change>& changes);
  base::Result<StepResult> gather_on(store::Session& session,
                                     const std::vector<store::Change>& changes);
  std::set<std::string> entering_events() const;
  base::Result<StepResult> take_off(store::Session& session,
                                    const std::vector<store::EventRow>& events,
                                    std::map<base::ContactId, std::int64_t>& last);
  // Puts on the track whom these take there, and takes off whom they take off.
  base::Result<StepResult> take_events(store::Session& session,
                                       const std::vector<store::EventRow>& events);
  base::Result<StepResult> regather_chunk(store::Session& session, Regathering from);
  base::Result<std::vector<store::Arrival>> arrivals(store::Session& session,
                                                     const std::vector<store::EventRow>& events,
                                                     base::Instant& now);
  base::Result<StepResult> wake_changed(store::Session& session,
                                        const std::vector<store::Change>& changes);
  base::Result<StepResult> retest_chunk(store::Session& session, base::ContactId from);
  base::Result<StepResult> reschedule_chunk(store::Session& session, store::DelayedCursor from);
  // After a chunk of what the note says is to be looked at: how far it has come.
  base::Result<StepResult> note_progress(store::Session& session);
  base::Result<StepResult> write_cursor(store::Session& session, const std::string& name,
                                        const std::string& text);

  const store::Fence fence_;
  const std::shared_ptr<const TrackEntry> entry_;
  bool begun_ = false;
  std::vector<Clause> clauses_;
  FeedNote note_;  // as it stands, or is written next
  std::optional<store::DelayedCursor> rescheduling_;
};

}  // namespace turnout::work
