#pragma once

// How a link's connections are secured: by the group's keys, by certificates, or, on loopback only,
// not at all. One of the three from the start; keys and certificates themselves may be replaced.
//
// Not thread-safe.

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "link/certificate.h"
#include "link/connection.h"
#include "link/key.h"

namespace turnout::link {

class Security {
 public:
  Security(std::string group, base::PeerName self);

  // The first is dialled with, all are accepted. At least one.
  base::Result<void> set_keys(std::vector<GroupKey> keys);
  base::Result<void> set_certificates(std::shared_ptr<const Certificates> certificates);

  // Else peers talk on loopback, in clear.
  bool secured() const { return !keys_.empty() || certified(); }
  bool certified() const { return certificates_ != nullptr; }

  // Adds to the settings of a connection what it takes to secure it. `callee` may be empty: not
  // known yet. What the settings point to is valid until the next set_….
  void prepare(Connection::Settings& settings, const base::PeerName& callee) const;

  // Empty if a connection that was secured before the last set_… would be taken now too, else why
  // not.
  std::string withdrawn(const Connection& connection) const;

 private:
  base::Result<void> take_contexts(base::Result<SslContext> server,
                                   base::Result<SslContext> client);

  std::string group_;
  base::PeerName self_;
  std::vector<GroupKey> keys_;
  std::shared_ptr<const Certificates> certificates_;
  std::unique_ptr<boost::asio::ssl::context> server_;
  std::unique_ptr<boost::asio::ssl::context> client_;
};

}  // namespace turnout::link
