#include "group/message.h"

#include "base/hash.h"

namespace turnout::group {

std::uint64_t owned_hash(const OwnedTrack& track) {
  std::uint64_t h = base::mix64(static_cast<std::uint64_t>(track.track.get()));
  h = base::mix64(h ^ static_cast<std::uint64_t>(track.timeline.get()));
  return base::mix64(h ^ static_cast<std::uint64_t>(track.epoch.get()));
}

Incarnation incarnation_of(const Message& message) {
  return std::visit([](const auto& m) { return m.incarnation; }, message);
}

}  // namespace turnout::group
