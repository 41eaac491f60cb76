#pragma once

// The SQL that stands in a track: `run on`, `look up`, `gather from`.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace turnout::track {

// `:email` or `:row.invoice_no`: a value that is bound in its place.
struct BoundName {
  std::string name;       // without the colon
  std::size_t begin = 0;  // of the colon; bytes from the start of the text
  std::size_t end = 0;
};

// In the order in which they stand, each as often as it does. Colons in quotes ('…', "…", and
// PostgreSQL's $tag$…$tag$), in comments (-- and /* */) and in `::` begin no name.
std::vector<BoundName> bound_names(std::string_view sql);

}  // namespace turnout::track
