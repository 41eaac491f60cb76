#include "link/certificate.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "base/check.h"
#include "link/certificate_check.h"
#include "link/openssl.h"
#include "link/small_file.h"

namespace turnout::link {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;

constexpr std::size_t kMaxPemFile = 1u << 20;  // CRLs grow
constexpr long kMaxShownChain = 32L << 10;     // bytes of the other side's certificates

// Where a context keeps what its connections are judged by.
int certificates_index() {
  static const int index = SSL_CTX_get_ex_new_index(
      0, nullptr, nullptr, nullptr, free_foreign_data<std::shared_ptr<const Certificates>>);
  return index;
}

int problem_index() {
  static const int index =
      SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, free_foreign_data<CertificateProblem>);
  return index;
}

Bio memory(const std::string& text) {
  Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  CHECK(bio != nullptr);
  return bio;
}

// All PEM certificates of a text, in order. Empty if there is none or one cannot be read.
std::vector<X509Ptr> read_chain(const std::string& text) {
  const Bio bio = memory(text);
  std::vector<X509Ptr> chain;
  while (X509* const next = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    chain.emplace_back(next);
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end) {
    chain.clear();
  }
  return chain;
}

// No question at the terminal: a server has none.
int no_passphrase(char*, int, int, void*) { return -1; }

Result<PrivateKey> read_private_key(const std::string& path) {
  TRY(auto text, read_small_file(path, "the peer's private key", kMaxPemFile, Privacy::kSecret));
  PrivateKey key(PEM_read_bio_PrivateKey(memory(text).get(), nullptr, no_passphrase, nullptr));
  OPENSSL_cleanse(text.data(), text.size());
  ERR_clear_error();
  if (key == nullptr) {
    return fail(ErrorCode::kInvalid,
                path +
                    " holds no private key in PEM without a passphrase; write one with "
                    "`openssl genpkey`, or take the passphrase off with `openssl pkey`");
  }
  return key;
}

// The CA file as a store, and nothing else in it.
Result<Store> read_store(const std::string& path) {
  TRY(const auto text, read_small_file(path, "the group's CA", kMaxPemFile, Privacy::kPublic));
  Store store(X509_STORE_new());
  CHECK(store != nullptr);
  const InfoStack infos(PEM_X509_INFO_read_bio(memory(text).get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  int authorities = 0;
  int lists = 0;
  for (int i = 0; infos != nullptr && i < sk_X509_INFO_num(infos.get()); ++i) {
    const X509_INFO* const info = sk_X509_INFO_value(infos.get(), i);
    if (info->x509 != nullptr) {
      if (X509_check_ca(info->x509) != 1) {
        return fail(ErrorCode::kInvalid,
                    path + " holds " + subject_of(info->x509) +
                        ", which is no CA certificate (basicConstraints CA:TRUE): a peer's own "
                        "certificate goes into group.certificate");
      }
      ++authorities;
      CHECK(X509_STORE_add_cert(store.get(), info->x509) == 1);
    }
    if (info->crl != nullptr) {
      ++lists;
      CHECK(X509_STORE_add_crl(store.get(), info->crl) == 1);
    }
  }
  if (authorities == 0) {
    return fail(ErrorCode::kInvalid, path + " holds no CA certificate in PEM");
  }
  // What the file holds is trusted, be it a root or a CA below one.
  unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN;
  if (lists > 0) {
    flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
  }
  CHECK(X509_STORE_set_flags(store.get(), flags) == 1);
  return store;
}

}  // namespace

struct Certificates::Parts {
  CertificateFiles files;
  GroupPeer self;
  std::vector<X509Ptr> chain;
  PrivateKey key;
  Store store;
};

Certificates::Certificates(std::unique_ptr<Parts> parts, base::Instant ends)
    : parts_(std::move(parts)),
      serial_(serial_of(parts_->chain.front().get())),
      begins_(instant_of(X509_get0_notBefore(parts_->chain.front().get()))),
      ends_(ends) {}

Certificates::~Certificates() = default;

Result<std::shared_ptr<const Certificates>> Certificates::read(const CertificateFiles& files,
                                                               const GroupPeer& self) {
  auto parts = std::make_unique<Parts>();
  parts->files = files;
  parts->self = self;
  TRY(const auto text,
      read_small_file(files.certificate, "the peer's certificate", kMaxPemFile, Privacy::kPublic));
  parts->chain = read_chain(text);
  if (parts->chain.empty()) {
    return fail(ErrorCode::kInvalid, files.certificate + " holds no certificate in PEM");
  }
  TRY(parts->key, read_private_key(files.private_key));
  X509* const own = parts->chain.front().get();
  if (X509_check_private_key(own, parts->key.get()) != 1) {
    ERR_clear_error();
    return fail(ErrorCode::kInvalid,
                files.private_key + " is not the private key of the first certificate in " +
                    files.certificate + "; the peer's own certificate must come first");
  }
  TRY(parts->store, read_store(files.ca));
  const CertificateStack others = stack_of(parts->chain, 1);
  base::Instant ends{std::numeric_limits<std::int64_t>::max()};
  for (const bool as_client : {true, false}) {
    const auto judged =
        judge_chain({parts->store.get(), own, others.get(), as_client, self.group, files.ca});
    if (judged.problem) {
      return fail(ErrorCode::kInvalid, files.certificate + ": the other peers would refuse it: " +
                                           judged.problem->message);
    }
    if (judged.name != self.name) {
      return fail(ErrorCode::kInvalid,
                  files.certificate + " is the certificate of the peer \"" + judged.name.get() +
                      "\", and this is \"" + self.name.get() +
                      "\"; its subjectAltName must have URI:" + format_peer_uri(self));
    }
    ends = std::min(ends, judged.until);
  }
  return std::shared_ptr<const Certificates>(new Certificates(std::move(parts), ends));
}

// In place of OpenSSL's own check of the other side's chain, which it calls.
int Certificates::on_chain(X509_STORE_CTX* chain, void*) {
  auto* const ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const auto* const held = static_cast<const std::shared_ptr<const Certificates>*>(
      SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), certificates_index()));
  CHECK(held != nullptr);
  const Parts& parts = *(*held)->parts_;
  auto judged = judge_chain(chain, parts.self.group, parts.files.ca);
  if (!judged.problem) {
    return 1;
  }
  X509_STORE_CTX_set_error(chain, judged.problem->code);
  delete static_cast<CertificateProblem*>(SSL_get_ex_data(ssl, problem_index()));
  auto kept = std::make_unique<CertificateProblem>(std::move(*judged.problem));
  CHECK(SSL_set_ex_data(ssl, problem_index(), kept.release()) == 1);
  return 0;
}

