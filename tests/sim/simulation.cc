#include "sim/simulation.h"

#include <algorithm>
#include <array>
#include <memory>

#include "sim/checker.h"
#include "sim/nemesis.h"
#include "sim/trace.h"

namespace turnout::sim {
namespace {

class Counter : public store::model::Watcher, public Observer {
 public:
  void on_move(const PositionKey&, std::int32_t, std::int32_t) override { ++moves; }
  void on_take(const store::LedgerRow& before, const store::LedgerRow& after) override {
    takeovers += before.owner && after.track != store::kMasterRow ? 1 : 0;
  }
  void on_write(const store::Fence&, const store::LedgerRow&) override { ++writes; }
  void on_send(const Host&, const PeerName&, const Message&) override { ++sent; }
  void on_delivered(const store::OutboxKey&, bool taken) override { delivered += taken ? 1 : 0; }
  std::int64_t moves = 0;
  std::int64_t takeovers = 0;
  std::int64_t writes = 0;
  std::int64_t sent = 0;
  std::int64_t delivered = 0;
};

WorldConfig draw(const Life& life) {
  Random random(life.seed ^ 0x5eed);
  WorldConfig config;
  config.seed = life.seed;
  config.planted = life.planted;
  config.miss_limit = static_cast<int>(random.between(3, 5));
  config.claim_counter = static_cast<int>(random.between(1, config.miss_limit - 2));
  const std::int64_t peers = life.small ? random.between(1, 2) : random.between(3, 9);
  for (std::int64_t i = 0; i < peers; ++i) {
    config.peers.push_back(std::string(1, static_cast<char>('a' + i)));
  }
  config.tracks = static_cast<int>(random.between(1, 5));
  config.contacts = static_cast<int>(random.between(1, 12));
  config.slots = {static_cast<std::int32_t>(random.between(1, 3)),
                  static_cast<std::int32_t>(random.between(1, 2))};
  config.latency = Duration(random.between(100, 20'000));
  config.jitter = Duration(random.between(0, 20'000));
  config.database_latency = Duration(random.between(200, 20'000));
  config.change_every = std::array{20, 60, 200}[static_cast<std::size_t>(random.below(3))];
  config.block_time = Duration(random.between(1'000, 40'000));
  if (random.chance(250)) {
    config.cut_time = config.cycle * random.between(1, 30) / 10;
  } else if (random.chance(500)) {
    config.cut_size = static_cast<int>(random.between(1, 6));
  }
  const std::int64_t clocks = random.below(10);
  config.drift_ppm = clocks < 4   ? 0
                     : clocks < 7 ? random.between(1, 500)
                                  : random.between(10'000, 100'000);
  return config;
}

void hint(World& world) {
  for (const auto& [name, host] : world.hosts()) {
    world.after(Duration(world.random().below(30'000)), [&other = *host] { other.hint(); });
  }
}

void change(World& world, ContactId contact) {
  world.database().raise_value(contact, 1);
  hint(world);
}

void look_around(World& world, const std::vector<std::unique_ptr<Checker>>& checkers) {
  for (const auto& checker : checkers) {
    checker->look();
  }
  world.after(world.config().cycle / 4, [&] { look_around(world, checkers); });
}

// Contacts come and change now and then, some of them several times in a row, so that rules are met
// while they wait, and while they are in a block.
void change_contacts(World& world, const bool& going_on) {
  if (!going_on) {
    return;
  }
  const WorldConfig& config = world.config();
  if (world.random().chance(40)) {
    world.database().add_contact();
    hint(world);
  }
  const ContactId contact(world.random().between(1, world.database().contacts()));
  for (std::int64_t again = world.random().below(4); again > 0; --again) {
    world.after(Duration(world.random().below(100'000)),
                [&world, contact] { change(world, contact); });
  }
  world.after(config.cycle * world.random().between(1, 2 * config.change_every) / 20,
              [&world, &going_on] { change_contacts(world, going_on); });
}

}  // namespace

Outcome simulate(const Life& life) {
  constexpr int kFaultyCycles = 120;
  constexpr int kCalmCycles = 80;
  constexpr int kCuts = 16;  // that a contact may need to get to the end
  World world(draw(life));
  const Duration cycle = world.config().cycle;
  Calm calm;
  Counter counter;
  world.watch(&counter);
  world.observe(&counter);
  std::vector<std::unique_ptr<Checker>> checkers;
  checkers.push_back(check_ownership(world));
  checkers.push_back(check_fence(world));
  checkers.push_back(check_moves(world));
  checkers.push_back(check_outbox(world));
  checkers.push_back(check_master(world));
  checkers.push_back(check_liveness(world, calm));
  checkers.push_back(check_waiting(world, calm));
  checkers.push_back(check_timers(world));
  checkers.push_back(check_credit(world, calm));
  checkers.push_back(check_takeover(world));
  for (const auto& checker : checkers) {
    world.watch(checker.get());
    world.observe(checker.get());
  }
  look_around(world, checkers);
  std::optional<Trace> trace;
  if (life.traced) {
    world.observe(&trace.emplace(world));
  }
  // The group is calm once everybody has started; the first fault comes later.
  calm.disturb();
  Duration last{};
  for (const auto& [name, host] : world.hosts()) {
    const Duration wait = cycle * world.random().below(30) / 10;
    last = std::max(last, wait);
    world.after(wait, [&other = *host] { other.start(); });
  }
  world.after(last, [&] { calm.settle(world.now()); });
  bool changing = true;
  world.after(cycle, [&] { change_contacts(world, changing); });
  Nemesis nemesis(world, calm);
  world.observe(&nemesis);
  nemesis.plan(Tick{} + cycle * kFaultyCycles);
  world.run_until(Tick{} + cycle * kFaultyCycles);
  nemesis.stop();
  changing = false;
  for (int contact = 1; contact <= world.database().contacts(); ++contact) {
    for (int step = 0; step < Program::kMaxValue; ++step) {
      world.after(cycle * contact / 4 + Duration(world.random().below(200'000)),
                  [&world, contact] { change(world, ContactId(contact)); });
    }
  }
  // A clock that was set back may have put off what is due.
  world.run_for(world.config().slowest_cycle() * kCalmCycles + world.config().cut_time * kCuts +
                (world.database_offset < Duration(0) ? kClockJump * 2 : Duration(0)));
  if (!world.failure()) {
    for (const auto& checker : checkers) {
      checker->at_end();
    }
  }
  Outcome outcome;
  if (world.failure()) {
    outcome.failure = "at " + std::to_string(world.now().us / 1000) + " ms: " + *world.failure();
  }
  outcome.trace = trace ? trace->text() : "";
  outcome.faults = nemesis.faults();
  std::int64_t faults = 0;
  for (const auto& [kind, times] : outcome.faults) {
    faults += times;
  }
  outcome.figures = {{"groups", 1},
                     {"peers", static_cast<std::int64_t>(world.hosts().size())},
                     {"cycles", world.now().us / cycle.count()},
                     {"faults", faults},
                     {"takeovers", counter.takeovers},
                     {"moves", counter.moves},
                     {"writes", counter.writes},
                     {"messages", counter.sent},
                     {"delivered", counter.delivered}};
  return outcome;
}

}  // namespace turnout::sim
