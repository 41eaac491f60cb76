#pragma once

// A relay between peers on loopback that notes what passes, and may change it: somebody on the
// wire.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>
#include <vector>

namespace turnout::link::test {

// What passed on one connection.
struct Recording {
  std::string from_caller;
  std::string from_callee;
};

class Relay {
 public:
  Relay(boost::asio::io_context& io, const std::string& to);
  ~Relay();

  std::string address() const;
  std::string seen() const;  // all there is, both directions
  // In the order of their beginning; they grow while the connections last.
  const std::vector<std::shared_ptr<Recording>>& recordings() const { return recordings_; }
  // Ends all connections towards the callee, and leaves those towards the callers open and silent.
  void cut_callees();
  void corrupt_next() { *corrupt_ = true; }  // flips a bit of the next bytes that pass

 private:
  void accept();

  boost::asio::io_context& io_;
  std::string to_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::vector<std::shared_ptr<Recording>> recordings_;
  std::vector<std::shared_ptr<boost::asio::ip::tcp::socket>> callees_;
  std::shared_ptr<bool> mute_ = std::make_shared<bool>(false);  // an end is not passed on
  std::shared_ptr<bool> corrupt_ = std::make_shared<bool>(false);
};

}  // namespace turnout::link::test
