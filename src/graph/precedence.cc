#include "graph/precedence.h"

#include <algorithm>

namespace turnout::graph {

std::vector<std::size_t> least_cost_order(
    std::size_t count, const std::function<std::size_t(std::size_t, std::size_t)>& cost) {
  // What a before b costs more than b before a.
  std::vector<std::size_t> losses(count * count);
  std::vector<std::size_t> loss(count);  // of standing before all that are left
  for (std::size_t a = 0; a < count; ++a) {
    for (std::size_t b = 0; b < count; ++b) {
      if (a != b) {
        const std::size_t before = cost(a, b);
        losses[a * count + b] = before - std::min(before, cost(b, a));
        loss[a] += losses[a * count + b];
      }
    }
  }
  std::vector<std::size_t> left(count);
  for (std::size_t i = 0; i < count; ++i) {
    left[i] = i;
  }
  std::vector<std::size_t> order;
  while (!left.empty()) {
    const auto next = std::ranges::min_element(
        left, [&](std::size_t a, std::size_t b) { return loss[a] < loss[b]; });
    const std::size_t chosen = *next;
    left.erase(next);
    order.push_back(chosen);
    for (const std::size_t other : left) {
      loss[other] -= losses[other * count + chosen];
    }
  }
  return order;
}

}  // namespace turnout::graph
