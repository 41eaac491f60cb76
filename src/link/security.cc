#include "link/security.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "link/tls.h"

namespace turnout::link {

Security::Security(std::string group, base::PeerName self)
    : group_(std::move(group)), self_(std::move(self)) {}

base::Result<void> Security::take_contexts(base::Result<SslContext> server,
                                           base::Result<SslContext> client) {
  TRY(auto for_accepting, std::move(server));
  TRY(auto for_dialling, std::move(client));
  // Connections hold the contexts they were made with as long as they need them.
  server_ = std::make_unique<boost::asio::ssl::context>(for_accepting.release());
  client_ = std::make_unique<boost::asio::ssl::context>(for_dialling.release());
  return base::ok();
}

base::Result<void> Security::set_keys(std::vector<GroupKey> keys) {
  CHECK(!keys.empty() && !certified());
  TRYV(take_contexts(make_server_context(group_, self_, keys), make_client_context()));
  keys_ = std::move(keys);
  return base::ok();
}

base::Result<void> Security::set_certificates(std::shared_ptr<const Certificates> certificates) {
  CHECK(certificates != nullptr && keys_.empty());
  TRYV(take_contexts(Certificates::make_context(certificates, true),
                     Certificates::make_context(certificates, false)));
  certificates_ = std::move(certificates);
  return base::ok();
}

void Security::prepare(Connection::Settings& settings, const base::PeerName& callee) const {
  if (!secured()) {
    return;
  }
  settings.tls = settings.dialled ? client_.get() : server_.get();
  settings.certificates = certificates_;
  if (!certified() && settings.dialled) {
    settings.key = &keys_.front();
    settings.identity = PskIdentity{group_, settings.key->id, self_, callee};
  }
}

std::string Security::withdrawn(const Connection& connection) const {
  if (!secured() || !connection.secured()) {
    return {};
  }
  if (certified()) {
    const auto still = connection.verify_again(*certificates_);
    return still ? std::string() : still.error().message;
  }
  const std::string& id = connection.proof().key_id;
  const bool there =
      std::any_of(keys_.begin(), keys_.end(), [&](const GroupKey& key) { return key.id == id; });
  return there ? std::string() : "the key it was made with was withdrawn";
}

}  // namespace turnout::link
