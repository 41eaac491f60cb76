#include "graph/routing.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <queue>

#include "graph/precedence.h"

namespace turnout::graph {
namespace {

constexpr double kNear = 7;       // upright lines nearer than this would look like one
constexpr double kNetSpace = 12;  // between nets in one track
constexpr std::size_t kOverlapCost = 20;
constexpr std::size_t kMaxSortedNets = 64;  // in a channel, that are sorted with care

void measure_net(Net& net) {
  net.low = std::min(*std::ranges::min_element(net.upper), *std::ranges::min_element(net.lower));
  net.high = std::max(*std::ranges::max_element(net.upper), *std::ranges::max_element(net.lower));
  net.straight = net.high - net.low < 0.5;
}

std::size_t pins_within(const std::vector<double>& pins, const Net& net) {
  return static_cast<std::size_t>(std::count_if(
      pins.begin(), pins.end(), [&](double x) { return x > net.low && x < net.high; }));
}

// What it costs when `above` runs over `below`: crossings, and upright parts that lie on each
// other.
std::size_t cost_of(const Net& above, const Net& below) {
  std::size_t cost = pins_within(below.upper, above) + pins_within(above.lower, below);
  for (const double a : above.lower) {
    for (const double b : below.upper) {
      cost += std::abs(a - b) < kNear ? kOverlapCost : 0;
    }
  }
  return cost;
}

void sort_nets(std::vector<Net*>& nets) {
  const std::vector<Net*> before = nets;
  const std::vector<std::size_t> order = least_cost_order(
      nets.size(), [&](std::size_t a, std::size_t b) { return cost_of(*before[a], *before[b]); });
  std::ranges::transform(order, nets.begin(), [&](std::size_t net) { return before[net]; });
}

// Each under those before it that it would touch.
std::size_t stack_nets(const std::vector<Net*>& nets) {
  std::size_t tracks = 0;
  for (std::size_t i = 0; i < nets.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (nets[i]->low < nets[j]->high + kNetSpace && nets[j]->low < nets[i]->high + kNetSpace) {
        nets[i]->track = std::max(nets[i]->track, nets[j]->track + 1);
      }
    }
    tracks = std::max(tracks, nets[i]->track + 1);
  }
  return tracks;
}

// For channels with more nets than anybody can follow: as few tracks as there can be, by the left
// edge (Hashimoto, Stevens 1971).
std::size_t pack_nets(std::vector<Net*> nets) {
  std::stable_sort(nets.begin(), nets.end(),
                   [](const Net* a, const Net* b) { return a->low < b->low; });
  using End = std::pair<double, std::size_t>;  // where the last net of a track ends, the track
  std::priority_queue<End, std::vector<End>, std::greater<>> ends;
  std::size_t tracks = 0;
  for (Net* net : nets) {
    if (!ends.empty() && ends.top().first + kNetSpace <= net->low) {
      net->track = ends.top().second;
      ends.pop();
    } else {
      net->track = tracks++;
    }
    ends.emplace(net->high, net->track);
  }
  return tracks;
}

void route(Channel& channel) {
  std::vector<Net*> nets;
  for (auto& [key, net] : channel.nets) {
    measure_net(net);
    if (!net.straight) {
      nets.push_back(&net);
    }
  }
  if (nets.size() <= kMaxSortedNets) {
    sort_nets(nets);
    channel.tracks = stack_nets(nets);
  } else {
    channel.tracks = pack_nets(std::move(nets));
  }
}

}  // namespace

std::vector<Channel> route_channels(const LayeredGraph& layered, const std::vector<LinkEnds>& ends,
                                    const std::vector<double>& x) {
  std::vector<Channel> channels(layered.layers.size());
  for (std::size_t i = 0; i < layered.links.size(); ++i) {
    const Link& link = layered.links[i];
    Net& net = channels[layered.places[link.upper].layer].nets[{link.target, link.back}];
    net.upper.push_back(x[link.upper] + ends[i].upper);
    net.lower.push_back(x[link.lower] + ends[i].lower);
  }
  for (Channel& channel : channels) {
    route(channel);
  }
  return channels;
}

}  // namespace turnout::graph
