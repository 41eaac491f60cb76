// What may come over a connection that is no good peer, and peers that do not read.

#include <gtest/gtest.h>

#include <random>

#include "link/fake_peer.h"
#include "link/link.h"
#include "link/net.h"

namespace turnout::link {
namespace {

using std::chrono::milliseconds;
using test::FakePeer;
using test::is_cut;
using test::Node;
using test::RawConnection;
using test::run_until;
using Io = boost::asio::io_context;

// Protocol Buffers by hand: what this version's encoder cannot be made to say.
std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) {
    bytes += static_cast<char>(value | 0x80);
  }
  return bytes + static_cast<char>(value);
}
std::string number(std::uint32_t field, std::uint64_t value) {
  return varint(field << 3) + varint(value);
}
std::string bytes(std::uint32_t field, const std::string& value) {
  return varint(field << 3 | 2) + varint(value.size()) + value;
}
std::string frame_of(const std::string& body) {
  std::string frame(kFrameHeader, '\0');
  frame += body;
  write_frame_header(frame);
  return frame;
}

struct StrangerTest : testing::Test {
  Io io;
  Node a{io, "a", [](Options& o) {
           o.handshake_timeout = milliseconds(150);
           o.user_timeout = std::chrono::minutes(5);  // some do not read for long
         }};
  void SetUp() override { a.start(); }
  // A good peer still gets in, whatever went on.
  void expect_open() {
    Node b(io, "b");
    b.start();
    ASSERT_TRUE(b.link->add_peer(a.address()));
    EXPECT_TRUE(run_until(io, [&] { return a.sees("b") && b.sees("a"); }));
  }
};

TEST_F(StrangerTest, GiantFrameBeforeHello) {
  for (const std::string& header : {std::string("\x7f\xff\xff\xff", 4),
                                    std::string("\0\0\x10\x01", 4), std::string("\0\0\0\0", 4)}) {
    RawConnection raw(io, a.address());
    raw.write(header);
    EXPECT_TRUE(is_cut(io, raw));
  }
  EXPECT_EQ(a.link->stats().handshakes_failed, 3u);
  EXPECT_EQ(a.refused.size(), 1u);  // told once per host
  expect_open();
}

TEST_F(StrangerTest, GarbageAndOtherProtocols) {
  std::mt19937_64 random(20'261'123);
  for (int round = 0; round < 50; ++round) {
    std::string bytes(1 + random() % 300, '\0');
    for (char& c : bytes) {
      c = static_cast<char>(random());
    }
    if (round % 2 == 0) {  // a frame whose body is garbage
      bytes.insert(0, 4, '\0');
      write_frame_header(bytes);
    }
    RawConnection raw(io, a.address());
    raw.write(bytes);
    EXPECT_TRUE(is_cut(io, raw)) << "round " << round << " of seed 20261123";
  }
  RawConnection browser(io, a.address());
  browser.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(is_cut(io, browser));
  RawConnection tls(io, a.address());
  tls.write("\x16\x03\x01\x02\x05\x01");
  EXPECT_TRUE(is_cut(io, tls));
  ASSERT_FALSE(a.refused.empty());
  EXPECT_EQ(a.refused.back().code, RefusalCode::kNotSecured);
  EXPECT_NE(a.refused.back().message.find("same key file"), std::string::npos);
  EXPECT_EQ(a.ups(), 0u);
  expect_open();
}

TEST_F(StrangerTest, SilentAndSlowOnesAreCutInTime) {
  RawConnection silent(io, a.address());
  RawConnection slow(io, a.address());
  const std::string hello = encode(test::good_hello("s", Channel::kControl));
  std::size_t sent = 0;
  const auto begun = std::chrono::steady_clock::now();
  auto next = begun;
  EXPECT_TRUE(run_until(io, [&] {
    // One byte per 20 ms: each is in time, the whole is not.
    if (std::chrono::steady_clock::now() >= next && sent < hello.size()) {
      slow.write(hello.substr(sent++, 1));
      next += milliseconds(20);
    }
    slow.poll();
    return slow.ended();
  }));
  EXPECT_LT(sent, hello.size());
  EXPECT_TRUE(is_cut(io, silent));
  EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(140));
  // So is one that says hello and never opens its bulk connection.
  RawConnection half(io, a.address());
  half.write(hello);
  EXPECT_TRUE(is_cut(io, half));
  EXPECT_GT(half.received(), 0u);
  EXPECT_EQ(a.ups(), 0u);
  expect_open();
}

TEST(Stranger, ConnectionsWithoutHelloAreLimitedAndDoNotLockPeersOut) {
  Io io;
  Node a(io, "a", [](Options& o) { o.max_unauthenticated = 8; });
  a.start();
  std::vector<std::unique_ptr<RawConnection>> crowd;
  for (int i = 0; i < 100; ++i) {
    crowd.push_back(std::make_unique<RawConnection>(io, a.address()));
  }
  ASSERT_TRUE(run_until(io, [&] { return a.link->stats().accepted == 100; }));
  EXPECT_EQ(a.link->stats().unauthenticated, 8u);
  EXPECT_EQ(a.link->stats().connections, 8u);
  Node b(io, "b", [&](Options& o) { o.seeds = {a.address()}; });
  b.start();
  EXPECT_TRUE(run_until(io, [&] { return a.sees("b") && b.sees("a"); }));
}

