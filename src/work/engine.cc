#include "work/engine.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/mutant.h"
#include "base/overloaded.h"
#include "work/requests.h"

namespace turnout::work {
namespace {

// Of the contacts that are due nothing is known but that there are more: enough that every peer is
// asked for slots.
constexpr std::int64_t kManyMore = 100'000;
// Blocks taken in beside those being carried out, so that a thread that has finished one begins the
// next at once.
constexpr std::int32_t kBlocksPerThread = 2;
constexpr base::Duration kRefreshAgainAfter = std::chrono::milliseconds(100);

group::Slots capacity(int threads) {
  return {.bulk = threads * kBlocksPerThread, .single = threads};
}

}  // namespace

Engine::Engine(EngineConfig config, TrackBook& book, store::PeerId self, EngineHooks hooks,
               base::Tick now)
    : config_(std::move(config)),
      book_(book),
      self_(std::move(self)),
      hooks_(std::move(hooks)),
      dispatcher_(config_.group, now),
      worker_(config_.group, capacity(config_.threads), now) {}

// The threads end first, then nothing that they have posted runs any more.
Engine::~Engine() {
  *alive_ = false;
  owner_.reset();
  pool_.reset();
}

base::Result<std::unique_ptr<Engine>> Engine::start(EngineConfig config, store::Store& store,
                                                    TrackBook& book, store::PeerId self,
                                                    EngineHooks hooks, base::Tick now) {
  std::vector<std::unique_ptr<BlockRunner>> runners;
  for (int i = 0; i < config.threads; ++i) {
    TRY(auto session, store.open_session());
    runners.push_back(
        std::make_unique<BlockRunner>(std::move(session), book, self, config.peer_number * 16 + i));
  }
  TRY(auto session, store.open_session());
  // Waiting rules are looked at within a cycle, and often enough to feel immediate.
  const base::Duration interval = std::clamp<base::Duration>(
      config.group.cycle / 2, std::chrono::milliseconds(20), std::chrono::milliseconds(250));
  std::unique_ptr<Engine> engine(
      new Engine(std::move(config), book, std::move(self), std::move(hooks), now));
  engine->pool_ = std::make_unique<WorkerPool>(std::move(runners));
  engine->owner_ =
      std::make_unique<Owner>(std::move(session), book, interval, engine->owner_callbacks());
  return engine;
}

// Each callback comes on the owner's thread and goes on on the loop, unless the engine has ended by
// then.
Owner::Callbacks Engine::owner_callbacks() {
  const auto on_loop = [this, alive = alive_](auto then) {
    hooks_.post([alive, then = std::move(then)] {
      if (*alive) {
        then();
      }
    });
  };
  Owner::Callbacks callbacks;
  callbacks.cut = [this, on_loop](Cut cut) {
    on_loop([this, cut = std::move(cut)] { take_cut(cut); });
  };
  callbacks.made_due = [this, on_loop](base::TrackId track) {
    on_loop([this, track] {
      if (const auto found = cutters_.find(track); found != cutters_.end()) {
        found->second.look();
        pump(base::boot_now());
      }
    });
  };
  callbacks.fenced = [this, on_loop](store::Fence fence) {
    on_loop([this, fence] { hooks_.read_row(fence.track, [](const FoundRow&) {}); });
  };
  callbacks.problem = [this, on_loop](base::TrackId track, std::string problem) {
    on_loop([this, track, problem = std::move(problem)] {
      hooks_.warn(fmt::format("track {} cannot go on: {}", track.get(), problem));
      problems_[track] = problem;
    });
  };
  callbacks.database = [this, on_loop](bool succeeded, base::Tick began) {
    on_loop([this, succeeded, began] { hooks_.database(succeeded, began); });
  };
  callbacks.refreshed = [this, on_loop](std::uint64_t number, bool succeeded) {
    on_loop([this, number, succeeded] { take_refreshed(number, succeeded); });
  };
  return callbacks;
}

// The epoch may have been raised by a publish, so the book is brought up to date before work on the
// track begins.
void Engine::gained(base::TrackId track, const group::Fence& fence) {
  cutters_.erase(track);
  problems_.erase(track);
  dispatcher_.lost(track);
  gained_[track] = {track, fence.timeline, fence.epoch};
  begin_gained();
}

void Engine::begin_gained() {
  if (beginning_.empty() && !gained_.empty()) {
    beginning_ = std::exchange(gained_, {});
    refresh_catalogue();
    begin_at_ = refreshes_;
  }
}

void Engine::take_refreshed(std::uint64_t number, bool succeeded) {
  const base::Tick now = base::boot_now();
  if (number == refreshes_ && !base::planted(base::Mutant::kRefreshGivenUp)) {
    refresh_again_ = succeeded ? std::nullopt : std::optional(now + kRefreshAgainAfter);
  }
  if (succeeded) {
    hooks_.catalogue_refreshed();
  }
  if (number < begin_at_) {
    return;  // it may have read the catalogue before the tracks were gained
  }
  auto tracks = std::exchange(beginning_, {});
  if (!succeeded) {
    gained_.merge(tracks);
    return;
  }
  std::vector<store::Fence> begun;
  for (const auto& [track, fence] : tracks) {
    if (!gained_.contains(track) && begin(fence, now)) {
      begun.push_back(fence);
    }
  }
  begin_gained();
  // What is due is cut before the owner looks at the feed and gathers: nothing of that is needed
  // for it, and contacts have waited for a new owner long enough.
  pump(now);
  for (const store::Fence& fence : begun) {
    owner_->own(fence);
  }
}

bool Engine::begin(const store::Fence& fence, base::Tick now) {
  const auto entry = book_.find(fence.track);
  if (entry == nullptr || entry->program == nullptr) {
    const std::string problem = entry == nullptr ? "the track does not exist" : entry->problem;
    hooks_.warn(fmt::format("track {} cannot go on: {}", fence.track.get(), problem));
    problems_[fence.track] = problem;
    return false;
  }
  dispatcher_.gained(fence.track, entry->published.version, {fence.timeline, fence.epoch});
  cutters_.emplace(fence.track, Cutter(fence, entry->published.version, now));
  if (std::find(draining_.begin(), draining_.end(), fence.track) != draining_.end()) {
    dispatcher_.drain(fence.track);  // it is to be ceded since before the work on it began
  }
  return true;
}

void Engine::lost(base::TrackId track) {
  cutters_.erase(track);
  gained_.erase(track);
  beginning_.erase(track);
  problems_.erase(track);
  dispatcher_.lost(track);
  owner_->disown(track);
}

void Engine::notice(const group::Notice& notice, base::Tick now) {
  std::visit(base::Overloaded{
                 [&](const group::TrackGained& n) { gained(n.track, n.fence); },
                 [&](const group::TrackLost& n) { lost(n.track); },
                 [&](const group::TrackCeding& n) {
                   dispatcher_.drain(n.track);
                   draining_.push_back(n.track);
                 },
                 [&](const group::TrackKept& n) { dispatcher_.resume_track(n.track, now); },
                 [&](const group::Stopped& n) {
                   dispatcher_.stop();
                   worker_.stop(now);
                   owner_->stop();
                   if (n.reason == group::StopReason::kTimeline) {
                     book_.forget_version();
                     refresh_catalogue();
                   }
                 },
                 [&](const group::Resumed&) {
                   dispatcher_.resume(now);
                   worker_.resume(now);
                   owner_->resume();
                 },
                 [&](const group::PeerChanged& n) {
                   if (n.state == group::PeerState::kGone || n.state == group::PeerState::kLeft) {
                     peer_ended(n.name, now);
                   } else if (n.state == group::PeerState::kUnavailable) {
                     dispatcher_.peer_lost(n.name, now);
                     worker_.peer_lost(n.name, now);
                   }
                 },
                 [](const auto&) {}},
             notice);
  pump(now);
}

void Engine::peer_ended(const base::PeerName& peer, base::Tick now) {
  dispatcher_.peer_lost(peer, now);
  worker_.peer_ended(peer, now);
  pump(now);
}

void Engine::receive(const group::Message& message, const base::PeerName& from, base::Tick now) {
  dispatcher_.receive(message, from, now);
  worker_.receive(message, from, now);
  pump(now);
}

void Engine::tick(base::Tick now) {
  dispatcher_.tick(now);
  worker_.tick(now);
  begin_gained();
  if (refresh_again_ && *refresh_again_ <= now) {
    refresh_catalogue();
  }
  pump(now);
}

base::Tick Engine::next_tick() const {
  base::Tick next = std::min(dispatcher_.next_tick(), worker_.next_tick());
  if (refresh_again_) {
    next = std::min(next, *refresh_again_);
  }
  for (const auto& [track, cutter] : cutters_) {
    // What was due at the last pump has been asked for, or waits for slots, whose coming is a pump.
    const base::Tick tick = cutter.next_tick();
    if (tick > pumped_at_) {
      next = std::min(next, tick);
    }
  }
  return next;
}

void Engine::poke() { owner_->poke(); }

void Engine::refresh_catalogue() {
  refresh_again_.reset();
  owner_->refresh(++refreshes_);
}

void Engine::take_cut(const Cut& cut) {
  const auto found = cutters_.find(cut.fence.track);
  if (found == cutters_.end() || found->second.fence().epoch != cut.fence.epoch) {
    return;  // asked for under an earlier epoch
  }
  const base::Tick now = base::boot_now();
  std::vector<group::Item> items = found->second.answered(cut, dispatcher_, now);
  const std::int64_t remaining = cut.end || cut.failed ? 0 : kManyMore;
  if (items.empty()) {
    dispatcher_.set_remaining(cut.fence.track, remaining, now);
  } else {
    dispatcher_.offer(cut.fence.track, cut.now, std::move(items), remaining, now);
  }
  pump(now);
}

void Engine::cut_where_wanted(base::Tick now) {
  for (auto& [track, cutter] : cutters_) {
    if (!cutter.wants_to_look(now)) {
      continue;
    }
    const std::size_t want = dispatcher_.want(track);
    if (want == 0) {
      // Nobody has granted slots yet, or enough is ready. Say that something may be due, so that
      // slots are granted.
      dispatcher_.set_remaining(track, kManyMore, now);
      worker_.own_backlog(dispatcher_.backlog(), now);
      continue;
    }
    if (const auto request = cutter.next(want, now)) {
      owner_->cut(cutter.fence(), request->from, request->limit);
    }
  }
}

void Engine::take_finished(const group::Finished& finished) {
  counters_.stale += static_cast<std::int64_t>(finished.reread.size());
  if (const auto found = cutters_.find(finished.track); found != cutters_.end()) {
    if (finished.outcome == group::BlockOutcome::kFailed) {
      found->second.failed(base::boot_now());
    } else {
      found->second.finished(finished.more_due || !finished.reread.empty());
    }
  }
}

bool Engine::pump_dispatcher(base::Tick now) {
  const group::DispatchReady ready = dispatcher_.take_ready();
  for (const group::Send& send : ready.messages) {
    if (const auto* handed = std::get_if<group::BlockMessage>(&send.message)) {
      ++counters_.handed[handed->block->track][send.to];
    }
    if (send.to == self_.name) {
      worker_.receive(send.message, self_.name, now);
    } else {
      hooks_.send(send.to, send.message);
    }
  }
  for (const group::Finished& finished : ready.finished) {
    take_finished(finished);
  }
  if (ready.load_changed) {
    worker_.own_backlog(dispatcher_.backlog(), now);
  }
  return !ready.messages.empty() || !ready.finished.empty() || ready.load_changed;
}

bool Engine::pump_worker(base::Tick now) {
  const group::WorkerReady ready = worker_.take_ready();
  for (const group::Job& job : ready.jobs) {
    counters_.idle.ends(now);
    submit(job);
  }
  for (const group::Send& send : ready.messages) {
    if (send.to == self_.name) {
      dispatcher_.receive(send.message, self_.name, now);
    } else {
      hooks_.send(send.to, send.message);
    }
  }
  return !ready.jobs.empty() || !ready.messages.empty() || ready.load_changed;
}

// Lets the two machines talk to each other until both have nothing more to say.
void Engine::pump(base::Tick now) {
  if (pumping_) {
    return;
  }
  pumping_ = true;
  pumped_at_ = now;
  bool more = true;
  while (more) {
    more = pump_dispatcher(now);
    more = pump_worker(now) || more;
  }
  cut_where_wanted(now);
  while (pump_dispatcher(now) || pump_worker(now)) {
  }
  check_drained();
  publish_load();
  pumping_ = false;
}

void Engine::check_drained() {
  for (const base::TrackId track : std::exchange(draining_, {})) {
    if (dispatcher_.drained(track)) {
      hooks_.drained(track);
    } else {
      draining_.push_back(track);
    }
  }
}

void Engine::publish_load() {
  group::Load load;
  load.slots = worker_.slots();
  load.backlog = dispatcher_.backlog();
  load.credits = worker_.credits();
  load.deliveries = load_.deliveries;
  if (load == load_) {
    return;
  }
  load_ = load;
  hooks_.load_changed(load);
}

void Engine::submit(const group::Job& job) {
  const group::Block& block = *job.block;
  BlockTask task;
  task.fence = {block.track, block.timeline, block.epoch};
  task.version = block.version;
  task.items = to_store(block.items);
  pool_->submit(std::move(task), [this, alive = alive_, job](BlockDone done) {
    hooks_.post([this, alive, job, done = std::move(done)] {
      if (*alive) {
        settle(job, done);
      }
    });
  });
}

// The ledger has moved on. When it cannot be read, the block has failed: its slot comes back all
// the same.
void Engine::refuse(const group::Job& job) {
  hooks_.read_row(job.block->track, [this, alive = alive_, job](const FoundRow& row) {
    if (!*alive) {
      return;
    }
    const base::Tick now = base::boot_now();
    if (row) {
      worker_.refused(job.number, row->owner, row->incarnation, row->fence.timeline,
                      row->fence.epoch, now);
    } else {
      ++counters_.failed;
      group::BlockReport report;
      report.outcome = group::BlockOutcome::kFailed;
      worker_.finished(job.number, std::move(report), now);
    }
    pump(now);
  });
}

void Engine::settle(const group::Job& job, const BlockDone& done) {
  const base::Tick now = base::boot_now();
  ++counters_.blocks;
  if (done.outcome == BlockDone::Outcome::kFenced) {
    refuse(job);
    return;
  }
  group::BlockReport report;
  if (done.outcome == BlockDone::Outcome::kFailed) {
    ++counters_.failed;
    hooks_.warn(
        fmt::format("a block of track {} failed: {}", job.block->track.get(), done.problem));
    report.outcome = group::BlockOutcome::kFailed;
  }
  counters_.moves += done.moves;
  counters_.actions += done.actions;
  report.moved = done.moved;
  report.moves = done.moves;
  report.actions = done.actions;
  report.more_due = done.more_due;
  report.elapsed = done.elapsed;
  for (const store::BlockItem& item : done.stale) {
    report.not_where_said.push_back({item.contact, item.entry, item.move_no});
  }
  if (done.actions > 0) {
    hooks_.acted();
  }
  worker_.finished(job.number, std::move(report), now);
  if (worker_.jobs() == 0) {
    counters_.idle.begins(now);
  }
  pump(now);
}

}  // namespace turnout::work
