#include "work/feed_note.h"

#include <gtest/gtest.h>

namespace turnout::work {
namespace {

TEST(FeedNote, IsReadAsItWasWritten) {
  FeedNote note{.cursor = "1:7", .at = base::Instant{1'700'000'000'000'000}};
  EXPECT_EQ(note.text(), "1:7|1700000000000000");
  const FeedNote plain = FeedNote::parse(note.text());
  EXPECT_EQ(plain.cursor, "1:7");
  EXPECT_EQ(plain.at, note.at);
  EXPECT_FALSE(plain.regathering || plain.retesting);

  note.retesting = base::ContactId(12);
  EXPECT_EQ(FeedNote::parse(note.text()).retesting, base::ContactId(12));
  EXPECT_FALSE(FeedNote::parse(note.text()).regathering);
  note.regathering = Regathering{base::Instant{5}, {base::ContactId(3), 9}};
  const FeedNote all = FeedNote::parse(note.text());
  EXPECT_EQ(all.text(), note.text());
  ASSERT_TRUE(all.regathering);
  EXPECT_EQ(all.regathering->since, base::Instant{5});
  EXPECT_EQ(all.regathering->after, (store::EventKey{base::ContactId(3), 9}));
}

TEST(FeedNote, OfAnythingElseTakesWhatItCan) {
  EXPECT_EQ(FeedNote::parse("").cursor, "");
  EXPECT_EQ(FeedNote::parse("").at, track::kNever);
  EXPECT_EQ(FeedNote::parse("7|").at, track::kNever);
  EXPECT_FALSE(FeedNote::parse("7|8|9 10|x").regathering);
  EXPECT_FALSE(FeedNote::parse("7|8|9 10|x").retesting);
}

TEST(FeedNote, LosingTheFeedForgetsNothingThatWasStillToBeLookedAt) {
  FeedNote note{.cursor = "1:7", .at = base::Instant{1'000'000'000}};
  note.lose_feed();
  EXPECT_EQ(note.retesting, base::ContactId(0));
  ASSERT_TRUE(note.regathering);
  EXPECT_EQ(note.regathering->since, base::Instant{1'000'000'000} - store::kHeldAround);

  note.regathering = Regathering{base::Instant{5}, {base::ContactId(3), 9}};
  note.lose_feed();
  EXPECT_EQ(note.regathering->since, base::Instant{5});
  EXPECT_EQ(note.regathering->after, store::EventKey{});
}

}  // namespace
}  // namespace turnout::work
