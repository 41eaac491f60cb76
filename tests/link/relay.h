#pragma once

// A relay between peers on loopback that notes what passes, and may change it: somebody on the
// wire.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>
#include <vector>

namespace turnout::link::test {

class Relay {
 public:
  Relay(boost::asio::io_context& io, const std::string& to);
  ~Relay();

  std::string address() const;
  const std::string& seen() const { return *seen_; }  // both directions
  void corrupt_next() { *corrupt_ = true; }           // flips a bit of the next bytes that pass

 private:
  void accept();

  boost::asio::io_context& io_;
  std::string to_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::shared_ptr<std::string> seen_ = std::make_shared<std::string>();
  std::shared_ptr<bool> corrupt_ = std::make_shared<bool>(false);
};

}  // namespace turnout::link::test
