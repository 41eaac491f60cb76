#pragma once

// When the time alone may change whether a rule is met.

#include <cstddef>

#include "base/time.h"
#include "decide/compiled.h"
#include "decide/row.h"

namespace turnout::decide {

// The first instant after `after` at which the clock brings an `after`, `once at` or `every` rule
// about for a contact whose step opened at `step_at`; kNever for none, and for other rules.
base::Instant turn_after(const CompiledRule& rule, const Rows& rows, std::size_t row,
                         base::Instant step_at, base::Instant after);

// The first instant after `after` at which the time alone may change whether the rule is met, or
// kNever.
base::Instant next_answer(const CompiledRule& rule, const Rows& rows, std::size_t row,
                          base::Instant step_at, base::Instant after);

// The first instant in [from, now] at which a comparison with the time changed its answer, or
// kNever.
base::Instant turned(const CompiledRule& rule, const Rows& rows, std::size_t row,
                     base::Instant step_at, base::Instant from);

}  // namespace turnout::decide
