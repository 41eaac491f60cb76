#include "link/connection.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/write.hpp>
#include <cstddef>
#include <utility>

#include "base/check.h"
#include "link/address.h"
#include "link/tls.h"

namespace turnout::link {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t kReadBytes = 16u << 10;   // a TLS record
constexpr std::size_t kWriteBytes = 64u << 10;  // small frames are sent together up to this
constexpr int kUnsentBytes = 16 << 10;          // in the kernel

void set_int(int socket, int level, int option, int value) {
  // None of these is needed for being right; a system that lacks one works without.
  (void)::setsockopt(socket, level, option, &value, sizeof value);
}

bool is_end(const error_code& error) {
  return error == asio::error::eof || error == asio::error::connection_reset ||
         error == asio::error::broken_pipe || error == asio::error::connection_aborted ||
         error == asio::ssl::error::stream_truncated;
}

// The other side said, as its last, what it did not like (RFC 8446 §6.2).
bool is_alert(const error_code& error) {
  return error.category() == asio::error::get_ssl_category() &&
         ERR_GET_REASON(static_cast<unsigned long>(error.value())) >= SSL_AD_REASON_OFFSET;
}

}  // namespace

Connection::Connection(Tcp::socket socket, std::weak_ptr<ConnectionEvents> events)
    : socket_(std::move(socket)), events_(std::move(events)), deadline_(socket_.get_executor()) {
  error_code error;
  const auto endpoint = socket_.remote_endpoint(error);
  if (!error) {
    remote_host_ = endpoint.address().to_string();
    remote_network_ = network_of(remote_host_);
    remote_ = format_address({remote_host_, endpoint.port()});
  }
}

Connection::~Connection() = default;

