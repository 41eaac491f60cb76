#include "link/authority.h"

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/x509v3.h>

#include <atomic>

namespace turnout::link::test {
namespace {

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

void extend(X509* certificate, X509* issuer, int extension, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const made = X509V3_EXT_conf_nid(nullptr, &context, extension, value.c_str());
  ASSERT_NE(made, nullptr) << value;
  EXPECT_EQ(X509_add_ext(certificate, made, -1), 1);
  X509_EXTENSION_free(made);
}

// A certificate with all but its own extensions and signature; `issuer` may be null: itself.
Signed draft(const std::string& subject, std::chrono::seconds begins, std::chrono::seconds ends,
             const X509* issuer) {
  static std::atomic<long> serial{0x1000};
  Signed made;
  made.key.reset(EVP_EC_gen("P-256"));
  made.certificate.reset(X509_new());
  X509* const x = made.certificate.get();
  X509_set_version(x, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(x), begins.count());
  X509_gmtime_adj(X509_getm_notAfter(x), ends.count());
  const auto* const bytes =
      static_cast<const unsigned char*>(static_cast<const void*>(subject.data()));
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8, bytes,
                             static_cast<int>(subject.size()), -1, 0);
  X509_set_issuer_name(
      x, issuer == nullptr ? X509_get_subject_name(x) : X509_get_subject_name(issuer));
  X509_set_pubkey(x, made.key.get());
  return made;
}

Signed signed_by(const Wish& wish, X509* issuer, EVP_PKEY* key) {
  Signed made = draft(wish.subject, wish.begins, wish.ends, issuer);
  X509* const x = made.certificate.get();
  X509* const above = issuer == nullptr ? x : issuer;
  extend(x, above, NID_basic_constraints, "critical,CA:FALSE");
  extend(x, above, NID_key_usage, "critical,digitalSignature");
  if (!wish.usage.empty()) {
    extend(x, above, NID_ext_key_usage, wish.usage);
  }
  std::string names;
  for (const std::string& name : wish.names) {
    names += (names.empty() ? "" : ",") + name;
  }
  if (!names.empty()) {
    extend(x, above, NID_subject_alt_name, names);
  }
  EXPECT_GT(X509_sign(x, key == nullptr ? made.key.get() : key, EVP_sha256()), 0);
  return made;
}

}  // namespace

std::string Signed::certificate_pem() const {
  const Bio bio(BIO_new(BIO_s_mem()));
  EXPECT_EQ(PEM_write_bio_X509(bio.get(), certificate.get()), 1);
  return text_of(bio.get());
}

std::string Signed::key_pem(const char* passphrase) const {
  const Bio bio(BIO_new(BIO_s_mem()));
  std::string word = passphrase == nullptr ? "" : passphrase;
  EXPECT_EQ(PEM_write_bio_PKCS8PrivateKey(
                bio.get(), key.get(), passphrase == nullptr ? nullptr : EVP_aes_256_cbc(),
                word.data(), static_cast<int>(word.size()), nullptr, nullptr),
            1);
  return text_of(bio.get());
}

Authority::Authority(const std::string& subject, const Authority* above,
                     std::chrono::seconds ends) {
  X509* const issuer = above == nullptr ? nullptr : above->own_.certificate.get();
  own_ = draft(subject, std::chrono::hours(-48), ends, issuer);
  X509* const x = own_.certificate.get();
  extend(x, issuer == nullptr ? x : issuer, NID_basic_constraints, "critical,CA:TRUE");
  extend(x, issuer == nullptr ? x : issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
  EXPECT_GT(X509_sign(x, above == nullptr ? own_.key.get() : above->own_.key.get(), EVP_sha256()),
            0);
}

Signed Authority::sign(const Wish& wish) const {
  return signed_by(wish, own_.certificate.get(), own_.key.get());
}

Signed Authority::sign_itself(const Wish& wish) { return signed_by(wish, nullptr, nullptr); }

std::string Authority::revoke(const std::vector<const Signed*>& revoked) const {
  const std::unique_ptr<X509_CRL, FreeBy<X509_CRL_free>> list(X509_CRL_new());
  X509_CRL_set_version(list.get(), X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(own_.certificate.get()));
  const std::unique_ptr<ASN1_TIME, FreeBy<ASN1_TIME_free>> now(X509_gmtime_adj(nullptr, -60));
  const std::unique_ptr<ASN1_TIME, FreeBy<ASN1_TIME_free>> next(X509_gmtime_adj(nullptr, 86'400));
  X509_CRL_set1_lastUpdate(list.get(), now.get());
  X509_CRL_set1_nextUpdate(list.get(), next.get());
  for (const Signed* one : revoked) {
    X509_REVOKED* const entry = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(one->certificate.get()));
    X509_REVOKED_set_revocationDate(entry, now.get());
    EXPECT_EQ(X509_CRL_add0_revoked(list.get(), entry), 1);
  }
  X509_CRL_sort(list.get());
  EXPECT_GT(X509_CRL_sign(list.get(), own_.key.get(), EVP_sha256()), 0);
  const Bio bio(BIO_new(BIO_s_mem()));
  EXPECT_EQ(PEM_write_bio_X509_CRL(bio.get(), list.get()), 1);
  return text_of(bio.get());
}

}  // namespace turnout::link::test
