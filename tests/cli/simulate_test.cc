// `turnout simulate`: what its options mean, what small groups do, and what it writes.

#include "cli/simulate.h"

#include <gtest/gtest.h>

#include <boost/property_tree/xml_parser.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

namespace turnout::cli {
namespace {

using base::Duration;
using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

SimulationPlan plan_of(const SimulateOptions& options) {
  auto plan = plan_simulation(options);
  EXPECT_TRUE(plan) << plan.error().message;
  return plan ? plan.value() : SimulationPlan();
}

std::string refusal(const SimulateOptions& options) {
  const auto plan = plan_simulation(options);
  return plan ? "accepted" : plan.error().message;
}

SimulationResult run(const SimulationPlan& plan) {
  return run_simulation(plan, [](const SimulationProgress&) {});
}

SimulateOptions hit_by(const char* how) {
  SimulateOptions options;
  options.peers = 8;
  options.tracks = 40;
  options.kill = "2";
  options.how = how;
  return options;
}

TEST(SimulationPlan, MeansALocalNetworkUnlessToldOtherwise) {
  const SimulationPlan plan = plan_of({});
  EXPECT_EQ(plan.peers, 10);
  EXPECT_EQ(plan.tracks, 100);
  EXPECT_EQ(plan.cycle, seconds(1));
  EXPECT_EQ(plan.latency, milliseconds(1));
  EXPECT_EQ(plan.loss_permille, 0);
  EXPECT_EQ(plan.hit, 0);
  EXPECT_FALSE(plan.go_on);
  const SimulationPlan slow = plan_of({.profile = "slow"});
  EXPECT_EQ(slow.cycle, seconds(30));
  EXPECT_EQ(slow.latency, milliseconds(250));
  const SimulationPlan wan = plan_of({.profile = "wan", .latency = "80ms", .minutes = 3});
  EXPECT_EQ(wan.cycle, seconds(15));
  EXPECT_EQ(wan.latency, milliseconds(80));
  EXPECT_EQ(wan.go_on, Duration(seconds(180)));
}

TEST(SimulationPlan, TakesPeersByNumberOrShare) {
  EXPECT_EQ(plan_of({.peers = 1'000, .kill = "5%"}).hit, 50);
  EXPECT_EQ(plan_of({.peers = 10, .kill = "5%"}).hit, 1);
  EXPECT_EQ(plan_of({.peers = 30, .kill = "7.5%"}).hit, 2);
  EXPECT_EQ(plan_of({.peers = 3, .kill = "2"}).hit, 2);
  EXPECT_EQ(plan_of({.kill = "0%"}).hit, 0);
  EXPECT_EQ(plan_of({.cycle = "50ms", .loss = "2.5%", .cycles = 40}).loss_permille, 25);
  EXPECT_EQ(plan_of({.cycle = "50ms", .cycles = 40}).go_on, Duration(seconds(2)));
}

struct Refused {
  SimulateOptions options;
  const char* names;   // the option
  const char* advice;  // part of what is said about it
};

class RefusedOption : public testing::TestWithParam<Refused> {};

TEST_P(RefusedOption, SaysWhatAndHow) {
  const std::string said = refusal(GetParam().options);
  EXPECT_EQ(said.find(GetParam().names), 0u) << said;
  EXPECT_NE(said.find(GetParam().advice), std::string::npos) << said;
}

INSTANTIATE_TEST_SUITE_P(
    Simulate, RefusedOption,
    testing::Values(Refused{{.peers = 0}, "--peers 0", "from 1 to 2,000"},
                    Refused{{.peers = 2'001}, "--peers 2001", "from 1 to 2,000"},
                    Refused{{.tracks = -1}, "--tracks -1", "from 0 to 50,000"},
                    Refused{{.peers = 1'000, .tracks = 50'000}, "--tracks 50000", "10,000 tracks"},
                    Refused{{.profile = "lana"}, "--profile lana", "lan, wan and slow"},
                    Refused{{.profile = "wan", .cycle = "2s"}, "--profile wan", "one of the two"},
                    Refused{{.cycle = "1"}, "--cycle 1", "such as 250ms"},
                    Refused{{.cycle = "49ms"}, "--cycle 49ms", "from 50ms to 120s"},
                    Refused{{.cycle = "121s"}, "--cycle 121s", "from 50ms to 120s"},
                    Refused{{.peers = 600, .cycle = "500ms"}, "group: 600 peers", "longer `cycle`"},
                    Refused{{.miss_limit = 2}, "--miss-limit 2", "from 3 to 100"},
                    Refused{{.kill = "some"}, "--kill some", "such as 3 or 5%"},
                    Refused{{.kill = "-1"}, "--kill -1", "such as 3 or 5%"},
                    Refused{{.kill = "1.5"}, "--kill 1.5", "written with %"},
                    Refused{{.kill = "10"}, "--kill 10", "at least one of 10"},
                    Refused{{.kill = "100%"}, "--kill 100%", "at least one of 10"},
                    Refused{{.how = "shoot"}, "--how shoot", "kill (the process ends)"},
                    Refused{{.loss = "5"}, "--loss 5", "such as 2%"},
                    Refused{{.loss = "91%"}, "--loss 91%", "from 0% to 90%"},
                    Refused{{.latency = "11s"}, "--latency 11s", "at most 10s"},
                    Refused{{.cycles = 0}, "--cycles 0", "from 1 to"},
                    Refused{{.cycles = 1, .minutes = 1}, "--minutes 1", "one of the two"}));

TEST(Simulation, FormsAndStaysQuiet) {
  const SimulationResult result = run(plan_of({.peers = 20, .tracks = 100}));
  ASSERT_TRUE(result.forming.master && result.forming.owned && result.forming.spread);
  EXPECT_LE(*result.forming.master, *result.forming.owned);
  EXPECT_LE(*result.forming.owned, *result.forming.spread);
  EXPECT_FALSE(result.recovery);
  EXPECT_EQ(result.end.min, 5);
  EXPECT_EQ(result.end.max, 5);
  EXPECT_EQ(result.end.deviation, 0);
  // One advertisement a cycle to each other peer, one stamp: G7.
  EXPECT_NEAR(result.idle.traffic.messages_per_second, 19, 0.01);
  EXPECT_NEAR(result.idle.traffic.requests_per_cycle, 1, 0.01);
  EXPECT_GT(result.idle.advertisement_bytes, 50);
  EXPECT_LE(result.idle.largest_advertisement, 200);
  EXPECT_NEAR(result.idle.traffic.bytes_per_second, 19 * result.idle.advertisement_bytes, 1);
}

TEST(Simulation, TracksOfTheKilledAreTakenOverWithinMilliseconds) {
  const SimulationResult result = run(plan_of(hit_by("kill")));
  ASSERT_TRUE(result.recovery);
  const auto& recovery = *result.recovery;
  EXPECT_EQ(recovery.tracks, 10);
  ASSERT_TRUE(recovery.detected && recovery.half && recovery.most && recovery.all);
  EXPECT_GT(recovery.detected->count(), 0);
  EXPECT_LE(*recovery.detected, *recovery.half);
  EXPECT_LE(*recovery.half, *recovery.most);
  EXPECT_LE(*recovery.most, *recovery.all);
  EXPECT_LE(*recovery.all, milliseconds(250));
  EXPECT_EQ(recovery.steps.front().tracks, 10);
  EXPECT_EQ(recovery.steps.back().tracks, 0);
  ASSERT_TRUE(recovery.spread);
  EXPECT_LE(result.end.max - result.end.min, 1);
  EXPECT_EQ(result.before.max, 5);
}

// Nobody can tell a process that stands still from one that is cut off, until M cycles are over.
TEST(Simulation, TracksOfTheStoppedAndTheCutOffWaitForTheMissLimit) {
  for (const char* const how : {"stop", "cut"}) {
    const SimulationResult result = run(plan_of(hit_by(how)));
    ASSERT_TRUE(result.recovery && result.recovery->all) << how;
    EXPECT_GE(*result.recovery->detected, seconds(1)) << how;
    EXPECT_GE(*result.recovery->all, seconds(3)) << how;
    EXPECT_LE(*result.recovery->all, seconds(8)) << how;
    EXPECT_LE(result.end.max - result.end.min, 1) << how;
  }
}

TEST(Simulation, TracksOfTheLeavingAreHandedOverAtOnce) {
  SimulateOptions options = hit_by("leave");
  options.kill = "1";
  const SimulationResult result = run(plan_of(options));
  ASSERT_TRUE(result.recovery && result.recovery->all);
  EXPECT_LE(*result.recovery->all, milliseconds(100));
}

TEST(Simulation, ANewMasterIsElectedIfTheOldOneIsHit) {
  bool hit = false;
  bool spared = false;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    SimulateOptions options = hit_by("kill");
    options.peers = 4;
    options.seed = seed;
    const SimulationResult result = run(plan_of(options));
    ASSERT_TRUE(result.recovery);
    EXPECT_EQ(result.recovery->master.has_value(), result.recovery->master_hit) << seed;
    hit = hit || result.recovery->master_hit;
    spared = spared || !result.recovery->master_hit;
  }
  EXPECT_TRUE(hit && spared);
}

TEST(Simulation, LostMessagesDoNotKeepTheTracksFromBeingOwned) {
  SimulateOptions options = hit_by("stop");
  options.loss = "10%";
  const SimulationResult result = run(plan_of(options));
  ASSERT_TRUE(result.forming.owned);
  ASSERT_TRUE(result.recovery && result.recovery->all);
  EXPECT_LT(result.idle.traffic.messages_per_second, 20);
}

TEST(Simulation, GoesOnForAsLongAsAsked) {
  SimulateOptions options = hit_by("kill");
  options.cycles = 30;
  const SimulationResult result = run(plan_of(options));
  ASSERT_TRUE(result.recovery);
  EXPECT_EQ(result.samples.back().at - result.recovery->at, seconds(30));
}

TEST(Simulation, OnePeerIsAGroup) {
  const SimulationResult result = run(plan_of({.peers = 1, .tracks = 3}));
  EXPECT_TRUE(result.forming.owned);
  EXPECT_EQ(result.idle.traffic.messages_per_second, 0);
  EXPECT_EQ(result.end.max, 3);
}

TEST(Simulation, IsTheSameForTheSameSeed) {
  SimulateOptions options = hit_by("stop");
  options.loss = "5%";
  const SimulationPlan plan = plan_of(options);
  const std::string first = simulation_json(plan, run(plan));
  EXPECT_EQ(simulation_json(plan, run(plan)), first);
  options.seed = 2;
  const SimulationPlan other = plan_of(options);
  EXPECT_NE(json::parse(simulation_json(other, run(other)))["samples"],
            json::parse(first)["samples"]);
}

TEST(Simulation, IsWrittenAsJson) {
  const SimulationPlan plan = plan_of(hit_by("cut"));
  const json out = json::parse(simulation_json(plan, run(plan)));
  EXPECT_EQ(out["plan"]["peers"], 8);
  EXPECT_EQ(out["plan"]["how"], "cut");
  EXPECT_EQ(out["plan"]["cycle_ms"], 1'000);
  for (const char* const key : {"master_ms", "owned_ms", "spread_ms"}) {
    EXPECT_TRUE(out["forming"][key].is_number()) << key;
  }
  for (const char* const key : {"detected_ms", "half_owned_ms", "most_owned_ms", "all_owned_ms"}) {
    EXPECT_TRUE(out["recovery"][key].is_number()) << key;
  }
  EXPECT_EQ(out["recovery"]["master_ms"].is_number(), out["recovery"]["master_hit"]);
  EXPECT_LE(out["idle"]["largest_advertisement_bytes"], 200);
  EXPECT_GT(out["idle"]["traffic"]["bytes_per_second"], 0);
  EXPECT_EQ(out["spread"]["before"]["min"], 5);
  EXPECT_GT(out["samples"].size(), 40u);
  EXPECT_EQ(out["samples"][0]["at_ms"], 250);
  EXPECT_EQ(out["samples"][0]["without_owner"], 40);
}

TEST(Simulation, IsWrittenAsTables) {
  const SimulationPlan plan = plan_of(hit_by("kill"));
  const std::string text = simulation_tables(plan, run(plan), false);
  for (const char* const part :
       {"8 peers, 40 tracks, a cycle of 1 s", "2 peers are killed with 10 tracks", "all owned",
        "bytes sent", "evenly spread", "tracks of a peer"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " is not in:\n" << text;
  }
  EXPECT_EQ(text.find("never"), std::string::npos) << text;
}

TEST(Simulation, IsDrawnAsAWellFormedPicture) {
  for (const char* const kill : {"2", ""}) {
    SimulateOptions options = hit_by("kill");
    options.kill = kill;
    const SimulationPlan plan = plan_of(options);
    std::istringstream svg(simulation_svg(plan, run(plan)));
    boost::property_tree::ptree tree;
    ASSERT_NO_THROW(boost::property_tree::read_xml(svg, tree));
    EXPECT_EQ(tree.get<std::string>("svg.<xmlattr>.xmlns"), "http://www.w3.org/2000/svg");
    EXPECT_EQ(svg.str().find("nan"), std::string::npos);
    EXPECT_EQ(svg.str().find("inf"), std::string::npos);
  }
}

}  // namespace
}  // namespace turnout::cli
