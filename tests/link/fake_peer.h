#pragma once

// The other side of a connection, byte by byte: what a peer, an old peer, a broken one or a
// stranger may send.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "link/frame.h"
#include "link/wire.h"

namespace turnout::link::test {

// One plain TCP connection to a link of this process. The link's io_context must be run by the
// test.
class RawConnection {
 public:
  // `from`: the near end's address, else the system chooses.
  RawConnection(boost::asio::io_context& io, const std::string& address,
                const std::string& from = "");
  explicit RawConnection(boost::asio::ip::tcp::socket accepted) : socket_(std::move(accepted)) {}

  void write(std::string_view bytes);
  // What has arrived, without waiting.
  void poll();
  void end() { socket_.close(); }
  // Next frame of what has arrived.
  std::optional<std::string> frame();
  bool ended() const { return ended_; }
  std::size_t received() const { return received_; }

 private:
  boost::asio::ip::tcp::socket socket_;
  FrameReader reader_{kMaxBulkFrame};
  std::size_t received_ = 0;
  bool ended_ = false;
};

// Runs until the other side has ended the connection.
bool is_cut(boost::asio::io_context& io, RawConnection& raw);

// Runs until a frame has come, and takes it. None if none comes.
std::optional<std::string> next_frame(boost::asio::io_context& io, RawConnection& raw);

// A hello that a link of the group "g" accepts.
Hello good_hello(const std::string& name, Channel channel);

// A peer with a session, made by hand.
struct FakePeer {
  FakePeer(boost::asio::io_context& io, const std::string& address, const std::string& name);
  bool begin(boost::asio::io_context& io, const std::string& name);  // true once there is a session

  RawConnection control;
  std::optional<RawConnection> bulk;
  std::string address;
};

}  // namespace turnout::link::test
