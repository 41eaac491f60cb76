#pragma once

// What a peer is told about itself and its group. One Config serves Member, Dispatcher and Worker.

#include <chrono>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"

namespace turnout::group {

using base::Duration;
using base::Epoch;
using base::Incarnation;
using base::PeerName;
using base::Tick;
using base::Timeline;
using base::TrackId;

// The versions of the peers' protocol that this program speaks: its own and the one before, so that
// a group can be upgraded peer by peer. Two peers speak the newest that both know.
inline constexpr int kProtocolVersion = 2;
inline constexpr int kOldestProtocolVersion = 1;

inline constexpr Duration kMinCycle = std::chrono::milliseconds(50);
inline constexpr Duration kMaxCycle = std::chrono::seconds(120);
inline constexpr std::size_t kMaxNameBytes = 64;
inline constexpr std::size_t kMaxGroupBytes = 64;
inline constexpr std::size_t kMaxAddressBytes = 255;
inline constexpr int kMaxMissLimit = 100;
inline constexpr int kMaxSlots = 10'000;

// What suits a kind of network.
struct Profile {
  const char* name;  // "lan", "wan", "slow"
  Duration cycle;    // period of the advertisement
  Duration latency;  // one way, that such a network is likely to have
};
inline constexpr Profile kProfiles[] = {
    {"lan", std::chrono::seconds(1), std::chrono::milliseconds(1)},
    {"wan", std::chrono::seconds(15), std::chrono::milliseconds(50)},
    {"slow", std::chrono::seconds(30), std::chrono::milliseconds(250)}};
// Null if there is none of that name. Lives as long as the program.
const Profile* find_profile(std::string_view name);

struct Config {
  // Unique in the group, 1–64 bytes; orders peers bytewise: the lowest is elected master (WO
  // 00/08823 pp. 9, 14).
  PeerName name;
  // Number of this life of the peer, drawn from the database at its start (Start in start.h says
  // when it may be). At least 1, and above that of every earlier life of the same name.
  Incarnation incarnation;
  // Name of the group, 1–64 bytes. Peers of another group are refused.
  std::string group = "turnout";
  // "host:port" under which others reach this peer; at most 255 bytes.
  std::string address;
  // Period of the advertisement, 50 ms – 120 s. 1 s on a local network, 15 s where the source's
  // preferred period is wanted, 30 s on slow networks. Every peer should have the same; where they
  // differ, the slower one of reader and peer counts. A shorter cycle notices a silent peer sooner
  // and costs N·(N−1) messages and N stamps per cycle.
  Duration cycle = std::chrono::seconds(1);
  // Cycles of silence after which a peer is unavailable: M, 3 – 100, at least claim_counter + 2. 4
  // as in the source (p. 6).
  int miss_limit = 4;
  // Advertisements that a claim must survive: K, 1 – miss_limit − 2. 2 as in the source (p. 7).
  // Higher values give challenges more time on a slow network. A peer is suspect after miss_limit −
  // K cycles, so that one advertisement that comes late is no reason for anything.
  int claim_counter = 2;

  // kInvalid, naming the field, its range and what to do.
  base::Result<void> validate() const;
};

// Refuses a group whose protocol alone would be too much traffic: more than 1,000 stamps/s in all,
// or 2,000 advertisements/s at one peer. kInvalid with the arithmetic. `peers` includes this one.
base::Result<void> check_group_size(int peers, Duration cycle);

}  // namespace turnout::group
