// G4: an action's key is in the outbox once if its move is committed, else not at all.

#include "sim/checker.h"

namespace turnout::sim {
namespace {

class Outbox : public Checker {
 public:
  using Checker::Checker;

  void on_move(const PositionKey& key, std::int32_t move_no, std::int32_t step) override {
    if (world().database().program().rule(key.track, key.contact, step).acts) {
      moved_.insert({key.track, key.contact, key.entry, move_no, 1});
    }
  }

  void on_action(const store::OutboxKey& key) override {
    if (!acted_.insert(key).second) {
      fail(name_of(key) + " was asked for twice in one commit");
    }
  }

  void on_write(const store::Fence&, const store::LedgerRow&) override {
    for (const store::OutboxKey& key : acted_) {
      if (!moved_.contains(key)) {
        fail(name_of(key) + " is in the outbox without its move");
      }
    }
    for (const store::OutboxKey& key : moved_) {
      if (!acted_.contains(key)) {
        fail(name_of(key) + " is missing from the outbox though its move is committed");
      }
      if (!ever_.insert(key).second) {
        fail(name_of(key) + " was asked for twice");
      }
    }
    moved_.clear();
    acted_.clear();
  }

  void on_set_back() override {
    ever_.clear();
    for (const auto& [key, action] : world().database().tables().outbox) {
      ever_.insert(key);
    }
  }

 private:
  static std::string name_of(const store::OutboxKey& key) {
    return "G4: the action of move " + std::to_string(key.move_no) + " of contact " +
           std::to_string(key.contact.get()) + " on track " + std::to_string(key.track.get());
  }

  std::set<store::OutboxKey> moved_;  // of the commit under way
  std::set<store::OutboxKey> acted_;
  std::set<store::OutboxKey> ever_;
};

}  // namespace

std::unique_ptr<Checker> check_outbox(World& world) { return std::make_unique<Outbox>(world); }

}  // namespace turnout::sim
