// A peer's copy of the tracks, read by several threads at once.

#include "work/bench_peer.h"

namespace turnout::test {
namespace {

constexpr const char* kText = R"(track "T"
  gather contacts continuously

step "A"
  otherwise:
    stop as "done"
)";

// A reading that began earlier and ends later does not take the place of a newer one: the peer
// would go on with tracks as they were until the catalogue changed again.
TEST(TrackBookTest, WhatBeganLastStays) {
  Database database;
  auto session = need(database.store().open_session());
  auto other = need(database.store().open_session());
  store::Publish publish;
  publish.track = need(parse(kText));
  publish.text = kText;
  need(session->publish(publish));
  EXPECT_TRUE(session->set_active("T", false));
  work::TrackBook* book = nullptr;
  bool nested = false;
  work::TrackBook reading([&](const std::string& text) {
    if (!std::exchange(nested, true)) {  // the first one has read that the track is paused
      EXPECT_TRUE(other->set_active("T", true));
      EXPECT_TRUE(book->refresh(*other));
      EXPECT_TRUE(book->all().at(0)->published.active);
    }
    return parse(text);
  });
  book = &reading;
  EXPECT_TRUE(reading.refresh(*session));
  ASSERT_EQ(1U, reading.all().size());
  EXPECT_TRUE(reading.all().at(0)->published.active);
  // And what comes later is read as ever.
  EXPECT_TRUE(other->set_active("T", false));
  EXPECT_TRUE(reading.refresh(*session));
  EXPECT_FALSE(reading.all().at(0)->published.active);
}

}  // namespace
}  // namespace turnout::test
