#pragma once

// Values written as JSON (RFC 8259) the way JSON.stringify does it.

#include <string>
#include <string_view>

#include "base/result.h"
#include "template/budget.h"
#include "template/value.h"

namespace turnout::tmpl {

// kExhausted when `to` would pass kMaxTextBytes.
base::Result<void> append_json(std::string& to, const Value& value, std::string_view indent,
                               Budget& budget);

}  // namespace turnout::tmpl
