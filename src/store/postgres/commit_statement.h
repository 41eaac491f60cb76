#pragma once

// The one statement by which a block commits that writes fields; see commit_call.h for the others.
//
// A chain of CTEs. `fence` locks the ledger's row FOR SHARE and gives it only when (timeline,
// epoch) are still the block's; `moved` updates the positions by compare-and-set and gives what
// really moved; everything else is made from `moved`. So what did not move leaves no trace, and all
// of it is there or none.
//
// How it is made fast. Each row carries the number of its shape; what belongs to the shape
// (moves, actions, counts) stands in small arrays that are subscripted, which takes constant time
// on arrays of fixed-length elements without nulls. Outbox, tag and tally rows come from a
// set-returning function in the select list (no materialisation per row). Parts that a block does
// not have are left out of the text. No two CTEs are joined: a table is always the inner side of a
// nested loop over `moved`, because every key column is compared with a column of the CTE, so that
// the table alone could only be read by a sequential scan, which is switched off.

#include <cstdint>
#include <span>
#include <vector>

#include "store/postgres/statement.h"
#include "store/types.h"

namespace turnout::store::postgres {

// For these rows of the block (indices, in the order in which rows are to be locked). At least one.
Statement commit_statement(const Commit& commit, std::span<const std::uint32_t> rows);

// Which of these rows this very commit has written already: asked when the connection broke before
// the answer came and the repeated statement found rows moved. Columns: index in `rows` from 1, and
// whether it was a move.
Statement recognise_statement(const Commit& commit, std::span<const std::uint32_t> rows);

// The columns of the single row that commit_statement and commit_call give.
enum CommitColumn : std::uint8_t {
  kFenceHeld = 0,  // boolean
  kMovedRows = 1,  // integer[]: 1-based indices in `rows`; null when all moved or none was tried
};

// The due time that is written. A row that moved and would be due at the same microsecond as before
// is due one later, so that its old timer and its new one are never the same row.
base::Instant new_due(const track::ContactBlock& before, const track::BlockOutcome& after,
                      std::uint32_t row);

// What each row of a shape adds to the tally: how often each rule fired, and that it came to a step
// or outcome and went from one.
struct ShapeCount {
  std::int32_t shape = 0;  // index into the outcome's shapes, ascending
  track::Shape::Count count;
};
std::vector<ShapeCount> shape_counts(const track::BlockOutcome& after);

}  // namespace turnout::store::postgres
