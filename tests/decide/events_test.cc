// What contacts do: `on`, `leave on`, `gather on`, `did`, and what dotted names hold.

#include "blocks.h"
#include "decide/scopes.h"

namespace turnout::decide {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using track::PositionState;

const base::Instant kReceived = at("2026-06-01T09:00:00Z");

track::BlockEvent event(std::int64_t id, base::Instant at, std::string name,
                        std::string properties = "{}") {
  return {id, at, std::move(name), std::move(properties)};
}

// One row with its events.
struct Hearing {
  TestRow row;
  std::vector<track::BlockEvent> events;
  std::string data;
  std::int64_t heard = 0;
};

track::BlockOutcome hear(const TestTrack& track, base::Instant now, const Hearing& one) {
  track::ContactBlock block = track.block(now, {one.row});
  block.events = {one.events};
  block.data = {one.data};
  block.heard = {one.heard};
  track::BlockOutcome out;
  track.program.run(block, out);
  return out;
}

Hearing came(base::Instant opened = kReceived - hours(1)) {
  Hearing one;
  one.row.step_at = one.row.due_at = opened;
  return one;
}

constexpr const char* kOn = R"(track "t"
  leave on "closed" where event.why is not "test" as "closed"
step "a"
  on "made" where event.size is at least 2:
    set nick to event.name
    go to "b"
  when score is 1:
    stop as "one"
  after 3 days:
    stop as "late"
step "b"
  on "made":
    stop as "twice"
)";

TEST(Events, R14OneIsMetByTheFirstOnRuleOfItsNameAndCondition) {
  const TestTrack track = made(kOn);
  EXPECT_THAT(track.program.events(), ElementsAre("closed", "made"));
  EXPECT_TRUE(track.program.keeps_data());
  Hearing one = came();
  one.events = {event(1, kReceived, "made", R"({"size":1})")};
  track::BlockOutcome out = hear(track, kReceived, one);
  EXPECT_EQ(shape_of(out, 0).moves, 0);
  EXPECT_EQ(out.heard[0], 1);
  EXPECT_EQ(out.due_at[0], kReceived - hours(1) + 72 * hours(1)) << "it waits on as before";

  one.events.push_back(event(2, kReceived, "made", R"({"size":"2","name":"Pelican"})"));
  out = hear(track, kReceived, one);
  EXPECT_EQ(shape_of(out, 0).step, track.step("b"));
  EXPECT_EQ(out.heard[0], 2);
  EXPECT_EQ(out.writes.at(0).value.at(0), track::Value(std::string("Pelican")));
  EXPECT_EQ(out.data[0], R"({"event":{"name":"Pelican","size":"2"}})");
  EXPECT_EQ(out.seen[0], R"({"event.size":2})");
}

TEST(Events, EachIsHeardOnceAndInTheOrderOfItsReceipt) {
  const TestTrack track = made(kOn);
  Hearing one = came();
  one.events = {event(1, kReceived - minutes(3), "made", R"({"size":2})"),
                event(2, kReceived - minutes(2), "made", R"({"size":2})")};
  const track::BlockOutcome out = hear(track, kReceived, one);
  EXPECT_EQ(shape_of(out, 0).path_json,
            fmt::format("[{},0,{},0,{}]", track.step("a"), track.step("b"), track.outcome("twice")))
      << "the second comes after the move that the first makes";
  one.heard = 1;
  EXPECT_EQ(shape_of(hear(track, kReceived, one), 0).step, track.step("b"));
  one.heard = 2;
  EXPECT_EQ(shape_of(hear(track, kReceived, one), 0).moves, 0);
  one.heard = 0;
  one.events[1].at = kReceived + minutes(1);
  EXPECT_EQ(shape_of(hear(track, kReceived, one), 0).step, track.step("b")) << "not received yet";
}

TEST(Events, LeaveOnComesBeforeTheRules) {
  const TestTrack track = made(kOn);
  Hearing one = came();
  one.events = {event(1, kReceived, "closed", R"({"why":"test"})"),
                event(2, kReceived, "closed", R"({"why":"moved"})")};
  const track::BlockOutcome out = hear(track, kReceived, one);
  EXPECT_EQ(shape_of(out, 0).step, track.outcome("closed"));
  EXPECT_TRUE(shape_of(out, 0).withdraws);
  EXPECT_EQ(out.heard[0], 2);
}

TEST(Events, OneThatCameBeforeATimerIsHeardBeforeIt) {
  const TestTrack track = made(kOn);
  const base::Instant due = kReceived + hours(72);
  Hearing one = came(kReceived);
  one.row.due_at = due;
  one.events = {event(1, due - minutes(1), "made", R"({"size":2})")};
  EXPECT_EQ(shape_of(hear(track, due + hours(1), one), 0).step, track.step("b"));
  one.events[0].at = due + minutes(1);
  EXPECT_EQ(shape_of(hear(track, due + hours(1), one), 0).step, track.outcome("late"));
}

