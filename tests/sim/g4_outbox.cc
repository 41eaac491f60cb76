// G4: an action's key is in the outbox once if its move is committed, else not at all.

#include "sim/checker.h"

namespace turnout::sim {
namespace {

class Outbox : public Checker {
 public:
  using Checker::Checker;

  void on_move(TrackId track, ContactId contact, std::int32_t move_no, bool acts) override {
    if (acts) {
      moved_.insert({track, contact, move_no});
    }
  }

  void on_action(const ActionKey& key, bool) override {
    if (!acted_.insert(key).second) {
      fail(name(key) + " was asked for twice in one commit");
    }
  }

  void on_commit(TrackId, Fence, const LedgerRow&) override {
    for (const ActionKey& key : acted_) {
      if (!moved_.contains(key)) {
        fail(name(key) + " is in the outbox without its move");
      }
    }
    for (const ActionKey& key : moved_) {
      if (!acted_.contains(key)) {
        fail(name(key) + " is missing from the outbox though its move is committed");
      }
      if (!ever_.insert(key).second) {
        fail(name(key) + " was asked for twice");
      }
    }
    moved_.clear();
    acted_.clear();
  }

 private:
  static std::string name(const ActionKey& key) {
    return "G4: the action of move " + std::to_string(key.move_no) + " of contact " +
           std::to_string(key.contact.get()) + " on track " + std::to_string(key.track.get());
  }

  std::set<ActionKey> moved_;  // of the commit under way
  std::set<ActionKey> acted_;
  std::set<ActionKey> ever_;
};

}  // namespace

std::unique_ptr<Checker> check_outbox(World& world) { return std::make_unique<Outbox>(world); }

}  // namespace turnout::sim
