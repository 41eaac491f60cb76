#include "work/owner.h"

#include <limits>
#include <utility>

namespace turnout::work {
Owner::Owner(std::unique_ptr<store::Session> session, TrackBook& book, base::Duration interval,
             Callbacks callbacks)
    : session_(std::move(session)),
      book_(book),
      interval_(interval),
      callbacks_(std::move(callbacks)),
      rounds_(*session_, callbacks_),
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
    busy_ = !stopped && rounds_.go_round([this] { carry_out_cuts(); });
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

void Owner::carry_out(const Job& job) {
  if (const auto* request = std::get_if<CutRequest>(&job)) {
    carry_out_cut(*request);
  } else if (const auto* own = std::get_if<Own>(&job)) {
    carry_out_own(own->fence);
  } else if (const auto* disown = std::get_if<Disown>(&job)) {
    rounds_.disown(disown->track);
  } else {
    carry_out_refresh(std::get<Refresh>(job).number);
  }
}

void Owner::carry_out_refresh(std::uint64_t number) {
  const base::Tick began = base::boot_now();
  const auto refreshed = book_.refresh(*session_);
  report_attempt(callbacks_, refreshed ? nullptr : &refreshed.error(), began);
  callbacks_.refreshed(number, refreshed.has_value());
}

void Owner::carry_out_cut(const CutRequest& request) {
  const base::Tick began = base::boot_now();
  Cut cut;
  cut.fence = request.fence;
  cut.next = request.from;
  const auto now = session_->now();
  if (!now) {
    report_attempt(callbacks_, &now.error(), began);
    cut.failed = true;
    callbacks_.cut(std::move(cut));
    return;
  }
  cut.now = now.value();
  auto due = session_->due(request.fence.track, request.from, cut.now, request.limit);
  report_attempt(callbacks_, due ? nullptr : &due.error(), began);
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
  auto entry = book_.find(fence.track);
  if (entry == nullptr || entry->program == nullptr) {
    rounds_.disown(fence.track);
    callbacks_.problem(fence.track, entry == nullptr ? "the track does not exist" : entry->problem);
    return;
  }
  rounds_.own(fence, std::move(entry));
}

}  // namespace turnout::work