Result<SslContext> Certificates::make_context(std::shared_ptr<const Certificates> certificates,
                                              bool server) {
  TRY(auto context, make_bare_context(server));
  const Parts& parts = *certificates->parts_;
  const CertificateStack others = stack_of(parts.chain, 1);
  if (SSL_CTX_use_cert_and_key(context.get(), parts.chain.front().get(), parts.key.get(),
                               others.get(), 1) != 1) {
    ERR_clear_error();
    return fail(ErrorCode::kInvalid, parts.files.certificate +
                                         ": OpenSSL takes no such certificate or key; use ECDSA "
                                         "P-256, Ed25519, or RSA of 2,048 bits or more");
  }
  SSL_CTX_set1_cert_store(context.get(), parts.store.get());
  SSL_CTX_set_cert_verify_callback(context.get(), on_chain, nullptr);
  SSL_CTX_set_max_cert_list(context.get(), kMaxShownChain);
  auto held = std::make_unique<std::shared_ptr<const Certificates>>(std::move(certificates));
  CHECK(SSL_CTX_set_ex_data(context.get(), certificates_index(), held.release()) == 1);
  return context;
}

Result<CertifiedPeer> Certificates::verify(ssl_st* ssl) const {
  X509* const shown = SSL_get0_peer_certificate(ssl);
  const bool done = SSL_is_init_finished(ssl) == 1 && SSL_version(ssl) == TLS1_3_VERSION &&
                    SSL_session_reused(ssl) == 0 && SSL_get_verify_result(ssl) == X509_V_OK;
  if (!done || shown == nullptr) {
    return fail(ErrorCode::kInvalid, "the TLS handshake did not check a certificate");
  }
  const bool caller = SSL_is_server(ssl) == 1;
  auto judged = judge_chain({parts_->store.get(), shown, SSL_get_peer_cert_chain(ssl), caller,
                             parts_->self.group, parts_->files.ca});
  if (judged.problem) {
    return fail(ErrorCode::kInvalid, judged.problem->message);
  }
  return CertifiedPeer{std::move(judged.name), serial_of(shown)};
}

const CertificateProblem* certificate_problem(ssl_st* ssl) {
  return static_cast<const CertificateProblem*>(SSL_get_ex_data(ssl, problem_index()));
}

}  // namespace turnout::link
