#include "web/meter.h"

#include <utility>

#include <prometheus/counter.h>
#include <prometheus/histogram.h>

namespace turnout::web {

Meter::Meter(std::shared_ptr<prometheus::Registry> registry) : registry_(std::move(registry)) {
  if (registry_ == nullptr) {
    return;
  }
  requests_ = &prometheus::BuildCounter()
                   .Name("turnout_http_requests_total")
                   .Help("HTTP requests answered, by route and status")
                   .Register(*registry_);
  seconds_ = &prometheus::BuildHistogram()
                  .Name("turnout_http_request_seconds")
                  .Help("Time from the last byte of a request to its answer, by route")
                  .Register(*registry_);
}

void Meter::answered(const std::string& route, int status,
                     std::chrono::steady_clock::duration took) {
  if (registry_ == nullptr) {
    return;
  }
  static const prometheus::Histogram::BucketBoundaries kBounds = {
      0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10};
  requests_->Add({{"route", route}, {"status", std::to_string(status)}}).Increment();
  seconds_->Add({{"route", route}}, kBounds).Observe(std::chrono::duration<double>(took).count());
}

}  // namespace turnout::web
