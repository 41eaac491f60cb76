#include "group/config.h"

#include <string_view>

#include "base/text.h"

namespace turnout::group {
namespace {

auto wrong(std::string_view field, std::string_view rule) {
  return base::fail(base::ErrorCode::kInvalid,
                    std::string("group: ").append(field).append(" ").append(rule));
}

}  // namespace

const Profile* find_profile(std::string_view name) {
  for (const Profile& profile : kProfiles) {
    if (name == profile.name) {
      return &profile;
    }
  }
  return nullptr;
}

base::Result<void> Config::validate() const {
  if (name.empty() || name.get().size() > kMaxNameBytes) {
    return wrong("name", "must have 1 to 64 bytes; set `name` to something unique in the group");
  }
  if (incarnation.get() < 1) {
    return wrong("incarnation", "must be drawn from the database, where it counts from 1");
  }
  if (group.empty() || group.size() > kMaxGroupBytes) {
    return wrong("group", "must have 1 to 64 bytes; every peer of one group has the same");
  }
  if (address.size() > kMaxAddressBytes) {
    return wrong("address", "must have at most 255 bytes; set `advertise` to host:port");
  }
  if (cycle < kMinCycle || cycle > kMaxCycle) {
    return wrong("cycle", "must be from 50ms to 120s; 1s suits a local network, 15s others");
  }
  if (miss_limit < 3 || miss_limit > kMaxMissLimit) {
    return wrong("miss_limit", "must be from 3 to 100 cycles; 4 is recommended");
  }
  if (claim_counter < 1 || claim_counter > miss_limit - 2) {
    return wrong("claim_counter",
                 "must be at least 1 and at most miss_limit - 2; 2 is recommended");
  }
  return base::ok();
}

base::Result<void> check_group_size(int peers, Duration cycle) {
  constexpr std::int64_t kMaxStampsPerSecond = 1'000;
  constexpr std::int64_t kMaxAdvertisementsPerSecond = 2'000;
  const std::int64_t us = cycle.count();
  const std::int64_t stamps = std::int64_t{peers} * 1'000'000;
  const std::int64_t heard = std::int64_t{peers - 1} * 1'000'000;
  const std::string sum =
      std::to_string(peers) + " peers at a cycle of " + std::to_string(us / 1000) + " ms are ";
  if (stamps > kMaxStampsPerSecond * us) {
    return base::fail(base::ErrorCode::kInvalid,
                      "group: " + sum + base::with_thousands(stamps / us) +
                          " stamps/s on the database, above 1,000; choose a longer `cycle`");
  }
  if (heard > kMaxAdvertisementsPerSecond * us) {
    return base::fail(base::ErrorCode::kInvalid,
                      "group: " + sum + base::with_thousands(heard / us) +
                          " advertisements/s at each peer, above 2,000; choose a longer `cycle`");
  }
  return base::ok();
}

}  // namespace turnout::group
