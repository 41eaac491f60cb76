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
  start_stamps(ready);
  start_witnesses(ready);
}

// Its own stamp.
void Host::start_stamps(const group::Ready& ready) {
  Database& database = world_.database();
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
}

// What shows whether others live.
void Host::start_witnesses(const group::Ready& ready) {
  Database& database = world_.database();
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

}  // namespace turnout::sim
