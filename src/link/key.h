#pragma once

// The group's key: 32 random bytes that every peer of a group holds in a file made by `turnout
// keygen`. Whoever holds it can be any peer. The file is text:
//
//   # Turnout group key: who holds this can join the group. Keep it secret.
//   turnout-group-key 1
//   id 3f9c1a2b7d5e6f80
//   key 64 hexadecimal digits
//
// Functions here are thread-safe as far as the files they work on are.

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"

namespace turnout::link {

inline constexpr std::size_t kKeyBytes = 32;
inline constexpr std::size_t kMaxKeyId = 32;  // bytes of [A-Za-z0-9._-]; at least 1

struct GroupKey {
  std::string id;  // not secret: it travels in clear
  std::array<unsigned char, kKeyBytes> secret{};

  GroupKey() = default;
  GroupKey(const GroupKey&) = default;
  GroupKey& operator=(const GroupKey&) = default;
  ~GroupKey();  // wipes the secret
};

// A new key from the system's random source, with a random id. kInternal if there is no randomness.
base::Result<GroupKey> generate_key();

// The text of a key file.
std::string format_key(const GroupKey& key);

// kInvalid, naming `origin` and the line, if the text is no key file of a version we know.
base::Result<GroupKey> parse_key(std::string_view text, std::string_view origin);

// Writes a new key to `path`, mode 0600, synced to disk. kConflict if the file exists (it is never
// overwritten); kUnavailable if it cannot be written.
base::Result<GroupKey> generate_key_file(const std::string& path);

// kNotFound or kUnavailable if it cannot be read; kInvalid if it is no key file, or if users other
// than its owner and group may read or write it.
base::Result<GroupKey> read_key_file(const std::string& path);

// Who speaks to whom, under which key: the identity of the external pre-shared key of one
// connection (RFC 8446 §2.2). It travels in clear in the caller's first flight.
struct PskIdentity {
  std::string group;
  std::string key_id;
  base::PeerName caller;
  base::PeerName callee;  // empty while the caller knows an address only: the Hello inside TLS then
                          // says who it is
};

// "turnout/1", then each field behind a length byte. CHECKs that fields are at most 64 bytes.
std::string encode_identity(const PskIdentity& identity);
// kInvalid if it is not exactly such an identity.
base::Result<PskIdentity> decode_identity(std::string_view bytes);

// HKDF-SHA256 (RFC 5869) of the group's key with the encoded identity as info, 32 bytes. So each
// direction of each pair has a key of its own (RFC 9257 §4.1: no reflection).
std::array<unsigned char, kKeyBytes> derive_psk(const GroupKey& key, std::string_view identity);

}  // namespace turnout::link
