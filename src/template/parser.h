#pragma once

// Makes a syntax tree of a template.

#include "base/result.h"
#include "template/tree.h"

namespace turnout::tmpl {

// Fills the tree in from its source. Errors as Template::parse().
base::Result<void> parse_tree(Tree& tree);

}  // namespace turnout::tmpl
