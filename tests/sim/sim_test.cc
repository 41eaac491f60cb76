// Seeded simulation of the group. SEED=n plays one seed with its trace; SIM_CYCLES=n says how many
// cycles of virtual time to simulate in all; SIM_FIRST_SEED=n where to begin.

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <optional>

#include "sim/simulation.h"

namespace turnout::sim {
namespace {

using store::model::Fault;

std::optional<std::int64_t> number_from(const char* variable) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? std::nullopt : std::optional<std::int64_t>(std::atoll(text));
}

std::string repro(std::uint64_t seed) {
  return "SEED=" + std::to_string(seed) + " " + testing::internal::GetArgvs().front() +
         " --gtest_filter=Simulation.KeepsItsGuarantees";
}

// G1–G6, G9–G12 under loss, delay, reordering, duplication, partitions, crashes, pauses, and the
// database's faults.
TEST(Simulation, KeepsItsGuarantees) {
  if (const auto seed = number_from("SEED")) {
    const Outcome outcome = simulate(static_cast<std::uint64_t>(*seed), {}, true);
    EXPECT_FALSE(outcome.failure) << *outcome.failure << '\n'
                                  << outcome.trace << repro(static_cast<std::uint64_t>(*seed));
    return;
  }
  const std::int64_t budget = number_from("SIM_CYCLES").value_or(200'000);
  auto seed = static_cast<std::uint64_t>(number_from("SIM_FIRST_SEED").value_or(1));
  Outcome sum;
  std::int64_t lives = 0;
  for (; sum.cycles < budget; ++seed, ++lives) {
    const Outcome outcome = simulate(seed);
    if (outcome.failure) {
      const Outcome again = simulate(seed, {}, true);
      FAIL() << again.failure.value_or("not again") << '\n' << again.trace << repro(seed);
    }
    sum.cycles += outcome.cycles;
    sum.moves += outcome.moves;
    sum.faults += outcome.faults;
    sum.takeovers += outcome.takeovers;
  }
  std::cout << lives << " groups, " << sum.cycles << " cycles, " << sum.faults << " faults, "
            << sum.takeovers << " take-overs, " << sum.moves << " moves\n";
  EXPECT_GT(sum.takeovers, 0);
  EXPECT_GT(sum.moves, 0);
}

TEST(Simulation, IsTheSameForTheSameSeed) {
  const Outcome first = simulate(7, {}, true);
  const Outcome second = simulate(7, {}, true);
  EXPECT_EQ(first.trace, second.trace);
  EXPECT_EQ(first.moves, second.moves);
}

// G8: planted faults are found, by the checker that is there for them.
struct Expected {
  Planted planted;
  const char* name;
  const char* found_by;  // any of these guarantees
};

class PlantedFault : public testing::TestWithParam<Expected> {};

TEST_P(PlantedFault, IsFound) {
  constexpr std::uint64_t kSeeds = 400;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Outcome outcome = simulate(seed, GetParam().planted);
    if (outcome.failure) {
      const auto at = outcome.failure->find(" ms: ") + 5;
      const std::string guarantee =
          outcome.failure->substr(at, outcome.failure->find(':', at) - at);
      EXPECT_NE(std::string(GetParam().found_by).find(guarantee), std::string::npos)
          << "seed " << seed << ": " << *outcome.failure;
      return;
    }
  }
  FAIL() << "not found in " << kSeeds << " seeds";
}

Expected host(Mutant mutant, const char* name, const char* found_by) {
  return {{.host = mutant}, name, found_by};
}

Expected database(Fault fault, const char* name, const char* found_by) {
  return {{.database = fault}, name, found_by};
}

INSTANTIATE_TEST_SUITE_P(
    Simulation, PlantedFault,
    testing::Values(database(Fault::kFenceLeftOut, "FenceLeftOut", "G2"),
                    database(Fault::kEpochNotRaised, "EpochNotRaised", "G1"),
                    database(Fault::kTakeNotCompared, "TakeNotCompared", "G1 G5"),
                    database(Fault::kMoveNumberLeftOut, "MoveNumberLeftOut", "G3"),
                    database(Fault::kDueTimeLeftOut, "DueTimeLeftOut", "G9 G6"),
                    database(Fault::kOutboxForUnmoved, "OutboxForUnmoved", "G4"),
                    database(Fault::kTimerNotDeleted, "TimerNotDeleted", "G10"),
                    database(Fault::kTimerNotMade, "TimerNotMade", "G10"),
                    database(Fault::kStampsFrozen, "StampsFrozen", "G12"),
                    database(Fault::kLifeLockGuessed, "LifeLockGuessed", "G12 G5"),
                    database(Fault::kSameIncarnation, "SameIncarnation", "G1 G5"),
                    database(Fault::kDeliveryRetaken, "DeliveryRetaken", "G5"),
                    host(Mutant::kRetestForgotten, "RetestForgotten", "G9 G6"),
                    host(Mutant::kMasterLostIgnored, "MasterLostIgnored", "G5"),
                    host(Mutant::kCreditDoubled, "CreditDoubled", "G11")),
    [](const testing::TestParamInfo<Expected>& tested) { return tested.param.name; });

}  // namespace
}  // namespace turnout::sim
