#pragma once

// What is read of a contact `c` beside its row of `position`: its fields, tags and places, its
// events and what its entry holds. One snapshot with the rest of the statement.

#include <cstddef>
#include <string>

#include "store/postgres/binary.h"
#include "store/postgres/statement.h"
#include "store/types.h"
#include "track/block.h"

namespace turnout::store::postgres {

class ReadColumns {
 public:
  // `reads` outlives it. `entries`: the statement has a position `p` beside each contact, of the
  // track `$1`.
  ReadColumns(const Reads& reads, bool entries) : reads_(reads), entries_(entries) {}

  // The columns, with a leading comma each, appended to `out`.
  void select(Statement& s, std::string& out) const;
  // As many nulls of their types.
  std::string nulls() const;
  // Empties the block and gives it its columns.
  void begin(track::ContactBlock& block, std::size_t rows) const;
  // Appends what select() has selected, from column `first` on.
  void read(const Answer& answer, int row, int first, track::ContactBlock& block) const;
  // Whether it asks for what a range of contacts cannot give.
  bool of_entries() const { return reads_.events() || reads_.data; }

 private:
  void select_events(Statement& s, std::string& out) const;

  const Reads& reads_;
  const bool entries_;
};

}  // namespace turnout::store::postgres
