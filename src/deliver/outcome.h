#pragma once

// What became of one attempt to carry something out.

#include <cstdint>
#include <string>

#include "base/time.h"

namespace turnout::deliver {

enum class How : std::uint8_t {
  kSent,     // the other side took it
  kRetry,    // it did not, and may later
  kRefused,  // it never will, or it cannot be asked: trying again is no use
  kUnknown,  // all was said and no answer came: it may have been taken, so it is not sent again
};

struct Outcome {
  How how = How::kSent;
  std::string answer;        // what the other side said, or what is wrong and what to do
  bool unreachable = false;  // the other side did not answer at all: others need not try just now
  base::Duration retry_after{0};  // asked for by the other side
};

}  // namespace turnout::deliver
