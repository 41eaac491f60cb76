#pragma once

// The last part of the layout: the space between two layers is a channel in which edges run level.
// Each chain that passes through it is a net with pins at both sides; nets get tracks so that none
// lies over another and few cross (channel routing: Hashimoto, Stevens, "Wire routing by optimizing
// channel assignment within large apertures", 1971).

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "graph/coordinates.h"
#include "graph/layers.h"

namespace turnout::graph {

// A chain within one channel.
struct Net {
  std::vector<double> upper;  // where it meets the layer above
  std::vector<double> lower;
  double low = 0;  // from the leftmost to the rightmost pin
  double high = 0;
  std::size_t track = 0;  // from the top of the channel
  bool straight = false;  // needs no track
};

// One channel, beneath a layer.
struct Channel {
  using Key = std::pair<std::size_t, bool>;  // target, whether back
  std::map<Key, Net> nets;
  std::size_t tracks = 0;
};

// `x` is that of the places' clusters. As many channels as layers; the last one is empty.
std::vector<Channel> route_channels(const LayeredGraph& layered, const std::vector<LinkEnds>& ends,
                                    const std::vector<double>& x);

}  // namespace turnout::graph
