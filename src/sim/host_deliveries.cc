// Deliveries: as master a process hands out what waits in the outbox; those handed to it, it takes,
// sends out and notes.

#include <iterator>
#include <utility>

#include "sim/host_ask.h"

namespace turnout::sim {

namespace {

constexpr int kHandedAtOnce = 8;
constexpr int kLeaseCycles = 3;
constexpr int kTries = 5;  // of noting a result
// What becomes of a delivery, in a thousand; of the rest the receiver wants another attempt.
constexpr int kTaken = 850;
constexpr int kRefused = 50;

}  // namespace

void Host::read_outbox() {
  if (!master_ || !member_->may_write() || reading_outbox_) {
    return;
  }
  reading_outbox_ = true;
  struct Read {
    std::vector<store::PeerId> ended;
    std::vector<store::OutboxDue> due;
  };
  auto read = std::make_shared<Read>();
  read->ended = std::exchange(ended_, {});
  ask_for_work(
      [this, read] {
        must(session_->hold_deliveries());
        must(session_->give_up_deliveries(read->ended));
        read->due = must(session_->outbox_due(kHandedAtOnce));
      },
      [this, read](bool answered) {
        reading_outbox_ = false;
        if (!answered) {
          ended_.insert(ended_.end(), read->ended.begin(), read->ended.end());
        } else if (master_ && member_->may_write() && !read->due.empty()) {
          hand_out(read->due, *master_);
        }
      });
}

// All to one peer, dead or alive: what it does not take waits on in the outbox.
void Host::hand_out(const std::vector<store::OutboxDue>& due, Fence master) {
  for (Observer* const observer : world_.observers()) {
    observer->on_hand_out(*this, master);
  }
  std::vector<store::OutboxKey> keys;
  keys.reserve(due.size());
  for (const store::OutboxDue& one : due) {
    keys.push_back(one.key);
  }
  const auto& hosts = world_.hosts();
  const auto to =
      std::next(hosts.begin(), world_.random().below(static_cast<std::int64_t>(hosts.size())));
  if (to->second.get() == this) {
    take_handout(keys, master.epoch);
    return;
  }
  world_.transmit(*this, *to->second, Connection::kBlocks,
                  [keys, epoch = master.epoch](Host& host) {
                    host.input([&host, keys, epoch] { host.take_handout(keys, epoch); });
                  });
}

void Host::take_handout(const std::vector<store::OutboxKey>& keys, Epoch master) {
  if (!member_->may_write() || master < member_->master_epoch()) {
    return;
  }
  const Duration lease = world_.config().cycle * kLeaseCycles;
  auto taken = std::make_shared<std::vector<store::Delivery>>();
  ask_for_work([this, keys, taken, lease,
                self = self_] { *taken = must(session_->take_deliveries(keys, self, lease, {})); },
               [this, taken, deadline = clock() + lease](bool answered) {
                 if (!answered) {
                   return;  // whatever was taken becomes uncertain: nobody knows of it
                 }
                 for (const store::Delivery& delivery : *taken) {
                   const Duration queued(world_.random().below(world_.config().cycle.count()));
                   world_.after(queued, [this, delivery, deadline, life = life_] {
                     if (alive() && life == life_) {
                       input([this, delivery, deadline] { send_out(delivery, deadline); });
                     }
                   });
                 }
               });
}

void Host::send_out(const store::Delivery& delivery, Tick deadline) {
  store::DeliveryResult result;
  result.key = delivery.key;
  result.attempt = delivery.attempt;
  result.state = store::OutboxState::kWaiting;
  result.retry_after = world_.config().cycle / 2;
  if (clock() < deadline) {  // else it is given back
    const std::int64_t drawn = world_.random().below(1000);
    if (drawn < kTaken) {
      result.state = store::OutboxState::kSent;
    } else if (drawn < kTaken + kRefused) {
      result.state = store::OutboxState::kFailed;
    }
    for (Observer* const observer : world_.observers()) {
      observer->on_delivered(delivery.key, result.state == store::OutboxState::kSent);
    }
  }
  note(result, kTries);
}

void Host::note(const store::DeliveryResult& result, int tries) {
  ask_for_work([this, result, self = self_] { must(session_->note_deliveries(self, {result})); },
               [this, result, tries](bool answered) {
                 if (!answered && tries > 1) {
                   note(result, tries - 1);
                 }
               });
}

}  // namespace turnout::sim
