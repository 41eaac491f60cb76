// Runs a group in the simulator's world and watches it.

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "base/check.h"
#include "cli/simulate.h"
#include "group/message.h"
#include "link/wire.h"
#include "sim/random.h"
#include "sim/world.h"

namespace turnout::cli {
namespace {

using base::Duration;
using base::PeerName;
using base::Tick;
using base::TrackId;

constexpr int kSamplesPerCycle = 4;
constexpr int kFormingCycles = 200;   // after which a group without owners is not waited for
constexpr int kSpreadingCycles = 60;  // after which one with owners is not
constexpr int kRestCycles = 2;        // before and after what is measured
constexpr int kIdleCycles = 5;
constexpr int kRecoveryCycles = 100;
constexpr std::uint64_t kVictims = 0x71c7;  // drawn apart from what the network draws

sim::WorldConfig world_config(const SimulationPlan& plan) {
  sim::WorldConfig config;
  config.seed = plan.seed;
  config.cycle = plan.cycle;
  config.miss_limit = plan.miss_limit;
  config.claim_counter = std::min(2, plan.miss_limit - 2);
  config.tracks = plan.tracks;
  config.latency = plan.latency;
  config.work = false;
  for (int i = 1; i <= plan.peers; ++i) {
    config.peers.push_back(fmt::format("peer-{:04}", i));
  }
  return config;
}

TrackSpread spread_of(std::vector<int> counts) {
  TrackSpread spread;
  if (counts.empty()) {
    return spread;
  }
  std::sort(counts.begin(), counts.end());
  spread.min = counts.front();
  spread.median = counts[counts.size() / 2];
  spread.max = counts.back();
  const auto number = static_cast<double>(counts.size());
  double sum = 0;
  double squares = 0;
  for (const int count : counts) {
    sum += count;
    squares += static_cast<double>(count) * count;
  }
  spread.deviation = std::sqrt(std::max(0.0, squares / number - (sum / number) * (sum / number)));
  return spread;
}

// What was sent and asked from some time on.
struct Tally {
  std::int64_t messages = 0;
  std::int64_t bytes = 0;
  std::int64_t requests = 0;
  std::int64_t advertisements = 0;  // each once, however many it went to
  std::int64_t advertisement_bytes = 0;
  std::int64_t largest_advertisement = 0;
};

// Counts what the peers say and ask.
class Meter : public sim::Observer {
 public:
  explicit Meter(sim::World& world) : world_(world) {}

  void on_send(const sim::Host& host, const PeerName& to, const group::Message& message) override {
    if (to == host.name()) {
      return;
    }
    const auto bytes = static_cast<std::int64_t>(link::encode(message).size());
    const std::int64_t receivers =
        to.empty() ? living_ - 1 : (world_.host(to).alive() ? 1 : 0);  // that it is connected to
    counts_.messages += receivers;
    counts_.bytes += bytes * receivers;
    if (std::holds_alternative<group::Advertisement>(message)) {
      ++counts_.advertisements;
      counts_.advertisement_bytes += bytes;
      counts_.largest_advertisement = std::max(counts_.largest_advertisement, bytes);
    }
  }

  void on_requests(const sim::Host&, const group::Ready& ready) override {
    counts_.requests += static_cast<std::int64_t>(ready.take.size() + ready.probe.size()) +
                        (ready.stamp ? 1 : 0) + (ready.read_stamps ? 1 : 0) +
                        (ready.read_ledger ? 1 : 0);
  }

  // Looks how many processes there are, which are all connected with each other.
  void count_living() {
    living_ = std::count_if(world_.hosts().begin(), world_.hosts().end(),
                            [](const auto& entry) { return entry.second->alive(); });
  }
  std::int64_t living() const { return living_; }
  const Tally& counts() const { return counts_; }
  void reset() { counts_ = {}; }

