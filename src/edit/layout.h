#pragma once

#include <vector>

#include "base/result.h"
#include "edit/reading.h"

namespace turnout::edit {

// The edits that lay the text out as `turnout fmt` does: none, or one over the lines that change.
// kInvalid, with a sentence for the user, when the text has mistakes of form.
base::Result<std::vector<Edit>> layout(const Reading& reading);

}  // namespace turnout::edit
