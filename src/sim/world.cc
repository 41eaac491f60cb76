#include "sim/world.h"

#include <algorithm>
#include <utility>

#include "sim/host_ask.h"

namespace turnout::sim {

World::World(const WorldConfig& config)
    : config_(config),
      random_(config.seed),
      database_([this] { return instant(); }, config.cycle, config.tracks, config.contacts,
                config.planted.database) {
  for (const std::string& name : config.peers) {
    hosts_.emplace(name, std::make_unique<Host>(*this, PeerName(name), hosts_.size()));
  }
  last_arrival_.resize(hosts_.size() * hosts_.size() * 2);
  cuts_.resize(hosts_.size() * hosts_.size());
}

void World::at(Tick when, Action action) {
  std::size_t place = actions_.size();
  if (free_actions_.empty()) {
    actions_.push_back(std::move(action));
  } else {
    place = free_actions_.back();
    free_actions_.pop_back();
    actions_[place] = std::move(action);
  }
  queue_.push_back({std::max(when, now_), ++order_, place});
  std::push_heap(queue_.begin(), queue_.end(), is_later);
}

void World::run_until(Tick until) {
  while (!failure_ && !queue_.empty() && queue_.front().at <= until) {
    std::pop_heap(queue_.begin(), queue_.end(), is_later);
    const Event event = queue_.back();
    queue_.pop_back();
    // A state machine that asks to be called at once, for ever, would keep a processor busy.
    events_now_ = event.at == now_ ? events_now_ + 1 : 0;
    if (events_now_ > kMaxEventsAtOnce * hosts_.size()) {
      fail("endless loop: time stands still");
      return;
    }
    now_ = event.at;
    Action& action = actions_[event.action];
    action();
    action = {};
    free_actions_.push_back(event.action);
  }
  if (!failure_) {
    now_ = std::max(now_, until);
  }
}

void World::fail(const std::string& what) {
  if (!failure_) {
    failure_ = what;
  }
}

// What arrives at the same time is one event: in a large group that is nearly everything.
void World::broadcast(const Host& from, Connection connection,
                      const std::shared_ptr<const Message>& message) {
  struct Receiver {
    Host* host;
    std::uint64_t life;
  };
  std::vector<Receiver> receivers;
  Tick arrives;
  const auto flush = [&] {
    if (receivers.empty()) {
      return;
    }
    at(arrives, [this, &from, message, to = std::exchange(receivers, {})] {
      for (std::size_t i = 0; i < to.size() && !failure_; ++i) {
        Host& receiver = *to[i].host;
        if (receiver.alive() && receiver.life() == to[i].life && !apart(from, receiver)) {
          receiver.deliver(from, message);
        }
      }
    });
  };
  for (const auto& [name, other] : hosts_) {
    if (other.get() == &from) {
      continue;
    }
    Host& host = *other;
    draw_arrivals(from, host, connection, [&](Tick arrival) {
      if (arrival != arrives) {
        flush();
        arrives = arrival;
      }
      receivers.push_back({&host, host.life()});
    });
  }
  flush();
}

void World::mend(const Host& from, const Host& to) {
  int& times = cuts_[way(from, to)];
  times = std::max(0, times - 1);
}

Tick World::arrival(const Host& from, const Host& to, Connection connection) {
  const std::int64_t jitter = config_.jitter.count() + extra_latency.count();
  const Tick when = now_ + config_.latency + Duration(jitter > 0 ? random_.below(jitter) : 0);
  if (random_.chance(network.reordering)) {
    return when;
  }
  Tick& last = last_arrival_[way(from, to) * 2 + (connection == Connection::kBlocks ? 1 : 0)];
  return last = std::max(when, last);
}

// The operating system closes a dead process's sockets: the others see the end of the connection,
// if the network is whole.
void World::connections_end(const Host& of) {
  for (const auto& [name, other] : hosts_) {
    if (name == of.name() || !other->alive() || apart(of, *other)) {
      continue;
    }
    after(Duration(500), [this, gone = of.name(), to = name, life = other->life()] {
      Host& receiver = host(to);
      if (receiver.alive() && receiver.life() == life) {
        receiver.input(
            [&receiver, gone] { receiver.member().connection_lost(gone, receiver.clock()); });
      }
    });
  }
}

void World::reset_connection(const PeerName& a, const PeerName& b) {
  for (const auto& [from, to] : {std::pair(a, b), std::pair(b, a)}) {
    Host& receiver = host(to);
    receiver.input(
        [&receiver, gone = from] { receiver.member().connection_lost(gone, receiver.clock()); });
  }
}

}  // namespace turnout::sim