  Traffic traffic(Duration time, Duration cycle) const {
    Traffic traffic;
    const double seconds = static_cast<double>(time.count()) / 1e6;
    if (seconds <= 0 || living_ == 0) {
      return traffic;
    }
    const double peer_seconds = seconds * static_cast<double>(living_);
    traffic.messages_per_second = static_cast<double>(counts_.messages) / peer_seconds;
    traffic.bytes_per_second = static_cast<double>(counts_.bytes) / peer_seconds;
    traffic.requests_per_cycle = static_cast<double>(counts_.requests) / peer_seconds *
                                 static_cast<double>(cycle.count()) / 1e6;
    return traffic;
  }

 private:
  sim::World& world_;
  Tally counts_;
  std::int64_t living_ = 0;
};

// Keeps count of who owns what by the ledger, and when that changed.
class Registrar : public sim::Observer, public store::model::Watcher {
 public:
  Registrar(sim::World& world, const SimulationPlan& plan)
      : world_(world),
        owner_(static_cast<std::size_t>(plan.tracks) + 1, kNobody),
        owned_(static_cast<std::size_t>(plan.peers), 0),
        hit_(static_cast<std::size_t>(plan.peers), false),
        ownerless_(plan.tracks) {
    forming_.steps.push_back({Duration(0), ownerless_});
  }

  void on_take(const store::LedgerRow& before, const store::LedgerRow& after) override {
    CHECK(after.owner.has_value());
    const std::size_t peer = world_.host(after.owner->name).number();
    if (after.track == store::kMasterRow) {
      take_master(peer);
      return;
    }
    const auto track = static_cast<std::size_t>(after.track.get());
    if (owner_[track] != kNobody) {
      --owned_[owner_[track]];
    }
    const int left = ownerless_ - (orphaned(owner_[track]) ? 1 : 0) + (hit_[peer] ? 1 : 0);
    owner_[track] = peer;
    ++owned_[peer];
    (void)before;
    if (left != ownerless_) {
      ownerless_ = left;
      note_ownerless();
    }
    note_spread();
  }

  // Somebody begins to take over what is in the hands of those that were hit.
  void on_requests(const sim::Host& host, const group::Ready& ready) override {
    if (!awaits_claims() || hit_[host.number()]) {
      return;
    }
    for (const group::Take& take : ready.take) {
      note_claim(take.track);
    }
  }
  void on_send(const sim::Host& host, const PeerName&, const group::Message& message) override {
    const auto* const said = std::get_if<group::Advertisement>(&message);
    if (!awaits_claims() || said == nullptr || hit_[host.number()]) {
      return;
    }
    for (const group::Claim& claim : said->claims) {
      note_claim(claim.track);
    }
  }

  // These peers are hit now.
  SimulationResult::Recovery& begin_recovery(const std::vector<std::size_t>& victims) {
    recovery_ = SimulationResult::Recovery{};
    SimulationResult::Recovery& now = *recovery_;
    now.at = since_start();
    for (const std::size_t victim : victims) {
      hit_[victim] = true;
      now.tracks += owned_[victim];
      now.master_hit = now.master_hit || (master_ && *master_ == victim);
    }
    ownerless_ = now.tracks;
    now.steps.push_back({Duration(0), ownerless_});
    if (ownerless_ == 0) {
      now.half = now.most = now.all = Duration(0);
    }
    note_spread();
    return now;
  }

  int ownerless() const { return ownerless_; }
  bool has_master() const { return master_ && !hit_[*master_]; }
  bool is_spread() const {
    if (ownerless_ > 0) {
      return false;
    }
    const TrackSpread now = spread();
    return now.max - now.min <= 1;
  }
  TrackSpread spread() const {
    std::vector<int> counts;
    for (std::size_t peer = 0; peer < owned_.size(); ++peer) {
      if (!hit_[peer]) {
        counts.push_back(owned_[peer]);
      }
    }
    return spread_of(std::move(counts));
  }
  SimulationResult::Forming& forming() { return forming_; }
  std::optional<SimulationResult::Recovery>& recovery() { return recovery_; }

