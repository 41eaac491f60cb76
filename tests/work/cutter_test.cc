#include "work/cutter.h"

#include <gtest/gtest.h>

namespace turnout::work {
namespace {

using std::chrono::milliseconds;

const store::Fence kFence{base::TrackId(1), base::Timeline(1), base::Epoch(5)};

group::Config config() {
  group::Config config;
  config.name = base::PeerName("a");
  config.incarnation = base::Incarnation(1);
  return config;
}

class CutterTest : public ::testing::Test {
 protected:
  CutterTest() {
    dispatcher_.gained(kFence.track, base::Version(1), {kFence.timeline, kFence.epoch});
  }

  Cut cut(std::vector<store::DueItem> items, bool end) {
    Cut cut;
    cut.fence = kFence;
    cut.items = std::move(items);
    cut.end = end;
    cut.now = base::Instant{1'000'000};
    if (!cut.items.empty()) {
      const store::DueItem& last = cut.items.back();
      cut.next = {last.due, last.contact, last.entry};
    }
    return cut;
  }
  static store::DueItem item(std::int64_t due, std::int64_t contact) {
    return {base::Instant{due}, base::ContactId(contact), 1, 0};
  }

  base::Tick now_{1'000'000};
  group::Dispatcher dispatcher_{config(), base::Tick{1'000'000}};
  Cutter cutter_{kFence, base::Version(1), base::Tick{1'000'000}};
};

TEST_F(CutterTest, ReadsForwardUntilNothingIsDue) {
  const auto first = cutter_.next(2, now_);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->limit, 2);
  EXPECT_FALSE(cutter_.next(2, now_)) << "one reading at a time";
  const auto items = cutter_.answered(cut({item(10, 7), item(20, 3)}, false), dispatcher_, now_);
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0].contact.get(), 3) << "in contact order";
  const auto second = cutter_.next(2, now_);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->from.due.us, 20);
  EXPECT_EQ(second->from.contact.get(), 3);
  cutter_.answered(cut({}, true), dispatcher_, now_);
  EXPECT_FALSE(cutter_.next(2, now_)) << "nothing has happened since";
}

TEST_F(CutterTest, TheNextPassBeginsAtTheFirstTimerOfTheLast) {
  cutter_.next(2, now_);
  cutter_.answered(cut({item(50, 1)}, true), dispatcher_, now_);
  cutter_.finished(true);
  const auto next = cutter_.next(2, now_);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->from.due.us, 50);
  EXPECT_EQ(next->from.contact.get(), 0);
}

TEST_F(CutterTest, AFullPassComesNowAndThen) {
  cutter_.next(2, now_);
  cutter_.answered(cut({item(50, 1)}, true), dispatcher_, now_);
  now_ = now_ + kFullPassEvery;
  const auto next = cutter_.next(2, now_);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->from.due.us, 0);
}

TEST_F(CutterTest, WhatIsOutstandingIsNotCutAgain) {
  cutter_.next(2, now_);
  dispatcher_.offer(kFence.track, base::Instant{1}, {{base::ContactId(4), 1, 0}}, 0, now_);
  const auto items = cutter_.answered(cut({item(10, 4), item(11, 5)}, true), dispatcher_, now_);
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].contact.get(), 5);
}

TEST_F(CutterTest, SleepsUntilTheNextTimer) {
  cutter_.next(2, now_);
  Cut answer = cut({}, true);
  answer.next_due = answer.now + milliseconds(300);
  cutter_.answered(answer, dispatcher_, now_);
  EXPECT_EQ(cutter_.next_tick(), now_ + milliseconds(300));
  EXPECT_FALSE(cutter_.wants_to_look(now_ + milliseconds(299)));
  EXPECT_TRUE(cutter_.wants_to_look(now_ + milliseconds(300)));
}

TEST_F(CutterTest, LearnsOfTimersThatBlocksHaveWritten) {
  cutter_.next(2, now_);
  cutter_.answered(cut({}, true), dispatcher_, now_);
  cutter_.finished(false);
  EXPECT_FALSE(cutter_.wants_to_look(now_));
  EXPECT_TRUE(cutter_.wants_to_look(now_ + kLearnTimersAfter));
}

TEST_F(CutterTest, AsksAgainAfterAFailure) {
  cutter_.next(2, now_);
  Cut answer = cut({}, false);
  answer.failed = true;
  cutter_.answered(answer, dispatcher_, now_);
  EXPECT_FALSE(cutter_.wants_to_look(now_));
  EXPECT_TRUE(cutter_.wants_to_look(now_ + milliseconds(200)));
}

// As while a disk is full: each failure waits longer, and one success ends that.
TEST_F(CutterTest, BlocksThatFailAreNotCutAgainAtOnce) {
  for (const int pause : {200, 400, 800, 1'000, 1'000}) {
    cutter_.next(2, now_);
    cutter_.answered(cut({item(10, 7), item(20, 3)}, true), dispatcher_, now_);
    cutter_.failed(now_);
    cutter_.failed(now_ + milliseconds(1));  // the other block of that cut
    EXPECT_FALSE(cutter_.wants_to_look(now_ + milliseconds(pause - 1)));
    EXPECT_EQ(cutter_.next_tick(), now_ + milliseconds(pause));
    now_ = now_ + milliseconds(pause);
    EXPECT_TRUE(cutter_.wants_to_look(now_));
  }
  cutter_.next(2, now_);
  cutter_.answered(cut({item(10, 7)}, true), dispatcher_, now_);
  cutter_.finished(true);
  EXPECT_TRUE(cutter_.wants_to_look(now_));
  cutter_.failed(now_);
  EXPECT_TRUE(cutter_.wants_to_look(now_ + milliseconds(200)));
}

}  // namespace
}  // namespace turnout::work
