#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "base/time.h"

namespace turnout::cli {

// Something to be done at once when it is wanted, and not more often than once per `pause` however
// often it is wanted. One thread at a time.
class Paced {
 public:
  explicit Paced(base::Duration pause) : pause_(pause) {}
  void want() { wanted_ = true; }
  // True when it is to be done now.
  bool take(base::Tick now) {
    if (!wanted_ || now < next()) {
      return false;
    }
    wanted_ = false;
    done_at_ = now;
    return true;
  }
  // When it is to be done, if it is wanted.
  base::Tick next() const {
    if (!wanted_) {
      return base::Tick{std::numeric_limits<std::int64_t>::max()};
    }
    return done_at_ ? *done_at_ + pause_ : base::Tick{};
  }

 private:
  const base::Duration pause_;
  bool wanted_ = false;
  std::optional<base::Tick> done_at_;
};

}  // namespace turnout::cli
