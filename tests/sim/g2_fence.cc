// G2: no write for a track is committed under a fence other than the ledger's.

#include "sim/checker.h"

namespace turnout::sim {
namespace {

class FenceHolds : public Checker {
 public:
  using Checker::Checker;

  void on_write(const store::Fence& under, const store::LedgerRow& row) override {
    if (under.timeline != row.timeline || under.epoch != row.epoch) {
      fail("G2: a write for track " + std::to_string(row.track.get()) +
           " went through under epoch " + std::to_string(under.epoch.get()) + ", the ledger has " +
           std::to_string(row.epoch.get()));
    }
  }
};

}  // namespace

std::unique_ptr<Checker> check_fence(World& world) { return std::make_unique<FenceHolds>(world); }

}  // namespace turnout::sim
