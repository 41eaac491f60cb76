// Seeded simulation of the group. SEED=n plays one seed with its trace; SIM_CYCLES=n says how many
// cycles of virtual time to simulate in all; SIM_FIRST_SEED=n where to begin. Long runs are for
// tests/sim/run.py.

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
  return text == nullptr ? std::nullopt : std::optional<std::int64_t>(std::stoll(text));
}

std::string repro(const Life& life) {
  return "SEED=" + std::to_string(life.seed) + " " + testing::internal::GetArgvs().front() +
         " --gtest_filter=Simulation.*" + (life.small ? "SmallGroups" : "Guarantees");
}

void play(Life life) {
  life.traced = true;
  const Outcome outcome = simulate(life);
  EXPECT_FALSE(outcome.failure) << *outcome.failure << '\n' << outcome.trace << repro(life);
}

// Groups drawn from seed after seed, until there were `cycles` of them.
void play_many(Life life, std::int64_t cycles) {
  std::map<std::string, std::int64_t> sum;
  while (sum["cycles"] < cycles) {
    const Outcome outcome = simulate(life);
    if (outcome.failure) {
      ADD_FAILURE() << *outcome.failure;
      play(life);
      return;
    }
    for (const auto& [name, number] : outcome.figures) {
      sum[name] += number;
    }
    ++life.seed;
  }
  for (const auto& [name, number] : sum) {
    std::cout << number << ' ' << name << ", ";
    EXPECT_GT(number, 0) << name;
  }
  std::cout << "last seed " << life.seed - 1 << '\n';
}

// G1–G6, G9–G12 under the faults of nemesis.h; G7 has g7_idle_test.cc.
TEST(Simulation, KeepsItsGuarantees) {
  if (const auto seed = number_from("SEED")) {
    play({.seed = static_cast<std::uint64_t>(*seed)});
    return;
  }
  play_many({.seed = static_cast<std::uint64_t>(number_from("SIM_FIRST_SEED").value_or(1))},
            number_from("SIM_CYCLES").value_or(20'000));
}

// A lone peer gets no help from others, and of two each is half of the group.
TEST(Simulation, KeepsItsGuaranteesInSmallGroups) {
  if (const auto seed = number_from("SEED")) {
    play({.seed = static_cast<std::uint64_t>(*seed), .small = true});
    return;
  }
  play_many({.seed = static_cast<std::uint64_t>(number_from("SIM_FIRST_SEED").value_or(1)),
             .small = true},
            number_from("SIM_CYCLES").value_or(100'000) / 5);
}

TEST(Simulation, IsTheSameForTheSameSeed) {
  const Life life{.seed = 7, .traced = true};
  const Outcome first = simulate(life);
  const Outcome second = simulate(life);
  EXPECT_EQ(first.trace, second.trace);
  EXPECT_EQ(first.figures, second.figures);
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
    const Outcome outcome = simulate({.seed = seed, .planted = GetParam().planted});
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
                    database(Fault::kSameIncarnation, "SameIncarnation", "G1 G5 G12"),
                    database(Fault::kDeliveryRetaken, "DeliveryRetaken", "G5"),
                    database(Fault::kNotHeld, "NotHeld", "G5"),
                    host(Mutant::kRetestForgotten, "RetestForgotten", "G9 G6"),
                    host(Mutant::kMasterLostIgnored, "MasterLostIgnored", "G5"),
                    host(Mutant::kCreditDoubled, "CreditDoubled", "G11")),
    [](const testing::TestParamInfo<Expected>& tested) { return tested.param.name; });

}  // namespace
}  // namespace turnout::sim
