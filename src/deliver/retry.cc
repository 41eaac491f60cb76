#include "deliver/retry.h"

#include <algorithm>
#include <iterator>

namespace turnout::deliver {

std::optional<base::Duration> retry_delay(std::int32_t attempt, std::uint64_t random) {
  using std::chrono::hours;
  using std::chrono::minutes;
  using std::chrono::seconds;
  static constexpr base::Duration kDelays[kMaxAttempts - 1] = {seconds(10), minutes(1), minutes(5),
                                                               minutes(30), hours(2),   hours(6),
                                                               hours(12),   hours(24),  hours(24)};
  if (attempt >= kMaxAttempts) {
    return std::nullopt;
  }
  const base::Duration delay = kDelays[std::max(attempt, 1) - 1];
  constexpr std::int64_t kParts = 4'001;  // from −20.00 % to +20.00 %
  const auto part = static_cast<std::int64_t>(random % kParts) - kParts / 2;
  return delay + delay * part / 10'000;
}

}  // namespace turnout::deliver
