#pragma once

// Certificates as an authority would sign them, and as it would not.

#include <chrono>
#include <string>
#include <vector>

#include "link/openssl.h"

namespace turnout::link::test {

struct Wish {
  std::string subject = "a";
  std::vector<std::string> names;               // subjectAltName, as in OpenSSL: "URI:…", "DNS:…"
  std::chrono::seconds begins{-86'400};         // from now
  std::chrono::seconds ends{86'400};            // from now
  std::string usage = "serverAuth,clientAuth";  // "": no extendedKeyUsage
};

struct Signed {
  X509Ptr certificate;
  PrivateKey key;
  std::string certificate_pem() const;
  std::string key_pem(const char* passphrase = nullptr) const;
};

class Authority {
 public:
  explicit Authority(const std::string& subject, const Authority* above = nullptr,
                     std::chrono::seconds ends = std::chrono::hours(24));

  Signed sign(const Wish& wish) const;
  static Signed sign_itself(const Wish& wish);
  std::string pem() const { return own_.certificate_pem(); }
  // A list of revoked certificates, good for a day.
  std::string revoke(const std::vector<const Signed*>& revoked) const;

 private:
  Signed own_;
};

}  // namespace turnout::link::test