 private:
  static constexpr std::size_t kNobody = static_cast<std::size_t>(-1);

  Duration since_start() const { return world_.now() - Tick{}; }
  Duration since_fault() const {
    CHECK(recovery_.has_value());
    return since_start() - recovery_->at;
  }
  bool orphaned(std::size_t owner) const { return owner == kNobody || hit_[owner]; }
  bool awaits_claims() const { return recovery_ && !recovery_->detected; }

  void note_claim(TrackId track) {
    CHECK(recovery_.has_value());
    if (track != group::kMasterRow && orphaned(owner_[static_cast<std::size_t>(track.get())]) &&
        !recovery_->detected) {
      recovery_->detected = since_fault();
    }
  }

  void take_master(std::size_t peer) {
    master_ = peer;
    if (!recovery_) {
      forming_.master = forming_.master.value_or(since_start());
    } else if (recovery_->master_hit && !hit_[peer] && !recovery_->master) {
      recovery_->master = since_fault();
    }
  }

  void note_ownerless() {
    if (!recovery_) {
      forming_.steps.push_back({since_start(), ownerless_});
      if (ownerless_ == 0 && !forming_.owned) {
        forming_.owned = since_start();
      }
      return;
    }
    SimulationResult::Recovery& now = *recovery_;
    now.steps.push_back({since_fault(), ownerless_});
    if (ownerless_ * 2 <= now.tracks && !now.half) {
      now.half = since_fault();
    }
    if (std::int64_t{ownerless_} * 100 <= now.tracks && !now.most) {
      now.most = since_fault();
    }
    if (ownerless_ == 0 && !now.all) {
      now.all = since_fault();
      now.owned_again = spread();
    }
  }

  void note_spread() {
    std::optional<Duration>& when = recovery_ ? recovery_->spread : forming_.spread;
    if (!when && is_spread()) {
      when = recovery_ ? since_fault() : since_start();
    }
  }

  sim::World& world_;
  std::vector<std::size_t> owner_;  // by track
  std::vector<int> owned_;          // by peer
  std::vector<bool> hit_;           // by peer
  std::optional<std::size_t> master_;
  int ownerless_ = 0;
  SimulationResult::Forming forming_;
  std::optional<SimulationResult::Recovery> recovery_;
};

class Experiment {
 public:
  Experiment(const SimulationPlan& plan,
             const std::function<void(const SimulationProgress&)>& progress)
      : plan_(plan),
        progress_(progress),
        world_(world_config(plan)),
        meter_(world_),
        registrar_(world_, plan) {
    world_.network.loss = plan.loss_permille;
    world_.observe(&meter_);
    world_.observe(&registrar_);
    world_.watch(&registrar_);
  }

  SimulationResult run() {
    for (const auto& [name, host] : world_.hosts()) {
      world_.after(Duration(world_.random().below(plan_.cycle.count())),
                   [&other = *host] { other.start(); });
    }
    const bool formed = form();
    if (formed) {
      rest();
      idle();
    }
    result_.before = registrar_.spread();
    if (formed && plan_.hit > 0) {
      recover();
    }
    CHECK(!world_.failure());
    result_.forming = registrar_.forming();
    result_.recovery = registrar_.recovery();
    result_.end = registrar_.spread();
    return std::move(result_);
  }

 private:
  // Goes on until `done()`, for at most so many cycles. True if it was done.
  template <class Done>
  bool go_on(const char* doing, int cycles, Done done) {
    for (int i = 0; i < cycles * kSamplesPerCycle; ++i) {
      if (done()) {
        return true;
      }
      sample(doing);
    }
    return done();
  }

