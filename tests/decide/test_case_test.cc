// Tests that stand beside a track: what passes, and what is said of what fails.

#include "decide/test_case.h"
#include <nlohmann/json.hpp>

#include "blocks.h"
#include "decide/dry_run.h"

namespace turnout::decide {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kTrial = R"(track "Trial"
  time zone "Europe/Berlin"
  gather contacts where score is at least 100 continuously
    start at "Hand over"
  gather contacts where score is at least 1 continuously

step "Greet"
  when email is missing:
    stop as "no address"
  otherwise:
    send email "welcome"
    add tag "trial"
    go to "Nudge" after 2 days at 09:00 on weekdays

step "Nudge"
  when score is at least 40:
    go to "Hand over"
  after 5 days:
    set nick to "cold one"
    stop as "cold"

step "Hand over"
  otherwise:
    call webhook "sales" with { "score": score }
    remove tag "trial"
    stop as "handed over"
)";

// The messages of failures of the test with these lines, each with its line counted from the
// test's.
std::vector<std::string> failures(const std::string& lines) {
  const track::Track track = parsed(std::string(kTrial) + "\ntest \"t\"\n" + lines);
  for (const auto& part : track.parts) {
    if (const auto* const test = std::get_if<track::TestCase>(&part)) {
      const TestResult result = run_test(track, *test, test_catalogue());
      EXPECT_EQ(result.name, "t");
      std::vector<std::string> messages;
      for (const TestFailure& failure : result.failures) {
        messages.push_back(std::to_string(failure.span.line - test->span.line) + ": " +
                           failure.message);
      }
      return messages;
    }
  }
  ADD_FAILURE() << "no test";
  return {};
}

TEST(TestCase, PassesWhereTheTrackDoesWhatIsExpected) {
  EXPECT_THAT(failures(R"(  given email is "a@example.com", score is 20
  expect email "welcome"
  expect tag "trial"
  expect on step "Nudge"
  expect no webhook "sales"
  after 1 day
  expect no email "welcome"
  given score is 55
  expect on step "Nudge"
  after 1 day
  expect webhook "sales"
  expect no tag "trial"
  expect stopped as "handed over"
  expect stopped
)"),
              IsEmpty());
}

TEST(TestCase, TimePassesByTheTracksClock) {
  // Monday noon, two days on at nine: Wednesday; and five days from there.
  EXPECT_THAT(failures(R"(  given email is "a@example.com", score is 5
  after 6 days 20 hours 59 minutes
  expect on step "Nudge"
  after 1 minute
  expect stopped as "cold"
  expect nick is "cold one"
)"),
              IsEmpty());
}

TEST(TestCase, SaysWhatWasInstead) {
  EXPECT_THAT(
      failures(R"(  given email is "a@example.com", score is 20
  expect email "bye"
  expect no email "welcome"
  expect on step "Greet"
  expect stopped as "cold"
  expect no tag "trial"
  expect tag "x"
  expect score is 21
  after 3 hours
  expect email "welcome"
)"),
      ElementsAre("2: email \"bye\" was not sent since the clock was moved; email "
                  "\"welcome\", and it waits on step \"Nudge\" until 2026-06-03T07:00:00Z",
                  "3: email \"welcome\" was sent since the clock was moved; email "
                  "\"welcome\", and it waits on step \"Nudge\" until 2026-06-03T07:00:00Z",
                  "4: the contact is not on step \"Greet\": it waits on step \"Nudge\" "
                  "until 2026-06-03T07:00:00Z",
                  "5: the contact has not stopped as \"cold\": it waits on step \"Nudge\" "
                  "until 2026-06-03T07:00:00Z",
                  "6: the contact has tag \"trial\"", "7: the contact has no tag \"x\"",
                  "8: score is 20, not 21",
                  "10: email \"welcome\" was not sent since the clock was moved; "
                  "nothing was, and it waits on step \"Nudge\" until 2026-06-03T07:00:00Z"));
}

TEST(TestCase, EntersWhereTheFirstGatherThatTakesItStarts) {
  EXPECT_THAT(failures("  given score is 120\n  expect stopped as \"handed over\"\n"), IsEmpty());
  EXPECT_THAT(failures("  given score is 0\n  expect webhook \"sales\"\n"), IsEmpty());
}

