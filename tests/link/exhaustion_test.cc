// Strangers who want a peer's memory, descriptors or time, or to be taken for somebody they have
// listened to.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/write.hpp>
#include <deque>
#include <fstream>

#include "link/address.h"
#include "link/authority.h"
#include "link/fake_peer.h"
#include "link/impostor.h"
#include "link/link.h"
#include "link/net.h"
#include "link/relay.h"

namespace turnout::link {
namespace {

using std::chrono::milliseconds;
using test::FakePeer;
using test::is_cut;
using test::Node;
using test::RawConnection;
using test::run_until;
using Clock = std::chrono::steady_clock;
using Io = boost::asio::io_context;

constexpr std::size_t kMiB = 1u << 20;
#ifdef __SANITIZE_THREAD__
constexpr std::size_t kResidentFactor = 4;  // the sanitizer's own account of each byte
#else
constexpr std::size_t kResidentFactor = 1;
#endif

GroupKey any_key() {
  GroupKey key;
  key.id = "k1";
  key.secret.fill(7);
  return key;
}

std::function<void(Options&)> with_key(std::vector<std::string> seeds = {}) {
  return [seeds](Options& o) {
    o.keys = {any_key()};
    o.seeds = seeds;
  };
}

// Bytes of this process in memory.
std::size_t resident() {
  std::ifstream statm("/proc/self/statm");
  std::size_t all = 0;
  std::size_t pages = 0;
  statm >> all >> pages;
  return pages * 4096;
}

// The beginning of a ClientHello that promises `size` bytes.
std::string client_hello(std::size_t size) {
  std::string bytes("\x16\x03\x01\x40\x00\x01", 6);  // a record of 16 KiB; ClientHello
  for (const int shift : {16, 8, 0}) {
    bytes += static_cast<char>(size >> shift & 0xff);
  }
  return bytes + "\x03\x03";
}

// New strangers come all the time, each of another kind, while a peer wants in.
TEST(Exhaustion, APeerGetsInDuringAFlood) {
  Io io;
  Node a(io, "a", with_key());
  a.start();
  Node first(io, "c", with_key({a.address()}));  // what a first session costs is no stranger's
  first.start();
  ASSERT_TRUE(run_until(io, [&] { return a.sees("c") && first.sees("a"); }));
  const std::size_t before = resident();
  const std::string kinds[] = {"", client_hello(508), client_hello(0xffffff),
                               std::string("\x16\x03\x01\xff\xff", 5), "GET / HTTP/1.1\r\n\r\n"};
  std::deque<std::unique_ptr<RawConnection>> crowd;
  std::size_t come = 0;
  const auto more = [&] {
    for (int i = 0; i < 4; ++i) {
      crowd.push_back(std::make_unique<RawConnection>(io, a.address()));
      crowd.back()->write(kinds[come++ % std::size(kinds)]);
    }
    while (crowd.size() > 200) {
      crowd.pop_front();
    }
    io.restart();
    io.poll();  // or else the queue of the system grows full, and connecting waits for this thread
  };
  ASSERT_TRUE(run_until(io, [&] {
    more();
    return come >= 1'000;
  }));
  Node b(io, "b", with_key({a.address()}));
  b.start();
  EXPECT_TRUE(run_until(io, [&] {
    more();
    EXPECT_LE(a.link->stats().connections, 2u + 64u + 2u);
    return a.sees("b") && b.sees("a");
  }));
  EXPECT_LT(resident(), before + 32 * kMiB * kResidentFactor) << come << " strangers";
  EXPECT_TRUE(a.downs.empty() && first.downs.empty());
}

// Old and slow is who has little time left; who comes from elsewhere is not pushed out by a crowd.
TEST(Exhaustion, ACrowdFromOneAddressPushesOutItsOwn) {
  Io io;
  Node a(io, "a", [](Options& o) { o.max_unauthenticated = 8; });
  a.start();
  FakePeer far(io, a.address(), "f");  // a slow peer: its control connection waits for the bulk one
  ASSERT_TRUE(run_until(io, [&] {
    far.control.poll();
    return far.control.received() > 0;
  }));
  std::deque<std::unique_ptr<RawConnection>> crowd;
  for (std::size_t i = 1; i <= 100; ++i) {
    crowd.push_back(std::make_unique<RawConnection>(io, a.address(), "127.0.0.2"));
    ASSERT_TRUE(run_until(io, [&] { return a.link->stats().accepted == 1 + i; }));
  }
  EXPECT_EQ(a.link->stats().connections, 8u);
  far.control.poll();
  EXPECT_FALSE(far.control.ended());
  EXPECT_TRUE(is_cut(io, *crowd.front()));
  far.bulk.emplace(io, a.address());
  far.bulk->write(encode(test::good_hello("f", Channel::kBulk)));
  EXPECT_TRUE(run_until(io, [&] { return a.sees("f"); }));
}

TEST(Exhaustion, NetworksAreWhatOneStrangerHas) {
  EXPECT_EQ(network_of("192.0.2.1"), "192.0.2.1");
  EXPECT_NE(network_of("192.0.2.1"), network_of("192.0.2.2"));
  EXPECT_EQ(network_of("2001:db8:1:2::3"), network_of("2001:db8:1:2:ffff::1"));
  EXPECT_NE(network_of("2001:db8:1:2::3"), network_of("2001:db8:1:3::3"));
  EXPECT_EQ(network_of("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(network_of("nonsense"), "nonsense");
}

TEST(Exhaustion, AGiantHelloOfTlsIsCutBeforeItIsBig) {
  Io io;
  Node a(io, "a", with_key());
  a.start();
  const std::size_t before = resident();
  std::string record = client_hello(0xffffff);
  record.resize(5 + 0x4000, 'x');
  const std::string next = std::string("\x16\x03\x01\x40\x00", 5) + std::string(0x4000, 'x');
  std::vector<std::unique_ptr<RawConnection>> all;
  for (int i = 0; i < 20; ++i) {
    all.push_back(std::make_unique<RawConnection>(io, a.address()));
    all.back()->write(record);
  }
  for (const auto& raw : all) {
    EXPECT_TRUE(run_until(io, [&] {
      raw->poll();
      if (!raw->ended()) {
        raw->write(next);
      }
      return raw->ended();
    }));
  }
  EXPECT_LT(resident(), before + 16 * kMiB);
}

// Each byte comes soon after the one before; the whole does not come in time.
TEST(Exhaustion, SlowBytesOfTlsAreCutInTime) {
  Io io;
  Node a(io, "a", [](Options& o) {
    o.keys = {any_key()};
    o.handshake_timeout = milliseconds(150);
  });
  a.start();
  RawConnection slow(io, a.address());
  const std::string hello = client_hello(508) + std::string(506, 'x');
  std::size_t sent = 0;
  auto next = Clock::now();
  const auto begun = next;
  ASSERT_TRUE(run_until(io, [&] {
    if (Clock::now() >= next && sent < hello.size()) {
      slow.write(hello.substr(sent++, 1));
      next += milliseconds(5);
    }
    slow.poll();
    return slow.ended();
  }));
  EXPECT_LT(sent, hello.size());
  EXPECT_GE(Clock::now() - begun, milliseconds(140));
  EXPECT_EQ(a.link->stats().connections, 0u);
}

// Who has a good certificate and then says nothing, or says it byte by byte, is no session.
TEST(Exhaustion, SilenceAndSlowBytesAfterTlsAreCutInTime) {
  Io io;
  const test::Authority ca("Group CA");
  test::Wish wish;
  wish.names = {"URI:turnout:g/s"};
  const test::Signed own = ca.sign(wish);
  wish.names = {"URI:turnout:g/a"};
  const test::Signed a_own = ca.sign(wish);
  const std::string folder = testing::TempDir() + "exhaustion_test." + std::to_string(getpid());
  const CertificateFiles files{folder + ".pem", folder + ".key", folder + ".ca"};
  std::ofstream(files.certificate) << a_own.certificate_pem();
  std::ofstream(files.private_key) << a_own.key_pem();
  std::ofstream(files.ca) << ca.pem();
  ASSERT_EQ(chmod(files.private_key.c_str(), 0600), 0);
  auto certificates = Certificates::read(files, {"g", base::PeerName("a")});
  for (const std::string& file : {files.certificate, files.private_key, files.ca}) {
    unlink(file.c_str());
  }
  ASSERT_TRUE(certificates) << certificates.error().message;
  Node a(io, "a", [&](Options& o) {
    o.certificates = certificates.value();
    o.handshake_timeout = milliseconds(300);
  });
  a.start();
  test::Impostor silent(io, &own, "");
  silent.dial(a.address());
  test::Impostor slow(io, &own, "");
  slow.dial(a.address());
  const std::string hello = encode(test::good_hello("s", Channel::kControl));
  std::size_t sent = 0;
  auto next = Clock::now();
  ASSERT_TRUE(run_until(io, [&] {
    if (slow.secured() && Clock::now() >= next && sent < hello.size() && !slow.ended()) {
      slow.say(hello.substr(sent++, 1));
      next = Clock::now() + milliseconds(20);
    }
    return slow.ended() && silent.ended();
  }));
  EXPECT_TRUE(slow.secured() && silent.secured());
  EXPECT_GT(sent, 0u);
  EXPECT_LT(sent, hello.size());
  EXPECT_TRUE(slow.heard().empty());
  EXPECT_EQ(a.link->stats().connections, 0u);
  EXPECT_EQ(a.ups(), 0u);
}

// In a session a frame may take its time, but what has not come takes no memory, and nobody waits.
TEST(Exhaustion, AFrameThatNeverEndsTakesNoMemoryAndHoldsUpNobody) {
  Io io;
  Node a(io, "a");
  a.start();
  std::vector<std::unique_ptr<FakePeer>> slow;
  for (int i = 0; i < 20; ++i) {
    const std::string name = "s" + std::to_string(i);
    slow.push_back(std::make_unique<FakePeer>(io, a.address(), name));
    ASSERT_TRUE(slow.back()->begin(io, name));
  }
  const std::size_t before = resident();
  for (const auto& peer : slow) {
    peer->bulk->write(std::string("\x01\x00\x00\x00", 4) + "x");  // 16 MiB are promised
  }
  Node b(io, "b", [&](Options& o) { o.seeds = {a.address()}; });
  b.start();
  ASSERT_TRUE(run_until(io, [&] { return a.sees("b") && b.sees("a"); }));
  ASSERT_TRUE(b.link->send(base::PeerName("a"), test::block_of(1'000)));
  ASSERT_TRUE(run_until(io, [&] { return a.received.size() == 1; }));
  EXPECT_LT(resident(), before + 16 * kMiB);
}

// Everything that a peer has ever said on the wire, said again by somebody else.
TEST(Exhaustion, ARecordedConnectionSaidAgainIsNoPeer) {
  for (const bool secure : {true, false}) {
    Io io;
    const auto change = [&](std::vector<std::string> seeds) {
      return [=](Options& o) {
        o.keys = secure ? std::vector<GroupKey>{any_key()} : std::vector<GroupKey>();
        o.seeds = seeds;
      };
    };
    Node a(io, "a", change({}));
    a.start();
    test::Relay relay(io, a.address());
    std::vector<std::size_t> handshakes;  // bytes of the caller up to the session
    {
      Node b(io, "b", change({relay.address()}));
      b.start();
      ASSERT_TRUE(run_until(io, [&] { return a.sees("b") && b.sees("a"); }));
      for (const auto& recording : relay.recordings()) {
        handshakes.push_back(recording->from_caller.size());
      }
      ASSERT_TRUE(b.link->send(base::PeerName("a"), test::idle_advertisement("b", 1)));
      ASSERT_TRUE(run_until(io, [&] { return a.received.size() == 1; }));
    }
    ASSERT_TRUE(run_until(io, [&] { return !a.sees("b"); }));
    ASSERT_EQ(handshakes.size(), 2u);
    std::vector<std::unique_ptr<RawConnection>> again;
    const auto pause = [&] { run_until(io, [] { return false; }, milliseconds(50)); };
    for (std::size_t i = 0; i < handshakes.size(); ++i) {
      again.push_back(std::make_unique<RawConnection>(io, a.address()));
      again.back()->write(relay.recordings()[i]->from_caller.substr(0, handshakes[i]));
      pause();
    }
    again[0]->write(relay.recordings()[0]->from_caller.substr(handshakes[0]));
    if (!secure) {  // in clear it works, so the recordings are whole
      ASSERT_TRUE(run_until(io, [&] { return a.received.size() == 2; }));
      continue;
    }
    for (const auto& raw : again) {
      EXPECT_TRUE(is_cut(io, *raw));
    }
    EXPECT_EQ(a.ups(), 1u);
    EXPECT_EQ(a.received.size(), 1u);

    // And the callee's words, to a caller.
    boost::asio::ip::tcp::acceptor liar(io, {boost::asio::ip::make_address("127.0.0.1"), 0});
    std::vector<std::shared_ptr<boost::asio::ip::tcp::socket>> callers;
    const std::function<void()> answer = [&] {
      liar.async_accept(
          [&](const boost::system::error_code& error, boost::asio::ip::tcp::socket socket) {
            if (error) {
              return;
            }
            callers.push_back(std::make_shared<boost::asio::ip::tcp::socket>(std::move(socket)));
            boost::system::error_code ignored;
            boost::asio::write(*callers.back(),
                               boost::asio::buffer(relay.recordings()[0]->from_callee), ignored);
            answer();
          });
    };
    answer();
    Node b(io, "b", change({"127.0.0.1:" + std::to_string(liar.local_endpoint().port())}));
    b.start();
    ASSERT_TRUE(run_until(io, [&] { return b.link->stats().handshakes_failed >= 3; }));
    EXPECT_EQ(b.ups(), 0u);
    EXPECT_TRUE(b.received.empty());
  }
}

}  // namespace
}  // namespace turnout::link
