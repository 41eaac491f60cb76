#pragma once

// Whether a certificate is one of a peer of the group, and if not, why, in words for a log. What
// strangers wrote into it is shown with controls escaped and cut short.
//
// Not thread-safe beyond what OpenSSL's objects are.

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "link/certificate.h"
#include "link/openssl.h"

namespace turnout::link {

struct JudgedChain {
  // If there is no problem:
  base::PeerName name;
  base::Instant until;  // the first end of a certificate in the chain
  std::optional<CertificateProblem> problem;
};

struct ChainQuestion {
  X509_STORE* store = nullptr;
  X509* certificate = nullptr;
  STACK_OF(X509) * others = nullptr;  // what came with it; may be null
  bool as_client = false;             // it was shown by the side that dialled
  std::string group;
  std::string ca_file;  // for messages
};
JudgedChain judge_chain(const ChainQuestion& question);

// The same for a chain that a handshake is about to check: certificate, store and purpose are set.
JudgedChain judge_chain(X509_STORE_CTX* chain, const std::string& group,
                        const std::string& ca_file);

// "CN = a", at most 200 bytes, in quotes.
std::string subject_of(X509* certificate);
// Hexadecimal.
std::string serial_of(X509* certificate);
// By this machine's clock, as certificates are judged by. 0 if it is no time.
base::Instant instant_of(const ASN1_TIME* time);

// A stack of those from `first` on, which it does not own.
CertificateStack stack_of(const std::vector<X509Ptr>& chain, std::size_t first);

}  // namespace turnout::link
