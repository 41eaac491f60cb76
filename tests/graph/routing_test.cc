// Nets in a channel between two layers.

#include "graph/routing.h"

#include <gtest/gtest.h>

#include <functional>

namespace turnout::graph {
namespace {

// One channel with a net from each position above to one below.
Channel channel_of(std::size_t count, const std::function<double(std::size_t)>& from,
                   const std::function<double(std::size_t)>& to) {
  LayeredGraph layered;
  layered.layers.resize(2);
  std::vector<double> x;
  for (std::size_t net = 0; net < count; ++net) {
    const std::size_t place = layered.places.size();
    layered.places.push_back({0, net});
    layered.places.push_back({1, count + net});
    layered.layers[0].push_back(place);
    layered.layers[1].push_back(place + 1);
    layered.links.push_back({place, place + 1, count + net, false});
    x.push_back(from(net));
    x.push_back(to(net));
  }
  const std::vector<LinkEnds> ends(layered.links.size());
  return route_channels(layered, ends, x).front();
}

void expect_apart(const Channel& channel) {
  for (const auto& [a, first] : channel.nets) {
    for (const auto& [b, second] : channel.nets) {
      if (a < b && !first.straight && !second.straight && first.track == second.track) {
        EXPECT_TRUE(first.high < second.low || second.high < first.low)
            << a.first << " and " << b.first;
      }
    }
  }
}

TEST(RoutingTest, NetsThatWouldTouchHaveTracksOfTheirOwn) {
  for (const std::size_t count : {10U, 64U, 65U, 300U}) {
    const auto to = [&](std::size_t net) {
      return 20.0 * static_cast<double>(net * 7 % count) + 5;
    };
    const Channel channel =
        channel_of(count, [](std::size_t net) { return 20.0 * static_cast<double>(net); }, to);
    EXPECT_EQ(channel.nets.size(), count);
    EXPECT_LE(channel.tracks, count);
    expect_apart(channel);
  }
}

TEST(RoutingTest, NetsFarApartShareATrack) {
  for (const std::size_t count : {10U, 100U}) {
    const Channel channel = channel_of(
        count, [](std::size_t net) { return 100.0 * static_cast<double>(net); },
        [](std::size_t net) { return 100.0 * static_cast<double>(net) + 50; });
    EXPECT_EQ(channel.tracks, 1U);
  }
}

TEST(RoutingTest, AStraightNetNeedsNoTrack) {
  const auto x = [](std::size_t net) { return 100.0 * static_cast<double>(net); };
  EXPECT_EQ(channel_of(5, x, x).tracks, 0U);
}

// Each net comes out where the next one goes in: the upright parts lie on each other unless the
// next one's track is the upper.
TEST(RoutingTest, UprightPartsDoNotLieOnEachOther) {
  const Channel channel = channel_of(
      8, [](std::size_t net) { return 100.0 * static_cast<double>(net); },
      [](std::size_t net) { return 100.0 * static_cast<double>(net) + 98; });
  const Net* before = nullptr;
  for (const auto& [key, net] : channel.nets) {
    EXPECT_TRUE(before == nullptr || before->track > net.track) << key.first;
    before = &net;
  }
}

// Two nets side by side to the right: the right one above, or they cross twice.
TEST(RoutingTest, TracksAreOrderedSoThatFewCross) {
  const Channel channel = channel_of(
      2, [](std::size_t net) { return net == 0 ? 0.0 : 50.0; },
      [](std::size_t net) { return net == 0 ? 100.0 : 150.0; });
  const auto right = std::next(channel.nets.begin());
  EXPECT_LT(right->second.track, channel.nets.begin()->second.track);
}

}  // namespace
}  // namespace turnout::graph
