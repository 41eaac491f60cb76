// G3: a contact's moves on a track are numbered 1, 2, 3 … with none missing and none twice.

#include "sim/checker.h"

namespace turnout::sim {
namespace {

class Moves : public Checker {
 public:
  using Checker::Checker;

  void on_move(const PositionKey& key, std::int32_t move_no, std::int32_t) override {
    std::int32_t& last = last_[key];
    if (move_no != last + 1) {
      fail("G3: contact " + std::to_string(key.contact.get()) + " on track " +
           std::to_string(key.track.get()) + " made move " + std::to_string(move_no) +
           " after move " + std::to_string(last));
    }
    last = move_no;
  }

  void on_set_back() override {
    last_.clear();
    for (const auto& [key, position] : world().database().tables().positions) {
      last_[key] = position.move_no;
    }
  }

 private:
  std::map<PositionKey, std::int32_t> last_;
};

}  // namespace

std::unique_ptr<Checker> check_moves(World& world) { return std::make_unique<Moves>(world); }

}  // namespace turnout::sim
