#include "work/owner.h"

#include <limits>
#include <utility>

#include "base/check.h"

namespace turnout::work {
namespace {

constexpr int kFeedBatch = 5'000;
constexpr base::Duration kNoteFeedEvery = std::chrono::seconds(2);
// … and after so many changes, all of which the next owner would look at again before it goes on.
constexpr std::size_t kNoteFeedAfter = 1'000;

}  // namespace

Owner::Owner(std::unique_ptr<store::Session> session, TrackBook& book, base::Duration interval,
             Callbacks callbacks)
    : session_(std::move(session)),
      book_(book),
      interval_(interval),
      callbacks_(std::move(callbacks)),
      thread_([this] { loop(); }) {}

Owner::~Owner() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Owner::post(Job job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  wake_.notify_all();
}

void Owner::own(const store::Fence& fence) { post(Own{fence}); }
void Owner::disown(base::TrackId track) { post(Disown{track}); }
void Owner::refresh(std::uint64_t number) { post(Refresh{number}); }

void Owner::cut(const store::Fence& fence, const store::DueCursor& from, int limit) {
  post(CutRequest{fence, from, limit});
}

void Owner::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
}

void Owner::resume() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = false;
  }
  poke();
}

void Owner::poke() {
  {
    const std::lock_guard lock(mutex_);
    poked_ = true;
  }
  wake_.notify_all();
}

bool Owner::take_jobs(std::deque<Job>& jobs) {
  std::unique_lock lock(mutex_);
  if (!busy_) {
    wake_.wait_for(lock, interval_, [this] { return ending_ || poked_ || !jobs_.empty(); });
  }
  poked_ = false;
  jobs.swap(jobs_);
  return !ending_;
}

void Owner::loop() {
  base::Tick looked{};
  while (true) {
    std::deque<Job> jobs;
    if (!take_jobs(jobs)) {
      return;
    }
    const bool only_cuts = !jobs.empty() && !busy_ && base::boot_now() - looked < interval_;
    bool cuts = true;
    for (const Job& job : jobs) {
      cuts = cuts && std::holds_alternative<CutRequest>(job);
      carry_out(job);
    }
    if (only_cuts && cuts) {
      continue;
    }
    looked = base::boot_now();
    bool stopped = false;
    {
      const std::lock_guard lock(mutex_);
      stopped = stopped_;
    }
    busy_ = false;
    if (!stopped) {
      look_around();
    }
  }
}

void Owner::carry_out_cuts() {
  std::deque<CutRequest> cuts;
  {
    const std::lock_guard lock(mutex_);
    std::deque<Job> others;
    for (Job& job : jobs_) {
      if (auto* const request = std::get_if<CutRequest>(&job)) {
        cuts.push_back(*request);
      } else {
        others.push_back(std::move(job));
      }
    }
    jobs_.swap(others);
  }
  for (const CutRequest& request : cuts) {
    carry_out_cut(request);
  }
}

void Owner::report_attempt(const base::Error* error, base::Tick began) {
  const bool reached = error == nullptr || error->code != base::ErrorCode::kUnavailable;
  callbacks_.database(reached, began);
}

void Owner::carry_out(const Job& job) {
  if (const auto* request = std::get_if<CutRequest>(&job)) {
    carry_out_cut(*request);
  } else if (const auto* own = std::get_if<Own>(&job)) {
    carry_out_own(own->fence);
  } else if (const auto* disown = std::get_if<Disown>(&job)) {
    tracks_.erase(disown->track);
    if (tracks_.empty()) {
      feed_.reset();
    }
  } else {
    carry_out_refresh(std::get<Refresh>(job).number);
  }
}

void Owner::carry_out_refresh(std::uint64_t number) {
  const base::Tick began = base::boot_now();
  const auto refreshed = book_.refresh(*session_);
  report_attempt(refreshed ? nullptr : &refreshed.error(), began);
  callbacks_.refreshed(number, refreshed.has_value());
}

void Owner::carry_out_cut(const CutRequest& request) {
  const base::Tick began = base::boot_now();
  Cut cut;
  cut.fence = request.fence;
  cut.next = request.from;
  const auto now = session_->now();
  if (!now) {
    report_attempt(&now.error(), began);
    cut.failed = true;
    callbacks_.cut(std::move(cut));
    return;
  }
  cut.now = now.value();
  auto due = session_->due(request.fence.track, request.from, cut.now, request.limit);
  report_attempt(due ? nullptr : &due.error(), began);
  if (!due) {
    cut.failed = true;
  } else {
    cut.items = std::move(due.value());
    cut.end = cut.items.size() < static_cast<std::size_t>(request.limit);
    if (!cut.items.empty()) {
      const store::DueItem& last = cut.items.back();
      cut.next = {last.due, last.contact, last.entry};
    }
    if (cut.end) {
      read_next_due(cut);
    }
  }
  callbacks_.cut(std::move(cut));
}

