#pragma once

// When a delivery that failed is tried again: 10 s, 1 min, 5 min, 30 min, 2 h, 6 h, 12 h, 24 h, 24
// h, each made longer or shorter by up to a fifth so that what failed together does not come back
// together. After the tenth attempt it rests.

#include <cstdint>
#include <optional>

#include "base/time.h"

namespace turnout::deliver {

inline constexpr std::int32_t kMaxAttempts = 10;

// After `attempt` (1 for the first) has failed; `random` are any 64 random bits. nullopt: no
// further attempt.
std::optional<base::Duration> retry_delay(std::int32_t attempt, std::uint64_t random);

}  // namespace turnout::deliver
