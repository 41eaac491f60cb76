// `turnout simulate`: the command, its tables and its JSON.

#include "cli/simulate.h"

#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/files.h"
#include "cli/screen.h"

namespace turnout::cli {
namespace {

using base::Duration;
using Object = nlohmann::ordered_json;
using When = std::optional<Duration>;

// --- while it runs
// ----------------------------------------------------------------------------------------------

// A line on standard error that moves on a terminal, and comes now and then elsewhere.
class Reporter {
 public:
  void show(const SimulationProgress& now) {
    const auto clock = std::chrono::steady_clock::now();
    const auto pause = terminal_ ? std::chrono::milliseconds(100) : std::chrono::seconds(10);
    if (clock - shown_ < pause) {
      return;
    }
    shown_ = clock;
    const std::string line =
        fmt::format("{}, {} of virtual time, {} without an owner", now.doing, duration_text(now.at),
                    counted(now.without_owner, "track", "tracks"));
    fmt::print(stderr, "{}{}{}", terminal_ ? "\r\x1b[K" : "", line, terminal_ ? "" : "\n");
    std::fflush(stderr);
  }
  void clear() const {
    if (terminal_) {
      fmt::print(stderr, "\r\x1b[K");
      std::fflush(stderr);
    }
  }

 private:
  const bool terminal_ = isatty(STDERR_FILENO) == 1;
  std::chrono::steady_clock::time_point shown_ = std::chrono::steady_clock::now();
};

// --- tables
// -----------------------------------------------------------------------------------------------------

void add_time(Table& table, const char* what, const When& when, Duration cycle) {
  if (when) {
    const double cycles = static_cast<double>(when->count()) / static_cast<double>(cycle.count());
    table.add({what, duration_text(*when), fmt::format("{:.1f}", cycles)});
  } else {
    table.add({what, "never", ""});
  }
}

Table times_table(const std::string& title) {
  return Table({{title}, {"after", Align::kRight}, {"cycles", Align::kRight}});
}

std::string rounded(double number) {
  return number < 100 ? fmt::format("{:.3g}", number) : base::with_thousands(std::llround(number));
}

void add_traffic(Table& table, const Traffic& traffic, const SimulationPlan& plan) {
  const double seconds = static_cast<double>(plan.cycle.count()) / 1e6;
  table.add({"messages sent", rounded(traffic.messages_per_second),
             rounded(traffic.messages_per_second * seconds)});
  table.add({"bytes sent", rounded(traffic.bytes_per_second),
             rounded(traffic.bytes_per_second * seconds)});
  table.add({"requests to the database", rounded(traffic.requests_per_cycle / seconds),
             rounded(traffic.requests_per_cycle)});
}

Table traffic_table(const std::string& title) {
  return Table({{title}, {"per second", Align::kRight}, {"per cycle", Align::kRight}});
}

void add_spread(Table& table, const char* when, const TrackSpread& spread) {
  table.add({when, std::to_string(spread.min), std::to_string(spread.median),
             std::to_string(spread.max), fmt::format("{:.2f}", spread.deviation)});
}

std::string recovery_tables(const SimulationPlan& plan, const SimulationResult::Recovery& recovery,
                            bool colour) {
  Table times = times_table("from then on");
  add_time(times, "first claim or take-over", recovery.detected, plan.cycle);
  add_time(times, "half of these tracks owned", recovery.half, plan.cycle);
  add_time(times, "99 % owned", recovery.most, plan.cycle);
  add_time(times, "all owned", recovery.all, plan.cycle);
  if (recovery.master_hit) {
    add_time(times, "another master", recovery.master, plan.cycle);
  }
  add_time(times, "evenly spread", recovery.spread, plan.cycle);
  Table traffic = traffic_table("meanwhile, a peer");
  add_traffic(traffic, recovery.traffic, plan);
  return fmt::format("\n{} with {}{}\n\n{}\n{}", describe_misfortune(plan),
                     counted(recovery.tracks, "track", "tracks"),
                     recovery.master_hit ? ", the master among them" : "", times.text(colour),
                     traffic.text(colour));
}

// --- JSON
// -------------------------------------------------------------------------------------------------------

double to_ms(Duration duration) { return static_cast<double>(duration.count()) / 1'000; }

Object to_json(const When& when) { return when ? Object(to_ms(*when)) : Object(nullptr); }

Object to_json(const TrackSpread& spread) {
  return {{"min", spread.min},
          {"median", spread.median},
          {"max", spread.max},
          {"deviation", spread.deviation}};
}

Object to_json(const Traffic& traffic) {
  return {{"messages_per_second", traffic.messages_per_second},
          {"bytes_per_second", traffic.bytes_per_second},
          {"database_requests_per_cycle", traffic.requests_per_cycle}};
}

Object to_json(const SimulationPlan& plan) {
  static constexpr const char* kHow[] = {"kill", "stop", "cut", "leave"};
  return {{"peers", plan.peers},
          {"tracks", plan.tracks},
          {"cycle_ms", to_ms(plan.cycle)},
          {"miss_limit", plan.miss_limit},
          {"latency_ms", to_ms(plan.latency)},
          {"loss_percent", plan.loss_permille / 10.0},
          {"how", kHow[static_cast<std::size_t>(plan.how)]},
          {"hit", plan.hit},
          {"seed", plan.seed}};
}

Object to_json(const SimulationResult::Recovery& recovery) {
  return {{"at_ms", to_ms(recovery.at)},
          {"tracks", recovery.tracks},
          {"master_hit", recovery.master_hit},
          {"detected_ms", to_json(recovery.detected)},
          {"half_owned_ms", to_json(recovery.half)},
          {"most_owned_ms", to_json(recovery.most)},
          {"all_owned_ms", to_json(recovery.all)},
          {"master_ms", to_json(recovery.master)},
          {"spread_ms", to_json(recovery.spread)},
          {"traffic", to_json(recovery.traffic)},
          {"owned_again", recovery.all ? to_json(recovery.owned_again) : Object(nullptr)}};
}

}  // namespace

std::string simulation_tables(const SimulationPlan& plan, const SimulationResult& result,
                              bool colour) {
  Table forming = times_table("from the start");
  add_time(forming, "a master", result.forming.master, plan.cycle);
  add_time(forming, "every track owned", result.forming.owned, plan.cycle);
  add_time(forming, "evenly spread", result.forming.spread, plan.cycle);
  std::string text = fmt::format("{}\n\n{}", describe(plan), forming.text(colour));
  if (result.idle.cycles > 0) {
    Table idle = traffic_table("idle, a peer");
    add_traffic(idle, result.idle.traffic, plan);
    text +=
        fmt::format("\n{}an advertisement has {:.0f} bytes, the largest {}\n", idle.text(colour),
                    result.idle.advertisement_bytes, result.idle.largest_advertisement);
  }
  Table spread({{"tracks of a peer"},
                {"least", Align::kRight},
                {"median", Align::kRight},
                {"most", Align::kRight},
                {"deviation", Align::kRight}});
  if (result.recovery) {
    text += recovery_tables(plan, *result.recovery, colour);
    add_spread(spread, "before", result.before);
    if (result.recovery->all) {
      add_spread(spread, "all owned", result.recovery->owned_again);
    }
  }
  add_spread(spread, "at the end", result.end);
  return text + "\n" + spread.text(colour);
}

std::string simulation_json(const SimulationPlan& plan, const SimulationResult& result) {
  Object out;
  out["plan"] = to_json(plan);
  out["forming"] = {{"master_ms", to_json(result.forming.master)},
                    {"owned_ms", to_json(result.forming.owned)},
                    {"spread_ms", to_json(result.forming.spread)}};
  out["idle"] = nullptr;
  if (result.idle.cycles > 0) {
    out["idle"] = {{"cycles", result.idle.cycles},
                   {"advertisement_bytes", result.idle.advertisement_bytes},
                   {"largest_advertisement_bytes", result.idle.largest_advertisement},
                   {"traffic", to_json(result.idle.traffic)}};
  }
  out["recovery"] = result.recovery ? to_json(*result.recovery) : Object(nullptr);
  out["spread"] = {{"before", to_json(result.before)}, {"end", to_json(result.end)}};
  Object& samples = out["samples"] = Object::array();
  for (const SimulationSample& sample : result.samples) {
    samples.push_back({{"at_ms", to_ms(sample.at)},
                       {"without_owner", sample.without_owner},
                       {"owned", to_json(sample.spread)},
                       {"bytes_per_second", sample.bytes_per_second}});
  }
  return out.dump(2) + "\n";
}

int simulate(const SimulateOptions& options) {
  const auto plan = plan_simulation(options);
  if (!plan) {
    return fail(kExitUsage, plan.error().message);
  }
  // Rather now than when everything is done.
  if (!options.svg.empty()) {
    const std::filesystem::path folder = std::filesystem::path(options.svg).parent_path();
    if (access(folder.empty() ? "." : folder.c_str(), W_OK) != 0) {
      return fail(kExitUsage, fmt::format("--svg {}: the folder is not there or cannot be written",
                                          options.svg));
    }
  }
  Reporter reporter;
  const SimulationResult result = run_simulation(
      plan.value(), [&reporter](const SimulationProgress& now) { reporter.show(now); });
  reporter.clear();
  if (!options.svg.empty()) {
    if (const auto written = replace_file(options.svg, simulation_svg(plan.value(), result));
        !written) {
      return fail(kExitWrong, fmt::format("--svg {}", written.error().message));
    }
  }
  fmt::print("{}", options.json ? simulation_json(plan.value(), result)
                                : simulation_tables(plan.value(), result, colour_on_output()));
  return kExitDone;
}

}  // namespace turnout::cli
