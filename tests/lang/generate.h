#pragma once

// Random well-formed tracks for property tests: every construct of the grammar, names and texts of
// awkward characters, comments everywhere they can stand.

#include <cstdint>
#include <random>

#include "track/track.h"

namespace turnout::lang {

// A track of up to about `size` statements; the same for the same seed.
track::Track random_track(std::uint64_t seed, int size);

}  // namespace turnout::lang
