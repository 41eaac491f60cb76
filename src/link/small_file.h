#pragma once

// Small files of secrets and certificates, read whole. Thread-safe.

#include <cstddef>
#include <string>

#include "base/result.h"

namespace turnout::link {

enum class Privacy {
  kPublic,
  kSecret,  // refused if users other than its owner and group may use it, or its group may write it
};

// The file's bytes. `what` names it in errors ("the group key"). kNotFound or kUnavailable if it
// cannot be read; kInvalid if it is no regular file, has more than `most` bytes, or is not private
// enough.
base::Result<std::string> read_small_file(const std::string& path, const std::string& what,
                                          std::size_t most, Privacy privacy);

}  // namespace turnout::link
