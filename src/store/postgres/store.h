#pragma once

// The Store on PostgreSQL 14 or newer.

#include <memory>
#include <string>

#include "store/store.h"

namespace turnout::store::postgres {

// `url`: a PostgreSQL URI or a "key=value" string, several hosts allowed. Does not connect;
// kInvalid when libpq cannot parse it.
base::Result<std::unique_ptr<Store>> open_postgres(const std::string& url);

}  // namespace turnout::store::postgres
