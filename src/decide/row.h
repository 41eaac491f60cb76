#pragma once

// Conditions tested row by row: the way for everything that has no faster one (select.h), and for
// asking what the answer would be at another instant.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "decide/condition.h"
#include "track/block.h"

namespace turnout::decide {

// The values of one column as they are now. Pointers into the block, or into copies that change as
// rows set fields.
struct ColumnView {
  track::Type type = track::Type::kText;
  const std::uint8_t* present = nullptr;
  const double* number = nullptr;
  const std::uint8_t* boolean = nullptr;
  const std::int64_t* time = nullptr;
  const track::TextColumn* text = nullptr;
  const std::string_view* changed_text = nullptr;  // when set, in place of `text`

  std::string_view text_at(std::size_t row) const {
    return changed_text != nullptr ? changed_text[row] : (*text)[row];
  }
};

ColumnView view_of(const track::Column& column);

class Scopes;

// What the rows of a block say. Holds memos, so each thread has its own; valid as long as the
// block.
class Rows {
 public:
  Rows(const track::ContactBlock& block, const ZoneRule& zone);

  base::Instant now() const { return block_.now; }
  const track::ContactBlock& block() const { return block_; }
  ColumnView& column(std::size_t field) { return columns_[field]; }
  const ColumnView& column(std::size_t field) const { return columns_[field]; }
  const std::uint8_t* tag(std::size_t index) const { return block_.tags[index].data(); }
  const std::uint8_t* place(std::size_t index) const { return block_.places[index].data(); }

  // What dotted names stand for; null where none is used. Outlives the rows' use.
  Scopes* scopes() const { return scopes_; }
  void set_scopes(Scopes* scopes) { scopes_ = scopes; }
  // When the row's step opened: as loaded, or as `step_at` (per row) has it by now.
  base::Instant step_at(std::size_t row) const { return (*step_at_)[row]; }
  void set_step_at(const std::vector<base::Instant>& step_at) { step_at_ = &step_at; }

  bool one_zone() const { return !zone_.field.has_value(); }
  // The zone of the row's contact. The reference holds until the Rows goes.
  const Zone& zone(std::size_t row) const;
  // The local day of `at` in the zone of the row.
  base::Date day_of(std::size_t row, base::Instant at) const;

 private:
  struct Local {
    Zone zone;
    base::Instant at;  // the last instant that was asked for, and its day
    base::Date day;
    bool known = false;
  };
  Local& local(std::size_t row) const;

  const track::ContactBlock& block_;
  const ZoneRule& zone_;
  std::vector<ColumnView> columns_;
  const std::vector<base::Instant>* step_at_ = nullptr;
  Scopes* scopes_ = nullptr;
  mutable Local own_;
  mutable std::unordered_map<std::string, Local> by_name_;
};

// A time of a row: a point (microseconds) or a local day (days).
struct Moment {
  bool present = false;
  bool day = false;
  std::int64_t value = 0;
};

// The time of a term as of `now`. The term is a timestamp or a date.
Moment moment(const Term& term, const Rows& rows, std::size_t row, base::Instant now);

// For a kRelative or kWithin: negative where the time moved by the duration lies beyond now (more
// than D ago, or from now), 0 where it is at or around it, positive where it does not reach it. The
// field is present.
int distance_order(const Node& node, const Rows& rows, std::size_t row, base::Instant now);

// Whether the condition is met for the row as of `now`.
bool test(const Node& node, const Rows& rows, std::size_t row, base::Instant now);

// The earliest instant after `after` at which a comparison with the time in `node` changes its
// answer for the row as its values are, or kNever.
base::Instant next_change(const Node& node, const Rows& rows, std::size_t row, base::Instant after);

}  // namespace turnout::decide
