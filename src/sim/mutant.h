#pragma once

// Faults planted on purpose, at the seams between the state machines and their world, to show that
// each checker can fail (G8). One at a time: of a peer's process, or of the database.

#include "store/model/fault.h"

namespace turnout::sim {

// What a faulty host does.
enum class Mutant {
  kNone,
  kRetestForgotten,    // a change of a contact in an outstanding block is forgotten
  kMasterLostIgnored,  // a master that has lost its row hands out deliveries all the same
  kCreditDoubled,      // an owner reads twice the credit it was granted
};

struct Planted {
  Mutant host = Mutant::kNone;
  store::model::Fault database = store::model::Fault::kNone;
};

}  // namespace turnout::sim
