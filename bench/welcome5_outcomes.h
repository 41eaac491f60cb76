#pragma once

// What WELCOME-5 decides, said by hand: for the limit, which gets its outcomes beforehand, and for
// measuring the store alone. Independent of room `decide`.

#include <cstdint>

#include "support/welcome5.h"
#include "track/block.h"
#include "track/numbering.h"

namespace turnout::bench {

enum class Form {
  kWhole,  // through as many steps as they can
  kHops,   // every move committed on its own
};

// The outcome of each row of the block, which stands on one of the track's steps. A row's contact
// id is its number in WELCOME-5. Hop by hop the next step is due at block.now.
track::BlockOutcome welcome5_outcome(const track::Numbering& numbering, Form form,
                                     const track::ContactBlock& block);

}  // namespace turnout::bench
