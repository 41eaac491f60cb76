#include "link/tls.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <utility>

#include "base/check.h"
#include "link/openssl.h"

namespace turnout::link {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;

constexpr const char* kSuites = "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256";
constexpr std::array<unsigned char, 2> kAes128GcmSha256 = {0x13, 0x01};

// What a server context accepts.
struct Ring {
  std::string group;
  base::PeerName self;
  std::vector<GroupKey> keys;
};

// What belongs to one connection.
struct PeerSecret {
  PskIdentity identity;
  std::string encoded;
  std::array<unsigned char, kKeyBytes> psk{};

  PeerSecret() = default;
  PeerSecret(const PeerSecret&) = delete;
  PeerSecret& operator=(const PeerSecret&) = delete;
  ~PeerSecret() { OPENSSL_cleanse(psk.data(), psk.size()); }
};

// OpenSSL numbers the places for foreign data once per process. Asio uses the one called "app data"
// itself.
int ring_index() {
  static const int index =
      SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_foreign_data<Ring>);
  return index;
}

int secret_index() {
  static const int index =
      SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, free_foreign_data<PeerSecret>);
  return index;
}

void keep_secret(SSL* ssl, std::unique_ptr<PeerSecret> secret) {
  delete static_cast<PeerSecret*>(SSL_get_ex_data(ssl, secret_index()));
  CHECK(SSL_set_ex_data(ssl, secret_index(), secret.release()) == 1);
}

// A session that stands for the external key, bound to SHA-256 by its suite.
SSL_SESSION* make_session(SSL* ssl, const std::array<unsigned char, kKeyBytes>& psk) {
  const SSL_CIPHER* suite = SSL_CIPHER_find(ssl, kAes128GcmSha256.data());
  SSL_SESSION* session = SSL_SESSION_new();
  if (suite == nullptr || session == nullptr ||
      SSL_SESSION_set1_master_key(session, psk.data(), psk.size()) != 1 ||
      SSL_SESSION_set_cipher(session, suite) != 1 ||
      SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION) != 1) {
    SSL_SESSION_free(session);
    return nullptr;
  }
  return session;
}

// The caller names the key it uses. `digest` is set when a second hello is made for a given suite;
// ours all have SHA-256.
int use_psk(SSL* ssl, const EVP_MD*, const unsigned char** identity, std::size_t* size,
            SSL_SESSION** session) {
  const auto* secret = static_cast<const PeerSecret*>(SSL_get_ex_data(ssl, secret_index()));
  if (secret == nullptr) {
    return 0;
  }
  *session = make_session(ssl, secret->psk);
  if (*session == nullptr) {
    return 0;
  }
  *identity = static_cast<const unsigned char*>(static_cast<const void*>(secret->encoded.data()));
  *size = secret->encoded.size();
  return 1;
}

// The callee looks the key up. An identity that is not known leaves `*session` empty, which OpenSSL
// treats as no pre-shared key; without a certificate the handshake then fails.
int find_psk(SSL* ssl, const unsigned char* identity, std::size_t size, SSL_SESSION** session) {
  *session = nullptr;
  const auto* ring =
      static_cast<const Ring*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), ring_index()));
  CHECK(ring != nullptr);
  const std::string_view encoded(static_cast<const char*>(static_cast<const void*>(identity)),
                                 size);
  auto decoded = decode_identity(encoded);
  if (!decoded) {
    return 1;
  }
  const PskIdentity& who = decoded.value();
  const bool meant = who.callee.empty() || who.callee == ring->self;
  if (who.group != ring->group || who.caller.empty() || !meant) {
    return 1;
  }
  for (const GroupKey& key : ring->keys) {
    if (key.id != who.key_id) {
      continue;
    }
    auto secret = std::make_unique<PeerSecret>();
    secret->identity = who;
    secret->encoded = encoded;
    secret->psk = derive_psk(key, encoded);
    *session = make_session(ssl, secret->psk);
    keep_secret(ssl, std::move(secret));
    return *session == nullptr ? 0 : 1;
  }
  return 1;
}

}  // namespace

void FreeSslContext::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

Result<SslContext> make_bare_context(bool server) {
  SslContext context(SSL_CTX_new(server ? TLS_server_method() : TLS_client_method()));
  if (context == nullptr || SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_max_proto_version(context.get(), TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_ciphersuites(context.get(), kSuites) != 1 ||
      SSL_CTX_set_num_tickets(context.get(), 0) != 1 ||
      SSL_CTX_set_max_early_data(context.get(), 0) != 1) {
    return fail(ErrorCode::kInternal, "OpenSSL cannot be set to TLS 1.3 with SHA-256 suites");
  }
  SSL_CTX_set_options(context.get(),
                      SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  // psk_dhe_ke only: forward secrecy. It is the default; said so that no OpenSSL configuration file
  // can undo it.
  SSL_CTX_clear_options(context.get(), SSL_OP_ALLOW_NO_DHE_KEX);
  SSL_CTX_set_security_level(context.get(), 2);  // 112 bits, whatever the system's file says
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  return context;
}

Result<SslContext> make_server_context(std::string group, base::PeerName self,
                                       std::vector<GroupKey> keys) {
  TRY(auto context, make_bare_context(true));
  auto ring = std::make_unique<Ring>(Ring{std::move(group), std::move(self), std::move(keys)});
  CHECK(SSL_CTX_set_ex_data(context.get(), ring_index(), ring.release()) == 1);
  // OpenSSL demands one where a session, ours stands for the key, meets SSL_VERIFY_PEER.
  constexpr std::array<unsigned char, 7> kSessionContext = {'t', 'u', 'r', 'n', 'o', 'u', 't'};
  CHECK(SSL_CTX_set_session_id_context(context.get(), kSessionContext.data(),
                                       kSessionContext.size()) == 1);
  SSL_CTX_set_psk_find_session_callback(context.get(), find_psk);
  return context;
}

Result<SslContext> make_client_context() {
  TRY(auto context, make_bare_context(false));
  SSL_CTX_set_psk_use_session_callback(context.get(), use_psk);
  return context;
}

void set_identity(ssl_st* ssl, const GroupKey& key, const PskIdentity& identity) {
  auto secret = std::make_unique<PeerSecret>();
  secret->identity = identity;
  secret->encoded = encode_identity(identity);
  secret->psk = derive_psk(key, secret->encoded);
  keep_secret(ssl, std::move(secret));
}

Result<PskIdentity> verify(ssl_st* ssl) {
  const auto* secret = static_cast<const PeerSecret*>(SSL_get_ex_data(ssl, secret_index()));
  // A handshake by certificate would leave SSL_session_reused() at 0, whatever keys were offered.
  const bool used = SSL_is_init_finished(ssl) == 1 && SSL_version(ssl) == TLS1_3_VERSION &&
                    SSL_session_reused(ssl) == 1 && SSL_get0_peer_certificate(ssl) == nullptr &&
                    SSL_get_early_data_status(ssl) != SSL_EARLY_DATA_ACCEPTED;
  if (!used || secret == nullptr) {
    return fail(ErrorCode::kInvalid, "the TLS handshake did not use the group's key");
  }
  return secret->identity;
}

}  // namespace turnout::link
