// What a process does for the tracks it owns: it cuts what is due, follows the feed of changes,
// gathers newcomers, and makes those due again whose rule may be met since something changed. Each
// statement is a request of its own, so that everything can happen between two of them.

#include <algorithm>
#include <utility>

#include "sim/host_ask.h"
#include "work/owned_track.h"

namespace turnout::sim {

namespace {

constexpr int kMaxDue = 100'000;
constexpr int kFeedBatch = 50;

}  // namespace

void Host::poll() {
  for (const auto& [track, owned] : owned_) {
    look(track);
    follow(track);
    note_feed(track);
  }
  read_outbox();
}

void Host::hint() {
  input([this] {
    for (const auto& [track, owned] : owned_) {
      follow(track);
    }
  });
}

// --- cutting
// ---------------------------------------------------------------------------------------------------------

void Host::look(TrackId track) {
  Owned& owned = owned_.at(track);
  if (!member_->may_write() || owned.ceding) {
    return;
  }
  if (owned.reading) {
    owned.more = true;
    return;
  }
  if (dispatcher_->want(track) == 0) {
    return;
  }
  owned.reading = true;
  struct Due {
    Instant now;
    std::vector<store::DueItem> items;
  };
  auto due = std::make_shared<Due>();
  ask_for_track(
      track,
      [this, due](const store::Fence& fence) {
        due->now = must(session_->now());
        due->items = must(session_->due(fence.track, {}, due->now, kMaxDue));
      },
      [this, due](Owned& mine, bool answered) {
        mine.reading = false;
        if (!answered) {
          return;
        }
        offer_due(mine, due->now, due->items);
        if (std::exchange(mine.more, false)) {
          look(mine.fence.track);
        }
      });
}

void Host::offer_due(const Owned& owned, Instant cut_at, const std::vector<store::DueItem>& due) {
  const TrackId track = owned.fence.track;
  std::vector<group::Item> items;
  for (const store::DueItem& item : due) {
    if (!dispatcher_->outstanding(track, item.contact, item.entry)) {
      items.push_back({item.contact, item.entry, item.move_no});
    }
  }
  const std::size_t offered = std::min(items.size(), dispatcher_->want(track));
  const auto left = static_cast<std::int64_t>(items.size() - offered);
  items.resize(offered);
  std::sort(items.begin(), items.end(),
            [](const group::Item& a, const group::Item& b) { return a.contact < b.contact; });
  dispatcher_->offer(track, cut_at, std::move(items), left, clock());
}

void Host::finish(const group::Finished& finished) {
  const auto found = owned_.find(finished.track);
  if (found == owned_.end()) {
    return;
  }
  if (found->second.ceding && dispatcher_->drained(finished.track)) {
    member_->drained(finished.track, clock());
  }
  look(finished.track);
}

// --- following the feed
// ----------------------------------------------------------------------------------------------

void Host::follow(TrackId track) {
  Owned& owned = owned_.at(track);
  if (owned.following || owned.ceding || !member_->may_write()) {
    return;
  }
  owned.following = true;
  if (owned.feed) {
    read_changes(track);
  } else {
    read_cursor(track);
  }
}

// Where the last owner stood.
void Host::read_cursor(TrackId track) {
  auto text = std::make_shared<std::optional<std::string>>();
  ask_for_track(
      track,
      [this, text](const store::Fence& fence) {
        *text = must(session_->cursor(fence.track, kFeedCursor));
      },
      [this, text](Owned& mine, bool answered) {
        if (!answered) {
          mine.following = false;
          return;
        }
        mine.feed = store::FeedCursor{text->value()};
        read_changes(mine.fence.track);
      });
}

void Host::read_changes(TrackId track) {
  auto read = std::make_shared<store::FeedBatch>();
  ask_for_track(
      track,
      [this, read, from = *owned_.at(track).feed](const store::Fence&) {
        *read = must(session_->changes(from, kFeedBatch));
      },
      [this, read](Owned& mine, bool answered) {
        if (!answered || read->changes.empty()) {
          mine.following = false;
          return;
        }
        auto batch = std::make_shared<Batch>();
        for (const store::Change& change : read->changes) {
          // A newcomer may have been gathered by the last owner, and have changed since: both
          // stand folded into one change.
          batch->contacts.push_back(change.contact);
          if (change.created) {
            batch->newcomers.push_back(change.contact);
          }
        }
        std::sort(batch->contacts.begin(), batch->contacts.end());
        batch->contacts.erase(std::unique(batch->contacts.begin(), batch->contacts.end()),
                              batch->contacts.end());
        batch->next = read->next;
        batch->more = read->more;
        gather(mine.fence.track, batch);
      });
}

void Host::gather(TrackId track, const std::shared_ptr<const Batch>& batch) {
  if (batch->newcomers.empty()) {
    find_waiting(track, batch);
    return;
  }
  auto got = std::make_shared<store::GatherResult>();
  ask_for_track(
      track,
      [this, got, batch](const store::Fence& fence) {
        *got = must(session_->gather_these(fence, base::Version(1), 1, "", {}, batch->newcomers));
      },
      [this, got, batch](Owned& mine, bool answered) {
        const TrackId here = mine.fence.track;
        if (!answered || got->fenced) {
          mine.following = false;
          if (answered) {
            learn_row(here, [](const auto&) {});
          }
          return;
        }
        look(here);
        find_waiting(here, batch);
      });
}

// Which of those that changed wait for that.
void Host::find_waiting(TrackId track, const std::shared_ptr<const Batch>& batch) {
  if (batch->contacts.empty()) {
    pass(owned_.at(track), *batch);
    return;
  }
  auto rows = std::make_shared<std::vector<store::PositionRow>>();
  ask_for_track(
      track,
      [this, rows, batch](const store::Fence& fence) {
        *rows = must(session_->positions(fence.track, batch->contacts));
      },
      [this, rows, batch](Owned& mine, bool answered) {
        if (!answered) {
          mine.following = false;
          return;
        }
        const TrackId here = mine.fence.track;
        std::vector<store::Wake> wakes;
        for (const store::PositionRow& row : *rows) {
          const bool forgotten = world_.config().planted.host == Mutant::kRetestForgotten &&
                                 dispatcher_->outstanding(here, row.contact, row.entry);
          const bool listens = world_.database().program().listens(here, row.contact, row.step);
          if (!forgotten && work::is_to_be_woken(row, listens)) {
            wakes.push_back({row.contact, row.entry, row.move_no, 0});
          }
        }
        if (wakes.empty()) {
          pass(mine, *batch);
        } else {
          wake(here, batch, std::move(wakes));
        }
      });
}

void Host::wake(TrackId track, const std::shared_ptr<const Batch>& batch,
                std::vector<store::Wake> wakes) {
  auto woken = std::make_shared<std::optional<std::int64_t>>();
  const auto asked = std::make_shared<const std::vector<store::Wake>>(std::move(wakes));
  ask_for_track(
      track,
      [this, woken, asked](const store::Fence& fence) {
        if (const auto result = session_->wake(fence, *asked)) {
          *woken = result.value();
        }
      },
      [this, woken, asked, batch](Owned& mine, bool answered) {
        const TrackId here = mine.fence.track;
        if (!answered || !*woken) {
          mine.following = false;  // and the same batch is read again
          if (answered) {
            learn_row(here, [](const auto&) {});
          }
        } else if (**woken < static_cast<std::int64_t>(asked->size())) {
          // Some moved between the two statements, perhaps by what was so before the change.
          find_waiting(here, batch);
        } else {
          offer_woken(here, *asked);
          pass(mine, *batch);
        }
      });
}

// Those that are in a block are cut when it has reported: what it decides about them is refused.
void Host::offer_woken(TrackId track, const std::vector<store::Wake>& woken) {
  for (const store::Wake& one : woken) {
    if (!dispatcher_->outstanding(track, one.contact, one.entry)) {
      dispatcher_->offer_single(track, world_.instant(), {one.contact, one.entry, one.move_no},
                                clock());
    }
  }
}

void Host::pass(Owned& owned, const Batch& batch) {
  owned.following = false;
  owned.feed = batch.next;
  owned.feed_moved = true;
  if (batch.more) {
    follow(owned.fence.track);
  }
}

// A successor repeats what was read since.
void Host::note_feed(TrackId track) {
  Owned& owned = owned_.at(track);
  if (!owned.feed_moved || owned.ceding || !member_->may_write()) {
    return;
  }
  owned.feed_moved = false;
  auto fenced = std::make_shared<bool>(false);
  ask_for_track(
      track,
      [this, fenced, text = owned.feed->text](const store::Fence& fence) {
        *fenced = !session_->set_cursor(fence, kFeedCursor, text);
      },
      [this, fenced](Owned& mine, bool answered) {
        mine.feed_moved = mine.feed_moved || !answered;
        if (answered && *fenced) {
          learn_row(mine.fence.track, [](const auto&) {});
        }
      });
}

}  // namespace turnout::sim
