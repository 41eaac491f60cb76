#pragma once

// What one rendering has used of the limits.

#include <string>
#include <string_view>

#include "base/result.h"
#include "template/limits.h"

namespace turnout::tmpl {

class Budget {
 public:
  // Each: kExhausted when the limit is passed.
  base::Result<void> steps(std::size_t count) {
    return take(steps_, count, kMaxSteps, "takes more than", "steps; make it simpler");
  }
  base::Result<void> reading(std::string_view text) {
    return steps(1 + text.size() / kBytesPerStep);
  }
  base::Result<void> iteration() {
    return take(iterations_, 1, kMaxIterations, "goes through more than",
                "turns of its loops; use limit");
  }
  base::Result<void> text(std::size_t bytes) {
    if (bytes > kMaxTextBytes) {
      return base::fail(base::ErrorCode::kExhausted, "a text would become longer than " +
                                                         std::to_string(kMaxTextBytes) + " bytes");
    }
    return made(bytes);
  }
  base::Result<void> array(std::size_t items) {
    if (items > kMaxItems) {
      return base::fail(base::ErrorCode::kExhausted,
                        "an array would have more than " + std::to_string(kMaxItems) + " items");
    }
    TRYV(steps(items));
    return made(items * kItemBytes);
  }

 private:
  static constexpr std::size_t kItemBytes = 32;

  base::Result<void> made(std::size_t bytes) {
    return take(made_, bytes, kMaxMadeBytes, "makes more than", "bytes of texts and arrays");
  }

  static base::Result<void> take(std::size_t& used, std::size_t count, std::size_t most,
                                 const char* verb, const char* what) {
    if (count > most - used) {
      return base::fail(base::ErrorCode::kExhausted, std::string("the template ") + verb + " " +
                                                         std::to_string(most) + " " + what);
    }
    used += count;
    return base::ok();
  }

  std::size_t steps_ = 0;
  std::size_t iterations_ = 0;
  std::size_t made_ = 0;
};

}  // namespace turnout::tmpl
