#pragma once

// A peer's name as it stands in its certificate: a URI in subjectAltName,
//
//   turnout:GROUP/NAME          for example turnout:production/a
//
// A URI and not a DNS name, since a peer's name is any 1 to 64 bytes and no host's. Without "//",
// since a URI with an authority must name a host there (RFC 5280 §4.2.1.6), and a group is none.
// Bytes of group and name that are not unreserved in RFC 3986 §2.3 (A–Z a–z 0–9 - . _ ~) are
// written %XX.
//
// Pure. Thread-safe.

#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"

namespace turnout::link {

inline constexpr std::string_view kPeerScheme = "turnout:";

struct GroupPeer {
  std::string group;  // 1–64 bytes
  base::PeerName name;
  friend bool operator==(const GroupPeer&, const GroupPeer&) = default;
};

std::string format_peer_uri(const GroupPeer& peer);

// kInvalid if it is not exactly of that form. The scheme may be in any case, the rest is compared
// byte by byte once decoded.
base::Result<GroupPeer> parse_peer_uri(std::string_view uri);

// Whether a URI means to be one of these, however wrong it is.
bool is_peer_uri(std::string_view uri);

}  // namespace turnout::link