TEST(TestCase, AFieldThatCannotHoldTheValueIsAFailure) {
  EXPECT_THAT(failures("  given score is \"many\"\n  expect stopped\n"),
              ElementsAre("1: field score is a number and cannot hold this"));
}

// The same for a whole track of its own; the lines are counted from the file's first.
std::vector<std::string> failures_of(const std::string& text) {
  const track::Track track = parsed(text);
  std::vector<std::string> messages;
  for (const auto& part : track.parts) {
    if (const auto* const test = std::get_if<track::TestCase>(&part)) {
      for (const TestFailure& failure : run_test(track, *test, test_catalogue()).failures) {
        messages.push_back(std::to_string(failure.span.line) + ": " + failure.message);
      }
    }
  }
  return messages;
}

constexpr const char* kGuarded = R"(track "Guarded"
  gather contacts continuously
  leave when score is 0
  send at most 2 emails per 1 day
  quiet from 21:00 to 08:00
  quiet on sunday
step "a"
  on "email.capped" where event.email is "four":
    stop as "too many"
  after 1 hour:
    send email "one"
    call webhook "w"
    stay
  after 10 hours:
    send email "two"
    stay
  after 11 hours:
    send email "three"
    stay
  after 21 hours:
    send email "four"
    stay
)";

TEST(TestCase, QuietHoursDelayAndCapsDrop) {
  // Monday noon. "two" is asked for at 22:00 and goes out on Tuesday at 8, "three" is dropped then,
  // and "four" is asked for on Tuesday at 9.
  EXPECT_THAT(failures_of(std::string(kGuarded) + R"(test "t"
  given score is 1
  after 1 hour
  expect email "one"
  expect webhook "w"
  after 9 hours
  expect no email "two"
  after 1 hour
  expect no email "three"
  after 9 hours
  expect email "two"
  expect no email "three"
  after 1 hour
  expect no email "four"
  expect stopped as "too many"
)"),
              IsEmpty());
}

TEST(TestCase, WhoLeavesIsNotSentWhatStillWaits) {
  EXPECT_THAT(failures_of(std::string(kGuarded) + R"(test "t"
  given score is 1
  after 10 hours
  given score is 0
  expect stopped
  after 1 day
  expect no email "two"
)"),
              IsEmpty());
}

TEST(TestCase, WhoHasStoppedMayComeAgain) {
  const std::string again = R"(track "Again"
  gather contacts where score is at least 1 continuously
  gather on "x" where event.n is more than 1
  enter again after 2 days
step "a"
  otherwise:
    send email "hello"
    set entry.seen to true
    stop as "done"
)";
  EXPECT_THAT(failures_of(again + R"(test "by a change"
  given score is 1
  expect email "hello"
  after 1 day
  given score is 2
  expect no email "hello"
  after 23 hours
  expect no email "hello"
  after 1 hour
  expect email "hello"
test "by an event"
  event "x" with { "n": 2 }
  expect email "hello"
  after 3 days
  event "x" with { "n": 1 }
  expect no email "hello"
  event "x" with { "n": 3 }
  expect email "hello"
)"),
              IsEmpty());
  std::string every = again;
  every.replace(every.find("again after 2 days"), 18, "every time");
  EXPECT_THAT(failures_of(every + R"(test "at once, when something changes"
  given score is 1
  after 1 day
  expect no email "hello"
  given score is 2
  expect email "hello"
)"),
              IsEmpty());
  std::string once = again;
  once.replace(once.find("again after 2 days"), 18, "once");
  EXPECT_THAT(failures_of(once + R"(test "never"
  event "x" with { "n": 2 }
  after 3 days
  event "x" with { "n": 3 }
  expect email "hello"
)"),
              SizeIs(1));
}