// The first timer that is not due yet.
void Owner::read_next_due(Cut& cut) {
  const store::DueCursor after_now{cut.now,
                                   base::ContactId(std::numeric_limits<std::int64_t>::max()),
                                   std::numeric_limits<std::int32_t>::max()};
  const auto next = session_->due(cut.fence.track, after_now, track::kNever, 1);
  if (!next) {
    cut.failed = true;
  } else if (!next.value().empty()) {
    cut.next_due = next.value().front().due;
  }
}

void Owner::carry_out_own(const store::Fence& fence) {
  tracks_.erase(fence.track);
  auto entry = book_.find(fence.track);
  if (entry == nullptr || entry->program == nullptr) {
    callbacks_.problem(fence.track, entry == nullptr ? "the track does not exist" : entry->problem);
    return;
  }
  tracks_.emplace(fence.track, OwnedTrack(fence, std::move(entry)));
}

bool Owner::settle(base::TrackId track, const base::Result<StepResult>& result, base::Tick began) {
  report_attempt(result ? nullptr : &result.error(), began);
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

void Owner::look_around() {
  // feed_ is set before a track begins, so that no change falls between where it stands and where
  // the common reading goes on.
  if (!tracks_.empty() && start_feed() && begin_new_tracks() && read_feed() && note_feed()) {
    gather();
  }
}

bool Owner::start_feed() {
  if (feed_) {
    return true;
  }
  const base::Tick began = base::boot_now();
  auto start = session_->changes({}, 1);
  report_attempt(start ? nullptr : &start.error(), began);
  if (start) {
    feed_ = std::move(start.value().next);
  }
  return feed_.has_value();
}

bool Owner::begin_new_tracks() {
  std::vector<base::TrackId> fresh;
  for (const auto& [id, one] : tracks_) {
    if (!one.begun()) {
      fresh.push_back(id);
    }
  }
  for (const base::TrackId id : fresh) {
    carry_out_cuts();
    const base::Tick began = base::boot_now();
    const auto result = tracks_.at(id).begin(*session_);
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
bool Owner::read_feed() {
  carry_out_cuts();
  const base::Tick began = base::boot_now();
  CHECK(feed_.has_value());
  auto batch = session_->changes(*feed_, kFeedBatch);
  report_attempt(batch ? nullptr : &batch.error(), began);
  if (!batch) {
    return false;
  }
  std::vector<base::TrackId> ids;
  ids.reserve(tracks_.size());
  for (const auto& [id, one] : tracks_) {
    ids.push_back(id);
  }
  for (const base::TrackId id : ids) {
    OwnedTrack& one = tracks_.at(id);
    const base::Tick step_began = base::boot_now();
    if (batch.value().lost) {
      const auto looked = one.test_everybody(*session_);
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
    const auto result = one.changed(*session_, batch.value().changes);
    if (!settle(id, result, step_began) && !result) {
      return false;  // the same batch is read again
    }
  }
  feed_unnoted_ += batch.value().changes.size();
  feed_ = std::move(batch.value().next);
  busy_ = busy_ || batch.value().more;
  return true;
}

bool Owner::note_feed() {
  const bool recently = base::boot_now() - feed_noted_ < kNoteFeedEvery;
  if (feed_unnoted_ == 0 || (recently && feed_unnoted_ < kNoteFeedAfter)) {
    return true;
  }
  CHECK(feed_.has_value());
  const store::FeedCursor feed = *feed_;
  std::vector<base::TrackId> ids;
  ids.reserve(tracks_.size());
  for (const auto& [id, one] : tracks_) {
    ids.push_back(id);
  }
  for (const base::TrackId id : ids) {
    carry_out_cuts();
    const base::Tick began = base::boot_now();
    const auto result = tracks_.at(id).note_feed(*session_, feed);
    if (!settle(id, result, began) && !result) {
      return false;
    }
  }
  feed_unnoted_ = 0;
  feed_noted_ = base::boot_now();
  return true;
}

bool Owner::gather() {
  carry_out_cuts();
  const base::Tick began = base::boot_now();
  const auto now = session_->now();
  report_attempt(now ? nullptr : &now.error(), began);
  if (!now) {
    return false;
  }
  std::vector<base::TrackId> ids;
  ids.reserve(tracks_.size());
  for (const auto& [id, one] : tracks_) {
    ids.push_back(id);
  }
  for (const base::TrackId id : ids) {
    carry_out_cuts();
    const base::Tick step_began = base::boot_now();
    const auto result = tracks_.at(id).gather(*session_, now.value());
    if (!settle(id, result, step_began) && !result) {
      return false;
    }
  }
  return true;
}

}  // namespace turnout::work
