#include "link/link.h"

#include <utility>

#include "base/check.h"
#include "link/mesh.h"

namespace turnout::link {
namespace {

// Blocks, their reports and lists of deliveries may be large; all else must not wait behind them.
Channel channel_of(const group::Message& message) {
  const bool bulk = std::holds_alternative<group::BlockMessage>(message) ||
                    std::holds_alternative<group::BlockReport>(message);
  return bulk ? Channel::kBulk : Channel::kControl;
}

bool is_replaceable(const group::Message& message) {
  return std::holds_alternative<group::Advertisement>(message);
}

}  // namespace

Link::Link(boost::asio::io_context& io, Options options, Callbacks callbacks)
    : impl_(std::make_shared<Impl>(io, std::move(options), std::move(callbacks))) {}

Link::~Link() { impl_->shut(); }

base::Result<void> Link::start() { return impl_->start(); }
std::vector<std::string> Link::addresses() const { return impl_->addresses(); }
std::string Link::advertised() const { return impl_->advertised(); }

base::Result<void> Link::add_peer(std::string_view address) {
  return impl_->add_peer(address, true);
}

base::Result<void> Link::send(const base::PeerName& to, const group::Message& message) {
  return impl_->send(to, encode(message), channel_of(message), is_replaceable(message));
}

base::Result<void> Link::send(const base::PeerName& to, const group::Handout& handout) {
  return impl_->send(to, encode(handout), Channel::kBulk, false);
}

base::Result<void> Link::send(const base::PeerName& to, const Hint& hint) {
  return impl_->send(to, encode(hint), Channel::kControl, false);
}

void Link::broadcast(const Hint& hint) { impl_->broadcast(encode(hint), Channel::kControl, false); }

void Link::broadcast(const group::Message& message) {
  impl_->broadcast(encode(message), channel_of(message), is_replaceable(message));
}

base::Result<void> Link::set_keys(std::vector<GroupKey> keys) {
  return impl_->set_keys(std::move(keys));
}
base::Result<void> Link::set_certificates(std::shared_ptr<const Certificates> certificates) {
  return impl_->set_certificates(std::move(certificates));
}
std::vector<PeerInfo> Link::peers() const { return impl_->peers(); }
Stats Link::stats() const { return impl_->stats(); }

void Link::stop(std::chrono::milliseconds patience, std::function<void()> done) {
  impl_->stop(patience, std::move(done));
}

}  // namespace turnout::link
