#pragma once

// `turnout simulate`: how a group of a given size and cycle behaves, in virtual time. The peers are
// the real state machines of room `group`, their messages are counted in the real encoding of room
// `link`; network, processes and database are the simulator's (room `sim`). Nothing here reads a
// clock: the same plan gives the same result on every machine.
//
// Not thread-safe; each call stands for itself.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace turnout::cli {

inline constexpr int kMaxSimulatedPeers = 2'000;
inline constexpr int kMaxSimulatedTracks = 50'000;
// Each peer knows each track: about 300 bytes of memory for each of these.
inline constexpr std::int64_t kMaxPeersTimesTracks = 10'000'000;

// As written on the command line.
struct SimulateOptions {
  int peers = 10;
  int tracks = 100;
  std::string profile{};  // "lan", "wan", "slow"; empty: lan, or as `cycle` says
  std::string cycle{};
  int miss_limit = 4;
  std::string kill{};  // "5%", "3"; empty: nobody
  std::string how = "kill";
  std::string loss = "0%";
  std::string latency{};  // empty: the profile's
  std::optional<int> cycles{};
  std::optional<int> minutes{};
  std::uint64_t seed = 1;
  std::string svg{};  // file; empty: none
  bool json = false;
};

// What happens to the peers that are hit, all at once.
enum class Misfortune {
  kKill,   // their processes end
  kStop,   // their processes stand still and never go on
  kCut,    // their machines reach neither the others nor the database
  kLeave,  // they are asked to leave
};

struct SimulationPlan {
  int peers = 0;
  int tracks = 0;
  base::Duration cycle{};
  int miss_limit = 4;
  base::Duration latency{};  // of a message, one way
  int loss_permille = 0;     // messages that never arrive
  Misfortune how = Misfortune::kKill;
  int hit = 0;  // peers; 0: nothing happens
  // Virtual time to go on for after that (without one: idle); else until the group has recovered.
  std::optional<base::Duration> go_on;
  std::uint64_t seed = 1;
};

// kInvalid: which option is wrong, why, and what to write.
base::Result<SimulationPlan> plan_simulation(const SimulateOptions& options);

// How many tracks each peer that is not hit owns.
struct TrackSpread {
  int min = 0;
  int median = 0;
  int max = 0;
  double deviation = 0;  // standard deviation
};

// What the peers have sent and asked, on average.
struct Traffic {
  double messages_per_second = 0;  // that a peer sends
  double bytes_per_second = 0;     // of them, frames with their headers; without TLS and TCP
  double requests_per_cycle = 0;   // of a peer to the database
};

struct SimulationSample {
  base::Duration at{};  // since the start
  int without_owner = 0;
  TrackSpread spread;
  double bytes_per_second = 0;  // since the last sample
};

// Tracks without an owner, each time that changed.
struct OwnerlessStep {
  base::Duration at{};  // since the start or the fault
  int tracks = 0;
};

struct SimulationResult {
  // Since the start. Nothing where that never happened.
  struct Forming {
    std::optional<base::Duration> master;
    std::optional<base::Duration> owned;   // every track
    std::optional<base::Duration> spread;  // to a difference of at most one
    std::vector<OwnerlessStep> steps;
  } forming;

  struct Idle {
    int cycles = 0;
    double advertisement_bytes = 0;  // mean
    std::int64_t largest_advertisement = 0;
    Traffic traffic;
  } idle;

  // Since it.
  struct Recovery {
    base::Duration at{};  // since the start
    int tracks = 0;       // that were owned by those that were hit
    bool master_hit = false;
    std::optional<base::Duration> detected;  // the first track is claimed or taken
    std::optional<base::Duration> half;      // of the tracks has a new owner
    std::optional<base::Duration> most;      // 99 %
    std::optional<base::Duration> all;
    std::optional<base::Duration> master;  // there is another, if it was hit
    std::optional<base::Duration> spread;  // to a difference of at most one
    TrackSpread owned_again;               // when all tracks had a new owner
    Traffic traffic;                       // from the fault to the end
    std::vector<OwnerlessStep> steps;
  };
  std::optional<Recovery> recovery;  // if somebody was hit, and the group had formed before

  TrackSpread before;  // the fault, or at the end without one
  TrackSpread end;
  std::vector<SimulationSample> samples;  // four a cycle
};

// Where a simulation stands, now and then.
struct SimulationProgress {
  const char* doing = "";
  base::Duration at{};  // virtual time since the start
  int without_owner = 0;
};

SimulationResult run_simulation(const SimulationPlan& plan,
                                const std::function<void(const SimulationProgress&)>& progress);

// "1,000 peers, 5,000 tracks, …" in one line.
std::string describe(const SimulationPlan& plan);
// "50 peers are killed", of what happens to those that are hit.
std::string describe_misfortune(const SimulationPlan& plan);
// "4.31 s", "6.5 ms".
std::string duration_text(base::Duration duration);

// For a person, and for programs (times in milliseconds; what never happened is null).
std::string simulation_tables(const SimulationPlan& plan, const SimulationResult& result,
                              bool colour);
std::string simulation_json(const SimulationPlan& plan, const SimulationResult& result);
// A picture of the result; a whole SVG document.
std::string simulation_svg(const SimulationPlan& plan, const SimulationResult& result);

}  // namespace turnout::cli