TEST(Events, OnCancelsTheTimerOfADelayedMove) {
  const TestTrack track = made(R"(track "t"
step "a"
  otherwise:
    go to "b" after 10 days
step "b"
  on "paid":
    stop as "paid"
  on "seen":
    set nick to "seen"
    stay
  otherwise:
    stop as "end"
)");
  Hearing one = came();
  one.row.step = track.step("b");
  one.row.state = PositionState::kClosed;
  one.row.due_at = kReceived;
  one.row.stayed = track::kLooks | static_cast<std::uint64_t>((kReceived + hours(240)).us);
  one.events = {event(1, kReceived, "paid")};
  EXPECT_EQ(shape_of(hear(track, kReceived, one), 0).step, track.outcome("paid"));
  one.events = {event(1, kReceived, "seen")};
  const track::BlockOutcome out = hear(track, kReceived, one);
  EXPECT_EQ(shape_of(out, 0).path_json,
            fmt::format("[{0},1,{0},2,{1}]", track.step("b"), track.outcome("end")))
      << "the step is open";
  one.events = {event(1, kReceived, "other")};
  const track::BlockOutcome waits = hear(track, kReceived, one);
  EXPECT_EQ(shape_of(waits, 0).moves, 0);
  EXPECT_EQ(waits.due_at[0], kReceived + hours(240));
}

TEST(Events, DidCountsWhatHasHappened) {
  const TestTrack track = made(R"(track "t"
  time zone "Europe/Berlin"
step "a"
  when did "bought" at least 2 times within the last 2 days where event.total is more than 10:
    stop as "often"
  when did "opened" since entering:
    stop as "opened"
  when did not do "seen" and score is 1:
    stop as "unseen"
)");
  Hearing one = came();
  one.row.step_at = kReceived - hours(2);
  one.events = {event(1, kReceived - hours(47), "bought", R"({"total":20})"),
                event(2, kReceived - hours(30), "bought", R"({"total":5})")};
  one.heard = 5;
  track::BlockOutcome out = hear(track, kReceived, one);
  EXPECT_EQ(shape_of(out, 0).moves, 0);
  one.events.push_back(event(3, kReceived, "bought", R"({"total":"11"})"));
  out = hear(track, kReceived, one);
  EXPECT_EQ(shape_of(out, 0).step, track.outcome("often"));
  EXPECT_EQ(shape_of(hear(track, kReceived + hours(2), one), 0).moves, 0)
      << "the first is too long ago";

  one.events = {event(1, kReceived - hours(3), "opened")};
  EXPECT_EQ(shape_of(hear(track, kReceived, one), 0).moves, 0) << "before it entered";
  one.events[0].at = kReceived - hours(1);
  EXPECT_EQ(shape_of(hear(track, kReceived, one), 0).step, track.outcome("opened"));
  one.events.clear();
  one.row.values["score"] = 1.0;
  EXPECT_EQ(shape_of(hear(track, kReceived, one), 0).step, track.outcome("unseen"));
  one.events = {event(1, kReceived - hours(900), "seen")};
  EXPECT_EQ(shape_of(hear(track, kReceived, one), 0).moves, 0);
}

TEST(Events, ATimerIsSetForWhenADidChangesItsAnswer) {
  const TestTrack track = made(R"(track "t"
step "a"
  when did not do "seen" within the last 3 hours:
    stop as "quiet"
)");
  Hearing one = came();
  one.events = {event(1, kReceived - hours(1), "seen")};
  one.heard = 1;
  const track::BlockOutcome out = hear(track, kReceived, one);
  EXPECT_EQ(out.due_at[0], kReceived + hours(2) + base::Duration(1));
  EXPECT_EQ(shape_of(hear(track, out.due_at[0], one), 0).step, track.outcome("quiet"));
}

TEST(Events, OneThatADidAsksForHasTheRulesTestedAgain) {
  const TestTrack track = made(R"(track "t"
step "a"
  on "ping":
    stay
  when did "bought" at least 2 times:
    stop as "two"
)");
  Hearing one = came();
  one.events = {event(1, kReceived - hours(2), "bought"), event(2, kReceived, "ping"),
                event(3, kReceived, "bought")};
  EXPECT_EQ(shape_of(hear(track, kReceived, one), 0).step, track.outcome("two"));
}

