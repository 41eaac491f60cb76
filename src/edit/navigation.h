#pragma once

#include <vector>

#include "edit/reading.h"

namespace turnout::edit {

// Where what is named at the offset is declared: a step, test or track by its line, an arm by its
// rules. Empty for all else.
std::vector<Stretch> definitions(const Reading& reading, std::size_t offset);

// Everywhere that the name or field at the offset stands, in the order of the text.
std::vector<Stretch> references(const Reading& reading, std::size_t offset, bool with_declarations);

}  // namespace turnout::edit
