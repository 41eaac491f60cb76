#include "link/relay.h"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include "link/address.h"

namespace turnout::link::test {

using Tcp = boost::asio::ip::tcp;
using boost::system::error_code;

namespace {

// One direction of one relayed connection.
struct Pipe : std::enable_shared_from_this<Pipe> {
  std::shared_ptr<Tcp::socket> from;
  std::shared_ptr<Tcp::socket> to;
  std::shared_ptr<Recording> recording;
  bool calling = false;  // from the caller
  std::shared_ptr<bool> corrupt;
  std::shared_ptr<bool> mute;
  std::array<char, 16 << 10> buffer{};

  void pump() {
    from->async_read_some(
        boost::asio::buffer(buffer),
        [self = shared_from_this()](const error_code& error, std::size_t size) {
          error_code ignored;
          if (error && *self->mute) {
            return;
          }
          if (error) {
            self->from->close(ignored);
            self->to->close(ignored);
            return;
          }
          (self->calling ? self->recording->from_caller : self->recording->from_callee)
              .append(self->buffer.data(), size);
          if (*self->corrupt) {
            *self->corrupt = false;
            self->buffer[size - 1] = static_cast<char>(self->buffer[size - 1] ^ 1);
          }
          boost::asio::write(*self->to, boost::asio::buffer(self->buffer, size), ignored);
          self->pump();
        });
  }
};

}  // namespace

Relay::Relay(boost::asio::io_context& io, const std::string& to)
    : io_(io), to_(to), acceptor_(io, {boost::asio::ip::make_address("127.0.0.1"), 0}) {
  accept();
}

Relay::~Relay() = default;

std::string Relay::address() const {
  return "127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
}

std::string Relay::seen() const {
  std::string all;
  for (const auto& recording : recordings_) {
    all += recording->from_caller + recording->from_callee;
  }
  return all;
}

void Relay::cut_callees() {
  *mute_ = true;
  error_code ignored;
  for (const auto& callee : callees_) {
    callee->close(ignored);
  }
}

void Relay::accept() {
  acceptor_.async_accept([this](const error_code& error, Tcp::socket socket) {
    if (error) {
      return;  // the relay may be gone
    }
    const auto near = std::make_shared<Tcp::socket>(std::move(socket));
    const auto far = std::make_shared<Tcp::socket>(io_);
    const auto address = parse_address(to_);
    error_code failed;
    (void)far->connect({boost::asio::ip::make_address(address.value().host), address.value().port},
                       failed);
    callees_.push_back(far);
    recordings_.push_back(std::make_shared<Recording>());
    for (const auto& [from, to] : {std::pair(near, far), std::pair(far, near)}) {
      const auto pipe = std::make_shared<Pipe>();
      pipe->from = from;
      pipe->to = to;
      pipe->recording = recordings_.back();
      pipe->calling = from == near;
      pipe->corrupt = corrupt_;
      pipe->mute = mute_;
      pipe->pump();
    }
    accept();
  });
}

}  // namespace turnout::link::test
