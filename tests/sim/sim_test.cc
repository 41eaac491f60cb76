// Seeded simulation of the group. SEED=n plays one seed with its trace; SIM_CYCLES=n says how many
// cycles of virtual time to simulate in all; SIM_FIRST_SEED=n where to begin.

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <optional>

#include "sim/simulation.h"

namespace turnout::sim {
namespace {

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
    const Outcome outcome = simulate(static_cast<std::uint64_t>(*seed), Mutant::kNone, true);
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
      const Outcome again = simulate(seed, Mutant::kNone, true);
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
  const Outcome first = simulate(7, Mutant::kNone, true);
  const Outcome second = simulate(7, Mutant::kNone, true);
  EXPECT_EQ(first.trace, second.trace);
  EXPECT_EQ(first.moves, second.moves);
}

// G8: planted faults are found, by the checker that is there for them.
struct Planted {
  Mutant mutant;
  const char* name;
  const char* found_by;  // any of these guarantees
};

class PlantedFault : public testing::TestWithParam<Planted> {};

TEST_P(PlantedFault, IsFound) {
  constexpr std::uint64_t kSeeds = 150;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Outcome outcome = simulate(seed, GetParam().mutant);
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

INSTANTIATE_TEST_SUITE_P(
    Simulation, PlantedFault,
    testing::Values(Planted{Mutant::kFenceLeftOut, "FenceLeftOut", "G2"},
                    Planted{Mutant::kEpochNotRaised, "EpochNotRaised", "G1"},
                    Planted{Mutant::kTakeNotCompared, "TakeNotCompared", "G1 G5"},
                    Planted{Mutant::kMoveNumberLeftOut, "MoveNumberLeftOut", "G3"},
                    Planted{Mutant::kOutboxForUnmoved, "OutboxForUnmoved", "G4"},
                    Planted{Mutant::kTimerNotDeleted, "TimerNotDeleted", "G10"},
                    Planted{Mutant::kTimerNotMade, "TimerNotMade", "G10"},
                    Planted{Mutant::kRetestForgotten, "RetestForgotten", "G9 G6"},
                    Planted{Mutant::kStampsFrozen, "StampsFrozen", "G12"},
                    Planted{Mutant::kLifeLockGuessed, "LifeLockGuessed", "G12"},
                    Planted{Mutant::kSameIncarnation, "SameIncarnation", "G1 G5"},
                    Planted{Mutant::kMasterLostIgnored, "MasterLostIgnored", "G5"},
                    Planted{Mutant::kCreditDoubled, "CreditDoubled", "G11"},
                    Planted{Mutant::kDeliveryRetaken, "DeliveryRetaken", "G5"}),
    [](const testing::TestParamInfo<Planted>& tested) { return tested.param.name; });

}  // namespace
}  // namespace turnout::sim