TEST(TestCase, WhatAnEntryHoldsIsReadAsWhatItIsComparedWith) {
  EXPECT_THAT(failures_of(R"(track "Typed"
  gather on "r"
step "a"
  when entry.at is before now or entry.n is not 60 or entry.code is not "12":
    stop as "wrong"
  otherwise:
    set entry.seen to now
    go to "b" 1 hour before entry.at
step "b"
  when entry.seen is more than 1 day ago and entry.n is at least 70:
    stop as "right"
test "by an event"
  event "r" with { "at": "2026-06-10T15:00:00Z", "n": "60", "code": 12 }
  expect on step "b"
  after 9 days 3 hours
  expect on step "b"
  given entry.n is 70
  expect stopped as "right"
)"),
              IsEmpty());
}

TEST(TestCase, AnEventThatNoGatherTakesComesOnce) {
  EXPECT_THAT(failures_of(R"(track "Once"
  gather contacts continuously
step "a"
  on "y":
    stop as "y"
  when did "x" at least 2 times:
    stop as "two"
  when score is 1:
    go to "b"
step "b"
  on "z":
    stop as "z"
test "x"
  event "x"
  expect on step "a"
  event "x"
  expect stopped as "two"
test "y"
  event "y"
  expect stopped as "y"
test "it is on the track before"
  given score is 1
  event "z"
  expect stopped as "z"
)"),
              IsEmpty());
}

TEST(TestCase, WhereItWasPutOnOtherTracks) {
  EXPECT_THAT(failures_of(R"(track "Mine"
  gather contacts continuously
step "a"
  when on track "Mine" at "b" or on track "Other":
    stop as "wrong"
  otherwise:
    put on track "Other" at "First"
    go to "a2"
step "a2"
  otherwise:
    put on track "Third"
    go to "b" after 1 hour
step "b"
  when not on track "Mine" at "b":
    stop as "wrong"
  when on track "Other" at "First" and on track "Third" and not on track "Other" at "Second":
    take off track "Other"
    go to "c" after 1 hour
step "c"
  when on track "Other":
    stop as "wrong"
  otherwise:
    stop as "right"
test "t"
  after 2 hours
  expect stopped as "right"
)"),
              IsEmpty());
}

TEST(DryRun, RunsStatementsWithTheirValues) {
  const track::Track track = parsed(R"(track "Sql"
  gather contacts continuously
step "a"
  otherwise:
    run on "crm" """
      update lead set state = ':no', at = now()::date
      where email = :email and n = :entry.n and e = :email
    """
    stop as "done"
)");
  DryRun run = DryRun::make(track, test_catalogue(), at("2026-06-01T10:00:00Z")).value();
  EXPECT_TRUE(run.set("email", std::string("a@example.com")));
  EXPECT_TRUE(run.set("entry.n", 5.0));
  ASSERT_TRUE(run.enter(false));
  ASSERT_EQ(run.messages().size(), 1U);
  EXPECT_EQ(run.messages()[0].kind, track::ActionKind::kSql);
  EXPECT_EQ(run.messages()[0].name, "crm");
  const auto payload = nlohmann::json::parse(run.messages()[0].payload);
  EXPECT_EQ(payload["values"],
            nlohmann::json::parse(R"({"email": "a@example.com", "entry.n": 5})"));
  EXPECT_TRUE(payload["sql"].get<std::string>().starts_with("update lead set state = ':no'"))
      << payload;
}

TEST(DryRun, NobodyIsGatheredWhomNoClauseTakes) {
  auto run = DryRun::make(parsed(kTrial), test_catalogue(), at("2026-06-01T10:00:00Z"));
  ASSERT_TRUE(run.has_value());
  EXPECT_EQ(run.value().enter(false).error().code, base::ErrorCode::kNotFound);
  ASSERT_TRUE(run.value().set("score", 5.0));
  ASSERT_TRUE(run.value().enter(false));
  EXPECT_TRUE(run.value().stopped());
  EXPECT_EQ(run.value().name_of(run.value().place()), "no address");
}

