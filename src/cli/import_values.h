#pragma once

// The cells of an imported file as values: what type a column has, and how a cell is read as that
// type.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "track/value.h"

namespace turnout::cli {

// The cell as a value of the type; an empty one is missing. nullopt when it cannot be read so.
//   number     decimal with "." and exponent: "12", "-3.5", "1e6"; blanks around it do not count
//   boolean    yes, no, true, false in any case; 1 and 0
//   date       2026-12-01
//   timestamp  2026-12-01T09:00[:30[.5]][Z|+02:00], a blank for the T, or a date alone
//   text       as it is
std::optional<track::Value> read_cell(std::string_view cell, track::Type type);

// "a number (such as 12 or -3.5)" …
const char* what_is_wanted(track::Type type);

// Guesses a column's type from its cells: the narrowest of number, boolean, date, timestamp that
// fits all that are not empty; text when none does or all are empty. Numbers with a leading zero
// ("007") are text: they are codes.
class TypeGuess {
 public:
  void see(std::string_view cell);
  track::Type type() const;

 private:
  bool any_ = false;
  bool number_ = true;
  bool boolean_ = true;
  bool date_ = true;
  bool timestamp_ = true;
};

// A column's title as a field's name: other characters than letters, digits and "_" become "_",
// runs of them one, those at the ends none; a leading digit gets a "_" before it. "" when nothing
// is left.
std::string field_name_of(std::string_view title);

// Text with places: "client-{row:05}", "{key}@example.com". "{{" and "}}" stand for braces.
class KeyTemplate {
 public:
  // kInvalid when the braces are wrong or a place names none of `names`.
  static base::Result<KeyTemplate> parse(std::string_view text,
                                         const std::vector<std::string>& names);
  // `values` is parallel to `names`.
  std::string fill(const std::vector<std::string_view>& values) const;

 private:
  struct Piece {
    std::string text;  // before the place
    std::optional<std::size_t> name;
    std::size_t width = 0;  // padded to it with zeros
  };
  std::vector<Piece> pieces_;
};

}  // namespace turnout::cli
