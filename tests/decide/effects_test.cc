// What rules do besides moving: fields, tags, payloads; what the journal is told was seen; tracks
// that do not compile.

#include "blocks.h"

namespace turnout::decide {
namespace {

using track::Missing;
using track::Value;

const base::Instant kNow{1'780'315'200'000'000};  // 2026-06-01T12:00:00Z

// The value written to a field for a row, or nullopt when none was.
std::optional<Value> written(const TestTrack& track, const track::BlockOutcome& out,
                             const std::string& field, std::size_t row) {
  for (const track::BlockOutcome::FieldWrite& write : out.writes) {
    if (track.program.fields()[write.field].name == field &&
        write.written[row] != track::BlockOutcome::Written::kNot) {
      return write.value.at(row);
    }
  }
  return std::nullopt;
}

TEST(Effects, R15LaterStepsSeeFieldsAndTagsThatWereSet) {
  const TestTrack track = made(R"(track "t"
step "a"
  when score is at least 10:
    set nick to "high"
    set limit to score
    add tag "vip"
  otherwise:
    clear nick
    remove tag "vip"
step "b"
  when nick is "high" and limit is 12 and has tag "vip":
    set nick to "seen"
    stop as "one"
  when nick is missing and not has tag "vip":
    stop as "two"
)");
  TestRow low = with({{"score", 3.0}, {"nick", std::string("before")}});
  low.tags = {"vip"};
  const track::BlockOutcome out = track.run(
      kNow,
      {with({{"score", 12.0}, {"nick", std::string("before")}}), low, with({{"score", 12.0}})});
  EXPECT_EQ(shape_of(out, 0).step, track.outcome("one"));
  EXPECT_EQ(shape_of(out, 1).step, track.outcome("two"));
  EXPECT_EQ(shape_of(out, 2).step, track.outcome("one"));
  EXPECT_EQ(written(track, out, "nick", 0), Value(std::string("seen")));  // folded
  EXPECT_EQ(written(track, out, "nick", 1), Value(Missing{}));
  EXPECT_EQ(written(track, out, "limit", 0), Value(12.0));
  EXPECT_EQ(written(track, out, "limit", 1), std::nullopt);
  EXPECT_EQ(written(track, out, "score", 0), std::nullopt);
  // `seen` is what was loaded, not what was set since.
  EXPECT_EQ(out.seen[0], R"({"score":12,"nick":"before","limit":null})");
  EXPECT_EQ(out.writes.size(), 2U);
}

TEST(Effects, SetConvertsWhatIsExactlyOfTheTypeAndLeavesTheRest) {
  const TestTrack track = made(R"(track "t"
  time zone "Europe/Berlin"
step "a"
  otherwise:
    set score to name
    set active to name
    set seen_at to name
    set born_on to name
    set limit to score
step "b"
  otherwise:
    set name to limit
    set due_on to seen_at
    set ends_at to born_on
    set nick to due_on
    set agreed to active
    stop
)");
  const auto text = [](const char* value) { return with({{"name", std::string(value)}}); };
  const track::BlockOutcome out =
      track.run(kNow, {text("12.5"), text("true"), text("2026-03-01"), text("2026-03-01T23:30:00Z"),
                       text("12.5 "), text(""), TestRow{}});
  EXPECT_EQ(written(track, out, "score", 0), Value(12.5));
  EXPECT_EQ(written(track, out, "name", 0), Value(std::string("12.5")));
  EXPECT_EQ(written(track, out, "active", 0), std::nullopt);
  EXPECT_EQ(written(track, out, "seen_at", 0), std::nullopt);
  EXPECT_EQ(written(track, out, "active", 1), Value(true));
  EXPECT_EQ(written(track, out, "agreed", 1), Value(true));
  EXPECT_EQ(written(track, out, "score", 1), std::nullopt);
  EXPECT_EQ(written(track, out, "born_on", 2), Value(base::parse_date("2026-03-01").value()));
  EXPECT_EQ(written(track, out, "seen_at", 2), Value(at("2026-02-28T23:00:00Z")));
  EXPECT_EQ(written(track, out, "ends_at", 2), Value(at("2026-02-28T23:00:00Z")));
  EXPECT_EQ(written(track, out, "seen_at", 3), Value(at("2026-03-01T23:30:00Z")));
  EXPECT_EQ(written(track, out, "due_on", 3), Value(base::parse_date("2026-03-02").value()));
  EXPECT_EQ(written(track, out, "nick", 3), Value(std::string("2026-03-02")));
  for (const std::size_t row : {4U, 5U, 6U}) {
    for (const char* const field : {"score", "active", "seen_at", "born_on", "limit", "name"}) {
      EXPECT_EQ(written(track, out, field, row), std::nullopt) << field << row;
    }
  }
}

TEST(Effects, PayloadsTakeTheValuesOfTheirMoment) {
  const TestTrack track = made(R"(track "t"
  time zone "Europe/Berlin"
step "a"
  when score is missing:
    send email "plain"
    stop
  otherwise:
    send email "plain"
    call webhook "hook" with { "was": score, "list": [ name, true, { } ], "at": now, "on": today, "born": born_on }
    set score to 2
    call webhook "hook" with { "is": score }
    send email "other" to nick
)");
  const track::BlockOutcome out = track.run(kNow, {with({{"score", 0.1},
                                                         {"name", std::string("q\"\\\n\x01 ü")},
                                                         {"nick", std::string("a@b.example")}}),
                                                   TestRow{}});
  const track::Shape& shape = shape_of(out, 0);
  ASSERT_EQ(shape.acts.size(), 4U);
  EXPECT_EQ(shape.acts[0].action_no, 1);
  EXPECT_EQ(shape.acts[1].action_no, 2);
  EXPECT_EQ(shape.acts[2].action_no, 4);  // the third action is not for the outbox
  EXPECT_EQ(shape.acts[3].action_no, 5);
  EXPECT_FALSE(shape.acts[0].has_payload);
  EXPECT_TRUE(shape.acts[1].has_payload);
  EXPECT_EQ(shape.acts[1].kind, track::ActionKind::kWebhook);
  EXPECT_EQ(out.payload[0],
            R"([null,{"was":0.1,"list":["q\"\\\n\u0001 ü",true,{}],"at":"2026-06-01T12:00:00Z",)"
            R"("on":"2026-06-01","born":null},{"is":2},{"to":"a@b.example"}])");
  EXPECT_EQ(out.payload[1], "");
}

TEST(Effects, SeenIsJsonOfWhatTheRulesOnTheWayRead) {
  const TestTrack track = made(R"(track "t"
step "a"
  when name is "never" or score is more than limit:
    stop as "early"
  when seen_at is present and born_on is present and active:
    go to "b"
  otherwise:
    stop as "late"
step "b"
  when nick is "x":
    stop
  when due_on is today:
    stop
)");
  TestRow early = with({{"name", std::string("ta\tb")}, {"score", 5.0}, {"limit", -0.25}});
  TestRow onward = with({{"name", std::string("ü \"x\"")},
                         {"score", 9007199254740993.0},
                         {"limit", 1e300},
                         {"seen_at", at("2026-01-02T03:04:05.000006Z")},
                         {"born_on", base::Date{-1}},
                         {"active", true}});
  const track::BlockOutcome out = track.run(kNow, {early, onward, TestRow{}});
  EXPECT_EQ(out.seen[0], R"({"name":"ta\tb","score":5,"limit":-0.25})");
  EXPECT_EQ(out.seen[1],
            R"({"name":"ü \"x\"","score":9007199254740992,"limit":1e+300,)"
            R"("seen_at":"2026-01-02T03:04:05.000006Z","born_on":"1969-12-31","active":true,)"
            R"("nick":null,"due_on":null})");
  EXPECT_EQ(
      out.seen[2],
      R"({"name":null,"score":null,"limit":null,"seen_at":null,"born_on":null,"active":null})");
  const TestTrack blind = made("track \"t\"\nstep \"a\"\n  otherwise:\n    stop\n");
  EXPECT_EQ(blind.run(kNow, {TestRow{}}).seen[0], "{}");
}

