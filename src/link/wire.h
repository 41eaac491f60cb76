#pragma once

// Messages to frames and back (link/wire.proto). Pure functions, thread-safe.
//
// Decoding trusts nothing: sizes, ranges and enumerations are checked, so that what comes out of it
// is a message that a peer of this version could have made. What a later version made and we do not
// know comes out as Unknown.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "group/message.h"
#include "link/hint.h"

namespace turnout::link {

enum class Channel : std::uint8_t { kControl, kBulk };

inline constexpr std::size_t kMaxItems = 200'000;  // of one block, report or handout

// First frame of each side on each connection.
struct Hello {
  std::int32_t oldest = group::kOldestProtocolVersion;  // that its sender speaks
  std::int32_t newest = group::kProtocolVersion;
  std::string group;
  base::PeerName name;
  base::Incarnation incarnation;
  std::uint64_t life = 0;
  std::string address;
  Channel channel = Channel::kControl;
  std::uint64_t session = 0;
};

// Instead of a Hello, before closing. Codes are those of wire.proto.
struct Refuse {
  std::uint32_t code = 0;
  std::string message;
};

struct Addresses {
  std::vector<std::pair<base::PeerName, std::string>> peers;
};

struct Unknown {};

using Incoming =
    std::variant<Unknown, Hello, Refuse, Addresses, group::Message, group::Handout, Hint>;

// A whole frame, header included. The result may be larger than a channel allows; the caller looks.
std::string encode(const Hello& hello);
std::string encode(const Refuse& refuse);
std::string encode(const Addresses& addresses);
std::string encode(const group::Message& message);
std::string encode(const group::Handout& handout);
std::string encode(const Hint& hint);

// The body of one frame. kInvalid if it is no Envelope, or holds what no peer of this version
// sends.
base::Result<Incoming> decode(std::string_view body);

}  // namespace turnout::link
