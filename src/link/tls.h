#pragma once

// TLS 1.3 between peers with an external pre-shared key and (EC)DHE (RFC 8446 §2.2, RFC 9257), on
// OpenSSL. link/certificate.h has the other way, with certificates.
//
// With the key there are no certificates: both sides verify with an empty trust store, so a
// handshake that does not use the group's key cannot succeed, and verify() looks once more that it
// did. No tickets, no resumption, no early data; suites with SHA-256 only. A context serves any
// number of connections; not thread-safe.

#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "link/key.h"

struct ssl_ctx_st;
struct ssl_st;

namespace turnout::link {

struct FreeSslContext {
  void operator()(ssl_ctx_st* context) const;
};
using SslContext = std::unique_ptr<ssl_ctx_st, FreeSslContext>;

// What both ways have in common: a context that lets nobody in yet. kInternal if OpenSSL cannot do
// so.
base::Result<SslContext> make_bare_context(bool server);

// For accepting: any of the keys, callers of the group, meant for `self` or for nobody yet known.
base::Result<SslContext> make_server_context(std::string group, base::PeerName self,
                                             std::vector<GroupKey> keys);

// For dialling; each connection says by set_identity() which key it uses.
base::Result<SslContext> make_client_context();

// Before the handshake of a connection that is dialled.
void set_identity(ssl_st* ssl, const GroupKey& key, const PskIdentity& identity);

// After the handshake, on either side: the identity under which the group's key was used. kInvalid
// if it was not used, or the version or suite is not ours: then the connection must be closed.
base::Result<PskIdentity> verify(ssl_st* ssl);

}  // namespace turnout::link
