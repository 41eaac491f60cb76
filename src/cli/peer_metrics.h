#pragma once

#include <memory>

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "cli/peer.h"

namespace turnout::cli {

// This peer's figures for /metrics. update() on one thread; the registry may be collected from any.
class PeerMetrics {
 public:
  explicit PeerMetrics(prometheus::Registry& registry);
  void update(const PeerSnapshot& snapshot);

 private:
  void raise(prometheus::Counter& counter, std::int64_t to);
  void raise_idle(const work::IdleTime& to);

  prometheus::Counter& blocks_;
  prometheus::Counter& moves_;
  prometheus::Counter& actions_;
  prometheus::Counter& stale_;
  prometheus::Counter& failed_;
  prometheus::Histogram& idle_;
  work::IdleTime told_idle_;  // as far as idle_ has it
  prometheus::Gauge& ready_;
  prometheus::Gauge& master_;
  prometheus::Gauge& owned_;
  prometheus::Gauge& peers_;
  prometheus::Family<prometheus::Counter>& transitions_;
  prometheus::Family<prometheus::Gauge>& certificate_ends_;
};

}  // namespace turnout::cli
