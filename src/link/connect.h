#pragma once

// Dialling one address once: resolve the name, try what it resolves to one after the other until
// one answers.

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>

#include "base/result.h"
#include "link/address.h"

namespace turnout::link {

class Connect : public std::enable_shared_from_this<Connect> {
 public:
  using Tcp = boost::asio::ip::tcp;
  // kUnavailable: nobody answered, or the name is not known. kInvalid: with `loopback_only`, it
  // resolves to addresses of other machines only.
  using Done = std::function<void(base::Result<Tcp::socket>)>;

  struct Patience {
    std::chrono::milliseconds in_all;
    std::chrono::milliseconds for_each;  // of the addresses that the name resolves to
  };

  // `done` is called once, from the io_context, unless the attempt is cancelled first.
  static std::shared_ptr<Connect> start(boost::asio::io_context& io, const Address& address,
                                        bool loopback_only, Patience patience, Done done);
  void cancel();

 private:
  Connect(boost::asio::io_context& io, const Address& address, Patience patience, Done done);
  void resolved(const Tcp::resolver::results_type& results, bool loopback_only);
  void next();
  void finish(base::Result<Tcp::socket> result);

  Address address_;
  Done done_;
  Tcp::resolver resolver_;
  Tcp::socket socket_;
  boost::asio::steady_timer deadline_;
  boost::asio::steady_timer attempt_;  // ends the one under way
  const Patience patience_;
  std::vector<Tcp::endpoint> endpoints_;
  std::size_t tried_ = 0;
  std::string last_error_;
};

}  // namespace turnout::link
