#include "template/sha256.h"

#include <sodium.h>

namespace turnout::tmpl {
namespace {

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

Digest sha256(std::string_view text) {
  Digest digest{};
  static_assert(std::tuple_size_v<Digest> == crypto_hash_sha256_BYTES);
  crypto_hash_sha256(digest.data(), bytes(text), text.size());
  return digest;
}

Digest hmac_sha256(std::string_view key, std::string_view text) {
  Digest digest{};
  static_assert(std::tuple_size_v<Digest> == crypto_auth_hmacsha256_BYTES);
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, bytes(key), key.size());
  crypto_auth_hmacsha256_update(&state, bytes(text), text.size());
  crypto_auth_hmacsha256_final(&state, digest.data());
  return digest;
}

std::string hex(const Digest& digest) {
  std::string text(2 * digest.size() + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), digest.data(), digest.size());
  text.pop_back();
  return text;
}

}  // namespace turnout::tmpl
