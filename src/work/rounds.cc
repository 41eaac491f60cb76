#include "work/rounds.h"

#include <utility>

#include "base/check.h"
#include "base/mutant.h"

namespace turnout::work {
namespace {

constexpr int kFeedBatch = 5'000;
constexpr base::Duration kNoteFeedEvery = std::chrono::seconds(2);
// … and after so many changes, all of which the next owner would look at again before it goes on.
constexpr std::size_t kNoteFeedAfter = 1'000;

}  // namespace

void report_attempt(const RoundCallbacks& callbacks, const base::Error* error, base::Tick began) {
  const bool reached = error == nullptr || error->code != base::ErrorCode::kUnavailable;
  callbacks.database(reached, began);
}

void Rounds::own(const store::Fence& fence, std::shared_ptr<const TrackEntry> entry) {
  tracks_.erase(fence.track);
  tracks_.emplace(fence.track, OwnedTrack(fence, std::move(entry)));
}

void Rounds::disown(base::TrackId track) {
  tracks_.erase(track);
  if (tracks_.empty()) {
    feed_.reset();
  }
}

// A step may lose a track.
std::vector<base::TrackId> Rounds::ids() const {
  std::vector<base::TrackId> ids;
  ids.reserve(tracks_.size());
  for (const auto& [id, one] : tracks_) {
    ids.push_back(id);
  }
  return ids;
}

bool Rounds::settle(base::TrackId track, const base::Result<StepResult>& result, base::Tick began) {
  report_attempt(callbacks_, result ? nullptr : &result.error(), began);
  if (!result) {
    if (result.error().code != base::ErrorCode::kUnavailable) {
      callbacks_.problem(track, result.error().message);
    }
    return false;
  }
  busy_ = busy_ || result.value().more;
  if (result.value().made_due) {
    callbacks_.made_due(track);
  }
  if (result.value().fenced) {
    const auto found = tracks_.find(track);
    callbacks_.fenced(found->second.fence());
    tracks_.erase(found);
    return false;
  }
  return true;
}

bool Rounds::go_round(const std::function<void()>& between) {
  between_ = between;
  busy_ = false;
  // feed_ is set before a track begins, so that no change falls between where it stands and where
  // the common reading goes on.
  if (!tracks_.empty() && start_feed() && begin_new_tracks() && read_feed() && note_feed()) {
    gather();
  }
  return busy_;
}

bool Rounds::start_feed() {
  if (feed_) {
    return true;
  }
  const base::Tick began = clock_();
  auto start = session_.changes({}, 1);
  report_attempt(callbacks_, start ? nullptr : &start.error(), began);
  if (start) {
    feed_ = std::move(start.value().next);
  }
  return feed_.has_value();
}

bool Rounds::begin_new_tracks() {
  std::vector<base::TrackId> fresh;
  for (const auto& [id, one] : tracks_) {
    if (!one.begun()) {
      fresh.push_back(id);
    }
  }
  for (const base::TrackId id : fresh) {
    between_();
    const base::Tick began = clock_();
    const auto result = tracks_.at(id).begin(session_);
    if (!settle(id, result, began)) {
      if (!result) {
        return false;
      }
      continue;
    }
    callbacks_.made_due(id);  // whatever the last owner left
  }
  return true;
}

// The tracks that have begun all stand at or after feed_: what is read twice changes nothing.
bool Rounds::read_feed() {
  between_();
  const base::Tick began = clock_();
  CHECK(feed_.has_value());
  auto batch = session_.changes(*feed_, kFeedBatch);
  report_attempt(callbacks_, batch ? nullptr : &batch.error(), began);
  if (!batch) {
    return false;
  }
  for (const base::TrackId id : ids()) {
    OwnedTrack& one = tracks_.at(id);
    const base::Tick step_began = clock_();
    if (batch.value().lost) {
      const auto looked = one.test_everybody(session_);
      if (!settle(id, looked, step_began)) {
        if (!looked) {
          return false;
        }
        continue;
      }
    }
    if (batch.value().changes.empty()) {
      continue;
    }
    const auto result = one.changed(session_, batch.value().changes);
    if (!settle(id, result, step_began) && !result &&
        !base::planted(base::Mutant::kFeedPassesFailure)) {
      return false;  // the same batch is read again
    }
  }
  feed_unnoted_ += batch.value().changes.size();
  feed_ = std::move(batch.value().next);
  busy_ = busy_ || batch.value().more;
  return true;
}

bool Rounds::note_feed() {
  const bool recently = clock_() - feed_noted_ < kNoteFeedEvery;
  if (feed_unnoted_ == 0 || (recently && feed_unnoted_ < kNoteFeedAfter)) {
    return true;
  }
  CHECK(feed_.has_value());
  const store::FeedCursor feed = *feed_;
  for (const base::TrackId id : ids()) {
    between_();
    const base::Tick began = clock_();
    const auto result = tracks_.at(id).note_feed(session_, feed);
    if (!settle(id, result, began) && !result) {
      return false;
    }
  }
  feed_unnoted_ = 0;
  feed_noted_ = clock_();
  return true;
}

bool Rounds::gather() {
  between_();
  const base::Tick began = clock_();
  const auto now = session_.now();
  report_attempt(callbacks_, now ? nullptr : &now.error(), began);
  if (!now) {
    return false;
  }
  for (const base::TrackId id : ids()) {
    between_();
    const base::Tick step_began = clock_();
    const auto result = tracks_.at(id).gather(session_, now.value());
    if (!settle(id, result, step_began) && !result) {
      return false;
    }
  }
  return true;
}

}  // namespace turnout::work
