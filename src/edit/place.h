#pragma once

// What an editor is told about a track while it is written: mistakes, meanings, completions, places
// of names, an outline, edits. Everything here is a function of the text and the catalogue; the
// protocol that editors speak (Language Server Protocol 3.17) is a matter of room `cli`.
//
// This file: where things are in a text. Inside the room places are offsets in bytes; editors count
// lines, and in a line UTF-16 units unless they say otherwise.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "track/track.h"

namespace turnout::edit {

// Bytes [begin, end) of a text.
struct Stretch {
  std::size_t begin = 0;
  std::size_t end = 0;
  friend bool operator==(const Stretch&, const Stretch&) = default;
};

inline Stretch stretch(const track::Span& span) { return {span.begin, span.end}; }

// The text that is to stand in place of what is there.
struct Edit {
  Stretch place;
  std::string text;
  friend bool operator==(const Edit&, const Edit&) = default;
};

// What columns count.
enum class Units { kUtf8, kUtf16, kUtf32 };

// Both from 0.
struct Position {
  std::size_t line = 0;
  std::size_t column = 0;
  friend bool operator==(const Position&, const Position&) = default;
};

// Where the lines of a text begin, and how many units stand before some of its places, so that a
// look-up costs little however long lines are. A line ends in "\n", "\r\n" or "\r",
// as the protocol has it; to the track language only "\n" ends one, which matters to nobody but
// diagnostics. Bytes that are not UTF-8 count as one unit each. Does not keep the text: it is
// handed in again, unchanged.
class Lines {
 public:
  explicit Lines(std::string_view text);

  std::size_t count() const { return begins_.size(); }
  // Of an offset that may lie beyond the text, which then means its end; within a character it
  // means its beginning.
  Position position(std::string_view text, std::size_t offset, Units units) const;
  // A column behind the end of its line means that end, a line behind the last the end of the text,
  // a column within a character its beginning.
  std::size_t offset(std::string_view text, Position position, Units units) const;

 private:
  // A place at the beginning of a character, and how much stands before it.
  struct Mark {
    std::size_t offset = 0;
    std::size_t utf16 = 0;
    std::size_t utf32 = 0;
    std::size_t in(Units units) const;
  };
  static void step(std::string_view text, Mark& mark);
  Mark mark_before(std::string_view text, std::size_t offset) const;

  std::vector<std::size_t> begins_;
  std::vector<Mark> marks_;
};

// The text after an edit. A place beyond the text, or one that ends before it begins, is cut to
// what there is.
void apply(std::string& text, const Edit& edit);

}  // namespace turnout::edit
