// When messages may go out: quiet hours and caps.

#include "decide/guards.h"

#include <gmock/gmock.h>

#include "blocks.h"

namespace turnout::decide {
namespace {

using track::ActionKind;

Guards guards(const std::string& clauses, const char* zone = "Europe/Berlin") {
  return {parsed("track \"t\"\n" + clauses + "step \"a\"\n  otherwise:\n    stop\n"),
          Zone::find(zone).value()};
}

std::string from(const Guards& guards, const char* instant, const char* contact = "Europe/Berlin",
                 const std::string& field = "") {
  const base::Instant at_last = guards.not_quiet_from(at(instant), Zone::find(contact).value(),
                                                      [&](const std::string&) { return field; });
  return at_last == track::kNever ? "never" : base::format_instant(at_last);
}

TEST(Guards, QuietHoursMayGoPastMidnight) {
  const Guards night = guards("  quiet from 21:00 to 08:00\n");
  EXPECT_EQ(from(night, "2026-06-01T18:59:59.999999Z"), "2026-06-01T18:59:59.999999Z");
  EXPECT_EQ(from(night, "2026-06-01T19:00:00Z"), "2026-06-02T06:00:00Z");
  EXPECT_EQ(from(night, "2026-06-02T05:59:59Z"), "2026-06-02T06:00:00Z");
  EXPECT_EQ(from(night, "2026-06-02T06:00:00Z"), "2026-06-02T06:00:00Z");
  const Guards lunch = guards("  quiet from 12:00 to 13:00\n");
  EXPECT_EQ(from(lunch, "2026-06-01T10:30:00Z"), "2026-06-01T11:00:00Z");
  EXPECT_EQ(from(guards(""), "2026-06-01T10:30:00Z"), "2026-06-01T10:30:00Z");
}

TEST(Guards, DaysNameWhereQuietBegins) {
  const Guards friday = guards("  quiet from 21:00 to 08:00 on friday\n");
  EXPECT_EQ(from(friday, "2026-06-05T20:00:00Z"), "2026-06-06T06:00:00Z");
  EXPECT_EQ(from(friday, "2026-06-06T03:00:00Z"), "2026-06-06T06:00:00Z") << "Friday's night";
  EXPECT_EQ(from(friday, "2026-06-06T20:00:00Z"), "2026-06-06T20:00:00Z");
}

TEST(Guards, ClausesAddUp) {
  const Guards weekend = guards("  quiet from 21:00 to 08:00\n  quiet on saturday, sunday\n");
  // Friday at 22:00: the night, then the days, then Sunday's night.
  EXPECT_EQ(from(weekend, "2026-06-05T20:00:00Z"), "2026-06-08T06:00:00Z");
  EXPECT_EQ(from(guards("  quiet from 08:00 to 20:00\n  quiet from 20:00 to 08:00\n"),
                 "2026-06-05T20:00:00Z"),
            "never");
}

TEST(Guards, ByTheContactsClock) {
  const Guards night = guards("  quiet from 21:00 to 08:00\n");
  EXPECT_EQ(from(night, "2026-06-01T20:00:00Z", "America/Chicago"), "2026-06-01T20:00:00Z");
  const Guards field = guards("  quiet from 21:00 to 08:00 in nick\n");
  EXPECT_EQ(from(field, "2026-06-01T14:00:00Z", "Europe/Berlin", "Asia/Tokyo"),
            "2026-06-01T23:00:00Z");
  EXPECT_EQ(from(field, "2026-06-01T14:00:00Z", "Europe/Berlin", "nowhere"),
            "2026-06-01T14:00:00Z");
  // Clocks go forward at 2 on 29 March: the night is an hour shorter.
  EXPECT_EQ(from(night, "2026-03-28T21:00:00Z"), "2026-03-29T06:00:00Z");
}

TEST(Guards, CapsCountWhatWasSentWithinTheTime) {
  const base::Instant now = at("2026-06-10T12:00:00Z");
  const auto days_ago = [&](int days) { return now - std::chrono::hours(24 * days); };
  const std::vector<SentMessage> sent = {{days_ago(7), ActionKind::kEmail},
                                         {days_ago(6), ActionKind::kEmail},
                                         {days_ago(1), ActionKind::kShow},
                                         {days_ago(1), ActionKind::kWebhook}};
  EXPECT_FALSE(
      guards("  send at most 2 emails per 7 days\n").capped(ActionKind::kEmail, now, sent));
  EXPECT_TRUE(guards("  send at most 1 email per 7 days\n").capped(ActionKind::kEmail, now, sent));
  EXPECT_TRUE(
      guards("  send at most 2 messages per 7 days\n").capped(ActionKind::kEmail, now, sent));
  EXPECT_TRUE(
      guards("  send at most 2 messages per 7 days\n").capped(ActionKind::kShow, now, sent));
  EXPECT_FALSE(guards("  send at most 1 email per 7 days\n").capped(ActionKind::kShow, now, sent));
  EXPECT_FALSE(
      guards("  send at most 1 message per 7 days\n").capped(ActionKind::kWebhook, now, sent));
  EXPECT_FALSE(guards("").capped(ActionKind::kEmail, now, sent));
}

// As servers ask: with the track's zone clause.
TEST(Guards, CompiledFromATrack) {
  track::Catalogue catalogue = track::built_in_catalogue();
  catalogue.fields.push_back({"home", track::Type::kText, "home"});
  const auto compiled = [&](const std::string& clauses) {
    auto made = Guards::compile(
        parsed("track \"t\"\n" + clauses + "step \"a\"\n  otherwise:\n    stop\n"), catalogue);
    EXPECT_TRUE(made) << made.error().message;
    return std::move(made).value();
  };
  EXPECT_FALSE(compiled("").any());
  EXPECT_THAT(compiled("  time zone of home or \"Europe/Berlin\"\n").fields(), testing::IsEmpty());
  const Guards night = compiled(
      "  time zone of home or \"Europe/Berlin\"\n  send at most 2 emails per 7 days\n"
      "  quiet from 21:00 to 08:00\n");
  EXPECT_TRUE(night.any());
  EXPECT_THAT(night.fields(), testing::ElementsAre("home"));
  const auto not_before = [&](ActionKind kind, const std::string& home) {
    return base::format_instant(night.not_before(kind, at("2026-06-01T20:00:00Z"),
                                                 [&](const std::string&) { return home; }));
  };
  EXPECT_EQ(not_before(ActionKind::kEmail, ""), "2026-06-02T06:00:00Z");
  EXPECT_EQ(not_before(ActionKind::kEmail, "America/Chicago"), "2026-06-01T20:00:00Z");
  EXPECT_EQ(not_before(ActionKind::kWebhook, ""), "2026-06-01T20:00:00Z");
  const auto cap = night.cap(at("2026-04-01T20:00:00Z"));
  ASSERT_TRUE(cap.has_value());
  EXPECT_EQ(cap->at_most, 2);
  EXPECT_FALSE(cap->messages);
  EXPECT_EQ(base::format_instant(cap->since), "2026-03-25T21:00:00Z")
      << "clocks went forward between";
}

}  // namespace
}  // namespace turnout::decide
