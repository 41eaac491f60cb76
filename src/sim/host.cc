// A peer's process: what the server does around the state machines, reduced to what matters to the
// group.

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/overloaded.h"
#include "sim/host_ask.h"

namespace turnout::sim {

namespace {

// What an owner that doubles its credit would read in a message.
Message misread(Message message) {
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
  return message;
}

std::vector<TrackId> all_tracks(int count) {
  std::vector<TrackId> all;
  for (int track = 1; track <= count; ++track) {
    all.emplace_back(track);
  }
  return all;
}

Connection connection_of(const Message& message) {
  const bool blocks = std::holds_alternative<group::BlockMessage>(message) ||
                      std::holds_alternative<group::BlockReport>(message) ||
                      std::holds_alternative<group::Refusal>(message) ||
                      std::holds_alternative<group::CreditGrant>(message);
  return blocks ? Connection::kBlocks : Connection::kAdvertisements;
}

}  // namespace

Host::Host(World& world, PeerName name, std::size_t number) : world_(world), number_(number) {
  self_.name = std::move(name);
  group_session_ = must(world.database().store().open_group_session());
  session_ = must(world.database().store().open_session());
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
  const std::string address = name().get() + ":1";
  control_broken_ = world_.sessions_broken();
  life_lock_ = must(world_.database().store().open_group_session());
  self_.incarnation = must(life_lock_->begin_life(name(), address));
  const WorldConfig& config = world_.config();
  group::Config mine;
  mine.name = name();
  mine.incarnation = incarnation();
  mine.group = "sim";
  mine.address = address;
  mine.cycle = config.cycle;
  mine.miss_limit = config.miss_limit;
  mine.claim_counter = config.claim_counter;
  member_ = std::make_unique<group::Member>(mine, clock());
  dispatcher_ = std::make_unique<group::Dispatcher>(mine, clock());
  worker_ = std::make_unique<group::Worker>(mine, config.slots, clock());
  owned_.clear();
  master_.reset();
  reading_outbox_ = false;
  lives_.clear();
  ended_.clear();
  stamped_at.clear();
  inbox_.clear();
  paused_ = false;
  pumps_soon_ = false;
  wake_.reset();
  next_poll_ = clock();
  if (config.work) {
    take_book(read_book(*session_), ++book_asked_);
    catalogue_seen_ = book_.catalogue;
  } else {
    member_->set_tracks(all_tracks(config.tracks), 1, clock());
  }
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
  // The lock is dropped when the database has seen the end of the connection.
  world_.after(std::chrono::milliseconds(4), [lock = std::move(life_lock_)] {});
  world_.connections_end(*this);
}

void Host::pause() { paused_ = true; }

void Host::resume() {
  CHECK(alive() && paused_);
  paused_ = false;
  std::deque<Action> waiting = std::exchange(inbox_, {});
  for (Action& action : waiting) {
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

void Host::end_lateness() {
  late_until_ = world_.now();
  input([] {});
}

void Host::leave() {
  input([this] { member_->leave(clock()); });
}

void Host::deliver(const Host& from, const std::shared_ptr<const Message>& message) {
  if (!world_.config().work && working()) {
    // Nearly always an advertisement with nothing new.
    member_->receive(*message, from.name(), clock());
    if (member_->has_ready()) {
      pump_soon();
    }
    return;
  }
  if (!working()) {
    input([this, &from, message] { hear_from(from.name(), *message); });
    return;
  }
  hear_from(from.name(), *message);
  if (has_ready()) {
    pump();
  } else if (!pumping_) {
    schedule_wake();
  }
}

void Host::hear_from(const PeerName& from, const Message& message) {
  if (member_->receive(message, from, clock())) {
    hear(message, from);
  }
}

bool Host::has_ready() const {
  return member_->has_ready() || dispatcher_->has_ready() || worker_->has_ready();
}

void Host::hear(const Message& message, const PeerName& from) {
  if (!world_.config().work) {
    return;
  }
  if (world_.config().planted.host == Mutant::kCreditDoubled) {
    const Message other = misread(message);
    dispatcher_->receive(other, from, clock());
    worker_->receive(other, from, clock());
  } else {
    dispatcher_->receive(message, from, clock());
    worker_->receive(message, from, clock());
  }
}

void Host::carry_out(group::Ready ready) {
  for (const group::Notice& notice : ready.notices) {
    obey(notice);
  }
  if (!alive()) {
    return;
  }
  for (group::Send& message : ready.messages) {
    send(std::move(message));
  }
  start_requests(ready);
}

// After each input: obey, send and request until nothing is left to do.
void Host::pump() {
  if (pumping_ || !working()) {
    return;
  }
  pumping_ = true;
  bool cut = false;
  for (bool busy = true; busy && alive();) {
    busy = false;
    if (member_->has_ready()) {
      busy = true;
      carry_out(member_->take_ready());
      if (!alive()) {
        break;
      }
    }
    if (dispatcher_->has_ready() || worker_->has_ready()) {
      busy = pump_blocks() || busy;
    }
    pumped_at_ = clock();
    if (!busy && !cut) {
      cut = true;
      busy = cut_where_wanted();
    }
  }
  pumping_ = false;
  if (alive()) {
    schedule_wake();
  }
}

// True when Dispatcher or Worker had something to say.
bool Host::pump_blocks() {
  group::DispatchReady dispatch = dispatcher_->take_ready();
  for (group::Send& message : dispatch.messages) {
    send(std::move(message));
  }
  for (const group::Finished& finished : dispatch.finished) {
    finish(finished);
  }
  group::WorkerReady work = worker_->take_ready();
  for (group::Send& message : work.messages) {
    send(std::move(message));
  }
  for (const group::Job& job : work.jobs) {
    begin(job);
  }
  if (!work.jobs.empty()) {
    for (Observer* const observer : world_.observers()) {
      observer->on_jobs(*this);
    }
  }
  if (dispatch.load_changed || work.load_changed) {
    share_load();
  }
  return !dispatch.messages.empty() || !dispatch.finished.empty() || dispatch.load_changed ||
         !work.jobs.empty() || !work.messages.empty() || work.load_changed;
}

// After everything that happens at this time.
void Host::pump_soon() {
  if (std::exchange(pumps_soon_, true)) {
    return;
  }
  world_.at(world_.now(), [this, life = life_] {
    if (life == life_) {
      pumps_soon_ = false;
      pump();
    }
  });
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
  Tick next =
      std::min({member_->next_tick(), dispatcher_->next_tick(), worker_->next_tick(), next_poll_});
  for (const auto& [track, owned] : owned_) {
    // What was due at the last pump has been asked for, or waits for slots.
    if (owned.cutter && owned.cutter->next_tick() > pumped_at_) {
      next = std::min(next, owned.cutter->next_tick());
    }
  }
  const std::int64_t wait = std::max<std::int64_t>(0, (next - clock()).count());
  // As long as its clock takes for that, rounded up.
  const std::int64_t rate = 1'000'000 + clock_ppm_;
  const Tick on_time =
      world_.now() + Duration((wait * 1'000'000 + rate - 1) / rate + (wait > 0 ? 1 : 0));
  const Tick when = std::max(on_time, late_until_);
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
    if (world_.random().chance(world_.late_timers)) {
      late_until_ = world_.now() + Duration(world_.random().below(world_.late_by.count()));
    }
    member_->tick(clock());
    dispatcher_->tick(clock());
    worker_->tick(clock());
    if (clock() >= next_poll_) {
      next_poll_ = clock() + world_.config().cycle / 2;
      if (world_.config().work) {
        poll();
      }
    }
    pump();
  });
}

void Host::send(group::Send&& send) {
  for (Observer* const observer : world_.observers()) {
    observer->on_send(*this, send.to, send.message);
  }
  if (send.to == name()) {
    hear(send.message, name());
    return;
  }
  const auto message = std::make_shared<const Message>(std::move(send.message));
  const auto arrive = [this, message](Host& to) { to.deliver(*this, message); };
  if (!send.to.empty()) {
    world_.transmit(*this, world_.host(send.to), connection_of(*message), arrive);
    return;
  }
  if (!world_.config().work) {
    world_.broadcast(*this, connection_of(*message), message);
    return;
  }
  for (const auto& [other, host] : world_.hosts()) {
    if (host.get() != this) {
      world_.transmit(*this, *host, connection_of(*message), arrive);
    }
  }
}

// --- what Member says
// ----------------------------------------------------------------------------------------------

void Host::obey(const group::Notice& notice) {
  for (Observer* const observer : world_.observers()) {
    observer->on_notice(*this, notice);
  }
  const Tick now = clock();
  std::visit(base::Overloaded{
                 [&](const group::TrackGained& n) { obey(n); },
                 [&](const group::TrackLost& n) {
                   owned_.erase(n.track);
                   dispatcher_->lost(n.track);
                 },
                 [&](const group::TrackCeding& n) { obey(n); },
                 [&](const group::TrackKept& n) {
                   owned_.at(n.track).ceding = false;
                   dispatcher_->resume_track(n.track, now);
                 },
                 [&](const group::MasterGained& n) { master_ = n.fence; },
                 [&](const group::MasterLost&) {
                   if (world_.config().planted.host != Mutant::kMasterLostIgnored) {
                     master_.reset();
                   }
                 },
                 [&](const group::PeerChanged& n) { obey(n); },
                 [&](const group::Stopped& n) {
                   dispatcher_->stop();
                   worker_->stop(now);
                   if (n.reason == group::StopReason::kTimeline) {
                     refresh_book();
                   }
                 },
                 [&](const group::Resumed&) {
                   dispatcher_->resume(now);
                   worker_->resume(now);
                 },
                 // Its last words are still to be sent.
                 [&](const group::LeftGroup&) { end_after(std::chrono::milliseconds(1)); },
                 [&](const group::Superseded&) { end_after(Duration(0)); },
                 [](const auto&) {},
             },
             notice);
}

void Host::obey(const group::TrackGained& gained) {
  dispatcher_->lost(gained.track);
  owned_.erase(gained.track);
  Owned& owned = owned_[gained.track];
  owned.gained = ++times_gained_;
  owned.fence = {gained.track, gained.fence.timeline, gained.fence.epoch};
  if (world_.config().work) {
    begin_owned(gained.track);
  }
}

void Host::obey(const group::TrackCeding& ceding) {
  if (const auto found = owned_.find(ceding.track); found != owned_.end()) {
    found->second.ceding = true;
  }
  dispatcher_->drain(ceding.track);
  if (dispatcher_->drained(ceding.track)) {
    member_->drained(ceding.track, clock());
  }
}

void Host::obey(const group::PeerChanged& changed) {
  bool certain =
      changed.state == group::PeerState::kGone || changed.state == group::PeerState::kLeft;
  bool lost = certain || changed.state == group::PeerState::kUnavailable;
  if (certain) {
    ended_.push_back({changed.name, changed.incarnation});
  }
  // A peer that has begun a new life has lost what its last one had in hand.
  Incarnation& known = lives_[changed.name];
  if (known < changed.incarnation) {
    if (known != Incarnation()) {
      ended_.push_back({changed.name, known});
      lost = certain = true;
    }
    known = changed.incarnation;
  }
  if (lost) {
    dispatcher_->peer_lost(changed.name, clock());
    certain ? worker_->peer_ended(changed.name, clock())
            : worker_->peer_lost(changed.name, clock());
  }
}

void Host::end_after(Duration wait) {
  world_.after(wait, [this, life = life_] {
    if (alive() && life == life_) {
      kill();
    }
  });
}

}  // namespace turnout::sim
