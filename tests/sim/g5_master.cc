// G5: one master per master epoch; deliveries are handed out only by a master; at most one attempt
// of a delivery is under way, and what was sent is not sent again.

#include <utility>

#include "sim/checker.h"

namespace turnout::sim {
namespace {

class Master : public Checker {
 public:
  using Checker::Checker;

  void on_notice(const Host& host, const group::Notice& notice) override {
    if (std::holds_alternative<group::MasterLost>(notice)) {
      reigns_.erase({host.name(), host.life()});
      return;
    }
    const auto* const gained = std::get_if<group::MasterGained>(&notice);
    if (gained == nullptr) {
      return;
    }
    const Process holder{host.name(), host.life()};
    reigns_[holder] = gained->fence;
    const auto [known, is_new] = masters_.try_emplace(gained->fence, holder);
    if (!is_new && known->second != holder) {
      fail("G5: " + known->second.first.get() + " and " + host.name().get() +
           " are both master under epoch " + std::to_string(gained->fence.epoch.get()));
    }
  }

  void on_hand_out(const Host& host, const Fence& master) override {
    const auto reign = reigns_.find({host.name(), host.life()});
    if (reign == reigns_.end() || reign->second != master) {
      fail("G5: " + host.name().get() + " hands out deliveries under master epoch " +
           std::to_string(master.epoch.get()) + " and is not master");
    }
  }

  void on_delivery(const store::OutboxKey& key, store::OutboxState before,
                   const store::model::Action& after) override {
    if (after.state == store::OutboxState::kSending && before != store::OutboxState::kWaiting) {
      fail(name_of(key) + " was taken while it did not wait");
    }
    const bool held = after.state == store::OutboxState::kSending ||
                      after.state == store::OutboxState::kUncertain;
    held ? void(held_.insert(key)) : void(held_.erase(key));
    if (after.state == store::OutboxState::kUncertain && before == store::OutboxState::kSending) {
      judge_given_up(key, after);
    }
  }

  void on_delivered(const store::OutboxKey& key, bool taken) override {
    if (taken && !delivered_.insert(key).second && !doubtful_.contains(key)) {
      fail(name_of(key) + " was sent twice");
    }
  }

  // What was taken or sent in the part that is lost waits again, and is held (hold_deliveries()).
  // Only if the move itself was lost may it be sent again: the standby knows nothing of it.
  void on_set_back() override {
    held_.insert(delivered_.begin(), delivered_.end());
    const auto& outbox = world().database().tables().outbox;
    for (const store::OutboxKey& key : std::exchange(held_, {})) {
      const auto found = outbox.find(key);
      if (found == outbox.end()) {
        doubtful_.insert(key);
      }
    }
    for (const auto& [key, action] : outbox) {
      if (action.state == store::OutboxState::kSending ||
          action.state == store::OutboxState::kUncertain) {
        held_.insert(key);
      }
    }
  }

 private:
  using Process = std::pair<PeerName, std::uint64_t>;

  static std::string name_of(const store::OutboxKey& key) {
    return "G5: the delivery of move " + std::to_string(key.move_no) + " of contact " +
           std::to_string(key.contact.get()) + " on track " + std::to_string(key.track.get());
  }

  // Without a deadline it was held after a fail-over: its peer may yet say what became of it.
  void judge_given_up(const store::OutboxKey& key, const store::model::Action& action) {
    if (action.deadline == track::kNever) {
      return;
    }
    const Host& host = world().host(action.peer.name);
    if (host.alive() && host.incarnation() == action.peer.incarnation &&
        host.member().phase() != group::PeerPhase::kLeft && world().instant() <= action.deadline) {
      fail(name_of(key) + " was given up while " + action.peer.name.get() + " had time for it");
    }
  }

  std::map<Fence, Process> masters_;
  std::map<Process, Fence> reigns_;
  std::set<store::OutboxKey> delivered_;
  std::set<store::OutboxKey> held_;      // taken by a peer, and not noted
  std::set<store::OutboxKey> doubtful_;  // a fail-over has lost their moves
};

}  // namespace

std::unique_ptr<Checker> check_master(World& world) { return std::make_unique<Master>(world); }

}  // namespace turnout::sim
