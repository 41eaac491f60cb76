#pragma once

// A statement whose text depends on which parts a block has: every value goes in as a parameter,
// and the text gets its `$n`. Two blocks with the same parts give the same text, which is prepared
// once.

#include <string>
#include <string_view>

#include "store/postgres/binary.h"

namespace turnout::store::postgres {

struct Statement {
  std::string text;
  Params params;

  // The placeholder of the parameter added last: "$7".
  std::string last() const { return "$" + std::to_string(params.size()); }
};

// `text` as a JSON string.
std::string json_quoted(std::string_view text);

}  // namespace turnout::store::postgres
