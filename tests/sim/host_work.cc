// What a peer's process does for its tracks: the owner's loop, the worker's, the master's.

#include <algorithm>
#include <utility>

#include "sim/world.h"

namespace turnout::sim {

namespace {

// What an owner holds at most of one reading of the feed.
constexpr std::size_t kFeedChunk = 50;
constexpr std::size_t kMaxPending = 200;
constexpr int kMaxHops = 2;
constexpr int kDeliveriesAtOnce = 4;

}  // namespace

// --- the owner's loop
// ----------------------------------------------------------------------------------------------

void Host::poll() {
  for (const auto& [track, owned] : owned_) {
    look(track);
    read_feed(track);
  }
  hand_out_deliveries();
}

// Cuts what is due.
void Host::look(TrackId track) {
  Owned& owned = owned_.at(track);
  if (!member_->may_write() || owned.ceding) {
    return;
  }
  if (owned.reading) {
    owned.more = true;
    return;
  }
  const std::size_t want = dispatcher_->want(track);
  if (want == 0) {
    return;
  }
  owned.reading = true;
  auto items = std::make_shared<std::vector<group::Item>>();
  auto cut_at = std::make_shared<Instant>();
  ask(
      [this, items, cut_at, track] {
        *cut_at = world_.instant();
        *items = world_.database().due(track, *cut_at, 1'000'000);
      },
      [this, items, cut_at, track, want, fence = owned.fence](bool answered) {
        const auto found = owned_.find(track);
        if (found == owned_.end() || found->second.fence != fence) {
          return;
        }
        found->second.reading = false;
        member_->database(answered, clock(), clock());
        if (answered) {
          std::erase_if(*items, [&](const group::Item& item) {
            return dispatcher_->outstanding(track, item.contact, item.entry);
          });
          const std::size_t limit = std::min(want, dispatcher_->want(track));
          const std::size_t left = items->size() > limit ? items->size() - limit : 0;
          items->resize(items->size() - left);
          std::sort(items->begin(), items->end(), [](const group::Item& a, const group::Item& b) {
            return a.contact < b.contact;
          });
          dispatcher_->offer(track, *cut_at, std::move(*items), static_cast<std::int64_t>(left),
                             clock());
          if (std::exchange(found->second.more, false)) {
            look(track);
          }
        }
      });
}

// Whoever changed is tested: now, or when the block that holds it has reported.
void Host::read_feed(TrackId track) {
  Owned& owned = owned_.at(track);
  if (owned.reading_feed || owned.ceding || !member_->may_write() ||
      owned.pending.size() > kMaxPending) {
    return;
  }
  owned.reading_feed = true;
  auto changed = std::make_shared<std::vector<ContactId>>();
  auto cursor = std::make_shared<std::size_t>(owned.cursor);
  ask([this, changed, cursor] { *changed = world_.database().changes(*cursor, kFeedChunk); },
      [this, changed, cursor, track, fence = owned.fence](bool answered) {
        const auto found = owned_.find(track);
        if (found == owned_.end() || found->second.fence != fence) {
          return;
        }
        Owned& mine = found->second;
        mine.reading_feed = false;
        member_->database(answered, clock(), clock());
        if (!answered || *cursor == mine.cursor) {
          return;
        }
        mine.cursor = *cursor;
        for (const ContactId contact : *changed) {
          test(track, contact);
        }
        save_cursor(track);
      });
}

void Host::test(TrackId track, ContactId contact) {
  Owned& owned = owned_.at(track);
  const Position* const position = world_.database().position(track, contact);
  if (position == nullptr || position->state == PositionState::kStopped) {
    return;
  }
  if (!dispatcher_->outstanding(track, contact, 1)) {
    owned.pending[contact] = false;
    dispatcher_->offer_single(track, world_.instant(), {contact, 1, position->move_no}, clock());
  } else if (world_.config().mutant != Mutant::kRetestForgotten) {
    owned.pending[contact] = true;
  }
}

// The cursor is kept only when all that was read before it is dealt with, so that a successor
// repeats the rest.
void Host::save_cursor(TrackId track) {
  Owned& owned = owned_.at(track);
  if (!owned.pending.empty() || owned.saved == owned.cursor) {
    return;
  }
  owned.saved = owned.cursor;
  ask([this, track, fence = owned.fence,
       cursor = owned.cursor] { world_.database().set_cursor(track, fence, cursor); },
      [this](bool answered) { member_->database(answered, clock(), clock()); });
  read_feed(track);
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
  std::vector<ContactId> again;
  for (auto at = owned.pending.begin(); at != owned.pending.end();) {
    if (dispatcher_->outstanding(finished.track, at->first, 1)) {
      ++at;
      continue;
    }
    if (at->second) {
      again.push_back(at->first);
    }
    at = owned.pending.erase(at);
  }
  if (finished.kind == group::BlockKind::kSingle) {
    // Contacts of bulk blocks still have their timers; those of others would be forgotten.
    for (const group::Item& item : finished.reread) {
      again.push_back(item.contact);
    }
  }
  for (const ContactId contact : again) {
    test(finished.track, contact);
  }
  save_cursor(finished.track);
  look(finished.track);
}

// --- the worker's loop
// ---------------------------------------------------------------------------------------------

void Host::begin(const group::Job& job) {
  const Duration work =
      world_.config().block_time / 2 + Duration(world_.random().below(std::max<std::int64_t>(
                                           1, world_.config().block_time.count())));
  auto decisions = std::make_shared<std::vector<Decision>>();
  ask(
      [this, decisions, job] {
        for (const group::Item& item : job.block->items) {
          decisions->push_back(
              world_.database().decide(job.block->track, item, world_.instant(), kMaxHops));
        }
      },
      [this, decisions, job, work](bool answered) {
        if (!answered) {
          group::BlockReport report;
          report.outcome = group::BlockOutcome::kFailed;
          worker_->finished(job.number, std::move(report), clock());
          member_->database(false, clock(), clock());
          return;
        }
        world_.after(work, [this, decisions, job, life = life_] {
          if (alive() && life == life_) {
            input([this, decisions, job] { commit(job, *decisions); });
          }
        });
      });
}

void Host::commit(const group::Job& job, std::vector<Decision> decisions) {
  if (!member_->may_write()) {
    group::BlockReport report;
    report.outcome = group::BlockOutcome::kReturned;
    worker_->finished(job.number, std::move(report), clock());
    return;
  }
  auto result = std::make_shared<CommitResult>();
  const Tick began = clock();
  const group::Block& block = *job.block;
  ask(
      [this, result, decisions, track = block.track, fence = Fence{block.timeline, block.epoch}] {
        *result = world_.database().commit(track, fence, decisions);
      },
      [this, result, job, began](bool answered) {
        group::BlockReport report;
        report.elapsed = clock() - began + world_.config().block_time;
        if (!answered) {
          member_->database(false, began, clock());
          report.outcome = group::BlockOutcome::kFailed;
          worker_->finished(job.number, std::move(report), clock());
          return;
        }
        member_->database(true, began, clock());
        if (result->fenced) {
          const LedgerRow& row = result->row;
          worker_->refused(job.number, row.owner, row.incarnation, row.fence.timeline,
                           row.fence.epoch, clock());
          return;
        }
        report.moved = result->moved;
        report.moves = result->moves;
        report.actions = result->actions;
        report.not_where_said = result->not_where_said;
        worker_->finished(job.number, std::move(report), clock());
      });
}

// --- the master's work
// ---------------------------------------------------------------------------------------------

// Reads what waits, and some time later (it is handed to a peer meanwhile) takes it.
void Host::hand_out_deliveries() {
  if (!master_ || !member_->may_write() || delivering_ > 1) {
    return;
  }
  auto keys = std::make_shared<std::vector<ActionKey>>();
  ++delivering_;
  ask([this, keys] { *keys = world_.database().waiting_deliveries(kDeliveriesAtOnce); },
      [this, keys, fence = *master_](bool) {
        const Duration handing = world_.config().cycle * world_.random().below(8) / 10;
        world_.after(handing, [this, keys, fence, life = life_] {
          if (alive() && life == life_) {
            input([this, keys, fence] { take_deliveries(*keys, fence); });
          }
        });
      });
}

void Host::take_deliveries(const std::vector<ActionKey>& keys, Fence master) {
  --delivering_;
  if (!member_->may_write()) {
    return;
  }
  auto taken = std::make_shared<std::vector<ActionKey>>();
  ask(
      [this, keys, taken, master] {
        for (const ActionKey& key : keys) {
          if (world_.database().take_delivery(key, master)) {
            taken->push_back(key);
          }
        }
        // The attempt ends whatever becomes of this process, as its deadline would have it.
        world_.after(world_.config().cycle, [this, taken] {
          for (const ActionKey& key : *taken) {
            world_.database().end_delivery(key, true);
          }
        });
      },
      [](bool) {});
}

void Host::hint() {
  input([this] {
    for (const auto& [track, owned] : owned_) {
      read_feed(track);
    }
  });
}

}  // namespace turnout::sim
