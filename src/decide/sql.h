#pragma once

// A condition as SQL over `contact c`. Where SQL cannot say what is meant (regular expressions,
// local days of contacts with their own zones), it says something wider, so that no contact is
// missed; under a `not` something narrower.

#include "decide/condition.h"
#include "decide/gather.h"

namespace turnout::decide {

SqlCondition to_sql(const Node& where, const Columns& columns, Dialect dialect, base::Instant now,
                    int first_parameter);

}  // namespace turnout::decide
