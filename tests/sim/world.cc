#include "sim/world.h"

#include <algorithm>
#include <utility>

namespace turnout::sim {

World::World(const WorldConfig& config)
    : config_(config), random_(config.seed), database_(config.mutant) {
  database_.set_cycle(config.cycle);
  for (int track = 1; track <= config.tracks; ++track) {
    database_.add_track(TrackId(track));
    for (int contact = 1; contact <= config.contacts; ++contact) {
      database_.enter(TrackId(track), ContactId(contact), instant());
    }
  }
  for (const std::string& name : config.peers) {
    hosts_.emplace(name, std::make_unique<Host>(*this, PeerName(name)));
  }
}

void World::at(Tick when, std::function<void()> action) {
  queue_.push({std::max(when, now_), ++order_, std::move(action)});
}

void World::run_until(Tick until) {
  while (!failure_ && !queue_.empty() && queue_.top().at <= until) {
    // The queue gives only const access to its top; the event is popped right after.
    const Event event = queue_.top();
    queue_.pop();
    // A state machine that asks to be called at once, for ever, would keep a processor busy.
    events_now_ = event.at == now_ ? events_now_ + 1 : 0;
    if (events_now_ > kMaxEventsAtOnce) {
      fail("endless loop: time stands still");
      return;
    }
    now_ = event.at;
    event.action();
    for (Observer* const observer : observers_) {
      observer->on_step();
    }
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

void World::transmit(const Host& from, const PeerName& to, const Message& message) {
  if (!hosts_.contains(to) || !host(to).alive() || is_cut(from.name(), to) ||
      random_.chance(network.loss)) {
    return;
  }
  // Advertisements and blocks have a connection each, and each connection keeps its order.
  const bool blocks = std::holds_alternative<group::BlockMessage>(message) ||
                      std::holds_alternative<group::BlockReport>(message) ||
                      std::holds_alternative<group::Refusal>(message) ||
                      std::holds_alternative<group::CreditGrant>(message);
  const int copies = random_.chance(network.duplication) ? 2 : 1;
  for (int copy = 0; copy < copies; ++copy) {
    const std::int64_t jitter = config_.jitter.count() + extra_latency.count();
    Tick arrival = now_ + config_.latency + Duration(jitter > 0 ? random_.below(jitter) : 0);
    if (!random_.chance(network.reordering)) {
      Tick& last = last_arrival_[{from.name(), to, blocks}];
      arrival = last = std::max(arrival, last);
    }
    const std::uint64_t life = host(to).life();
    at(arrival, [this, to, life, sender = from.name(), message] {
      Host& receiver = host(to);
      if (receiver.alive() && receiver.life() == life && !is_cut(sender, to)) {
        receiver.deliver(sender, message);
      }
    });
  }
}

// The operating system closes a dead process's sockets: the others see the end of the connection,
// if the network is whole.
void World::connections_end(const Host& of) {
  for (const auto& [name, other] : hosts_) {
    if (name == of.name() || !other->alive() || is_cut(of.name(), name)) {
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
