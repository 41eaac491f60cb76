// G2: no write for a track is committed under a fence other than the ledger's, nor one that was
// decided by another version of the track.

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

  void on_move(const PositionKey& key, std::int32_t, std::int32_t) override {
    const auto& tables = world().database().tables();
    const base::Version decided = tables.positions.at(key).version;
    const base::Version published = tables.ledger.at(key.track).version;
    if (decided != published) {
      fail("G2: contact " + std::to_string(key.contact.get()) + " was moved by version " +
           std::to_string(decided.get()) + " of track " + std::to_string(key.track.get()) +
           ", which is at version " + std::to_string(published.get()));
    }
  }
};

}  // namespace

std::unique_ptr<Checker> check_fence(World& world) { return std::make_unique<FenceHolds>(world); }

}  // namespace turnout::sim
