#pragma once

// Owners of OpenSSL's objects, within room `link` only: its headers are heavy and their macros
// many.

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

namespace turnout::link {

template <auto kFree>
struct FreeBy {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};

inline void free_infos(STACK_OF(X509_INFO) * infos) {
  sk_X509_INFO_pop_free(infos, X509_INFO_free);
}
inline void free_names(GENERAL_NAMES* names) { GENERAL_NAMES_free(names); }
inline void free_stack(STACK_OF(X509) * stack) { sk_X509_free(stack); }  // not what it holds

using Bio = std::unique_ptr<BIO, FreeBy<BIO_free_all>>;
using X509Ptr = std::unique_ptr<X509, FreeBy<X509_free>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, FreeBy<EVP_PKEY_free>>;
using Store = std::unique_ptr<X509_STORE, FreeBy<X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, FreeBy<X509_STORE_CTX_free>>;
using InfoStack = std::unique_ptr<STACK_OF(X509_INFO), FreeBy<free_infos>>;
using AlternativeNames = std::unique_ptr<GENERAL_NAMES, FreeBy<free_names>>;
using CertificateStack = std::unique_ptr<STACK_OF(X509), FreeBy<free_stack>>;

// For SSL_get_ex_new_index and SSL_CTX_get_ex_new_index.
template <class T>
void free_foreign_data(void*, void* data, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<T*>(data);
}

}  // namespace turnout::link
