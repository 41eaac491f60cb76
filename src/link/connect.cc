#include "link/connect.h"

#include <boost/asio/io_context.hpp>
#include <string>
#include <utility>

namespace turnout::link {
namespace {

using base::ErrorCode;
using base::fail;
using boost::system::error_code;

}  // namespace

Connect::Connect(boost::asio::io_context& io, const Address& address, Patience patience, Done done)
    : address_(address),
      done_(std::move(done)),
      resolver_(io),
      socket_(io),
      deadline_(io),
      attempt_(io),
      patience_(patience) {}

std::shared_ptr<Connect> Connect::start(boost::asio::io_context& io, const Address& address,
                                        bool loopback_only, Patience patience, Done done) {
  const std::shared_ptr<Connect> self(new Connect(io, address, patience, std::move(done)));
  self->deadline_.expires_after(patience.in_all);
  self->deadline_.async_wait([self](const error_code& error) {
    if (!error) {
      self->finish(
          fail(ErrorCode::kUnavailable, format_address(self->address_) + " does not answer"));
    }
  });
  self->resolver_.async_resolve(
      address.host, std::to_string(address.port), Tcp::resolver::numeric_service,
      [self, loopback_only](const error_code& error, const Tcp::resolver::results_type& results) {
        if (error) {
          self->finish(fail(ErrorCode::kUnavailable,
                            "cannot find " + self->address_.host + ": " + error.message()));
        } else {
          self->resolved(results, loopback_only);
        }
      });
  return self;
}

void Connect::resolved(const Tcp::resolver::results_type& results, bool loopback_only) {
  for (const auto& entry : results) {
    if (!loopback_only || entry.endpoint().address().is_loopback()) {
      endpoints_.push_back(entry.endpoint());
    }
  }
  if (endpoints_.empty()) {
    finish(fail(ErrorCode::kInvalid, format_address(address_) +
                                         " is not on this machine, and without a group key peers "
                                         "talk on loopback only; make a key with `turnout keygen` "
                                         "and give it to every peer"));
    return;
  }
  next();
}

void Connect::next() {
  if (!done_) {
    return;
  }
  if (tried_ == endpoints_.size()) {
    finish(fail(ErrorCode::kUnavailable,
                "cannot reach " + format_address(address_) + ": " + last_error_));
    return;
  }
  error_code ignored;
  socket_.close(ignored);
  attempt_.expires_after(patience_.for_each);
  attempt_.async_wait([self = shared_from_this(), number = tried_ + 1](const error_code& error) {
    if (!error && self->done_ && self->tried_ == number) {
      error_code unheard;
      self->socket_.close(unheard);
    }
  });
  socket_.async_connect(endpoints_[tried_++], [self = shared_from_this()](const error_code& error) {
    if (!self->done_) {
      return;
    }
    if (error) {
      self->last_error_ = error.message();
      self->next();
      return;
    }
    // Dialling a free port of this machine can connect a socket to itself, when the system picks
    // that very port for the near end (simultaneous open, RFC 9293 §3.5).
    error_code unknown;
    if (self->socket_.local_endpoint(unknown) == self->socket_.remote_endpoint(unknown)) {
      self->last_error_ = "nobody listens there";
      self->next();
      return;
    }
    self->finish(std::move(self->socket_));
  });
}

void Connect::finish(base::Result<Tcp::socket> result) {
  if (!done_) {
    return;
  }
  const Done done = std::exchange(done_, nullptr);
  cancel();
  done(std::move(result));
}

void Connect::cancel() {
  done_ = nullptr;
  deadline_.cancel();
  attempt_.cancel();
  resolver_.cancel();
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace turnout::link
