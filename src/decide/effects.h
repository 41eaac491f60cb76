#pragma once

// What rules do to the rows of a block while it is decided: fields they set, and payloads of
// actions, both of which take the values of the moment at which the rule fires.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "decide/compiled.h"
#include "decide/row.h"
#include "decide/select.h"
#include "track/block.h"

namespace turnout::decide {

// The value of a term for a row now.
track::Value value_of(const Term& term, const Rows& rows, std::size_t row);

// Fields that rules may set. The block's columns stay as they were loaded; what rules see from now
// on is a copy.
class FieldEffects {
 public:
  // Points `rows` at the copies.
  FieldEffects(const CompiledTrack& compiled, Rows& rows);
  // `set field to value`: nothing happens where the value is missing or cannot be converted.
  void set(std::size_t field, const Term& value, const RowNumber* selection, std::size_t count);
  // `increase`, `decrease`: a missing number counts as 0, a missing time stays missing.
  void add(const CompiledAction& action, const RowNumber* selection, std::size_t count);
  void clear(std::size_t field, const RowNumber* selection, std::size_t count);
  // Fields that some row wrote, with their last values.
  void collect(std::vector<track::BlockOutcome::FieldWrite>& writes) const;

 private:
  struct Copy {
    std::size_t field = 0;
    track::Type type = track::Type::kText;
    bool any = false;
    std::vector<track::BlockOutcome::Written> written;
    std::vector<std::uint8_t> present;
    std::vector<double> number;
    std::vector<double> added;  // where `written` says so: what was added to the value as loaded
    std::vector<std::uint8_t> boolean;
    std::vector<std::int64_t> time;
    std::vector<std::string_view> text;
  };
  Copy& copy_of(std::size_t field);
  void put(Copy& copy, RowNumber row, const track::Value& value);
  static track::Value held(const Copy& copy, RowNumber row);

  Rows& rows_;
  std::vector<Copy> copies_;
  std::deque<std::string> texts_;  // what `text` of the copies points to, beside the block
};

// `set`, `clear` or `increase` of entry.NAME, which has no type: what is set is kept as it is.
void write_entry(const CompiledAction& action, const Rows& rows, std::size_t row, Scopes& scopes);

// JSON that actions carry. One list of pieces per row.
class Payloads {
 public:
  explicit Payloads(std::size_t rows) : last_(rows, -1) {}
  void add(const JsonTemplate& payload, const Rows& rows, const RowNumber* selection,
           std::size_t count);
  // A JSON array with one element per act of the shape, "" when none has a payload. Appended to
  // `out`.
  void write(const track::Shape& shape, std::size_t row, std::string& out) const;

 private:
  struct Piece {
    std::int32_t previous = -1;
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  std::string chars_;
  std::vector<Piece> pieces_;
  std::vector<std::int32_t> last_;  // per row
};

}  // namespace turnout::decide
