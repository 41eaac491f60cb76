#pragma once

// Where in a track something is being written. For completion.

#include <cstdint>

#include "edit/reading.h"

namespace turnout::edit {

// The token that is being written, or else the one that the place stands before.
struct Spot {
  std::size_t token = 0;
  bool written = false;  // `token` is being written
  Stretch place;         // what of it completion replaces
};

Spot spot_at(const Reading& reading, std::size_t offset);

// Whether a comment stands between the last token before the offset and the offset.
bool in_comment(const Reading& reading, const Spot& spot, std::size_t offset);

// Whether no other token stands before it on its line.
bool first_on_line(const Reading& reading, const Spot& spot);

// Whether a brace is open, looking back no farther than to where the step begins.
bool in_json(const Reading& reading, const Spot& spot);

// What part of the file a place is in: before the track's name, among its clauses, in a step, in a
// test.
enum class Section : std::uint8_t { kHead, kClauses, kStep, kTest };

struct Surroundings {
  Section section = Section::kHead;
  bool in_rule = false;    // of a step: a rule has begun
  bool gathering = false;  // a `gather` clause stands right before, and may go on
};

Surroundings surroundings(const Reading& reading, std::size_t token);

}  // namespace turnout::edit
