#pragma once

// What is read of a contact beside its row of `position`: its fields, tags and places, its events
// and what its entry holds.

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/sqlite/connection.h"
#include "store/types.h"
#include "track/block.h"

namespace turnout::store::sqlite {

// Reads a block's rows one by one, within one read transaction. `reads` and block outlive it.
class ContactReader {
 public:
  // Gives the block its columns. `track`: whose entries are read; 0: contacts alone.
  static base::Result<ContactReader> make(SqliteConnection& connection, base::TrackId track,
                                          const Reads& reads, track::ContactBlock& block);

  // ", c.\"a\", c.\"b\"": the columns of the fields, for the statement that finds the contacts.
  static std::string column_list(const Reads& reads);
  // Appends what belongs to the last row of the block, whose statement has the fields' columns from
  // `first` on. False: the database failed.
  bool append(const Statement& row, int first);

 private:
  struct Place {
    Statement* statement = nullptr;
    const track::OtherPlace* place = nullptr;
  };
  ContactReader(const Reads& reads, track::ContactBlock& block) : reads_(reads), block_(block) {}
  bool append_tags();
  bool append_places();
  bool append_events();
  bool append_data();

  const Reads& reads_;
  track::ContactBlock& block_;
  base::Instant now_;
  Statement* tags_ = nullptr;  // null: not asked for, as below
  std::vector<Place> places_;
  Statement* newest_ = nullptr;
  Statement* events_ = nullptr;
  Statement* data_ = nullptr;
  std::string recalls_;  // names, as a JSON array
  std::string hears_;
  base::TrackId track_{0};
};

}  // namespace turnout::store::sqlite
