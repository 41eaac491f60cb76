#pragma once

// Conditions over selections: a selection is a list of row numbers, and a condition splits it into
// the rows that it is met for and the rest. `and` tries its next operand on what is left of the
// first list, `or` on what is left of the second, so every row is tested no further than needed and
// nothing is allocated.

#include <cstddef>
#include <cstdint>

#include "decide/row.h"

namespace turnout::decide {

using RowNumber = std::uint32_t;

// Splits rows[0 … count) into `met` and `rest`, each with room for `count`; returns how many are
// met. `rows` may be the same memory as `met` or as `rest`, which may not overlap otherwise. The
// order within a list is not kept.
std::size_t split(const Node& node, const Rows& rows, const RowNumber* selection, std::size_t count,
                  RowNumber* met, RowNumber* rest);

}  // namespace turnout::decide
