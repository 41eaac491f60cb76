#pragma once

// A rule's actions, compiled.

#include <vector>

#include "base/result.h"
#include "decide/compiled.h"
#include "track/numbering.h"
#include "track/track.h"

namespace turnout::decide {

// `written`: fields that an action writes are added to it. kInvalid for what does not run yet.
base::Result<CompiledAction> compile_action(const track::Action& source, Columns& columns,
                                            const track::Numbering& numbering,
                                            std::vector<std::size_t>& written);

}  // namespace turnout::decide
