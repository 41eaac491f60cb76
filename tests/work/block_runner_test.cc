// What a block's run says about the contacts that were not where the block said.

#include <gtest/gtest.h>

#include "work/block_runner.h"

namespace turnout::work {
namespace {

TEST(LeftOut, WhateverTheOrderInWhichTheRowsWereLoaded) {
  const std::vector<store::BlockItem> items{{base::ContactId(7), 1, 0},
                                            {base::ContactId(3), 1, 2},
                                            {base::ContactId(3), 2, 0},
                                            {base::ContactId(5), 1, 1}};
  track::ContactBlock loaded;
  loaded.contact = {base::ContactId(3), base::ContactId(7)};
  loaded.entry = {2, 1};
  const std::vector<store::BlockItem> missing = left_out(items, loaded);
  ASSERT_EQ(missing.size(), 2U);
  EXPECT_EQ(missing[0].contact, base::ContactId(3));
  EXPECT_EQ(missing[0].entry, 1);
  EXPECT_EQ(missing[1].contact, base::ContactId(5));
}

}  // namespace
}  // namespace turnout::work
