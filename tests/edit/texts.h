#pragma once

// What the tests of this room share: texts with a mark where the cursor is.

#include <string>
#include <string_view>

#include "edit/reading.h"
#include "lang/checker.h"
#include "lang/samples.h"

namespace turnout::edit {

inline Reading read_text(std::string text) {
  lang::Analysis analysis = lang::analyse(text, lang::sample_catalogue());
  return read(std::move(text), std::move(analysis));
}

// A text without its mark "|", and where that stood.
struct Marked {
  Reading reading;
  std::size_t at;
};

inline Marked read_marked(std::string text) {
  const std::size_t at = text.find('|');
  text.erase(at, 1);
  return {read_text(std::move(text)), at};
}

inline std::string_view slice(const Reading& reading, Stretch place) {
  return std::string_view(reading.text).substr(place.begin, place.end - place.begin);
}

// The text after edits that do not overlap.
inline std::string edited(std::string text, const std::vector<Edit>& edits) {
  for (auto edit = edits.rbegin(); edit != edits.rend(); ++edit) {
    apply(text, *edit);
  }
  return text;
}

inline std::string sample(const std::string& name) {
  return lang::read_file(std::string(TURNOUT_SOURCE_DIR) + "/tests/lang/tracks/" + name + ".track");
}

}  // namespace turnout::edit