TEST(Events, GatherOnTakesWhoMeetsItsConditionAndKeepsWhatItCameWith) {
  const TestTrack track = made(R"(track "t"
  gather on "cart" where event.total is at least 50 and active
    for each event.cart_id
    start at "b"
  leave when score is 9
step "a"
  otherwise:
    stop
step "b"
  on "paid":
    stop as "paid"
  when entry.total is more than 60:
    send email "big"
    stay
)");
  const track::BlockEvent cart =
      event(1, kReceived, "cart", R"({"total":70,"cart_id":"c1","items":[1,2]})");
  track::ContactBlock block = track.block(kReceived, {with({{"active", true}})});
  EXPECT_EQ(track.program.admits(block, 0, cart), track.step("b"));
  EXPECT_EQ(track.program.first_step(), track.step("b"));
  EXPECT_EQ(track.program.admits(block, 0, event(1, kReceived, "cart", R"({"total":49})")),
            std::nullopt);
  EXPECT_EQ(track.program.admits(block, 0, event(1, kReceived, "other")), std::nullopt);
  block = track.block(kReceived, {with({{"active", true}, {"score", 9.0}})});
  EXPECT_EQ(track.program.admits(block, 0, cart), std::nullopt) << "it would leave at once";

  Hearing one = came();
  one.row.step = track.step("b");
  one.data = data_of(cart);
  one.events = {cart, event(2, kReceived, "paid", R"({"cart_id":"c2"})")};
  one.heard = 1;
  track::BlockOutcome out = hear(track, kReceived, one);
  EXPECT_EQ(shape_of(out, 0).acts.size(), 1U);
  EXPECT_EQ(shape_of(out, 0).state, PositionState::kOpen) << "another cart was paid";
  EXPECT_EQ(out.heard[0], 2);
  one.events[1].properties = R"({"cart_id":"c1"})";
  EXPECT_EQ(shape_of(hear(track, kReceived, one), 0).step, track.outcome("paid"));
  one.events[1].properties = "{}";
  EXPECT_EQ(shape_of(hear(track, kReceived, one), 0).step, track.outcome("paid"));
}

TEST(Scopes, EntryVariablesAreSetAddedToAndCleared) {
  const TestTrack track = made(R"(track "t"
step "a"
  otherwise:
    set entry.plan to nick
    increase entry.tries by 1
    increase entry.tries by score
    clear entry.old
    call webhook "w" with { "plan": entry.plan, "list": entry.list, "none": entry.none }
step "b"
  when entry.tries is 3 and entry.plan is nick and entry.old is missing:
    stop as "right"
  otherwise:
    stop as "wrong"
)");
  Hearing one = came();
  one.row.values = {{"nick", std::string("pro")}, {"score", 2.0}};
  one.data = R"({"entry":{"old":1,"list":[1,{"a":2}]}})";
  const track::BlockOutcome out = hear(track, kReceived, one);
  EXPECT_EQ(shape_of(out, 0).step, track.outcome("right"));
  EXPECT_EQ(out.payload[0], R"([{"plan":"pro","list":[1,{"a":2}],"none":null}])");
  EXPECT_EQ(out.data[0], R"({"entry":{"list":[1,{"a":2}],"plan":"pro","tries":3.0}})");
}

TEST(Scopes, VisitIsTheEnginesOwn) {
  const TestTrack track = made(R"(track "t"
step "a"
  when visit.times is less than 3:
    set nick to visit.step
    go to "a"
  when visit.entered_at is before visit.step_entered_at:
    stop as "thrice"
)");
  const track::BlockOutcome out = hear(track, kReceived, came());
  EXPECT_EQ(shape_of(out, 0).step, track.outcome("thrice"));
  EXPECT_EQ(shape_of(out, 0).moves, 3);
  EXPECT_EQ(out.data[0], fmt::format(R"({{"visits":{{"{}":3}}}})", track.step("a")));
  EXPECT_EQ(out.writes.at(0).value.at(0), track::Value(std::string("a")));
}

TEST(Scopes, TwoDottedNamesCompareWhereTheirTypesAreTheSame) {
  const TestTrack track = made(R"(track "t"
step "a"
  when entry.a is entry.b:
    stop as "same"
  when entry.a is more than row.c:
    stop as "more"
  otherwise:
    stop as "neither"
)");
  const auto outcome = [&](const std::string& data) {
    Hearing one = came();
    one.data = data;
    return track.numbering.name_of(shape_of(hear(track, kReceived, one), 0).step);
  };
  EXPECT_EQ(outcome(R"({"entry":{"a":1,"b":1.0}})"), "same");
  EXPECT_EQ(outcome(R"({"entry":{"a":"1","b":1}})"), "neither");
  EXPECT_EQ(outcome(R"({"entry":{"a":[1],"b":[1]}})"), "same");
  EXPECT_EQ(outcome(R"({"entry":{"a":"b"},"row":{"c":"a"}})"), "more");
  EXPECT_EQ(outcome(R"({"entry":{"a":true},"row":{"c":false}})"), "neither");
  EXPECT_EQ(outcome("not JSON"), "neither");
}

TEST(Events, WhatIsRecordedPutOnOrTakenOffIsAsked) {
  const TestTrack track = made(R"(track "t"
step "a"
  otherwise:
    record event "scored" with { "score": score }
    put on track "Sales" at "First call"
    take off track "Trial"
    show "banner"
    stop
)");
  Hearing one = came();
  one.row.values = {{"score", 4.0}};
  const track::BlockOutcome out = hear(track, kReceived, one);
  std::vector<std::string> asked;
  for (const track::Shape::Act& act : shape_of(out, 0).acts) {
    asked.emplace_back(track::action_kind_name(act.kind));
  }
  EXPECT_THAT(asked, ElementsAre("event", "put on track", "take off track", "show"));
  EXPECT_EQ(out.payload[0], R"([{"score":4},{"at":"First call"},null,null])");
}

}  // namespace
}  // namespace turnout::decide