void Connection::set_options(const Settings& settings) {
  const int socket = socket_.native_handle();
  (void)::fcntl(socket, F_SETFD, FD_CLOEXEC);
  set_int(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  set_int(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  const auto ms = static_cast<int>(settings.user_timeout.count());
  // Idle connections are probed so that a lost one shows within about user_timeout too.
  const int third = ms / 3'000 > 0 ? ms / 3'000 : 1;
  set_int(socket, IPPROTO_TCP, TCP_KEEPIDLE, third);
  set_int(socket, IPPROTO_TCP, TCP_KEEPINTVL, third);
  set_int(socket, IPPROTO_TCP, TCP_KEEPCNT, 2);
  set_int(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, ms);
  set_int(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, kUnsentBytes);
}

void Connection::start(const Settings& settings) {
  dialled_ = settings.dialled;
  certificates_ = settings.certificates;
  set_options(settings);
  arm(settings.handshake_timeout, "the handshake was not done in time");
  if (settings.tls == nullptr) {
    asio::post(socket_.get_executor(), [self = shared_from_this()] { self->begin_traffic(); });
    return;
  }
  tls_ = std::make_unique<Tls>(socket_, *settings.tls);
  if (dialled_ && certificates_ == nullptr) {
    CHECK(settings.identity.has_value() && settings.key != nullptr);
    set_identity(tls_->native_handle(), *settings.key, *settings.identity);
  }
  handshake();
}

void Connection::handshake() {
  const auto side = dialled_ ? asio::ssl::stream_base::client : asio::ssl::stream_base::server;
  tls_->async_handshake(side, [self = shared_from_this()](const error_code& error) {
    if (self->closed_) {
      return;
    }
    if (error) {
      self->handshake_failed(error);
      return;
    }
    auto proof = self->prove();
    if (!proof) {
      self->fail({DownKind::kBroken, self->remote_ + ": " + proof.error().message});
      return;
    }
    self->proof_ = std::move(proof.value());
    self->begin_traffic();
  });
}

void Connection::handshake_failed(const error_code& error) {
  turned_down_ = is_alert(error);
  if (const auto* const problem = certificate_problem(tls_->native_handle())) {
    certificate_code_ = problem->code;
    fail({DownKind::kBroken, remote_ + ": " + problem->message});
    return;
  }
  std::string why = "do both sides have the same group and group key?";
  if (certificates_ != nullptr) {
    const bool none = error.category() == asio::error::get_ssl_category() &&
                      ERR_GET_REASON(static_cast<unsigned long>(error.value())) ==
                          SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE;
    why = none ? "it shows no certificate: does it have one of the group's CA?"
               : "do both sides have certificates of the group's CA?";
  }
  fail({DownKind::kBroken,
        "TLS handshake with " + remote_ + " failed (" + error.message() + "): " + why});
}

base::Result<Proof> Connection::prove() const {
  ssl_st* const ssl = tls_->native_handle();
  if (certificates_ != nullptr) {
    TRY(auto peer, certificates_->verify(ssl));
    return Proof{std::move(peer.name), {}, std::move(peer.serial)};
  }
  TRY(auto identity, verify(ssl));
  return Proof{
      std::move(dialled_ ? identity.callee : identity.caller), std::move(identity.key_id), {}};
}

base::Result<CertifiedPeer> Connection::verify_again(const Certificates& certificates) const {
  CHECK(tls_ != nullptr && secured_);
  return certificates.verify(tls_->native_handle());
}

void Connection::begin_traffic() {
  if (closed_) {
    return;
  }
  secured_ = true;
  incoming_.resize(kReadBytes);  // not before: strangers get as little memory as can be
  if (const auto events = events_.lock()) {
    events->on_secured(*this);
  }
  if (!closed_) {
    read();
    write();
  }
}

void Connection::arm(std::chrono::milliseconds after, const char* what) {
  deadline_.expires_after(after);
  const std::uint64_t number = ++deadline_number_;
  deadline_.async_wait([self = shared_from_this(), what, number](const error_code& error) {
    if (!error && !self->closed_ && number == self->deadline_number_) {
      self->fail({DownKind::kTimedOut, self->remote_ + ": " + what});
    }
  });
}

void Connection::establish(std::size_t max_frame, std::size_t max_queue) {
  ++deadline_number_;
  deadline_.cancel();
  reader_.set_max(max_frame);
  max_queue_ = max_queue;
}

void Connection::read() {
  if (closed_ || reading_ || paused_ || !secured_) {
    return;
  }
  reading_ = true;
  const auto buffer = asio::buffer(incoming_);
  auto done = [self = shared_from_this()](const error_code& error, std::size_t size) {
    self->reading_ = false;
    if (self->closed_) {
      return;
    }
    if (error) {
      self->lost(error);
      return;
    }
    self->take(size);
  };
  if (tls_) {
    tls_->async_read_some(buffer, std::move(done));
  } else {
    socket_.async_read_some(buffer, std::move(done));
  }
}

void Connection::take(std::size_t size) {
  const bool first = bytes_received_ == 0;
  bytes_received_ += size;
  const std::string_view bytes(incoming_.data(), size);
  if (first && !tls_ && looks_like_tls(bytes)) {
    met_tls_ = true;
    fail({DownKind::kBroken, remote_ + " speaks TLS, and this peer has neither group key nor "
                                       "certificate: give all peers of the group the same key "
                                       "file, or each a certificate"});
    return;
  }
  reader_.feed(bytes);
  deliver();
}

void Connection::deliver() {
  // An event may destroy everything but this object, close it, or pause it.
  const auto self = shared_from_this();
  delivering_ = true;
  while (!closed_ && !paused_) {
    auto frame = reader_.next();
    if (!frame) {
      delivering_ = false;
      fail({DownKind::kBroken, remote_ + " sent " + frame.error().message});
      return;
    }
    const auto& body = frame.value();
    if (!body) {
      break;
    }
    const auto events = events_.lock();
    if (!events) {
      close();
      break;
    }
    events->on_frame(*this, *body);
  }
  delivering_ = false;
  read();
}

void Connection::resume() {
  if (!paused_) {
    return;
  }
  paused_ = false;
  if (!delivering_) {
    asio::post(socket_.get_executor(), [self = shared_from_this()] {
      // A read that was under way when the pause began delivers by itself.
      if (!self->closed_ && !self->reading_) {
        self->deliver();
      }
    });
  }
}

bool Connection::send(Frame frame) {
  if (closed_ || finishing_ || queued_ + frame->size() > max_queue_) {
    return false;
  }
  queued_ += frame->size();
  queue_.push_back(std::move(frame));
  write();
  return true;
}

bool Connection::send_replaceable(Frame frame) {
  if (closed_ || finishing_) {
    return false;
  }
  const bool replaced = replaceable_ != nullptr;
  replaceable_ = std::move(frame);
  write();
  return replaced;
}

void Connection::write() {
  if (closed_ || writing_ || !secured_) {
    return;
  }
  if (!waiting()) {
    if (finishing_ && !shut_) {
      // Frames have lengths, so the end of TCP is enough: a truncated frame shows.
      shut_ = true;
      error_code ignored;
      socket_.shutdown(Tcp::socket::shutdown_send, ignored);
    }
    return;
  }
  outgoing_.clear();
  while (!queue_.empty() && (outgoing_.empty() || outgoing_.size() < kWriteBytes)) {
    outgoing_ += *queue_.front();
    queued_ -= queue_.front()->size();
    queue_.pop_front();
    ++frames_sent_;
  }
  if (queue_.empty() && replaceable_ != nullptr) {
    outgoing_ += *replaceable_;
    replaceable_.reset();
    ++frames_sent_;
  }
  writing_ = true;
  auto done = [self = shared_from_this()](const error_code& error, std::size_t size) {
    self->writing_ = false;
    if (self->closed_) {
      return;
    }
    if (error) {
      self->lost(error);
      return;
    }
    self->written(size);
  };
  if (tls_) {
    asio::async_write(*tls_, asio::buffer(outgoing_), std::move(done));
  } else {
    asio::async_write(socket_, asio::buffer(outgoing_), std::move(done));
  }
}

void Connection::written(std::size_t size) {
  bytes_sent_ += size;
  if (outgoing_.capacity() > kMaxControlFrame) {
    outgoing_ = std::string();
  }
  write();
}

void Connection::finish(std::chrono::milliseconds patience) {
  if (closed_ || finishing_) {
    return;
  }
  finishing_ = true;
  if (!secured_) {
    const auto self = shared_from_this();
    asio::post(socket_.get_executor(), [self] {
      if (!self->closed_) {
        self->fail({DownKind::kEnded, "closed before it was established"});
      }
    });
    return;
  }
  arm(patience, "did not end its side in time");
  resume();
  write();
}

void Connection::lost(const error_code& error) {
  if (is_alert(error) && dialled_ && bytes_received_ == 0) {
    // A dialler has done its part of the handshake before the other side judges its certificate
    // (RFC 8446 §2), so it learns the verdict here.
    turned_down_ = true;
    fail({DownKind::kBroken, remote_ + " does not take this peer's certificate (" +
                                 error.message() + "); its log says why"});
  } else if (error == asio::error::timed_out || error == asio::error::host_unreachable ||
             error == asio::error::network_unreachable) {
    fail({DownKind::kTimedOut, remote_ + ": " + error.message()});
  } else if (is_end(error)) {
    const bool reset = error == asio::error::connection_reset;
    fail({DownKind::kEnded, remote_ + (reset ? " reset the connection" : " ended the connection")});
  } else {
    fail({DownKind::kBroken, remote_ + ": " + error.message()});
  }
}

void Connection::fail(const Down& down) {
  if (closed_) {
    return;
  }
  close();
  if (const auto events = events_.lock()) {
    events->on_closed(*this, down);
  }
}

void Connection::close() {
  if (closed_) {
    return;
  }
  closed_ = true;
  deadline_.cancel();
  error_code ignored;
  socket_.close(ignored);
  left_unsent_ = !queue_.empty();
  queue_.clear();
  replaceable_.reset();
  queued_ = 0;
}

}  // namespace turnout::link
