#pragma once

// Faults planted on purpose, at the seams between the state machines and their world, to show that
// each checker can fail (G8). One at a time.

namespace turnout::sim {

enum class Mutant {
  kNone,
  kFenceLeftOut,       // a commit does not compare the ledger's fence
  kEpochNotRaised,     // taking a track leaves its epoch
  kTakeNotCompared,    // taking a row does not compare what was expected
  kMoveNumberLeftOut,  // a commit does not compare the move number
  kOutboxForUnmoved,   // actions are put in the outbox for contacts that did not move, too
  kTimerNotDeleted,    // a move leaves the old timer
  kTimerNotMade,       // a move to a waiting step makes no timer
  kRetestForgotten,    // a change of a contact in an outstanding block is forgotten
  kStampsFrozen,       // readings of others' stamps always give the same
  kLifeLockGuessed,    // a connection that ended counts as a process that ended
  kSameIncarnation,    // a restarted peer takes no new incarnation
  kMasterLostIgnored,  // a master that has lost its row hands out deliveries all the same
  kCreditDoubled,      // an owner reads twice the credit it was granted
  kDeliveryRetaken,    // a delivery is taken without comparing its state
};

}  // namespace turnout::sim
