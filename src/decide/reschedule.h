#pragma once

// When who waits for a delayed move would wait for, had the move been made by this version of the
// track.

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.h"
#include "decide/compiled.h"
#include "track/block.h"

namespace turnout::decide {

// The move that closed a position: by the rule of that number on the step `from`, in whichever
// version that was.
struct ClosingMove {
  std::int32_t from = 0;
  std::int32_t rule = 0;
  base::Instant at;
};

// What ContactBlock::stayed of the row is to be for it to be looked at now and then wait anew;
// nullopt: it keeps its time. The rule is the one at the same place of that step, if it leads to
// the row's step after a time (or rests there), else the only one that does so.
std::optional<std::uint64_t> reschedule(const CompiledTrack& compiled, track::ContactBlock& block,
                                        std::size_t row, const ClosingMove& move);

}  // namespace turnout::decide
