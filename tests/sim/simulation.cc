#include "sim/simulation.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <sstream>

#include "sim/checker.h"
#include "sim/describe.h"
#include "sim/nemesis.h"

namespace turnout::sim {
namespace {

// Keeps the last events, in words.
class Trace : public Observer {
 public:
  explicit Trace(World& world) : world_(world) {}
  void on_notice(const Host& host, const group::Notice& notice) override {
    add(host.name().get() + "  " + describe(notice));
  }
  void on_ask(const Host& host, const std::string& what) override {
    add(host.name().get() + "  asks to " + what);
  }
  void on_fault(const std::string& what) override { add("*  " + what); }
  void on_send(const Host& host, const PeerName& to, const Message& message) override {
    const std::string who = host.name().get() + "  ";
    if (const auto* const m = std::get_if<group::BlockMessage>(&message)) {
      add(who + "hands block " + std::to_string(m->block->id) + "/" + std::to_string(m->attempt) +
          " of track " + std::to_string(m->block->track.get()) + " to " + to.get() + ", serial " +
          std::to_string(m->session) + "." + std::to_string(m->serial));
    } else if (const auto* const r = std::get_if<group::BlockReport>(&message)) {
      add(who + "reports block " + std::to_string(r->block) + " to " + to.get());
    } else if (const auto* const g = std::get_if<group::CreditGrant>(&message)) {
      add(who + "grants " + to.get() + " " + std::to_string(g->credit.window.bulk) + "/" +
          std::to_string(g->credit.window.single) + " number " + std::to_string(g->credit.number) +
          " received " + std::to_string(g->credit.received_bulk) + "/" +
          std::to_string(g->credit.received_single));
    }
  }

  std::string text() const {
    std::string all;
    for (const std::string& line : lines_) {
      all += line + '\n';
    }
    return all;
  }

 private:
  static constexpr std::size_t kKept = 150;
  void add(const std::string& what) {
    lines_.push_back(std::to_string(world_.now().us / 1000) + "  " + what);
    if (lines_.size() > kKept) {
      lines_.pop_front();
    }
  }
  World& world_;
  std::deque<std::string> lines_;
};

class Counter : public store::model::Watcher {
 public:
  void on_move(const PositionKey&, std::int32_t, std::int32_t) override { ++moves; }
  void on_take(const store::LedgerRow& before, const store::LedgerRow& after) override {
    takeovers += before.owner && after.track != store::kMasterRow ? 1 : 0;
  }
  std::int64_t moves = 0;
  std::int64_t takeovers = 0;
};

WorldConfig draw(std::uint64_t seed, const Planted& planted) {
  Random random(seed ^ 0x5eed);
  WorldConfig config;
  config.seed = seed;
  config.planted = planted;
  config.miss_limit = static_cast<int>(random.between(3, 5));
  config.claim_counter = static_cast<int>(random.between(1, config.miss_limit - 2));
  const std::int64_t peers = random.between(1, 5);
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
  config.block_time = Duration(random.between(1'000, 40'000));
  config.drift_ppm = random.chance(500) ? random.between(1, 500) : 0;
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
  world.after(config.cycle * world.random().between(1, 40) / 20,
              [&world, &going_on] { change_contacts(world, going_on); });
}

}  // namespace

Outcome simulate(std::uint64_t seed, const Planted& planted, bool traced) {
  constexpr int kFaultyCycles = 120;
  constexpr int kCalmCycles = 80;
  World world(draw(seed, planted));
  const Duration cycle = world.config().cycle;
  Calm calm;
  Counter counter;
  world.watch(&counter);
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
  std::optional<Trace> trace;
  if (traced) {
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
  world.run_for(cycle * kCalmCycles);
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
  outcome.cycles = world.now().us / cycle.count();
  outcome.moves = counter.moves;
  outcome.faults = nemesis.faults();
  outcome.takeovers = counter.takeovers;
  return outcome;
}

}  // namespace turnout::sim
