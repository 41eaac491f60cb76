// `on track`: contacts gather, wait, move and leave by where they stand on other tracks.

#include "work/bench_peer.h"

namespace turnout::test {
namespace {

constexpr const char* kTrial = R"(track "Trial"
  gather on "trial.started"
    start at "Greet"

step "Greet"
  on "opened":
    go to "Active"

step "Active"
  on "ended":
    stop as "over"
)";

class PlacesTest : public ::testing::Test {
 protected:
  PlacesTest() : peer_(database_.store(), "a") {
    EXPECT_TRUE(peer_.session().declare_fields({{"score", track::Type::kNumber, "score"}}));
    add_contacts(peer_.session(), 1, 3, 5);
  }
  void happen(const std::string& key, const std::string& name) {
    need(peer_.session().record_events({{key, name, "", "", ""}}));
    peer_.engine().poke();
  }
  // Where the contact stands on the track, or how it ended there.
  std::string place(const std::string& key, const std::string& track) {
    const auto why = peer_.session().why(key);
    std::string step = "nowhere";
    for (const store::PositionReport& position : need(std::move(why)).positions) {
      step = position.track == track ? position.step : step;
    }
    return step;
  }
  bool comes_to(const std::string& key, const std::string& track, const std::string& step) {
    return peer_.run_until([&] { return place(key, track) == step; });
  }
  Database database_;
  BenchPeer peer_;
};

TEST_F(PlacesTest, WhoWaitsIsWokenByComingMovingAndStoppingThere) {
  peer_.own(peer_
                .publish(R"(track "Watch"
  gather contacts continuously

step "Before"
  when on track "Trial":
    go to "During"

step "During"
  when on track "Trial" at "Active":
    go to "Later"

step "Later"
  when not on track "Trial":
    stop as "seen"
)")
                .id);
  ASSERT_TRUE(comes_to("c1", "Watch", "Before"));
  // The track that is asked about comes later.
  peer_.own(peer_.publish(kTrial).id);
  happen("c1", "trial.started");
  happen("c2", "trial.started");
  ASSERT_TRUE(comes_to("c1", "Watch", "During"));
  ASSERT_TRUE(comes_to("c2", "Watch", "During"));
  EXPECT_EQ("Before", place("c3", "Watch"));
  happen("c1", "opened");
  ASSERT_TRUE(comes_to("c1", "Watch", "Later"));
  EXPECT_EQ("During", place("c2", "Watch"));
  happen("c1", "ended");
  ASSERT_TRUE(comes_to("c1", "Watch", "seen"));
}

TEST_F(PlacesTest, GatheringAndLeavingFollowToo) {
  peer_.own(peer_.publish(kTrial).id);
  happen("c1", "trial.started");
  ASSERT_TRUE(comes_to("c1", "Trial", "Greet"));
  // c1 is on it already when the track that asks is published.
  peer_.own(peer_
                .publish(R"(track "Newsletter"
  gather contacts where not on track "Trial" continuously
  leave when on track "Trial" as "on trial"

step "Week 1"
  otherwise:
    go to "Week 2" after 7 days

step "Week 2"
  otherwise:
    stop as "end"
)")
                .id);
  ASSERT_TRUE(comes_to("c2", "Newsletter", "Week 2"));
  EXPECT_EQ("nowhere", place("c1", "Newsletter"));
  happen("c2", "trial.started");
  ASSERT_TRUE(comes_to("c2", "Newsletter", "on trial")) << "although it waits for a time";
  happen("c1", "opened");
  happen("c1", "ended");
  EXPECT_TRUE(comes_to("c1", "Newsletter", "Week 2"));
}

// `--reschedule`: who waits for a time waits for that of the new version; else they keep theirs.
TEST_F(PlacesTest, AnotherVersionsDelaysCountWhenAskedTo) {
  const auto text = [](const char* delay) {
    return std::string(R"(track "Nudge"
  gather contacts continuously

step "Ask"
  otherwise:
    go to "Nudge" after )") +
           delay + R"(

step "Nudge"
  otherwise:
    stop as "nudged"
)";
  };
  const auto publish = [&](const char* delay, bool reschedule) {
    store::Publish next;
    next.track = need(parse(text(delay)));
    next.text = text(delay);
    next.reschedule = reschedule;
    const store::Published published = need(peer_.session().publish(next));
    peer_.own(published.id);
  };
  const auto due = [&] {
    std::vector<base::Instant> times;
    for (const char* const key : {"c1", "c2", "c3"}) {
      const store::PositionReport position = need(peer_.session().why(key)).positions.at(0);
      times.push_back({position.due_at.us - position.step_at.us});
    }
    return times;
  };
  const auto all = [](base::Duration delay) {
    return std::vector<base::Instant>(3, base::Instant{delay.count()});
  };
  constexpr base::Duration kDay = std::chrono::hours(24);
  publish("2 days", false);
  ASSERT_TRUE(peer_.run_until([&] { return peer_.report("Nudge").waiting["Nudge"] == 3; }));
  EXPECT_EQ(all(2 * kDay), due());
  publish("5 days", true);
  EXPECT_TRUE(peer_.run_until([&] { return due() == all(5 * kDay); }));
  EXPECT_EQ(3, peer_.report("Nudge").moves);
  publish("1 second", false);
  add_contacts(peer_.session(), 4, 4, 5);
  peer_.engine().poke();
  ASSERT_TRUE(peer_.run_until([&] { return peer_.stopped("Nudge", "nudged") == 1; }));
  EXPECT_EQ(all(5 * kDay), due());
  publish("2 seconds", true);
  EXPECT_TRUE(peer_.run_until([&] { return peer_.stopped("Nudge", "nudged") == 4; }));
}

}  // namespace
}  // namespace turnout::test
