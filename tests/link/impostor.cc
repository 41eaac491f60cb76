#include "link/impostor.h"

#include <gtest/gtest.h>

#include <array>
#include <boost/asio/write.hpp>

#include "link/address.h"
#include "link/fake_peer.h"

namespace turnout::link::test {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;
using boost::system::error_code;

Impostor::Impostor(asio::io_context& io, const Signed* shown, const std::string& name)
    : io_(io), context_(asio::ssl::context::tlsv13), name_(name) {
  SSL_CTX* const context = context_.native_handle();
  SSL_CTX_set_security_level(context, 0);
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  if (shown != nullptr) {
    EXPECT_EQ(SSL_CTX_use_certificate(context, shown->certificate.get()), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey(context, shown->key.get()), 1);
  }
}

void Impostor::dial(const std::string& address) {
  const auto to = parse_address(address);
  ASSERT_TRUE(to);
  Tcp::socket socket(io_);
  socket.connect({asio::ip::make_address(to.value().host), to.value().port});
  handshake(std::move(socket), true);
}

std::string Impostor::listen() {
  acceptor_.emplace(io_, Tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
  accept();
  return "127.0.0.1:" + std::to_string(acceptor_->local_endpoint().port());
}

void Impostor::accept() {
  acceptor_->async_accept([this, alive = alive_](const error_code& error, Tcp::socket socket) {
    if (*alive && !error) {
      ++calls_;
      handshake(std::move(socket), false);
      accept();
    }
  });
}

void Impostor::handshake(Tcp::socket socket, bool as_caller) {
  ended_ = false;
  const auto stream = std::make_shared<Stream>(std::move(socket), context_);
  stream->async_handshake(
      as_caller ? asio::ssl::stream_base::client : asio::ssl::stream_base::server,
      [this, stream, alive = alive_](const error_code& error) {
        if (!*alive) {
          return;
        }
        if (error) {
          ended_ = true;
          return;
        }
        secured_ = true;
        last_ = stream;
        if (!name_.empty()) {
          say(encode(good_hello(name_, Channel::kControl)));
        }
        read(stream);
      });
}

void Impostor::say(const std::string& bytes) {
  const auto kept = std::make_shared<std::string>(bytes);
  asio::async_write(*last_, asio::buffer(*kept),
                    [stream = last_, kept](const error_code&, std::size_t) {});
}

void Impostor::read(std::shared_ptr<Stream> stream) {
  const auto buffer = std::make_shared<std::array<char, 4096>>();
  stream->async_read_some(asio::buffer(*buffer), [this, stream, buffer, alive = alive_](
                                                     const error_code& error, std::size_t size) {
    if (!*alive) {
      return;
    }
    heard_.append(buffer->data(), size);
    if (error) {
      ended_ = true;
    } else {
      read(stream);
    }
  });
}

}  // namespace turnout::link::test
