#pragma once

// Faults planted in the model on purpose, one at a time, to show that what checks a database would
// find them. For tests only: a ModelStore has none unless it is asked for.

namespace turnout::store::model {

enum class Fault {
  kNone,
  kFenceLeftOut,       // writes for a track do not compare the ledger's fence
  kEpochNotRaised,     // taking a track from somebody leaves its epoch
  kTakeNotCompared,    // taking a row does not compare what was expected
  kMoveNumberLeftOut,  // a commit takes positions that have moved for unmoved
  kDueTimeLeftOut,     // a commit does not compare the due time, by which it sees a wake
  kOutboxForUnmoved,   // actions are put in the outbox for contacts that did not move, too
  kTimerNotDeleted,    // a position that gets another due time keeps its old timer
  kTimerNotMade,       // a position that waits for a time gets no timer
  kStampsFrozen,       // readings of others' stamps always give the same
  kLifeLockGuessed,    // every life lock can be had
  kSameIncarnation,    // a restarted peer is given the incarnation it had
  kDeliveryRetaken,    // a delivery is taken without comparing its state
  kNotHeld,            // none are held after a fail-over
};

}  // namespace turnout::store::model
