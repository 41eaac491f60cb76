// A draft over many contacts; and over one, against its dry run.

#include "decide/backtest.h"
#include "blocks.h"
#include "decide/dry_run.h"

namespace turnout::decide {
namespace {

using track::ActionKind;
using Counts = std::map<std::string, std::int64_t>;

const base::Instant kStarts = at("2026-06-01T10:00:00Z");  // a Monday

constexpr const char* kDraft = R"(track "Draft"
  time zone "Europe/Berlin"
  gather contacts where score is at least 1 continuously
  gather contacts where seen_at is more than 2 days ago continuously
    start at "Late"
  leave when nick is "gone" as "left"
  hold out 20% as "control" for 10 days
  send at most 2 emails per 3 days
  quiet from 21:00 to 08:00
step "Greet"
  when score is more than 90:
    set nick to "gone"
    add tag "vip"
    go to "Late" after 1 day
  for 50%:
    send email "a"
    increase score by 1
    go to "Again" after 1 day at 09:00 on weekdays
  otherwise:
    send email "b"
    go to "Again" after 12 hours
step "Again"
  when has tag "vip":
    stop as "vip"
  when visit.times is at least 4:
    stop as "often"
  otherwise:
    send email "again"
    go to "Again" after 10 hours
step "Late"
  otherwise:
    call webhook "late"
)";

track::ContactBlock contacts(const Backtest& test, int count) {
  track::ContactBlock block;
  for (const track::Field& field : test.fields()) {
    block.columns.emplace_back().type = field.type;
  }
  block.tags.resize(test.tags().size());
  for (int i = 1; i <= count; ++i) {
    block.contact.emplace_back(i);
    for (std::size_t f = 0; f < test.fields().size(); ++f) {
      track::Value value;
      if (test.fields()[f].name == "score" && i % 3 != 0) {
        value = static_cast<double>(i % 100);
      } else if (test.fields()[f].name == "seen_at") {
        value = kStarts - std::chrono::hours(i % 60);
      }
      block.columns[f].append(value);
    }
    for (auto& tag : block.tags) {
      tag.push_back(0);
    }
  }
  return block;
}

TEST(Backtest, CountsWhereAllOfThemWouldBe) {
  constexpr int kContacts = 300;
  const track::Track draft = parsed(kDraft);
  CalendarDuration length;
  length.days = 12;
  Backtest test = Backtest::make(draft, test_catalogue(), kStarts, length).value();
  test.add(contacts(test, kContacts));
  const BacktestFigures& figures = test.figures();

  EXPECT_EQ(figures.looked_at, kContacts);
  EXPECT_EQ(figures.circling, 0);
  std::int64_t ended = 0;
  for (const Counts* counts : {&figures.stopped, &figures.waiting}) {
    for (const auto& [name, count] : *counts) {
      ended += count;
    }
  }
  EXPECT_EQ(ended, figures.entered) << "each is somewhere";
  EXPECT_GT(figures.stopped.at("control"), 20);
  EXPECT_GT(figures.stopped.at("left"), 0);
  EXPECT_GT(figures.stopped.at("often"), 80);
  EXPECT_GT(figures.capped.at({ActionKind::kEmail, "again"}), 0);
  EXPECT_GT(figures.capped_contacts, 0);
  EXPECT_GT(figures.sent.at({ActionKind::kEmail, "b"}).at(0), 0) << "on the first day";
  EXPECT_GT(figures.sent.at({ActionKind::kEmail, "again"}).at(1), 0);
}

TEST(Backtest, OneContactGoesTheWayOfItsDryRun) {
  const track::Track draft = parsed(kDraft);
  for (const double score : {0.0, 1.0, 50.0, 95.0}) {
    for (const int age : {1, 40, 100}) {
      CalendarDuration length;
      length.days = 12;
      Backtest test = Backtest::make(draft, test_catalogue(), kStarts, length).value();
      track::ContactBlock one = contacts(test, 1);
      for (std::size_t f = 0; f < test.fields().size(); ++f) {
        const std::string& name = test.fields()[f].name;
        if (name == "score" || name == "seen_at") {
          one.columns[f] = {};
          one.columns[f].type = test.fields()[f].type;
          one.columns[f].append(name == "score" ? track::Value(score)
                                                : track::Value(kStarts - std::chrono::hours(age)));
        }
      }
      test.add(one);
      DryRun run = DryRun::make(draft, test_catalogue(), kStarts).value();
      ASSERT_TRUE(run.set("score", score));
      ASSERT_TRUE(run.set("seen_at", kStarts - std::chrono::hours(age)));
      bool entered = run.enter(false).has_value();
      if (!entered && score == 0) {
        ASSERT_TRUE(run.pass_to(kStarts + std::chrono::hours(48 - age)));
        ASSERT_TRUE(run.pass_to(run.now() + std::chrono::minutes(1)));
        entered = run.enter(false).has_value();
      }
      ASSERT_TRUE(run.pass_to(kStarts + std::chrono::hours(24 * 12)));
      const std::string which =
          "score " + std::to_string(score) + ", signed up " + std::to_string(age) + " hours ago";
      EXPECT_EQ(test.figures().entered, entered ? 1 : 0) << which;
      EXPECT_EQ(test.figures().moves, static_cast<std::int64_t>(run.moves().size())) << which;
      const auto& where = run.stopped() ? test.figures().stopped : test.figures().waiting;
      EXPECT_EQ(where, (Counts{{run.name_of(run.place()), 1}})) << which;
      std::map<std::string, std::int64_t> sent;
      for (const std::size_t index : run.sent()) {
        ++sent[run.messages()[index].name];
      }
      std::map<std::string, std::int64_t> would;
      for (const auto& [message, days] : test.figures().sent) {
        for (const auto& [day, count] : days) {
          would[message.second] += count;
        }
      }
      EXPECT_EQ(would, sent) << which;
    }
  }
}

}  // namespace
}  // namespace turnout::decide
