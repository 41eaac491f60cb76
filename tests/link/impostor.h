#pragma once

// Somebody who speaks TLS and the peers' protocol and shows a certificate of their choice, or none.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "link/authority.h"

namespace turnout::link::test {

class Impostor {
 public:
  // `shown` may be null. `name` is what its Hello says; if it is empty, it says nothing by itself.
  Impostor(boost::asio::io_context& io, const Signed* shown, const std::string& name);
  // Its connections may still be under way in the io_context; nothing comes of them any more.
  ~Impostor() { *alive_ = false; }
  Impostor(const Impostor&) = delete;
  Impostor& operator=(const Impostor&) = delete;

  void dial(const std::string& address);
  // Begins to answer callers; returns where.
  std::string listen();

  // On the last connection, once secured.
  void say(const std::string& bytes);

  bool secured() const { return secured_; }  // its own part of a TLS handshake is done
  bool ended() const { return ended_; }      // the last connection is
  // Bytes of the application that it was sent, in all.
  const std::string& heard() const { return heard_; }
  std::size_t calls() const { return calls_; }

 private:
  using Stream = boost::asio::ssl::stream<boost::asio::ip::tcp::socket>;
  void handshake(boost::asio::ip::tcp::socket socket, bool as_caller);
  void read(std::shared_ptr<Stream> stream);
  void accept();

  boost::asio::io_context& io_;
  boost::asio::ssl::context context_;
  std::string name_;
  std::optional<boost::asio::ip::tcp::acceptor> acceptor_;
  std::shared_ptr<Stream> last_;
  std::string heard_;
  std::size_t calls_ = 0;
  bool secured_ = false;
  bool ended_ = false;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace turnout::link::test
