#pragma once

// Addresses as people write them: "host:port", "10.0.0.7:7460", "[::1]:7460".

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace turnout::link {

struct Address {
  std::string host;  // name or number, without brackets; at most 255 bytes
  std::uint16_t port = 0;
  friend auto operator<=>(const Address&, const Address&) = default;
};

// kInvalid, quoting the text, with the expected form. Host names are lowered. A host may not be
// empty.
base::Result<Address> parse_address(std::string_view text);

// The inverse: brackets where the host has a colon.
std::string format_address(const Address& address);

// The network of a numeric address that one customer or machine usually has to itself: an IPv4
// address alone, an IPv6 address's first 64 bits ("2001:db8::/64"). Other texts are returned as
// they are.
std::string network_of(const std::string& host);

}  // namespace turnout::link
