#pragma once

// `forloop` and `tablerowloop`.

#include <cstddef>
#include <string>
#include <string_view>

#include "template/value.h"

namespace turnout::tmpl {

// Where a loop is.
struct LoopState {
  bool table = false;
  std::string name;
  std::size_t index = 0;
  std::size_t length = 0;
  std::size_t columns = 1;  // of a tablerow; 1 and up
};

// index, index0, rindex, rindex0, first, last, length, name; of a tablerow also row, col, col0,
// col_first, col_last. A missing value for any other name.
Value loop_member(const LoopState& loop, std::string_view name);
// All of them.
Value loop_object(const LoopState& loop);

}  // namespace turnout::tmpl
