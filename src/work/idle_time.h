#pragma once

// How long a peer that has nothing in hand waits for its next block, as a histogram. Whether nobody
// had work or work did not come in time is not told apart here: while there is a backlog somewhere,
// it is the latter. A value: not thread-safe, no I/O, no clock of its own.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace turnout::work {

class IdleTime {
 public:
  // Upper bounds of the buckets, in milliseconds; a last one has no bound.
  static constexpr std::array<int, 11> kBoundsMs = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000};

  // The last block in hand has been settled.
  void begins(base::Tick now) { since_ = now; }
  // A block is taken in.
  void ends(base::Tick now) {
    if (!since_) {
      return;
    }
    const base::Duration waited = now - *since_;
    since_.reset();
    const auto bound = std::find_if(kBoundsMs.begin(), kBoundsMs.end(), [waited](int ms) {
      return waited <= std::chrono::milliseconds(ms);
    });
    ++counts_.at(static_cast<std::size_t>(bound - kBoundsMs.begin()));
    seconds_ += std::chrono::duration<double>(waited).count();
  }

  // Times so far by bucket, not accumulated, and their sum.
  const std::array<std::int64_t, kBoundsMs.size() + 1>& counts() const { return counts_; }
  double seconds() const { return seconds_; }

 private:
  std::optional<base::Tick> since_;
  std::array<std::int64_t, kBoundsMs.size() + 1> counts_{};
  double seconds_ = 0;
};

}  // namespace turnout::work
