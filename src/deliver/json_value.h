#pragma once

// Outside data for templates: JSON as values. Pure.

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"
#include "template/value.h"

namespace turnout::deliver {

// kExhausted when it is more than tmpl::kMaxValueDepth deep.
base::Result<tmpl::Value> value_of_json(const nlohmann::ordered_json& json);

}  // namespace turnout::deliver
