// Listening and accepting.

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "link/mesh.h"

namespace turnout::link {
namespace {

namespace asio = boost::asio;
using base::ErrorCode;
using base::fail;
using base::Result;
using boost::system::error_code;
using std::chrono::milliseconds;

// After a failed accept (out of file descriptors).
constexpr milliseconds kAcceptPause{100};

constexpr const char* kNoKey =
    " is not loopback, and without a group key or certificates peers talk on this machine only; "
    "make a key with `turnout keygen` and give it to every peer, or listen on 127.0.0.1";

}  // namespace

Result<void> Link::Impl::listen(const std::string& text) {
  TRY(const auto address, parse_address(text));
  Tcp::resolver resolver(io_);
  error_code error;
  const auto found =
      resolver.resolve(address.host, std::to_string(address.port),
                       Tcp::resolver::numeric_service | Tcp::resolver::passive, error);
  if (error || found.empty()) {
    return fail(ErrorCode::kInvalid, "cannot listen on " + text + ": the host " + address.host +
                                         " is not known (" + error.message() +
                                         "); name an address of this machine");
  }
  const Tcp::endpoint endpoint = found.begin()->endpoint();
  if (!security_.secured() && !endpoint.address().is_loopback()) {
    return fail(ErrorCode::kInvalid, "cannot listen on " + text + ": it" + kNoKey);
  }
  return bind(text, endpoint);
}

Result<void> Link::Impl::bind(const std::string& text, const Tcp::endpoint& endpoint) {
  Tcp::acceptor acceptor(io_);
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) {
    // A restarted peer must not wait for the connections of its earlier life to time out.
    acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
  }
  if (!error) {
    acceptor.bind(endpoint, error);
  }
  if (!error) {
    acceptor.listen(Tcp::acceptor::max_listen_connections, error);
  }
  if (error == asio::error::address_in_use) {
    return fail(ErrorCode::kUnavailable,
                "cannot listen on " + text +
                    ": the port is in use, perhaps by another turnout; stop that one, or set "
                    "another port in `listen` (port 0 takes a free one)");
  }
  if (error) {
    return fail(ErrorCode::kUnavailable, "cannot listen on " + text + ": " + error.message() +
                                             "; `listen` must name an address of this machine "
                                             "and a port that this user may bind");
  }
  const Tcp::endpoint bound = acceptor.local_endpoint(error);
  bound_.push_back({bound.address().to_string(), bound.port()});
  acceptors_.push_back(std::move(acceptor));
  return base::ok();
}

void Link::Impl::accept(std::size_t listener) {
  acceptors_[listener].async_accept(
      [self = shared_from_this(), listener](const error_code& error, Tcp::socket socket) {
        if (self->stopped_) {
          return;
        }
        if (!error) {
          self->accepted(std::move(socket));
          self->accept(listener);
          return;
        }
        // Out of descriptors, most likely: trying again at once would spin.
        auto pause = std::make_shared<asio::steady_timer>(self->io_, kAcceptPause);
        pause->async_wait([self, listener, pause](const error_code&) {
          if (!self->stopped_) {
            self->accept(listener);
          }
        });
      });
}

void Link::Impl::accepted(Tcp::socket socket) {
  ++stats_.accepted;
  evict_unauthenticated();
  auto connection = std::make_shared<Connection>(std::move(socket), weak_from_this());
  Entry& entry = entries_[connection.get()];
  entry.connection = connection;
  entry.order = ++orders_;
  connection->start(settings(false, {}));
}

// Strangers hold so many connections and no more, and those who come from one network cannot push
// out those of another: of the network that holds most, the oldest goes. A peer needs milliseconds
// for its part; who holds a place for longer does not need it. Who has shown key or certificate is
// counted apart, so that no stranger can push a peer out on the way from there to its session.
void Link::Impl::evict_unauthenticated() {
  for (const bool proven : {false, true}) {
    struct Crowd {
      std::size_t count = 0;
      Connection* oldest = nullptr;
      std::uint64_t order = 0;
    };
    std::map<std::string_view, Crowd> networks;
    std::size_t count = 0;
    for (const auto& [connection, entry] : entries_) {
      const bool waiting = entry.stage == Stage::kCalled || entry.stage == Stage::kHalf ||
                           entry.stage == Stage::kTurnedAway;
      const bool has_proven = security_.secured() && connection->secured();
      if (!waiting || has_proven != proven) {
        continue;
      }
      ++count;
      Crowd& crowd = networks[connection->remote_network()];
      ++crowd.count;
      if (crowd.oldest == nullptr || entry.order < crowd.order) {
        crowd.oldest = connection;
        crowd.order = entry.order;
      }
    }
    if (count >= options_.max_unauthenticated) {
      const auto fullest = std::max_element(
          networks.begin(), networks.end(),
          [](const auto& x, const auto& y) { return x.second.count < y.second.count; });
      ++stats_.handshakes_failed;
      close(fullest->second.oldest);
    }
  }
}

}  // namespace turnout::link
