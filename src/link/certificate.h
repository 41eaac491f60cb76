#pragma once

// Mutual TLS between peers: the alternative to the group's key, where not everybody in the group
// may be everybody else. Each peer has a certificate of its own, signed by the group's CA, that
// carries its group and name (link/peer_uri.h); the CA's file is all that is trusted, never the
// system's store.
//
// Of the other side's certificate is asked, whichever side dialled: that it chains to a CA in the
// file and is within its time (RFC 5280 §6, by OpenSSL), that it is for TLS clients and servers
// both (extendedKeyUsage, RFC 5280 §4.2.1.12), that it names exactly one peer, and that this is of
// our group. The Hello inside TLS must then give the name that the certificate gives. Lists of
// revoked certificates in the CA's file are obeyed, and must then be there for every CA of a chain.
//
// A Certificates is immutable and may be shared by threads; contexts and connections are not.

#include <memory>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "link/peer_uri.h"
#include "link/tls.h"

struct x509_store_ctx_st;

namespace turnout::link {

// PEM files. Paths are for errors as much as for reading.
struct CertificateFiles {
  std::string certificate;  // the peer's own first, then those between it and the CA, if any
  std::string private_key;  // of the first; not encrypted, and not readable by other users
  std::string ca;           // one CA certificate or several, and their CRLs, if any
};

// What the other side's certificate says, once it is known to be good.
struct CertifiedPeer {
  base::PeerName name;
  std::string serial;  // hexadecimal
};

// Why it is not.
struct CertificateProblem {
  int code = 0;         // X509_V_ERR_…: tells kinds apart
  std::string message;  // "its certificate (…) expired on …": says what is wrong with which
};

class Certificates {
 public:
  // Reads the files and checks that others will take the peer `self` by them. kNotFound or
  // kUnavailable if a file cannot be read; kInvalid, naming file and remedy, if one is not what it
  // should be.
  static base::Result<std::shared_ptr<const Certificates>> read(const CertificateFiles& files,
                                                                const GroupPeer& self);
  ~Certificates();
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;

  // For accepting and for dialling. Contexts keep what they need of this object.
  static base::Result<SslContext> make_context(std::shared_ptr<const Certificates> certificates,
                                               bool server);

  // After the handshake of a connection with any context of this class: whether its certificate is
  // good by *these* certificates, which may be newer ones.
  base::Result<CertifiedPeer> verify(ssl_st* ssl) const;

  // The peer's own certificate.
  const std::string& serial() const { return serial_; }  // hexadecimal
  base::Instant begins() const { return begins_; }
  // When it ends, or a CA's that it needs, if that is sooner. Both by this machine's clock.
  base::Instant ends() const { return ends_; }

 private:
  struct Parts;
  Certificates(std::unique_ptr<Parts> parts, base::Instant ends);
  static int on_chain(x509_store_ctx_st* chain, void*);
  std::unique_ptr<Parts> parts_;
  std::string serial_;
  base::Instant begins_;
  base::Instant ends_;
};

// What on_chain found wrong with the other side's certificate in a handshake that failed; null if
// that was not why.
const CertificateProblem* certificate_problem(ssl_st* ssl);

}  // namespace turnout::link
