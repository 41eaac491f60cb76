// What the options of `turnout simulate` mean.

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/config.h"
#include "cli/simulate.h"
#include "group/config.h"

namespace turnout::cli {
namespace {

using base::Duration;
using base::ErrorCode;
using base::Result;
using std::chrono::milliseconds;

constexpr milliseconds kMaxLatency{10'000};
constexpr int kMaxLossPercent = 90;
constexpr int kMaxCycles = 100'000;
constexpr int kMaxMinutes = 100'000;

auto wrong(const char* option, const std::string& written, const std::string& why) {
  return base::fail(ErrorCode::kInvalid, fmt::format("{} {}: {}", option, written, why));
}

// A number with or without "%".
struct Amount {
  double number = 0;
  bool percent = false;
};
std::optional<Amount> parse_amount(std::string_view text) {
  Amount amount;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount.number,
                                            std::chars_format::fixed);
  const std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
  amount.percent = rest == "%";
  if (error != std::errc() || !(rest.empty() || amount.percent) || !(amount.number >= 0)) {
    return std::nullopt;
  }
  return amount;
}

Result<Duration> duration_option(const char* option, const std::string& text, milliseconds low,
                                 milliseconds high, const char* range) {
  const auto duration = parse_duration(text);
  if (!duration) {
    return wrong(option, text, "write a number and its unit, such as 250ms, 1s or 2m");
  }
  if (*duration < low || *duration > high) {
    return wrong(option, text, fmt::format("must be {}", range));
  }
  return Duration(*duration);
}

Result<int> read_hit(const std::string& text, int peers) {
  const auto amount = parse_amount(text);
  if (!amount) {
    return wrong("--kill", text, "write a number of peers or a share of them, such as 3 or 5%");
  }
  if (!amount->percent && amount->number != std::floor(amount->number)) {
    return wrong("--kill", text, "peers come whole; a share is written with %");
  }
  const double share = amount->number * peers / 100;
  const double hit = amount->percent ? std::max(1.0, std::round(share)) : amount->number;
  if (amount->number == 0) {
    return 0;
  }
  if (hit > peers - 1) {
    return wrong("--kill", text,
                 fmt::format("at least one of {} must be left", base::with_thousands(peers)));
  }
  return static_cast<int>(hit);
}

Result<int> read_loss(const std::string& text) {
  const auto amount = parse_amount(text);
  if (!amount || !amount->percent) {
    return wrong("--loss", text, "write a share of the messages, such as 2%");
  }
  if (amount->number > kMaxLossPercent) {
    return wrong("--loss", text, fmt::format("must be from 0% to {}%", kMaxLossPercent));
  }
  return static_cast<int>(std::lround(amount->number * 10));
}

Result<Misfortune> read_how(const std::string& text) {
  static constexpr std::pair<const char*, Misfortune> kNames[] = {{"kill", Misfortune::kKill},
                                                                  {"stop", Misfortune::kStop},
                                                                  {"cut", Misfortune::kCut},
                                                                  {"leave", Misfortune::kLeave}};
  for (const auto& [name, how] : kNames) {
    if (text == name) {
      return how;
    }
  }
  return wrong("--how", text,
               "peers can be hit by kill (the process ends), stop (it stands still), cut (its "
               "machine loses the network) or leave (it is asked to go)");
}

base::Result<void> read_size(const SimulateOptions& options, SimulationPlan& plan) {
  plan.peers = options.peers;
  plan.tracks = options.tracks;
  if (plan.peers < 1 || plan.peers > kMaxSimulatedPeers) {
    return wrong("--peers", std::to_string(plan.peers),
                 fmt::format("must be from 1 to {}", base::with_thousands(kMaxSimulatedPeers)));
  }
  if (plan.tracks < 0 || plan.tracks > kMaxSimulatedTracks) {
    return wrong("--tracks", std::to_string(plan.tracks),
                 fmt::format("must be from 0 to {}", base::with_thousands(kMaxSimulatedTracks)));
  }
  if (std::int64_t{plan.peers} * plan.tracks > kMaxPeersTimesTracks) {
    return wrong(
        "--tracks", std::to_string(plan.tracks),
        fmt::format("with {} peers there is memory for {} tracks", base::with_thousands(plan.peers),
                    base::with_thousands(kMaxPeersTimesTracks / plan.peers)));
  }
  return base::ok();
}

base::Result<void> read_times(const SimulateOptions& options, SimulationPlan& plan) {
  if (!options.profile.empty() && !options.cycle.empty()) {
    return wrong("--profile", options.profile, "--cycle says so already; give one of the two");
  }
  const group::Profile* const profile =
      group::find_profile(options.profile.empty() ? "lan" : options.profile);
  if (profile == nullptr) {
    return wrong("--profile", options.profile, "there are lan, wan and slow");
  }
  plan.cycle = profile->cycle;
  plan.latency = profile->latency;
  if (!options.cycle.empty()) {
    TRY(plan.cycle, duration_option("--cycle", options.cycle, milliseconds(50),
                                    milliseconds(120'000), "from 50ms to 120s"));
  }
  if (!options.latency.empty()) {
    TRY(plan.latency,
        duration_option("--latency", options.latency, milliseconds(0), kMaxLatency, "at most 10s"));
  }
  if (options.cycles && options.minutes) {
    return wrong("--minutes", std::to_string(*options.minutes),
                 "--cycles says so already; give one of the two");
  }
  if (options.cycles && (*options.cycles < 1 || *options.cycles > kMaxCycles)) {
    return wrong("--cycles", std::to_string(*options.cycles), "must be from 1 to 100,000");
  }
  if (options.minutes && (*options.minutes < 1 || *options.minutes > kMaxMinutes)) {
    return wrong("--minutes", std::to_string(*options.minutes), "must be from 1 to 100,000");
  }
  if (options.cycles) {
    plan.go_on = plan.cycle * *options.cycles;
  } else if (options.minutes) {
    plan.go_on = std::chrono::minutes(*options.minutes);
  }
  return base::ok();
}

}  // namespace

Result<SimulationPlan> plan_simulation(const SimulateOptions& options) {
  SimulationPlan plan;
  TRYV(read_size(options, plan));
  TRYV(read_times(options, plan));
  // A real group of that size would be refused with the same words.
  TRYV(group::check_group_size(plan.peers, plan.cycle));
  if (options.miss_limit < 3 || options.miss_limit > group::kMaxMissLimit) {
    return wrong("--miss-limit", std::to_string(options.miss_limit),
                 "must be from 3 to 100 cycles; 4 is recommended");
  }
  plan.miss_limit = options.miss_limit;
  TRY(plan.loss_permille, read_loss(options.loss));
  TRY(plan.how, read_how(options.how));
  if (!options.kill.empty()) {
    TRY(plan.hit, read_hit(options.kill, plan.peers));
  }
  plan.seed = options.seed;
  return plan;
}

std::string describe(const SimulationPlan& plan) {
  std::string text =
      fmt::format("{} {}, {} {}, a cycle of {}, messages take {}", base::with_thousands(plan.peers),
                  plan.peers == 1 ? "peer" : "peers", base::with_thousands(plan.tracks),
                  plan.tracks == 1 ? "track" : "tracks", duration_text(plan.cycle),
                  duration_text(plan.latency));
  if (plan.loss_permille > 0) {
    text += fmt::format(" and {:g} % are lost", plan.loss_permille / 10.0);
  }
  return text + fmt::format(", seed {}", plan.seed);
}

std::string describe_misfortune(const SimulationPlan& plan) {
  const char* what = "";
  switch (plan.how) {
    case Misfortune::kKill:
      what = "killed";
      break;
    case Misfortune::kStop:
      what = "stopped";
      break;
    case Misfortune::kCut:
      what = "cut off";
      break;
    case Misfortune::kLeave:
      what = "asked to leave";
      break;
  }
  return fmt::format("{} {} {}", base::with_thousands(plan.hit),
                     plan.hit == 1 ? "peer is" : "peers are", what);
}

std::string duration_text(Duration duration) {
  const double ms = static_cast<double>(duration.count()) / 1'000;
  if (ms < 1'000) {
    return fmt::format("{:.3g} ms", ms);
  }
  if (ms < 120'000) {
    return fmt::format("{:.3g} s", ms / 1'000);
  }
  return fmt::format("{:.3g} min", ms / 60'000);
}

}  // namespace turnout::cli
