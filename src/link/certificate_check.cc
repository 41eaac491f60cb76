#include "link/certificate_check.h"

#include <openssl/ssl.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <limits>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "link/peer_uri.h"

namespace turnout::link {
namespace {

constexpr std::size_t kMaxShown = 200;  // bytes of a subject or URI

// Of bytes that a stranger chose: printable ASCII, and not endless.
std::string shown(std::string_view text) {
  std::string safe;
  for (const char c : text.substr(0, kMaxShown)) {
    safe += c >= 0x20 && c < 0x7f ? c : '?';
  }
  return text.size() > kMaxShown ? safe + "…" : safe;
}

// The URIs in subjectAltName that mean to name a peer.
std::vector<std::string> peer_uris(X509* certificate) {
  std::vector<std::string> uris;
  const AlternativeNames names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) {
      continue;
    }
    const ASN1_IA5STRING* const text = name->d.uniformResourceIdentifier;
    std::string uri(static_cast<const char*>(static_cast<const void*>(ASN1_STRING_get0_data(text))),
                    static_cast<std::size_t>(ASN1_STRING_length(text)));
    if (is_peer_uri(uri)) {
      uris.push_back(std::move(uri));
    }
  }
  return uris;
}

// "its certificate ("CN = a", turnout:g/a)".
std::string certificate_text(X509* certificate) {
  std::string text = "its certificate (" + subject_of(certificate);
  for (const std::string& uri : peer_uris(certificate)) {
    text += ", " + shown(uri);
    if (text.size() > 2 * kMaxShown) {
      break;
    }
  }
  return text + ")";
}

std::string time_of(const ASN1_TIME* time) { return base::format_instant(instant_of(time)); }

// Of a chain that is good.
base::Instant first_end(X509_STORE_CTX* chain) {
  base::Instant first{std::numeric_limits<std::int64_t>::max()};
  const STACK_OF(X509)* const certificates = X509_STORE_CTX_get0_chain(chain);
  for (int i = 0; i < sk_X509_num(certificates); ++i) {
    first = std::min(first, instant_of(X509_get0_notAfter(sk_X509_value(certificates, i))));
  }
  return first;
}

// What OpenSSL found wrong, of the certificate at `depth` above the peer's.
std::string chain_fault(X509_STORE_CTX* chain, int code, const std::string& ca_file) {
  X509* const current = X509_STORE_CTX_get_current_cert(chain);
  std::string which;
  if (current != nullptr && X509_STORE_CTX_get_error_depth(chain) > 0) {
    which = "is below the CA " + subject_of(current) + ", which ";
  }
  switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return which + "expired on " + time_of(X509_get0_notAfter(current)) + "; renew it";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return which + "is not valid before " + time_of(X509_get0_notBefore(current)) +
             "; are the clocks right?";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return "is signed by itself, not by a CA in " + ca_file;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return "is signed by no CA in " + ca_file;
    case X509_V_ERR_CERT_REVOKED:
      return which + "has been revoked";
    case X509_V_ERR_UNABLE_TO_GET_CRL:
      return "is of a CA without a list of revoked certificates in " + ca_file +
             ", which has such lists for others";
    case X509_V_ERR_CRL_HAS_EXPIRED:
      return "cannot be checked: the list of revoked certificates in " + ca_file + " has expired";
    case X509_V_ERR_INVALID_PURPOSE:
      return which + "is not for TLS on that side; its extendedKeyUsage must have serverAuth and " +
             "clientAuth";
    default:
      return which + "is refused: " + X509_verify_cert_error_string(code);
  }
}

// What X509_verify_cert does not ask.
std::string peer_fault(X509* certificate, const std::string& group, base::PeerName& name) {
  const bool has_usage = (X509_get_extension_flags(certificate) & EXFLAG_XKUSAGE) != 0;
  const std::uint32_t usage = X509_get_extended_key_usage(certificate);
  if (!has_usage || (usage & XKU_SSL_CLIENT) == 0 || (usage & XKU_SSL_SERVER) == 0) {
    return "is not for both sides of TLS; its extendedKeyUsage must have serverAuth and clientAuth";
  }
  const std::vector<std::string> uris = peer_uris(certificate);
  if (uris.empty()) {
    return "names no peer; its subjectAltName must have URI:turnout:GROUP/NAME";
  }
  if (uris.size() > 1) {
    return "names more than one peer; each needs a certificate of its own";
  }
  auto peer = parse_peer_uri(uris.front());
  if (!peer) {
    return "has a URI that names no peer: " + peer.error().message;
  }
  if (peer.value().group != group) {
    return "is of the group \"" + shown(peer.value().group) + "\", and this is \"" + group + "\"";
  }
  name = std::move(peer.value().name);
  return {};
}

}  // namespace

JudgedChain judge_chain(X509_STORE_CTX* chain, const std::string& group,
                        const std::string& ca_file) {
  JudgedChain judged;
  X509* const leaf = X509_STORE_CTX_get0_cert(chain);
  std::string fault;
  int code = X509_V_OK;
  if (X509_verify_cert(chain) != 1) {
    code = X509_STORE_CTX_get_error(chain);
    // An allocation that failed is told by no code.
    code = code == X509_V_OK ? X509_V_ERR_UNSPECIFIED : code;
    fault = chain_fault(chain, code, ca_file);
  } else {
    code = X509_V_ERR_APPLICATION_VERIFICATION;
    fault = peer_fault(leaf, group, judged.name);
    judged.until = first_end(chain);
  }
  if (!fault.empty()) {
    judged.problem = CertificateProblem{code, certificate_text(leaf) + " " + fault};
  }
  return judged;
}

JudgedChain judge_chain(const ChainQuestion& question) {
  const StoreContext chain(X509_STORE_CTX_new());
  CHECK(chain != nullptr &&
        X509_STORE_CTX_init(chain.get(), question.store, question.certificate, question.others) ==
            1 &&
        X509_STORE_CTX_set_default(chain.get(), question.as_client ? "ssl_client" : "ssl_server") ==
            1);
  return judge_chain(chain.get(), question.group, question.ca_file);
}

std::string subject_of(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  CHECK(bio != nullptr);
  X509_NAME_print_ex(bio.get(), X509_get_subject_name(certificate), 0, XN_FLAG_ONELINE);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return "\"" + shown({data, size > 0 ? static_cast<std::size_t>(size) : 0}) + "\"";
}

std::string serial_of(X509* certificate) {
  const std::unique_ptr<BIGNUM, FreeBy<BN_free>> number(
      ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  char* const text = number == nullptr ? nullptr : BN_bn2hex(number.get());
  const std::string serial = text == nullptr ? "?" : text;
  OPENSSL_free(text);
  return serial;
}

base::Instant instant_of(const ASN1_TIME* time) {
  std::tm at{};
  if (ASN1_TIME_to_tm(time, &at) != 1) {
    return {};
  }
  return {static_cast<std::int64_t>(timegm(&at)) * base::kUsPerSecond};
}

CertificateStack stack_of(const std::vector<X509Ptr>& chain, std::size_t first) {
  CertificateStack stack(sk_X509_new_null());
  CHECK(stack != nullptr);
  for (std::size_t i = first; i < chain.size(); ++i) {
    CHECK(sk_X509_push(stack.get(), chain[i].get()) > 0);
  }
  return stack;
}

}  // namespace turnout::link
