#pragma once

#include <optional>
#include <string>

#include "edit/reading.h"
#include "lang/diagnostic.h"

namespace turnout::edit {

struct Fix {
  std::string title;  // "write when"
  Edit edit;
};

// The edit that does what the diagnostic's hint says, where the hint says it to the letter: `did
// you mean …` and `write …`. The diagnostic is one of the reading's.
std::optional<Fix> fix_for(const Reading& reading, const lang::Diagnostic& diagnostic);

}  // namespace turnout::edit
