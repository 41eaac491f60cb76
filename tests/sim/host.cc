// A peer's process: what the server does around the state machines, reduced to what matters to the
// group.

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "sim/world.h"

namespace turnout::sim {

using group::Attempt;

namespace {

template <class... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};

// What an owner holds at most of one reading of the feed.
constexpr std::size_t kFeedChunk = 50;
constexpr std::size_t kMaxPending = 200;
constexpr int kMaxHops = 2;
constexpr int kDeliveriesAtOnce = 4;

// What a faulty owner would read in a message.
void misread(Message& message, Mutant mutant) {
  if (mutant == Mutant::kCreditDoubled) {
    const auto twice = [](group::Credit& credit) {
      credit.window.bulk *= 2;
      credit.window.single *= 2;
    };
    if (auto* const grant = std::get_if<group::CreditGrant>(&message)) {
      twice(grant->credit);
    } else if (auto* const report = std::get_if<group::BlockReport>(&message)) {
      twice(report->credit);
    } else if (auto* const a = std::get_if<group::Advertisement>(&message)) {
      for (group::Credit& credit : a->credits) {
        twice(credit);
      }
    }
  }
}

}  // namespace

Host::Host(World& world, PeerName name) : world_(world), name_(std::move(name)) {
  if (world.config().drift_ppm > 0) {
    clock_offset_us_ = world.random().below(1'000'000'000);
    clock_ppm_ = world.random().between(-world.config().drift_ppm, world.config().drift_ppm);
  }
}

// Clocks of two machines have nothing to do with each other.
Tick Host::clock() const {
  const std::int64_t us = world_.now().us;
  return {clock_offset_us_ + us + us * clock_ppm_ / 1'000'000};
}

void Host::start() {
  CHECK(!alive());
  ++life_;
  incarnation_ = world_.database().begin_life(name_);
  const WorldConfig& config = world_.config();
  group::Config mine;
  mine.name = name_;
  mine.incarnation = incarnation_;
  mine.group = "sim";
  mine.address = name_.get() + ":1";
  mine.cycle = config.cycle;
  mine.miss_limit = config.miss_limit;
  mine.claim_counter = config.claim_counter;
  member_ = std::make_unique<group::Member>(mine, clock());
  dispatcher_ = std::make_unique<group::Dispatcher>(mine, clock());
  worker_ = std::make_unique<group::Worker>(mine, config.slots, clock());
  owned_.clear();
  master_.reset();
  delivering_ = 0;
  stamped_at.clear();
  inbox_.clear();
  paused_ = false;
  wake_.reset();
  next_poll_ = clock();
  std::vector<TrackId> active;
  for (int track = 1; track <= config.tracks; ++track) {
    active.emplace_back(track);
  }
  member_->set_tracks(std::move(active), 1, clock());
  worker_->stop(clock());
  dispatcher_->stop();
  pump();
}

void Host::kill() {
  CHECK(alive());
  member_.reset();
  dispatcher_.reset();
  worker_.reset();
  paused_ = false;
  inbox_.clear();
  master_.reset();
  owned_.clear();
  world_.after(std::chrono::milliseconds(4), [this, incarnation = incarnation_] {
    world_.database().end_life(name_, incarnation);
  });
  world_.connections_end(*this);
}

void Host::pause() { paused_ = true; }

void Host::resume() {
  CHECK(alive() && paused_);
  paused_ = false;
  std::deque<std::function<void()>> waiting = std::exchange(inbox_, {});
  for (const auto& action : waiting) {
    if (alive()) {
      action();
      pump();
    }
  }
  if (alive()) {
    wake_.reset();
    pump();
  }
}

void Host::leave() {
  input([this] { member_->leave(clock()); });
}

void Host::input(std::function<void()> action) {
  if (!alive()) {
    return;
  }
  if (paused_) {
    inbox_.push_back(std::move(action));
    return;
  }
  action();
  pump();
}

void Host::deliver(const PeerName& from, const Message& message) {
  input([this, from, message] {
    Message heard = message;
    misread(heard, world_.config().mutant);
    if (!member_->receive(heard, from, clock())) {
      return;
    }
    dispatcher_->receive(heard, from, clock());
    worker_->receive(heard, from, clock());
  });
}

// After each input: obey, send and request until nothing is left to do.
void Host::pump() {
  if (pumping_ || !working()) {
    return;
  }
  pumping_ = true;
  for (bool busy = true; busy && alive();) {
    busy = false;
    group::Ready ready = member_->take_ready();
    for (const group::Notice& notice : ready.notices) {
      obey(notice);
    }
    if (!alive()) {
      break;
    }
    for (const group::Send& message : ready.messages) {
      send(message);
    }
    start_requests(ready);
    group::DispatchReady dispatch = dispatcher_->take_ready();
    for (const group::Send& message : dispatch.messages) {
      send(message);
    }
    for (const group::Finished& finished : dispatch.finished) {
      finish(finished);
    }
    group::WorkerReady work = worker_->take_ready();
    for (const group::Send& message : work.messages) {
      send(message);
    }
    for (const group::Job& job : work.jobs) {
      begin(job);
    }
    if (dispatch.load_changed || work.load_changed) {
      share_load();
    }
    busy = !ready.empty() || !dispatch.messages.empty() || !dispatch.finished.empty() ||
           dispatch.load_changed || !work.jobs.empty() || !work.messages.empty() ||
           work.load_changed;
  }
  pumping_ = false;
  if (alive()) {
    for (Observer* const observer : world_.observers()) {
      observer->on_jobs(*this);
    }
    schedule_wake();
  }
}

void Host::share_load() {
  worker_->own_backlog(dispatcher_->backlog(), clock());
  group::Load load;
  load.slots = worker_->slots();
  load.deliveries = 1;
  load.backlog = dispatcher_->backlog();
  load.credits = worker_->credits();
  member_->set_load(load, clock());
}

void Host::schedule_wake() {
  const Tick next =
      std::min({member_->next_tick(), dispatcher_->next_tick(), worker_->next_tick(), next_poll_});
  const std::int64_t wait = std::max<std::int64_t>(0, (next - clock()).count());
  const Tick when =
      world_.now() + Duration(wait + wait * std::abs(clock_ppm_) / 1'000'000 + (wait > 0 ? 1 : 0));
  if (wake_ && *wake_ <= when && *wake_ > world_.now()) {
    return;
  }
  wake_ = when;
  world_.at(when, [this, when, life = life_] {
    if (!alive() || life != life_ || wake_ != when) {
      return;
    }
    wake_.reset();
    if (paused_) {
      return;
    }
    member_->tick(clock());
    dispatcher_->tick(clock());
    worker_->tick(clock());
    if (clock() >= next_poll_) {
      next_poll_ = clock() + world_.config().cycle / 2;
      poll();
    }
    pump();
  });
}

void Host::send(const group::Send& message) {
  for (Observer* const observer : world_.observers()) {
    observer->on_send(*this, message.to, message.message);
  }
  if (message.to == name_) {
    own_message(message.message);
    return;
  }
  if (!message.to.empty()) {
    world_.transmit(*this, message.to, message.message);
    return;
  }
  for (const auto& [name, other] : world_.hosts()) {
    if (name != name_) {
      world_.transmit(*this, name, message.message);
    }
  }
}

void Host::own_message(const Message& message) {
  Message heard = message;
  misread(heard, world_.config().mutant);
  dispatcher_->receive(heard, name_, clock());
  worker_->receive(heard, name_, clock());
}

// --- what Member says
// ----------------------------------------------------------------------------------------------

void Host::obey(const group::Notice& notice) {
  for (Observer* const observer : world_.observers()) {
    observer->on_notice(*this, notice);
  }
  const Tick now = clock();
  std::visit(Overloaded{
                 [&](const group::TrackGained& n) {
                   Owned& owned = owned_[n.track];
                   owned = {};
                   owned.fence = n.fence;
                   owned.cursor = owned.saved = world_.database().cursor(n.track);
                   dispatcher_->gained(n.track, base::Version(1), n.fence);
                   look(n.track);
                   read_feed(n.track);
                 },
                 [&](const group::TrackLost& n) {
                   owned_.erase(n.track);
                   dispatcher_->lost(n.track);
                 },
                 [&](const group::TrackCeding& n) {
                   if (owned_.contains(n.track)) {
                     owned_.at(n.track).ceding = true;
                   }
                   dispatcher_->drain(n.track);
                   if (dispatcher_->drained(n.track)) {
                     member_->drained(n.track, now);
                   }
                 },
                 [&](const group::TrackKept& n) {
                   owned_.at(n.track).ceding = false;
                   dispatcher_->resume_track(n.track, now);
                 },
                 [&](const group::MasterGained& n) { master_ = n.fence; },
                 [&](const group::MasterLost&) {
                   if (world_.config().mutant != Mutant::kMasterLostIgnored) {
                     master_.reset();
                   }
                 },
                 [&](const group::PeerChanged& n) {
                   const bool lost = n.state == group::PeerState::kUnavailable ||
                                     n.state == group::PeerState::kGone ||
                                     n.state == group::PeerState::kLeft;
                   if (lost) {
                     dispatcher_->peer_lost(n.name, now);
                     worker_->peer_lost(n.name, now);
                   }
                 },
                 [&](const group::Stopped&) {
                   dispatcher_->stop();
                   worker_->stop(now);
                 },
                 [&](const group::Resumed&) {
                   dispatcher_->resume(now);
                   worker_->resume(now);
                 },
                 [&](const group::LeftGroup&) {
                   // Its last words are still to be sent.
                   world_.after(std::chrono::milliseconds(1), [this, life = life_] {
                     if (alive() && life == life_) {
                       kill();
                     }
                   });
                 },
                 [&](const group::Superseded&) {
                   world_.after(Duration(0), [this, life = life_] {
                     if (alive() && life == life_) {
                       kill();
                     }
                   });
                 },
                 [](const auto&) {},
             },
             notice);
}

void Host::ask(std::function<void()> run, std::function<void(bool answered)> done) {
  const std::int64_t half = world_.config().database_latency.count() / 2;
  const std::int64_t extra = world_.extra_database_latency.count();
  const auto wait = [&] { return Duration(half + (extra > 0 ? world_.random().below(extra) : 0)); };
  const bool reaches = database_up;
  const bool answer = reaches && !world_.random().chance(world_.answers_lost);
  const Duration there = wait();
  const Duration back = answer ? wait() : wait() + world_.config().cycle;  // else: a time-out
  if (reaches) {
    world_.after(there, std::move(run));
  }
  world_.after(there + back, [this, life = life_, answer, done = std::move(done)] {
    if (alive() && life == life_) {
      input([done, answer] { done(answer); });
    }
  });
}

void Host::start_requests(const group::Ready& ready) {
  Database& database = world_.database();
  for (const group::Take& take : ready.take) {
    for (Observer* const observer : world_.observers()) {
      observer->on_ask(*this, take.track == group::kMasterRow
                                  ? "take master"
                                  : "take track " + std::to_string(take.track.get()));
    }
    auto result =
        std::make_shared<group::TakeResult>(group::TakeResult{take.track, Attempt::kFailed, {}});
    ask(
        [&database, result, take, name = name_, incarnation = incarnation_] {
          *result = database.take(take.track, take.expected, name, incarnation);
        },
        [this, result](bool answered) {
          if (!answered) {
            result->outcome = Attempt::kFailed;
          }
          member_->granted(*result, clock());
        });
  }
  if (ready.read_ledger) {
    auto result = std::make_shared<group::LedgerResult>();
    result->number = ready.read_ledger->number;
    ask([&database, result] { result->rows = database.ledger(); },
        [this, result](bool answered) {
          result->outcome = answered ? Attempt::kDone : Attempt::kFailed;
          member_->ledger_read(*result, clock());
        });
  }
  if (ready.stamp) {
    auto result = std::make_shared<group::StampResult>();
    result->number = ready.stamp->number;
    ask(
        [this, &database, result, count = ready.stamp->count, name = name_,
         incarnation = incarnation_] {
          if (!database.stamp(name, incarnation, count)) {
            result->outcome = Attempt::kRefused;
            return;
          }
          stamped_at.push_back(world_.now());
          if (stamped_at.size() > 20) {
            stamped_at.pop_front();
          }
          result->outcome = Attempt::kDone;
          result->timeline = database.timeline();
          result->master = database.row(group::kMasterRow);
          result->master_stamp = database.stamp_of(result->master.owner).count;
        },
        [this, result](bool answered) {
          if (!answered) {
            result->outcome = Attempt::kFailed;
          }
          member_->stamped(*result, clock());
        });
  }
  if (ready.read_stamps) {
    auto result = std::make_shared<group::StampReadResult>();
    result->number = ready.read_stamps->number;
    ask(
        [&database, result, peers = ready.read_stamps->peers] {
          for (const PeerName& peer : peers) {
            result->stamps.push_back(database.stamp_of(peer));
          }
        },
        [this, result](bool answered) {
          result->outcome = answered ? Attempt::kDone : Attempt::kFailed;
          member_->peer_stamps(*result, clock());
        });
  }
  for (const group::LifeProbe& probe : ready.probe) {
    auto result = std::make_shared<group::LifeResult>(
        group::LifeResult{probe.peer, probe.incarnation, Attempt::kFailed});
    ask(
        [&database, result] {
          result->outcome = database.life_has_ended(result->peer, result->incarnation)
                                ? Attempt::kDone
                                : Attempt::kRefused;
        },
        [this, result](bool answered) {
          if (!answered) {
            result->outcome = Attempt::kFailed;
          }
          member_->life_lock(*result, clock());
        });
  }
}

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
