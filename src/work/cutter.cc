#include "work/cutter.h"

#include <algorithm>

namespace turnout::work {
namespace {

// A timer that seems due in the past by now is looked at again no sooner than this.
constexpr base::Duration kSoonest = std::chrono::milliseconds(1);
constexpr base::Duration kAfterFailure = std::chrono::milliseconds(200);
constexpr base::Duration kLongestPause = std::chrono::seconds(1);

}  // namespace

void Cutter::finished(bool more_due) {
  look_ = look_ || more_due;
  timers_changed_ = true;
  pause_ = {};
}

void Cutter::failed(base::Tick now) {
  look_ = true;
  timers_changed_ = true;
  if (now >= not_before_) {
    pause_ = std::min(std::max(kAfterFailure, pause_ * 2), kLongestPause);
    not_before_ = now + pause_;
  }
}

bool Cutter::wants_to_look(base::Tick now) const {
  return !reading_ && now >= not_before_ && (in_pass_ || look_ || next_tick() <= now);
}

base::Tick Cutter::next_tick() const {
  base::Tick next = full_pass_ + kFullPassEvery;
  if (due_at_) {
    next = std::min(next, *due_at_);
  }
  if (timers_changed_) {
    next = std::min(next, pass_began_ + kLearnTimersAfter);
  }
  return std::max(next, not_before_);
}

std::optional<Cutter::Request> Cutter::next(std::size_t want, base::Tick now) {
  if (want == 0 || !wants_to_look(now)) {
    return std::nullopt;
  }
  if (!in_pass_) {
    in_pass_ = true;
    look_ = false;
    timers_changed_ = false;
    pass_began_ = now;
    due_at_.reset();
    full_ = now - full_pass_ >= kFullPassEvery;
    if (full_) {
      full_pass_ = now;
    }
    // (due, contact 0, entry 0) stands before every row of that due time.
    from_ = full_ ? store::DueCursor{} : store::DueCursor{low_, base::ContactId(0), 0};
    first_.reset();
  }
  reading_ = true;
  return Request{from_, static_cast<int>(std::min<std::size_t>(want, kMaxCut))};
}

void Cutter::end_pass(const Cut& cut, base::Tick now) {
  in_pass_ = false;
  low_ = first_ ? *first_ : cut.now;
  if (cut.next_due != track::kNever) {
    due_at_ = now + std::max(cut.next_due - cut.now, kSoonest);
  }
}

std::vector<group::Item> Cutter::answered(const Cut& cut, const group::Dispatcher& dispatcher,
                                          base::Tick now) {
  reading_ = false;
  if (cut.failed) {
    in_pass_ = false;
    due_at_ = now + kAfterFailure;
    return {};
  }
  std::vector<group::Item> items;
  items.reserve(cut.items.size());
  for (const store::DueItem& due : cut.items) {
    if (!dispatcher.outstanding(fence_.track, due.contact, due.entry)) {
      items.push_back({due.contact, due.entry, due.move_no});
    }
  }
  if (!cut.items.empty() && !first_) {
    first_ = cut.items.front().due;
  }
  from_ = cut.next;
  if (cut.end) {
    end_pass(cut, now);
  }
  std::sort(items.begin(), items.end(), [](const group::Item& a, const group::Item& b) {
    return a.contact != b.contact ? a.contact < b.contact : a.entry < b.entry;
  });
  return items;
}

}  // namespace turnout::work
