// G11: credit is never exceeded, and none is lost for longer than M cycles.

#include "sim/checker.h"

namespace turnout::sim {
namespace {

class CreditKept : public Checker {
 public:
  CreditKept(World& world, const Calm& calm) : Checker(world), calm_(calm) {}

  void on_jobs(const Host& host) override {
    const group::Slots& slots = world().config().slots;
    const auto capacity = static_cast<std::size_t>(slots.bulk + slots.single);
    // Messages that overtake each other by more than a cycle are not promised anything.
    const bool in_order = world().network.reordering == 0 && world().extra_latency == Duration(0);
    if (in_order && calm_.lasts(world().now(), world().config().slowest_cycle() * 3) &&
        host.worker().jobs() > capacity) {
      fail("G11: " + host.name().get() + " holds " + std::to_string(host.worker().jobs()) +
           " blocks in " + std::to_string(capacity) + " slots");
    }
  }

  void at_end() override {
    for (const auto& [name, host] : world().hosts()) {
      if (host->working() && host->member().may_write() &&
          host->worker().slots() != world().config().slots) {
        fail("G11: " + name.get() + " is idle and has not all of its slots back: " +
             std::to_string(host->worker().slots().bulk) + "/" +
             std::to_string(host->worker().slots().single));
      }
    }
  }

 private:
  const Calm& calm_;
};

}  // namespace

std::unique_ptr<Checker> check_credit(World& world, const Calm& calm) {
  return std::make_unique<CreditKept>(world, calm);
}

}  // namespace turnout::sim