TEST_F(StrangerTest, AnotherProtocolVersionIsToldSo) {
  RawConnection raw(io, a.address());
  raw.write(frame_of(bytes(1, number(1, 999))));  // Hello.protocol
  std::optional<std::string> frame;
  ASSERT_TRUE(run_until(io, [&] {
    raw.poll();
    frame = raw.frame();
    return frame.has_value();
  }));
  const auto refuse = decode(*frame);
  ASSERT_TRUE(refuse);
  ASSERT_TRUE(std::holds_alternative<Refuse>(refuse.value()));
  EXPECT_NE(std::get<Refuse>(refuse.value()).message.find("999"), std::string::npos);
  ASSERT_EQ(a.refused.size(), 1u);
  EXPECT_EQ(a.refused[0].code, RefusalCode::kOtherProtocol);
}

TEST_F(StrangerTest, UnknownFieldsAreIgnoredAndUnknownMessagesSkipped) {
  FakePeer fake(io, a.address(), "f");
  ASSERT_TRUE(fake.begin(io, "f"));
  fake.control.write(frame_of(bytes(999, "xyz")));  // a message of a later version
  fake.control.write(
      frame_of(bytes(20, number(2, 7) + number(100, 5) + bytes(101, "new"))));  // Cede
  fake.control.write(frame_of(bytes(16, number(9, 17))));  // Advertisement.phase of a later version
  ASSERT_TRUE(run_until(
      io, [&] { return a.link->stats().unknown_messages == 2 && a.received.size() == 1; }));
  EXPECT_EQ(std::get<group::Cede>(a.received[0].message).track, base::TrackId(7));
  EXPECT_TRUE(a.downs.empty());
}

TEST_F(StrangerTest, ASessionThatSendsNonsenseEnds) {
  // An advertisement with a cycle of −5 µs.
  const std::string negative =
      frame_of(bytes(16, bytes(3, "f") + number(6, static_cast<std::uint64_t>(-5))));
  const std::string giant("\x00\x10\x00\x01", 4);
  const std::string hello = encode(test::good_hello("f", Channel::kControl));
  for (const std::string& bytes : {negative, giant, hello}) {
    const std::size_t before = a.downs.size();
    FakePeer fake(io, a.address(), "f");
    ASSERT_TRUE(fake.begin(io, "f"));
    fake.control.write(bytes);
    ASSERT_TRUE(run_until(io, [&] { return a.downs.size() == before + 1; }));
    EXPECT_EQ(a.downs.back().second.kind, DownKind::kBroken);
    EXPECT_TRUE(is_cut(io, *fake.bulk));
  }
  expect_open();
}

TEST_F(StrangerTest, AdvertisementsNotYetSentAreReplaced) {
  FakePeer fake(io, a.address(), "f");
  ASSERT_TRUE(fake.begin(io, "f"));
  constexpr std::uint64_t kSent = 200'000;
  for (std::uint64_t sequence = 1; sequence <= kSent; ++sequence) {
    ASSERT_TRUE(a.link->send(base::PeerName("f"), test::idle_advertisement("a", sequence)));
    io.restart();
    io.poll();
  }
  EXPECT_GT(a.link->stats().advertisements_replaced, kSent / 2);
  std::uint64_t last = 0;
  std::uint64_t seen = 0;
  ASSERT_TRUE(run_until(io, [&] {
    fake.control.poll();
    while (const auto frame = fake.control.frame()) {
      const auto message = decode(*frame);
      const auto& said = std::get<group::Message>(message.value());
      const std::uint64_t sequence = std::get<group::Advertisement>(said).sequence;
      EXPECT_GT(sequence, last);
      last = sequence;
      ++seen;
    }
    return last == kSent;
  }));
  EXPECT_EQ(seen + a.link->stats().advertisements_replaced, kSent);
}

TEST_F(StrangerTest, AFullBulkQueueIsReportedAndDelaysNoAdvertisement) {
  FakePeer fake(io, a.address(), "f");
  ASSERT_TRUE(fake.begin(io, "f"));
  const auto block = test::block_of(20'000);
  std::size_t sent = 0;
  base::ErrorCode code = base::ErrorCode::kInternal;
  while (true) {
    const auto queued = a.link->send(base::PeerName("f"), block);
    if (!queued) {
      code = queued.error().code;
      break;
    }
    ++sent;
    ASSERT_LT(sent, 10'000u);
    io.restart();
    io.poll();
  }
  EXPECT_EQ(code, base::ErrorCode::kExhausted);
  EXPECT_GT(sent, 200u);
  EXPECT_EQ(a.link->stats().sends_refused, 1u);
  ASSERT_TRUE(a.link->send(base::PeerName("f"), test::idle_advertisement("a", 1)));
  ASSERT_TRUE(run_until(
      io,
      [&] {
        fake.control.poll();
        return fake.control.frame().has_value();
      },
      milliseconds(2'000)));
  // Nothing is lost of what was taken.
  std::size_t blocks = 0;
  EXPECT_TRUE(run_until(io, [&] {
    fake.bulk->poll();
    while (fake.bulk->frame()) {
      ++blocks;
    }
    return blocks == sent;
  }));
}

}  // namespace
}  // namespace turnout::link
