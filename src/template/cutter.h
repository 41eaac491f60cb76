#pragma once

// Cuts a template into text, outputs and tags: the first step of parsing. White space beside dashes
// is taken away here.

#include <deque>
#include <string_view>

#include "base/result.h"

namespace turnout::tmpl {

struct Piece {
  enum class Kind { kText, kOutput, kTag };
  Kind kind = Kind::kText;
  std::string_view whole;   // as written, braces included
  std::string_view name;    // of a tag
  std::string_view inside;  // a text as it goes out; of an output what is between the braces; of a
                            // tag what follows its name
};

// Of views into `text`. Errors as parse_tree().
base::Result<std::deque<Piece>> cut(std::string_view text);

// The lines of a `{% liquid %}` tag as tags; `lines` is a part of `text`.
base::Result<std::deque<Piece>> cut_lines(std::string_view text, std::string_view lines);

}  // namespace turnout::tmpl