TEST(Compile, RefusesWhatCannotRun) {
  const auto refused = [](const std::string& body) {
    const auto program = compile("track \"t\"\n" + body, test_catalogue());
    return program ? std::string("compiled") : program.error().message;
  };
  EXPECT_EQ(refused("  time zone \"Mars/Base\"\nstep \"s\"\n  otherwise:\n    stop\n"),
            "line 2: \"Mars/Base\" is not a time zone");
  EXPECT_EQ(refused("  time zone of score or \"UTC\"\nstep \"s\"\n  otherwise:\n    stop\n"),
            "line 2: field score must be text to name a time zone");
  EXPECT_EQ(refused("step \"s\"\n  otherwise:\n    go to \"n\"\n"),
            "line 4: step \"n\" does not exist");
  EXPECT_EQ(refused("step \"s\"\n  otherwise:\n    go to \"s\" 2 days after score\n"),
            "line 4: `score` is number: nothing comes before or after it");
  EXPECT_EQ(refused(""), "a track needs at least one step");
}

TEST(Compile, OnlyTheFirst63RulesOfAStepMayStay) {
  const auto rules = [](int before) {
    std::string text = "track \"t\"\nstep \"s\"\n";
    for (int i = 0; i < before; ++i) {
      text += "  when score is " + std::to_string(i) + ":\n    stop\n";
    }
    return text + "  when score is 100:\n    stay\n";
  };
  const TestTrack track = test_track(rules(62), test_catalogue());
  const track::BlockOutcome out = track.run(kNow, {with({{"score", 100.0}})});
  EXPECT_EQ(out.stayed[0], std::uint64_t{1} << 62);
  const auto refused = compile(rules(63), test_catalogue());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, base::ErrorCode::kInvalid);
  EXPECT_THAT(refused.error().message,
              testing::HasSubstr("only the first 63 rules of a step may stay"));
}

}  // namespace
}  // namespace turnout::decide
