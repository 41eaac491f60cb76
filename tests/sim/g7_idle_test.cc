// G7: an idle group exchanges N·(N−1) advertisements and N stamps per cycle; each peer asks for
// changes as often whatever the number of tracks and contacts, and for timers once in a while. The
// master reads the ledger once in 15·M cycles.

#include <gtest/gtest.h>

#include "sim/world.h"

namespace turnout::sim {
namespace {

class Advertised : public Observer {
 public:
  void on_send(const Host& host, const PeerName& to, const Message& message) override {
    const auto others = static_cast<std::int64_t>(peers_ - 1);
    (std::holds_alternative<group::Advertisement>(message) ? advertisements : rest) +=
        host.name() == to ? 0
        : to.empty()      ? others
                          : 1;
  }
  explicit Advertised(std::size_t peers) : peers_(peers) {}
  std::int64_t advertisements = 0;
  std::int64_t rest = 0;

 private:
  std::size_t peers_;
};

constexpr int kCycles = 120;
constexpr int kLedgerReadings = 2;  // in that time, at the miss limit 4

struct Cost {
  std::int64_t advertisements = 0;
  std::int64_t rest = 0;  // other messages
  Host::Queries queries;  // of all peers
};

// Of kCycles in which nothing happens.
Cost idle(int peers, int tracks, int contacts) {
  WorldConfig config;
  for (int i = 0; i < peers; ++i) {
    config.peers.push_back(std::string(1, static_cast<char>('a' + i)));
  }
  config.tracks = tracks;
  config.contacts = contacts;
  World world(config);
  for (const auto& [name, host] : world.hosts()) {
    host->start();
  }
  // All contacts run to the end, or wait for a value that does not come; tracks are spread.
  world.run_for(config.cycle * (60 + 2 * tracks));
  Advertised advertised(world.hosts().size());
  world.observe(&advertised);
  std::map<PeerName, Host::Queries> before;
  for (const auto& [name, host] : world.hosts()) {
    before[name] = host->queries;
  }
  world.run_for(config.cycle * kCycles);
  EXPECT_FALSE(world.failure());
  Cost cost{advertised.advertisements, advertised.rest, {}};
  for (const auto& [name, host] : world.hosts()) {
    cost.queries.stamps += host->queries.stamps - before[name].stamps;
    cost.queries.others += host->queries.others - before[name].others;
    cost.queries.due += host->queries.due - before[name].due;
    cost.queries.feed += host->queries.feed - before[name].feed;
  }
  return cost;
}

TEST(Idle, CostsOneAdvertisementPerPairAndOneStampPerPeer) {
  for (const int peers : {3, 5, 9}) {
    const Cost cost = idle(peers, 4, 10);
    EXPECT_EQ(cost.advertisements, kCycles * peers * (peers - 1)) << peers;
    EXPECT_EQ(cost.rest, 0) << peers;
    EXPECT_EQ(cost.queries.stamps, kCycles * peers) << peers;
    EXPECT_EQ(cost.queries.others, kLedgerReadings) << peers;
  }
}

TEST(Idle, DoesNotGrowWithTracksAndContacts) {
  const Cost few = idle(3, 3, 5);
  const Cost many = idle(3, 60, 200);
  EXPECT_EQ(few.advertisements, many.advertisements);
  EXPECT_EQ(many.rest, 0);
  EXPECT_EQ(few.queries.stamps, many.queries.stamps);
  EXPECT_EQ(many.queries.others, kLedgerReadings);
  EXPECT_EQ(few.queries.feed, many.queries.feed);
  // Timers of each track are looked at from the start once per work::kFullPassEvery.
  EXPECT_LE(many.queries.due, 60 * kCycles / 5);
}

}  // namespace
}  // namespace turnout::sim
