// What a process does for the tracks it owns: it cuts what is due, follows the feed of changes,
// gathers newcomers, and makes those due again whose rule may be met since something changed. Each
// statement is a request of its own, so that everything can happen between two of them.

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "sim/host_ask.h"
#include "work/owned_track.h"

namespace turnout::sim {

namespace {

constexpr int kFeedBatch = 50;
constexpr int kEverybody = 10'000;
// Of the contacts that are due nothing is known but that there are more.
constexpr std::int64_t kManyMore = 100'000;
constexpr ContactId kLastContact(std::numeric_limits<std::int64_t>::max());
constexpr std::int32_t kLastEntry = std::numeric_limits<std::int32_t>::max();

}  // namespace

void Host::poll() {
  for (const auto& [track, owned] : owned_) {
    begin_owned(track);
  }
  follow_all();
  for (const auto& [track, owned] : owned_) {
    note_feed(track);
  }
  read_outbox();
}

void Host::hint() {
  input([this] { follow_all(); });
}

// --- cutting
// ---------------------------------------------------------------------------------------------------------

// As work::Engine does. True when something was asked for.
bool Host::cut_where_wanted() {
  const Tick now = clock();
  bool asked = false;
  for (auto& [track, owned] : owned_) {
    if (!owned.cutter || !owned.cutter->wants_to_look(now)) {
      continue;
    }
    asked = true;
    const std::size_t want = dispatcher_->want(track);
    if (want == 0) {
      dispatcher_->set_remaining(track, kManyMore, now);
      continue;
    }
    const auto limit = static_cast<std::size_t>(world_.config().cut_size);
    if (const auto request = owned.cutter->next(std::min(want, limit), now)) {
      cut(owned, *request);
    }
  }
  return asked;
}

void Host::cut(const Owned& owned, const work::Cutter::Request& request) {
  ++queries.due;
  auto read = std::make_shared<work::Cut>();
  read->fence = owned.fence;
  read->next = request.from;
  const std::int64_t slow = (world_.config().cut_time + world_.extra_cut_time).count();
  const Duration longer(slow > 0 ? world_.random().between(slow / 2, slow) : 0);
  ask_for_track(
      owned.fence.track,
      [this, read, request](const store::Fence& fence) {
        read->now = must(session_->now());
        read->items = must(session_->due(fence.track, request.from, read->now, request.limit));
        read->end = read->items.size() < static_cast<std::size_t>(request.limit);
        if (!read->items.empty()) {
          const store::DueItem& last = read->items.back();
          read->next = {last.due, last.contact, last.entry};
        }
        if (read->end) {
          const store::DueCursor after_now{read->now, kLastContact, kLastEntry};
          const auto next = must(session_->due(fence.track, after_now, track::kNever, 1));
          read->next_due = next.empty() ? track::kNever : next.front().due;
        }
      },
      [this, read](Owned& mine, bool answered) {
        read->failed = !answered;
        take_cut(mine, *read);
      },
      longer);
}

void Host::take_cut(Owned& owned, const work::Cut& cut) {
  const TrackId track = owned.fence.track;
  CHECK(owned.cutter.has_value());
  std::vector<group::Item> items = owned.cutter->answered(cut, *dispatcher_, clock());
  const std::int64_t remaining = cut.end || cut.failed ? 0 : kManyMore;
  if (items.empty()) {
    dispatcher_->set_remaining(track, remaining, clock());
  } else {
    dispatcher_->offer(track, cut.now, std::move(items), remaining, clock());
  }
}

void Host::finish(const group::Finished& finished) {
  const auto found = owned_.find(finished.track);
  if (found == owned_.end()) {
    return;
  }
  Owned& owned = found->second;
  if (owned.ceding && dispatcher_->drained(finished.track)) {
    member_->drained(finished.track, clock());
  }
  if (owned.cutter) {
    if (finished.outcome == group::BlockOutcome::kFailed) {
      owned.cutter->failed(clock());
    } else {
      owned.cutter->finished(finished.more_due || !finished.reread.empty());
    }
  }
}

// --- following the feed
// ----------------------------------------------------------------------------------------------

bool Host::may_follow(const Owned& owned) const {
  return owned.cutter && !owned.following && !owned.ceding && member_->may_write();
}

// One reading for all tracks that stand at the same place.
void Host::follow_all() {
  std::map<std::string, std::vector<TrackId>> readers;
  for (auto& [track, owned] : owned_) {
    if (may_follow(owned) && owned.feed) {
      owned.following = true;
      readers[owned.feed->text].push_back(track);
    }
  }
  for (const auto& [place, tracks] : readers) {
    read_changes(tracks, store::FeedCursor{place});
  }
  for (const auto& [track, owned] : owned_) {
    follow(track);  // those that stand nowhere yet
  }
}

void Host::follow(TrackId track) {
  Owned& owned = owned_.at(track);
  if (!may_follow(owned)) {
    return;
  }
  owned.following = true;
  if (owned.feed) {
    read_changes({track}, *owned.feed);
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
        const store::FeedCursor from{text->value()};
        mine.feed = from;
        read_changes({mine.fence.track}, from);
      });
}

void Host::read_changes(const std::vector<TrackId>& tracks, const store::FeedCursor& from) {
  struct Reader {
    TrackId track;
    std::uint64_t gained = 0;
  };
  std::vector<Reader> readers;
  readers.reserve(tracks.size());
  for (const TrackId track : tracks) {
    readers.push_back({track, owned_.at(track).gained});
  }
  ++queries.feed;
  auto read = std::make_shared<FeedRead>();
  ask_for_work(
      [this, read, from] {
        read->feed = must(session_->changes(from, kFeedBatch));
        if (read->feed.lost) {
          read->everybody = must(session_->load_contacts(ContactId(0), kEverybody, {})).contact;
        }
      },
      [this, read, readers = std::move(readers)](bool answered) {
        for (const Reader& reader : readers) {
          const auto found = owned_.find(reader.track);
          if (found != owned_.end() && found->second.gained == reader.gained) {
            take_changes(found->second, *read, answered);
          }
        }
      });
}

void Host::take_changes(Owned& owned, const FeedRead& read, bool answered) {
  if (!answered || (read.feed.changes.empty() && !read.feed.lost)) {
    owned.following = false;
    return;
  }
  auto batch = std::make_shared<Batch>();
  batch->newcomers = read.everybody;
  batch->contacts = read.everybody;
  for (const store::Change& change : read.feed.changes) {
    // A newcomer may have been gathered by the last owner, and have changed since: both stand
    // folded into one change.
    batch->contacts.push_back(change.contact);
    if (change.created) {
      batch->newcomers.push_back(change.contact);
    }
  }
  std::sort(batch->contacts.begin(), batch->contacts.end());
  batch->contacts.erase(std::unique(batch->contacts.begin(), batch->contacts.end()),
                        batch->contacts.end());
  batch->next = read.feed.next;
  batch->more = read.feed.more;
  gather(owned.fence.track, batch);
}

void Host::gather(TrackId track, const std::shared_ptr<const Batch>& batch) {
  if (batch->newcomers.empty()) {
    find_waiting(track, batch);
    return;
  }
  auto got = std::make_shared<store::GatherResult>();
  ask_for_track(
      track,
      [this, got, batch, version = version_of(track)](const store::Fence& fence) {
        *got = must(session_->gather_these(fence, {version, 1}, "", {}, batch->newcomers));
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
        mine.cutter->look();
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
          const bool listens = row.state == track::PositionState::kOpen &&
                               world_.database().program().listens(here, row.contact, row.step);
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
  CHECK(owned.feed.has_value());
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
