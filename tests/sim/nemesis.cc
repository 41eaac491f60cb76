#include "sim/nemesis.h"

#include <algorithm>
#include <utility>

namespace turnout::sim {

Nemesis::Nemesis(World& world, Calm& calm) : world_(world), calm_(calm) {
  struct Share {
    Kind kind;
    int seeds;  // of a thousand that have it in their mix
  };
  const Share shares[] = {
      {&Nemesis::kill, 900},         {&Nemesis::kill, 600},        {&Nemesis::pause, 700},
      {&Nemesis::leave, 700},        {&Nemesis::network, 700},     {&Nemesis::partition, 700},
      {&Nemesis::reset, 700},        {&Nemesis::no_database, 500}, {&Nemesis::slow_database, 300},
      {&Nemesis::answers_lost, 300}, {&Nemesis::flap, 300},        {&Nemesis::late_timers, 300},
      {&Nemesis::slow_cuts, 200},    {&Nemesis::clock_jump, 200},  {&Nemesis::fail_over, 200},
      {&Nemesis::publish, 250},      {&Nemesis::pause_track, 250}, {&Nemesis::crash, 200},
  };
  while (mix_.empty()) {
    for (const Share& share : shares) {
      if (world_.random().chance(share.seeds)) {
        mix_.push_back(share.kind);
      }
    }
  }
}

Duration Nemesis::some(int low_tenths, int high_tenths) {
  return world_.config().cycle * world_.random().between(low_tenths, high_tenths) / 10;
}

void Nemesis::say(const std::string& what) {
  for (Observer* const observer : world_.observers()) {
    observer->on_fault(what);
  }
}

Host* Nemesis::pick() {
  auto at = world_.hosts().begin();
  std::advance(at, world_.random().below(static_cast<std::int64_t>(world_.hosts().size())));
  return at->second.get();
}

TrackId Nemesis::pick_track() {
  return TrackId(static_cast<std::int32_t>(world_.random().between(1, world_.config().tracks)));
}

void Nemesis::plan(Tick until) {
  until_ = until;
  world_.after(some(50, 120), [this] { episode(); });
}

void Nemesis::episode() {
  if (stopped_ || world_.now() >= until_) {
    return;
  }
  const Duration lasts = world_.random().chance(500) ? some(1, 15) : some(15, 90);
  const auto drawn = world_.random().below(static_cast<std::int64_t>(mix_.size()));
  (this->*mix_[static_cast<std::size_t>(drawn)])(lasts);
  // Often the next fault comes while the group is busy with this one; sometimes it gets time to
  // recover in full.
  const bool rest = world_.random().chance(250);
  world_.after(rest ? lasts + some(150, 220) : some(1, 60), [this] { episode(); });
}

void Nemesis::on_notice(const Host& host, const group::Notice& notice) {
  if (std::holds_alternative<group::Superseded>(notice)) {
    Host* const ended = &world_.host(host.name());
    begin("superseded", ended->name().get() + " ends itself", some(1, 20), [ended] {
      if (!ended->alive()) {
        ended->start();
      }
    });
  }
}

void Nemesis::begin(const char* kind, const std::string& what, Duration lasts,
                    std::function<void()> end) {
  ++open_;
  ++faults_[kind];
  calm_.disturb();
  say(what);
  world_.after(lasts, [this, what, end = std::move(end)] {
    end();
    say("end of: " + what);
    end_one();
  });
}

void Nemesis::instant(const char* kind, const std::string& what) {
  begin(kind, what, Duration(0), [] {});
}

void Nemesis::end_one() {
  if (--open_ == 0) {
    calm_.settle(world_.now());
  }
}

void Nemesis::kill(Duration lasts) {
  Host* const host = pick();
  if (!host->alive()) {
    return;
  }
  host->kill();
  // A killed process is started again when its life lock is free, see group::Start.
  begin("kill", "kill " + host->name().get(),
        std::max(lasts, Duration(std::chrono::milliseconds(10))), [host] {
          if (!host->alive()) {
            host->start();
          }
        });
}

void Nemesis::pause(Duration lasts) {
  Host* const host = pick();
  if (!host->working()) {
    return;
  }
  host->pause();
  begin("pause", "pause " + host->name().get(), lasts, [host, life = host->life()] {
    if (host->alive() && host->paused() && host->life() == life) {
      host->resume();
    }
  });
}

void Nemesis::leave(Duration lasts) {
  Host* const host = pick();
  if (!host->working()) {
    return;
  }
  host->leave();
  const Duration leaving = world_.config().cycle * (world_.config().miss_limit + 4);
  begin("leave", "leave " + host->name().get(), lasts + leaving, [host] {
    if (!host->alive()) {
      host->start();
    }
  });
}

void Nemesis::network(Duration lasts) {
  NetworkFaults& faults = world_.network;
  switch (world_.random().below(4)) {
    case 0:
      faults.loss = static_cast<int>(world_.random().between(20, 400));
      break;
    case 1:
      faults.duplication = static_cast<int>(world_.random().between(50, 500));
      break;
    case 2:
      faults.reordering = static_cast<int>(world_.random().between(50, 800));
      world_.extra_latency = some(1, 10);
      break;
    default:
      world_.extra_latency = some(1, 15);
  }
  begin("network",
        "bad network: loss " + std::to_string(faults.loss) + ", duplication " +
            std::to_string(faults.duplication) + ", reordering " +
            std::to_string(faults.reordering) + ", latency " +
            std::to_string(world_.extra_latency.count() / 1000) + " ms",
        lasts, [this] {
          world_.network = {};
          world_.extra_latency = {};
        });
}

// Cuts a random set off from the rest, both ways or one way, or a single link.
void Nemesis::partition(Duration lasts) {
  const std::int64_t ways = world_.random().between(1, 3);
  std::string what = "cut";
  std::set<PeerName> side;
  for (const auto& [name, host] : world_.hosts()) {
    if (world_.random().chance(400)) {
      side.insert(name);
      what += " " + name.get();
    }
  }
  std::vector<std::pair<Host*, Host*>> ways_cut;
  for (const auto& [from, x] : world_.hosts()) {
    for (const auto& [to, y] : world_.hosts()) {
      if (side.contains(from) != side.contains(to) && (ways & (side.contains(from) ? 1 : 2)) != 0) {
        world_.cut(*x, *y);
        ways_cut.emplace_back(x.get(), y.get());
      }
    }
  }
  begin("cut",
        what + (ways == 1   ? " outward"
                : ways == 2 ? " inward"
                            : ""),
        lasts, [this, ways_cut] {
          for (const auto& [from, to] : ways_cut) {
            world_.mend(*from, *to);
          }
        });
}

void Nemesis::reset(Duration) {
  Host* const a = pick();
  Host* const b = pick();
  if (a != b && a->alive() && b->alive()) {
    instant("reset", "reset " + a->name().get() + " " + b->name().get());
    world_.reset_connection(a->name(), b->name());
  }
}

// A link that comes and goes.
void Nemesis::flap(Duration lasts) {
  Host* const a = pick();
  Host* const b = pick();
  if (a == b) {
    return;
  }
  const bool resets = world_.random().chance(500);
  begin("flap",
        "flapping link of " + a->name().get() + " and " + b->name().get() +
            (resets ? ", with resets" : ""),
        lasts, [] {});
  toggle(*a, *b, world_.now() + lasts, resets);
}

void Nemesis::toggle(Host& a, Host& b, Tick until, bool resets) {
  if (stopped_ || world_.now() >= until) {
    return;
  }
  world_.cut(a, b);
  world_.cut(b, a);
  if (resets) {
    world_.reset_connection(a.name(), b.name());
  }
  world_.after(std::min(some(1, 12), until - world_.now()), [this, &a, &b, until, resets] {
    world_.mend(a, b);
    world_.mend(b, a);
    world_.after(some(1, 12), [this, &a, &b, until, resets] { toggle(a, b, until, resets); });
  });
}

void Nemesis::late_timers(Duration lasts) {
  world_.late_timers = static_cast<int>(world_.random().between(50, 500));
  world_.late_by = some(5, 40);
  begin("late_timers",
        "timers late by up to " + std::to_string(world_.late_by.count() / 1000) + " ms", lasts,
        [this] {
          world_.late_timers = 0;
          for (const auto& [name, host] : world_.hosts()) {
            host->end_lateness();
          }
        });
}

void Nemesis::stop() {
  stopped_ = true;
  say("the faults end");
  world_.network = {};
  world_.extra_latency = {};
  world_.extra_database_latency = {};
  world_.extra_cut_time = {};
  world_.answers_lost = 0;
  world_.late_timers = 0;
  world_.heal();
  for (int track = 1; track <= world_.config().tracks; ++track) {
    world_.database().set_active(TrackId(track), true);
  }
  for (const auto& [name, host] : world_.hosts()) {
    host->database_up = true;
    if (host->paused()) {
      host->resume();
    }
    host->end_lateness();
  }
}

}  // namespace turnout::sim
