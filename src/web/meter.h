#pragma once

// Counts requests for /metrics.

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <prometheus/registry.h>

namespace prometheus {
class Counter;
class Histogram;
}  // namespace prometheus

namespace turnout::web {

// Thread-safe. Without a registry it counts nothing.
class Meter {
 public:
  explicit Meter(std::shared_ptr<prometheus::Registry> registry);
  void answered(const std::string& route, int status, std::chrono::steady_clock::duration took);

 private:
  std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Family<prometheus::Counter>* requests_ = nullptr;
  prometheus::Family<prometheus::Histogram>* seconds_ = nullptr;
};

}  // namespace turnout::web
