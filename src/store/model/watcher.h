#pragma once

// Sees what happens in the model's tables, step by step, for checks that no statement could make.

#include <cstdint>

#include "store/types.h"

namespace turnout::store::model {

struct Action;
struct Contact;
struct Position;
struct PositionKey;

// All functions do nothing unless overridden. They are called by whichever thread makes the call of
// the session, under the model's mutex: they may look at the tables, and must call no session.
class Watcher {
 public:
  virtual ~Watcher() = default;
  // A row of the ledger has a new owner.
  virtual void on_take(const LedgerRow& before, const LedgerRow& after) {
    (void)before, (void)after;
  }
  // A write for a track has gone through; after all that it wrote. `row` is the ledger's.
  virtual void on_write(const Fence& under, const LedgerRow& row) { (void)under, (void)row; }
  // A commit moves an entry: its move of that number, away from `step`.
  virtual void on_move(const PositionKey& key, std::int32_t move_no, std::int32_t step) {
    (void)key, (void)move_no, (void)step;
  }
  // A commit puts an action in the outbox.
  virtual void on_action(const OutboxKey& key) { (void)key; }
  // A position was written, together with its timer.
  virtual void on_position(const PositionKey& key, const Position& position) {
    (void)key, (void)position;
  }
  // A contact has come or has other values.
  virtual void on_contact(base::ContactId id, const Contact& contact) { (void)id, (void)contact; }
  // A fail-over has taken everything back to what it was some time before.
  virtual void on_set_back() {}
  // A delivery was taken, noted or given up; it was in state `before`.
  virtual void on_delivery(const OutboxKey& key, OutboxState before, const Action& after) {
    (void)key, (void)before, (void)after;
  }
};

}  // namespace turnout::store::model