  // A quarter of a cycle.
  void sample(const char* doing) {
    const std::int64_t before = meter_.counts().bytes;
    const Tick began = world_.now();
    world_.run_for(plan_.cycle / kSamplesPerCycle);
    meter_.count_living();
    SimulationSample now;
    now.at = world_.now() - Tick{};
    now.without_owner = registrar_.ownerless();
    now.spread = registrar_.spread();
    now.bytes_per_second = static_cast<double>(meter_.counts().bytes - before) * 1e6 /
                           static_cast<double>((world_.now() - began).count()) /
                           static_cast<double>(std::max<std::int64_t>(1, meter_.living()));
    result_.samples.push_back(now);
    progress_({doing, now.at, now.without_owner});
  }

  bool form() {
    const bool owned = go_on("forming", kFormingCycles, [this] {
      return registrar_.has_master() && registrar_.ownerless() == 0;
    });
    if (owned) {
      go_on("spreading tracks", kSpreadingCycles, [this] { return registrar_.is_spread(); });
    }
    return owned;
  }

  void rest() {
    go_on("resting", kRestCycles, [] { return false; });
  }

  void idle() {
    int cycles = kIdleCycles;
    if (plan_.hit == 0 && plan_.go_on) {
      cycles = static_cast<int>((*plan_.go_on + plan_.cycle - Duration(1)) / plan_.cycle);
    }
    meter_.reset();
    go_on("idle", cycles, [] { return false; });
    const Tally& counts = meter_.counts();
    result_.idle.cycles = cycles;
    result_.idle.traffic = meter_.traffic(plan_.cycle * cycles, plan_.cycle);
    result_.idle.largest_advertisement = counts.largest_advertisement;
    if (counts.advertisements > 0) {
      result_.idle.advertisement_bytes = static_cast<double>(counts.advertisement_bytes) /
                                         static_cast<double>(counts.advertisements);
    }
  }

  void recover() {
    const std::vector<std::size_t> victims = draw_victims();
    SimulationResult::Recovery& recovery = registrar_.begin_recovery(victims);
    for (const auto& [name, host] : world_.hosts()) {
      if (std::find(victims.begin(), victims.end(), host->number()) != victims.end()) {
        hit(*host);
      }
    }
    meter_.reset();
    meter_.count_living();
    const Tick began = world_.now();
    if (plan_.go_on) {
      while (world_.now() - began < *plan_.go_on) {
        sample("recovering");
      }
    } else {
      go_on("recovering", kRecoveryCycles,
            [this] { return registrar_.has_master() && registrar_.is_spread(); });
      rest();
    }
    recovery.traffic = meter_.traffic(world_.now() - began, plan_.cycle);
  }

  std::vector<std::size_t> draw_victims() const {
    std::vector<std::size_t> all(static_cast<std::size_t>(plan_.peers));
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[i] = i;
    }
    sim::Random random(plan_.seed ^ kVictims);
    for (std::size_t i = 0; i < static_cast<std::size_t>(plan_.hit); ++i) {
      const auto left = static_cast<std::int64_t>(all.size() - i);
      std::swap(all[i], all[i + static_cast<std::size_t>(random.below(left))]);
    }
    all.resize(static_cast<std::size_t>(plan_.hit));
    return all;
  }

  void hit(sim::Host& host) const {
    switch (plan_.how) {
      case Misfortune::kKill:
        host.kill();
        break;
      case Misfortune::kStop:
        host.pause();
        break;
      case Misfortune::kCut:
        host.network_up = false;
        host.database_up = false;
        break;
      case Misfortune::kLeave:
        host.leave();
        break;
    }
  }

  const SimulationPlan plan_;
  const std::function<void(const SimulationProgress&)>& progress_;
  sim::World world_;
  Meter meter_;
  Registrar registrar_;
  SimulationResult result_;
};

}  // namespace

SimulationResult run_simulation(const SimulationPlan& plan,
                                const std::function<void(const SimulationProgress&)>& progress) {
  return Experiment(plan, progress).run();
}

}  // namespace turnout::cli