TEST(DryRun, KeepsEveryMoveAndMessageWithItsTime) {
  auto made = DryRun::make(parsed(kTrial), test_catalogue(), at("2026-06-01T10:00:00Z"));
  ASSERT_TRUE(made.has_value());
  DryRun& run = made.value();
  ASSERT_TRUE(run.set("score", 50.0));
  ASSERT_TRUE(run.set("email", std::string("a@example.com")));
  ASSERT_TRUE(run.enter(false));
  ASSERT_TRUE(run.pass_to(at("2026-06-30T00:00:00Z")));
  ASSERT_THAT(run.moves(), SizeIs(3));
  EXPECT_EQ(run.name_of(run.moves()[0].to), "Nudge");
  EXPECT_EQ(run.moves()[0].rule, 1);
  EXPECT_EQ(run.moves()[0].due_at, at("2026-06-03T07:00:00Z"));
  EXPECT_EQ(run.moves()[2].at, at("2026-06-03T07:00:00Z"));
  EXPECT_EQ(run.moves()[2].state, track::PositionState::kStopped);
  ASSERT_THAT(run.messages(), SizeIs(2));
  EXPECT_EQ(run.messages()[1].name, "sales");
  EXPECT_EQ(run.messages()[1].payload, R"({"score":50})");
}

TEST(DryRun, ACircleWithoutTimeIsNoticed) {
  auto made = DryRun::make(parsed(R"(track "t"
  gather contacts continuously
step "a"
  otherwise:
    go to "a" after 0 seconds
)"),
                           test_catalogue(), at("2026-06-01T10:00:00Z"));
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made.value().enter(false).error().code, base::ErrorCode::kExhausted);
}

TEST(DryRun, MovesByAFieldFollowIt) {
  auto made = DryRun::make(parsed(R"(track "t"
  gather contacts continuously
step "a"
  otherwise:
    go to "b" 1 day before due_on
step "b"
  otherwise:
    stop
)"),
                           test_catalogue(), at("2026-06-01T10:00:00Z"));
  DryRun& run = made.value();
  ASSERT_TRUE(run.enter(false));
  EXPECT_EQ(run.due_at(), track::kNever);
  ASSERT_TRUE(run.set("due_on", base::parse_date("2026-06-20").value()));
  EXPECT_EQ(run.due_at(), at("2026-06-19T00:00:00Z"));
  ASSERT_TRUE(run.set("due_on", base::parse_date("2026-06-10").value()));
  EXPECT_EQ(run.due_at(), at("2026-06-09T00:00:00Z"));
  ASSERT_TRUE(run.pass_to(run.due_at()));
  EXPECT_TRUE(run.stopped());
}

constexpr const char* kNewsletter = R"(track "Newsletter"
  gather contacts where not on track "Trial" continuously
  leave when on track "Trial" as "on trial"

step "Ask"
  when has tag "vip":
    put on track "Care" at "Call"
    go to "Wait"
  when has tag "guest":
    go to "Wait" after 2 days

step "Wait"
  when on track "Care" at "Call":
    stop as "cared for"
  after 3 days:
    stop as "end"

)";

// Tags and places on other tracks can be given, at first and later.
TEST(TrackTests, GiveTagsAndPlaces) {
  const auto failures = [](const std::string& lines) {
    const track::Track track = parsed(std::string(kNewsletter) + "test \"t\"\n" + lines);
    std::vector<std::string> messages;
    const auto& test = std::get<track::TestCase>(track.parts.back());
    for (const TestFailure& failure : run_test(track, test, test_catalogue()).failures) {
      messages.push_back(failure.message);
    }
    return messages;
  };
  EXPECT_THAT(failures("  given tag \"vip\"\n  expect stopped as \"cared for\"\n"), IsEmpty());
  EXPECT_THAT(
      failures("  expect on step \"Ask\"\n  given tag \"guest\"\n  expect on step \"Wait\"\n"
               "  given on track \"Care\"\n  after 2 days\n  expect on step \"Wait\"\n"
               "  given on track \"Care\" at \"Call\"\n  expect stopped as \"cared for\"\n"),
      IsEmpty());
  EXPECT_THAT(failures("  given tag \"guest\"\n  after 1 day\n  given on track \"Trial\"\n"
                       "  expect stopped as \"on trial\"\n"),
              IsEmpty());
  EXPECT_THAT(failures("  given tag \"vip\"\n  given no tag \"vip\"\n  given on track \"Trial\"\n"
                       "  given not on track \"Trial\"\n  expect on step \"Ask\"\n"),
              IsEmpty());
}

}  // namespace
}  // namespace turnout::decide
