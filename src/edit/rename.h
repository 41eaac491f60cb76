#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "edit/reading.h"

namespace turnout::edit {

// What can get another name at a place: a step of this track.
struct Renamable {
  Stretch place;  // inside the quotes
  std::string text;
};

std::optional<Renamable> renamable(const Reading& reading, std::size_t offset);

// The edits that give the step at the offset its new name: on its own line, in `go to`, `start at`,
// `expect on step` and comparisons of `visit.step`, and in `on track … at` and `put on track … at`
// where they name this very track. kInvalid, with a sentence for the user, when no step stands
// there or the name will not do.
base::Result<std::vector<Edit>> rename(const Reading& reading, std::size_t offset,
                                       std::string_view new_name);

}  // namespace turnout::edit
