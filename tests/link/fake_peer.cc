#include "link/fake_peer.h"

#include <gtest/gtest.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <vector>

#include "link/address.h"
#include "link/net.h"

namespace turnout::link::test {

using Tcp = boost::asio::ip::tcp;
using boost::system::error_code;

RawConnection::RawConnection(boost::asio::io_context& io, const std::string& address,
                             const std::string& from)
    : socket_(io) {
  const auto parsed = parse_address(address);
  EXPECT_TRUE(parsed);
  error_code error;
  if (!from.empty()) {
    const Tcp::endpoint near(boost::asio::ip::make_address(from), 0);
    socket_.open(near.protocol());
    socket_.bind(near);
  }
  (void)socket_.connect({boost::asio::ip::make_address(parsed.value().host), parsed.value().port},
                        error);
  EXPECT_FALSE(error) << error.message();
}

void RawConnection::write(std::string_view bytes) {
  error_code ignored;  // the other side may have closed, which some tests are about
  boost::asio::write(socket_, boost::asio::buffer(bytes.data(), bytes.size()), ignored);
}

void RawConnection::poll() {
  std::vector<char> buffer(64 << 10);
  while (!ended_) {
    error_code error;
    socket_.non_blocking(true, error);
    const std::size_t size = socket_.read_some(boost::asio::buffer(buffer), error);
    if (error == boost::asio::error::would_block) {
      break;
    }
    if (error) {
      ended_ = true;
      break;
    }
    received_ += size;
    reader_.feed({buffer.data(), size});
  }
  socket_.non_blocking(false);
}

std::optional<std::string> RawConnection::frame() {
  const auto next = reader_.next();
  EXPECT_TRUE(next);
  if (!next || !next.value()) {
    return std::nullopt;
  }
  return std::string(*next.value());
}

bool is_cut(boost::asio::io_context& io, RawConnection& raw) {
  return run_until(io, [&] {
    raw.poll();
    return raw.ended();
  });
}

std::optional<std::string> next_frame(boost::asio::io_context& io, RawConnection& raw) {
  std::optional<std::string> frame;
  (void)run_until(io, [&] {
    raw.poll();
    frame = raw.frame();
    return frame.has_value();
  });
  return frame;
}

Hello good_hello(const std::string& name, Channel channel) {
  Hello hello;
  hello.group = "g";
  hello.name = base::PeerName(name);
  hello.incarnation = base::Incarnation(1);
  hello.life = 1'234'567;
  hello.address = "127.0.0.1:1";
  hello.channel = channel;
  hello.session = 99;
  return hello;
}

FakePeer::FakePeer(boost::asio::io_context& io, const std::string& to, const std::string& name)
    : control(io, to), address(to) {
  control.write(encode(good_hello(name, Channel::kControl)));
}

bool FakePeer::begin(boost::asio::io_context& io, const std::string& name) {
  if (!next_frame(io, control)) {
    return false;
  }
  bulk.emplace(io, address);
  bulk->write(encode(good_hello(name, Channel::kBulk)));
  return next_frame(io, *bulk).has_value();
}

}  // namespace turnout::link::test
