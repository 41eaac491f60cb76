#pragma once

// SHA-256 (FIPS 180-4) and HMAC with it (RFC 2104), by libsodium, for two filters. Pure.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace turnout::tmpl {

using Digest = std::array<std::uint8_t, 32>;

Digest sha256(std::string_view text);
Digest hmac_sha256(std::string_view key, std::string_view text);
std::string hex(const Digest& digest);  // lower case

}  // namespace turnout::tmpl
