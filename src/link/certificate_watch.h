#pragma once

// Says in time that the certificate which this peer shows comes to its end: when less than a third
// of its time is left, and less than 30 days; then once a day, and when it has ended. Times are of
// this machine's clock, by which certificates are judged.
//
// Not thread-safe.

#include <optional>
#include <string>

#include "base/time.h"
#include "link/certificate.h"

namespace turnout::link {

class CertificateWatch {
 public:
  // From now on the peer shows this one; null if it shows none.
  void shows(const Certificates* certificates);
  // "serial 1F00, valid until 2027-01-01T00:00:00Z". There must be one.
  std::string about() const;
  std::optional<base::Instant> ends() const;
  // What is to be said now.
  std::optional<std::string> warning(base::Instant now);

 private:
  struct Shown {
    std::string serial;
    base::Instant ends;
    base::Instant warn_next;
  };
  std::optional<Shown> shown_;
};

}  // namespace turnout::link
