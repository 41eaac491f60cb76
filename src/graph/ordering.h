#pragma once

// The second part of the layout: the order of places within their layers.

#include <cstddef>

#include "graph/layers.h"

namespace turnout::graph {

// Reorders `layers` so that few links cross: sweeps down and up that sort each layer by the
// barycentres of its neighbours (Sugiyama, Tagawa, Toda 1981), of which the best order is kept;
// then neighbours are exchanged as long as that helps (Gansner et al. 1993, "transpose"). What has
// no links stands behind the rest of its layer. Near linear in the links, with fewer sweeps for
// large graphs.
void order_layers(LayeredGraph& layered);

// How many pairs of links cross (Barth, Jünger, Mutzel: "Simple and efficient bilayer cross
// counting", 2002).
std::size_t count_crossings(const LayeredGraph& layered);

}  // namespace turnout::graph
