#pragma once

#include <optional>
#include <string>

#include "edit/reading.h"
#include "track/catalogue.h"

namespace turnout::edit {

// What stands at a place, told in plain text.
struct Hover {
  std::string text;
  Stretch place;
};

// A field's type, a name's part in the track, a keyword's meaning; nothing for anything else.
// Linear in the number of names.
std::optional<Hover> hover(const Reading& reading, const track::Catalogue& catalogue,
                           std::size_t offset);

}  // namespace turnout::edit
