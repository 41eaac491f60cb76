#include "sim/nemesis.h"

#include <utility>

namespace turnout::sim {

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

void Nemesis::plan(Tick until) {
  until_ = until;
  world_.after(some(50, 120), [this] { episode(); });
}

void Nemesis::episode() {
  if (stopped_ || world_.now() >= until_) {
    return;
  }
  const Duration lasts = world_.random().chance(500) ? some(1, 15) : some(15, 90);
  switch (world_.random().below(8)) {
    case 0:
    case 1:
      kill(lasts);
      break;
    case 2:
      pause(lasts);
      break;
    case 3:
      leave(lasts);
      break;
    case 4:
      network(lasts);
      break;
    case 5:
      partition(lasts);
      break;
    case 6:
      reset();
      break;
    default:
      database(lasts);
  }
  // Often the next fault comes while the group is busy with this one; sometimes it gets time to
  // recover in full.
  const bool rest = world_.random().chance(250);
  world_.after(rest ? lasts + some(150, 220) : some(1, 60), [this] { episode(); });
}

void Nemesis::begin(const std::string& what, Duration lasts, std::function<void()> end) {
  ++open_;
  ++faults_;
  calm_.disturb();
  say(what);
  world_.after(lasts, [this, what, end = std::move(end)] {
    end();
    say("end of: " + what);
    end_one();
  });
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
  begin("kill " + host->name().get(), std::max(lasts, Duration(std::chrono::milliseconds(10))),
        [host] {
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
  begin("pause " + host->name().get(), lasts, [host, life = host->life()] {
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
  begin("leave " + host->name().get(), lasts + leaving, [host] {
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
  begin("bad network: loss " + std::to_string(faults.loss) + ", duplication " +
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
  for (const auto& [from, x] : world_.hosts()) {
    for (const auto& [to, y] : world_.hosts()) {
      if (side.contains(from) != side.contains(to) && (ways & (side.contains(from) ? 1 : 2)) != 0) {
        world_.cut(from, to);
      }
    }
  }
  begin(what + (ways == 1   ? " outward"
                : ways == 2 ? " inward"
                            : ""),
        lasts, [this] { world_.heal(); });
}

void Nemesis::database(Duration lasts) {
  switch (world_.random().below(4)) {
    case 0: {
      Host* const host = pick();
      host->database_up = false;
      begin("no database for " + host->name().get(), lasts, [host] { host->database_up = true; });
      break;
    }
    case 1:
      for (const auto& [name, host] : world_.hosts()) {
        host->database_up = false;
      }
      begin("no database", lasts, [this] {
        for (const auto& [name, host] : world_.hosts()) {
          host->database_up = true;
        }
      });
      break;
    case 2:
      world_.extra_database_latency = some(1, 8);
      begin("slow database", lasts, [this] { world_.extra_database_latency = {}; });
      break;
    default:
      world_.answers_lost = static_cast<int>(world_.random().between(20, 300));
      begin("answers lost", lasts, [this] { world_.answers_lost = 0; });
  }
}

void Nemesis::reset() {
  Host* const a = pick();
  Host* const b = pick();
  if (a != b && a->alive() && b->alive()) {
    begin("reset " + a->name().get() + " " + b->name().get(), Duration(0), [] {});
    world_.reset_connection(a->name(), b->name());
  }
}

void Nemesis::stop() {
  stopped_ = true;
  say("the faults end");
  world_.network = {};
  world_.extra_latency = {};
  world_.extra_database_latency = {};
  world_.answers_lost = 0;
  world_.heal();
  for (const auto& [name, host] : world_.hosts()) {
    host->database_up = true;
    if (host->paused()) {
      host->resume();
    }
  }
}

}  // namespace turnout::sim
