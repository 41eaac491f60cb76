#include "decide/explain.h"

#include "blocks.h"

namespace turnout::decide {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TrackPlan plan_of(const std::string& text) {
  auto plan = explain(parsed(text), test_catalogue(), at("2026-06-01T09:00:00Z"));
  if (!plan) {
    ADD_FAILURE() << plan.error().message;
    return {};
  }
  return std::move(plan).value();
}

TEST(Explain, SaysWhatIsReadWrittenAndWhatWakesWhom) {
  const TrackPlan plan = plan_of(R"(track "t"
  leave when ends_at is more than 2 days ago and has tag "old"
  hold out 10% as "control"
step "a"
  when score is at least 5 and has tag "vip":
    set nick to name
  after 3 days:
    clear limit
step "b"
  otherwise:
    stop
)");
  EXPECT_THAT(plan.reads,
              testing::UnorderedElementsAre("ends_at", "score", "nick", "name", "limit"));
  EXPECT_THAT(plan.writes, testing::UnorderedElementsAre("nick", "limit"));
  EXPECT_THAT(plan.tags, ElementsAre("old", "vip"));
  EXPECT_THAT(plan.leaves_by, ElementsAre("ends_at", "old"));
  EXPECT_THAT(plan.timed_leaves, ElementsAre(0U));
  ASSERT_EQ(plan.steps.size(), 3U);
  EXPECT_EQ(plan.steps[0].step, "a");
  EXPECT_THAT(plan.steps[0].fields, ElementsAre("score"));
  EXPECT_THAT(plan.steps[0].tags, ElementsAre("vip"));
  EXPECT_THAT(plan.steps[0].timed, ElementsAre(1U));
  EXPECT_THAT(plan.steps[1].fields, IsEmpty());
  EXPECT_EQ(plan.steps[2].step, "held out");
}

TEST(Explain, NamesTheEventsThatGatherWakeAndTakeAway) {
  const TrackPlan plan = plan_of(R"(track "t"
  gather on "came" where event.n is 1
  leave on "closed"
  leave when did "bought" where event.n is 2
step "a"
  on "made" where did "tried":
    go to "b"
  when not (score is 1 or did "seen" within the last 3 days):
    stop
step "b"
  after 1 day:
    stop
)");
  EXPECT_THAT(plan.gathers_on, ElementsAre("came"));
  EXPECT_THAT(plan.leaves_on, ElementsAre("bought", "closed"));
  EXPECT_THAT(plan.steps[0].events, ElementsAre("made", "seen", "tried"));
  EXPECT_THAT(plan.steps[0].fields, ElementsAre("score"));
  EXPECT_THAT(plan.steps[1].events, IsEmpty());
}

TEST(Explain, SaysWhatTheDatabaseAnswersAndWhyNotTheRest) {
  const TrackPlan plan = plan_of(R"(track "t"
  time zone of zone or "UTC"
  gather contacts where score is at least 5 continuously
  gather contacts where score is 5 and name matches "^a" and born_on is today continuously
  gather contacts where seen_at is within the last 2 hours every 1 hour
step "a"
  otherwise:
    stop
)");
  ASSERT_EQ(plan.gathers.size(), 3U);
  EXPECT_EQ(plan.gathers[0].sqlite.text, R"(c."score" >= ?1)");
  EXPECT_EQ(plan.gathers[0].postgres.text, R"(c."score" >= $1::double precision)");
  EXPECT_TRUE(plan.gathers[0].sqlite.exact);
  EXPECT_THAT(plan.gathers[0].sqlite.because, IsEmpty());
  EXPECT_FALSE(plan.gathers[0].depends_on_time);
  EXPECT_FALSE(plan.gathers[1].sqlite.exact);
  EXPECT_THAT(plan.gathers[1].sqlite.because,
              ElementsAre(HasSubstr("regular expressions"), HasSubstr("zone of each contact")));
  EXPECT_TRUE(plan.gathers[1].depends_on_time);
  EXPECT_TRUE(plan.gathers[2].sqlite.exact);
  EXPECT_TRUE(plan.gathers[2].depends_on_time);
}

}  // namespace
}  // namespace turnout::decide
