#pragma once

// An order of a few things of which every two would rather stand one way round.

#include <cstddef>
#include <functional>
#include <vector>

namespace turnout::graph {

// The numbers below `count` in an order that costs little, where cost(a, b) is what it costs that a
// stands before b: next comes always that which gives away least by standing before all the rest,
// as in the greedy search for a feedback arc set (Eades, Lin, Smyth: "A fast and effective
// heuristic for the feedback arc set problem", 1993). Where wishes do not contradict each other in
// a circle, all are met. Of equals the lower comes first. Quadratic.
std::vector<std::size_t> least_cost_order(
    std::size_t count, const std::function<std::size_t(std::size_t, std::size_t)>& cost);

}  // namespace turnout::graph
