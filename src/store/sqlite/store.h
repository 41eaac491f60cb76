#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "store/store.h"

namespace turnout::store::sqlite {

// The database in the file `path`, which is made by migrate() if it is not there. Does not open it.
base::Result<std::unique_ptr<Store>> open(const std::string& path);

}  // namespace turnout::store::sqlite
