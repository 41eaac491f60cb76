#pragma once

// Declared fields as columns of the table `contact`.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/sql/connection.h"
#include "track/catalogue.h"

namespace turnout::store::sql {

// True for names that the table `contact` has or a database gives to columns of its own, without
// regard to case.
bool is_reserved(std::string_view column);
// kInvalid with what is wrong and what would be right: reserved, too long, or not made of letters,
// digits and '_'.
base::Result<void> check_field(const track::Field& field);
// Those of `fields` that are not in the catalogue yet, with their columns. kConflict when one is
// there with another type or differs from one in case only, else as check_field.
base::Result<std::vector<track::Field>> missing_fields(const track::Catalogue& known,
                                                       const std::vector<track::Field>& fields);
// A name in double quotes, those inside doubled: for the few places where SQL takes no parameter.
std::string quoted(std::string_view name);
// The type of a field's column.
const char* column_type(Dialect dialect, track::Type type);

}  // namespace turnout::store::sql
