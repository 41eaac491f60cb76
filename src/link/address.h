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

}  // namespace turnout::link
