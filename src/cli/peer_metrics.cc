#include "cli/peer_metrics.h"

#include <algorithm>
#include <string>
#include <vector>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

namespace turnout::cli {
namespace {

prometheus::Counter& counter(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

prometheus::Gauge& gauge(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

prometheus::Histogram::BucketBoundaries idle_bounds() {
  prometheus::Histogram::BucketBoundaries bounds;
  for (const int milliseconds : work::IdleTime::kBoundsMs) {
    bounds.push_back(milliseconds / 1e3);
  }
  return bounds;
}

}  // namespace

PeerMetrics::PeerMetrics(prometheus::Registry& registry)
    : blocks_(counter(registry, "turnout_blocks_total", "Blocks carried out by this peer")),
      moves_(counter(registry, "turnout_moves_total", "Moves committed by this peer")),
      actions_(
          counter(registry, "turnout_actions_total", "Actions put in the outbox by this peer")),
      stale_(counter(registry, "turnout_stale_contacts_total",
                     "Contacts that were not where a block of this owner said")),
      failed_(counter(registry, "turnout_failed_blocks_total",
                      "Blocks of this peer that the database did not take")),
      idle_(prometheus::BuildHistogram()
                .Name("turnout_idle_seconds")
                .Help("How long this peer had no block in hand, until the next one came")
                .Register(registry)
                .Add({}, idle_bounds())),
      ready_(gauge(registry, "turnout_ready",
                   "1 if this peer is fit, a member, and a master is known")),
      master_(gauge(registry, "turnout_master", "1 if this peer is the master")),
      owned_(gauge(registry, "turnout_owned_tracks", "Tracks owned by this peer")),
      peers_(gauge(registry, "turnout_living_peers",
                   "Peers that this peer takes as living, itself included")),
      transitions_(prometheus::BuildCounter()
                       .Name("turnout_group_transitions_total")
                       .Help("What this peer has seen change in its group, by kind")
                       .Register(registry)),
      certificate_ends_(
          prometheus::BuildGauge()
              .Name("turnout_certificate_ends_seconds")
              .Help("When the certificate that this peer shows ends, or its CA's if that is "
                    "sooner, in seconds since 1970; not there without a certificate")
              .Register(registry)) {}

void PeerMetrics::raise(prometheus::Counter& counter, std::int64_t to) {
  counter.Increment(std::max(0.0, static_cast<double>(to) - counter.Value()));
}

void PeerMetrics::raise_idle(const work::IdleTime& to) {
  std::vector<double> more;
  more.reserve(to.counts().size());
  for (std::size_t i = 0; i < to.counts().size(); ++i) {
    more.push_back(static_cast<double>(to.counts()[i] - told_idle_.counts()[i]));
  }
  idle_.ObserveMultiple(more, to.seconds() - told_idle_.seconds());
  told_idle_ = to;
}

void PeerMetrics::update(const PeerSnapshot& snapshot) {
  const work::EngineCounters& counters = snapshot.counters;
  raise(blocks_, counters.blocks);
  raise(moves_, counters.moves);
  raise(actions_, counters.actions);
  raise(stale_, counters.stale);
  raise(failed_, counters.failed);
  raise_idle(counters.idle);
  ready_.Set(snapshot.readiness.ready ? 1 : 0);
  int living = 0;
  for (const web::PeerView& peer : snapshot.group.peers) {
    living += peer.self || peer.state == "living" ? 1 : 0;
    if (peer.self) {
      master_.Set(peer.master ? 1 : 0);
      owned_.Set(peer.owned);
    }
  }
  peers_.Set(living);
  for (const auto& [kind, times] : snapshot.transitions) {
    raise(transitions_.Add({{"transition", kind}}), times);
  }
  if (snapshot.certificate_ends) {
    certificate_ends_.Add({}).Set(static_cast<double>(snapshot.certificate_ends->us) /
                                  static_cast<double>(base::kUsPerSecond));
  }
}

}  // namespace turnout::cli
