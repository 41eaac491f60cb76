// G2: no write for a track is committed under a fence other than the ledger's.

#include "sim/checker.h"

namespace turnout::sim {
namespace {

class FenceHolds : public Checker {
 public:
  using Checker::Checker;

  void on_commit(TrackId track, Fence under, const LedgerRow& row) override {
    if (under != row.fence) {
      fail("G2: a commit for track " + std::to_string(track.get()) + " went through under epoch " +
           std::to_string(under.epoch.get()) + ", the ledger has " +
           std::to_string(row.fence.epoch.get()));
    }
  }
};

}  // namespace

std::unique_ptr<Checker> check_fence(World& world) { return std::make_unique<FenceHolds>(world); }

}  // namespace turnout::sim
