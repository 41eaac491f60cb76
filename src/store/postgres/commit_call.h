#pragma once

// The call by which a block commits that writes no fields: commit_block of 0002_commit_block.sql.
//
// It means what commit_statement means. There every part is made from the CTE of the rows that
// moved, which is copied into a tuple store and read from it by each part; here each part is a
// statement of its own over the arrays, which takes about four fifths of the time. Blocks that
// write fields keep the other form, since the contact's columns are not known to a function.

#include <cstdint>
#include <span>

#include "store/postgres/statement.h"
#include "store/types.h"

namespace turnout::store::postgres {

// For these rows of the block (indices, in the order in which rows are to be locked). At least one,
// and the block writes no fields. The answer's columns are CommitColumn's.
Statement commit_call(const Commit& commit, std::span<const std::uint32_t> rows);

}  // namespace turnout::store::postgres
