#include "cli/paced.h"

#include <gtest/gtest.h>

namespace turnout::cli {
namespace {

using std::chrono::milliseconds;

constexpr base::Tick kStart{1'000'000};

TEST(Paced, DoesAtOnceAndThenNotTooOften) {
  Paced paced(milliseconds(10));
  EXPECT_FALSE(paced.take(kStart));
  paced.want();
  EXPECT_LE(paced.next(), kStart);
  EXPECT_TRUE(paced.take(kStart));
  EXPECT_FALSE(paced.take(kStart));

  paced.want();
  paced.want();
  EXPECT_EQ(paced.next(), kStart + milliseconds(10));
  EXPECT_FALSE(paced.take(kStart + milliseconds(9)));
  EXPECT_TRUE(paced.take(kStart + milliseconds(10)));
  EXPECT_FALSE(paced.take(kStart + milliseconds(30)));  // nothing is wanted
  EXPECT_GT(paced.next(), kStart + std::chrono::hours(24));

  paced.want();
  EXPECT_TRUE(paced.take(kStart + milliseconds(31)));
}

}  // namespace
}  // namespace turnout::cli
