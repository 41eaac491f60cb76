// Links that find each other, lose each other and talk, on real sockets.

#include "link/link.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "link/fake_peer.h"
#include "link/net.h"
#include "link/relay.h"

namespace turnout::link {
namespace {

using test::Node;
using test::run_until;
using Io = boost::asio::io_context;

bool all_meet(Io& io, std::vector<Node*> nodes) {
  return run_until(io, [&] {
    for (const Node* a : nodes) {
      for (const Node* b : nodes) {
        if (a != b && !a->sees(b->options.name.get())) {
          return false;
        }
      }
    }
    return true;
  });
}

// Until each pair has two connections and nothing else is open.
bool settles(Io& io, std::vector<Node*> nodes) {
  return run_until(io, [&] {
    for (const Node* node : nodes) {
      if (node->link->stats().connections != 2 * (nodes.size() - 1)) {
        return false;
      }
    }
    return true;
  });
}

struct LinkTest : testing::TestWithParam<const char*> {
  Io io;
  std::function<void(Options&)> here() const {
    return [listen = std::string(GetParam())](Options& options) { options.listen = {listen}; };
  }
};

INSTANTIATE_TEST_SUITE_P(Loopback, LinkTest, testing::Values("127.0.0.1:0", "[::1]:0"),
                         [](const auto& about) { return about.index == 0 ? "IPv4" : "IPv6"; });

TEST_P(LinkTest, TwoFindEachOtherFromOneSeedAndTalk) {
  Node a(io, "a", here());
  Node b(io, "b", here());
  a.start();
  b.start();
  ASSERT_TRUE(b.link->add_peer(a.address()));
  ASSERT_TRUE(all_meet(io, {&a, &b}));
  EXPECT_EQ(a.up["b"].address, b.address());
  EXPECT_EQ(a.up["b"].incarnation, base::Incarnation(1));

  ASSERT_TRUE(a.link->send(base::PeerName("b"), test::idle_advertisement("a", 1)));
  ASSERT_TRUE(b.link->send(base::PeerName("a"), test::block_of(3)));
  ASSERT_TRUE(run_until(io, [&] { return a.received.size() == 1 && b.received.size() == 1; }));
  EXPECT_EQ(std::get<group::Advertisement>(b.received[0].message).sequence, 1u);
  EXPECT_EQ(std::get<group::BlockMessage>(a.received[0].message).block->items,
            test::block_of(3).block->items);
  EXPECT_EQ(a.received[0].from, base::PeerName("b"));
}

TEST_P(LinkTest, SeveralFindEachOtherFromOneSeed) {
  Node a(io, "a", here());
  a.start();
  std::vector<std::unique_ptr<Node>> others;
  std::vector<Node*> all{&a};
  for (const char* name : {"b", "c", "d", "e"}) {
    others.push_back(std::make_unique<Node>(io, name, [&](Options& options) {
      options.listen = {GetParam()};
      options.seeds = {a.address()};
    }));
    others.back()->start();
    all.push_back(others.back().get());
  }
  ASSERT_TRUE(all_meet(io, all));
  EXPECT_TRUE(settles(io, all));
}

TEST_P(LinkTest, HintsReachOneOrAll) {
  Node a(io, "a", here());
  a.start();
  const auto with_seed = [&](Options& options) {
    options.listen = {GetParam()};
    options.seeds = {a.address()};
  };
  Node b(io, "b", with_seed);
  Node c(io, "c", with_seed);
  b.start();
  c.start();
  ASSERT_TRUE(all_meet(io, {&a, &b, &c}));
  const Hint to_all{.contacts = true, .outbox = false};
  const Hint to_one{.contacts = false, .outbox = true};
  a.link->broadcast(to_all);
  ASSERT_TRUE(a.link->send(base::PeerName("c"), to_one));
  ASSERT_TRUE(run_until(io, [&] { return b.hints.size() == 1 && c.hints.size() == 2; }));
  EXPECT_EQ(b.hints, std::vector{to_all});
  EXPECT_EQ(c.hints, (std::vector{to_all, to_one}));
}

TEST_P(LinkTest, DialledAtOnceLeavesOneConnectionPerChannel) {
  for (int round = 0; round < 20; ++round) {
    Node a(io, "a", here());
    Node b(io, "b", here());
    a.start();
    b.start();
    ASSERT_TRUE(a.link->add_peer(b.address()));
    ASSERT_TRUE(b.link->add_peer(a.address()));
    ASSERT_TRUE(all_meet(io, {&a, &b}));
    ASSERT_TRUE(settles(io, {&a, &b})) << "round " << round;
    // Both sides agree on which of the two it is.
    EXPECT_NE(a.link->peers()[0].dialled, b.link->peers()[0].dialled);
    EXPECT_EQ(a.downs.size() + b.downs.size(), 0u);
    ASSERT_TRUE(a.link->send(base::PeerName("b"), test::block_of(1)));
    ASSERT_TRUE(b.link->send(base::PeerName("a"), test::block_of(1)));
    ASSERT_TRUE(run_until(io, [&] { return !a.received.empty() && !b.received.empty(); }));
  }
}

TEST(Link, SeveralAddressesOfOnePeerMakeOneSession) {
  Io io;
  Node a(io, "a", [](Options& o) { o.listen = {"127.0.0.1:0", "[::1]:0"}; });
  a.start();
  const std::string port = a.address().substr(a.address().rfind(':'));
  Node b(io, "b", [&](Options& o) {
    o.seeds = {a.link->addresses()[0], a.link->addresses()[1], "localhost" + port};
  });
  b.start();
  ASSERT_TRUE(all_meet(io, {&a, &b}));
  ASSERT_TRUE(run_until(io, [&] { return b.link->stats().dialled >= 4; }));
  EXPECT_TRUE(settles(io, {&a, &b}));
  EXPECT_EQ(a.ups(), 1u);
  EXPECT_EQ(b.ups(), 1u);
}

TEST(Link, DiallingOneselfIsDropped) {
  Io io;
  Node a(io, "a");
  a.start();
  const std::string port = a.address().substr(a.address().rfind(':'));
  ASSERT_TRUE(a.link->add_peer("localhost" + port));
  ASSERT_TRUE(run_until(io, [&] { return a.link->stats().dialled == 1; }));
  ASSERT_TRUE(run_until(io, [&] { return a.link->stats().connections == 0; }));
  // It is not dialled again: a peer that comes later is.
  Node b(io, "b");
  b.start();
  ASSERT_TRUE(a.link->add_peer(b.address()));
  ASSERT_TRUE(all_meet(io, {&a, &b}));
  EXPECT_LE(a.link->stats().dialled, 3u);
  EXPECT_TRUE(a.refused.empty());
}

TEST_P(LinkTest, AnEndedPeerIsNoticedAtOnceAndFoundAgain) {
  Node a(io, "a", here());
  a.start();
  auto b = std::make_unique<Node>(io, "b", here());
  b->start();
  const std::string address = b->address();
  ASSERT_TRUE(a.link->add_peer(address));
  ASSERT_TRUE(all_meet(io, {&a, b.get()}));
  b.reset();  // its sockets close as those of a killed process do
  const auto before = std::chrono::steady_clock::now();
  ASSERT_TRUE(run_until(io, [&] { return !a.downs.empty(); }));
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(40));
  EXPECT_EQ(a.downs[0].second.kind, DownKind::kEnded);
  EXPECT_FALSE(a.link->send(base::PeerName("b"), test::block_of(1)));

  Node again(io, "b", [&](Options& o) {
    o.listen = {address};
    o.incarnation = base::Incarnation(2);
  });
  again.start();
  ASSERT_TRUE(run_until(io, [&] { return a.sees("b"); }));
  EXPECT_EQ(a.up["b"].incarnation, base::Incarnation(2));
}

TEST(Link, WhatWasSaidBeforeLeavingArrives) {
  Io io;
  Node a(io, "a");
  Node b(io, "b");
  a.start();
  b.start();
  ASSERT_TRUE(b.link->add_peer(a.address()));
  ASSERT_TRUE(all_meet(io, {&a, &b}));
  ASSERT_TRUE(b.link->send(base::PeerName("a"), test::block_of(20'000)));
  ASSERT_TRUE(b.link->send(base::PeerName("a"), group::Cede()));
  ASSERT_TRUE(b.link->send(base::PeerName("a"), test::idle_advertisement("b", 9)));
  bool stopped = false;
  b.link->stop(std::chrono::seconds(5), [&] { stopped = true; });
  ASSERT_TRUE(run_until(io, [&] { return stopped && !a.downs.empty(); }));
  EXPECT_EQ(a.received.size(), 3u);
  EXPECT_EQ(a.downs[0].second.kind, DownKind::kEnded);
}

// A middlebox can drop one side's connection and leave the other's: who dials again is let in,
// though the other side still holds the old session and would have kept it of two dialled at once.
TEST(Link, APeerThatLostItsSideIsTakenBackBeforeTheOtherNotices) {
  Io io;
  Node a(io, "a", [](Options& o) { o.handshake_timeout = std::chrono::milliseconds(200); });
  a.start();
  Node z(io, "z", [](Options& o) { o.handshake_timeout = std::chrono::milliseconds(200); });
  z.start();
  test::Relay to_z(io, z.address());
  ASSERT_TRUE(a.link->add_peer(to_z.address()));  // the lower name dials, so its session stays
  ASSERT_TRUE(all_meet(io, {&a, &z}));
  ASSERT_TRUE(a.up["z"].dialled);
  run_until(io, [] { return false; }, std::chrono::milliseconds(250));

  to_z.cut_callees();
  ASSERT_TRUE(run_until(io, [&] { return !z.downs.empty(); }));
  ASSERT_TRUE(a.downs.empty());
  ASSERT_TRUE(z.link->add_peer(a.address()));
  ASSERT_TRUE(all_meet(io, {&a, &z}));
  EXPECT_TRUE(z.up["a"].dialled);
  ASSERT_TRUE(a.link->send(base::PeerName("z"), test::block_of(1)));
  EXPECT_TRUE(run_until(io, [&] { return z.received.size() == 1; }));
  EXPECT_TRUE(a.downs.empty());  // it is one life and one session to those who use the link
}

// "a" and "z" dial each other at once. "z" has the session to keep before "a" has, and drains the
// other, which "a" has already, before its answer on the first is read.
struct Crossed : testing::Test {
  Crossed() : listening(io, {boost::asio::ip::make_address("127.0.0.1"), 0}) {
    a.emplace(io, "a", [&](Options& o) {
      o.seeds = {"127.0.0.1:" + std::to_string(listening.local_endpoint().port())};
    });
    a->start();
    control.emplace(accepted());
    hello = session_of(*control);
    control->write(encode(answer(Channel::kControl)));
    bulk.emplace(accepted());
    EXPECT_EQ(session_of(*bulk), hello);
    z.emplace(io, a->address(), "z");
    EXPECT_TRUE(z->begin(io, "z"));
    EXPECT_TRUE(run_until(io, [&] { return a->sees("z"); }));
    EXPECT_FALSE(a->up["z"].dialled);
    z->control.end();
    z->bulk->end();
    EXPECT_TRUE(run_until(io, [&] { return a->link->stats().connections == 2; }));
  }

  boost::asio::ip::tcp::socket accepted() {
    boost::asio::ip::tcp::socket socket(io);
    bool there = false;
    listening.async_accept(socket, [&](const boost::system::error_code& error) { there = !error; });
    EXPECT_TRUE(run_until(io, [&] { return there; }));
    return socket;
  }
  std::uint64_t session_of(test::RawConnection& raw) {
    const auto frame = test::next_frame(io, raw);
    const auto message = decode(frame.value_or(""));
    return message ? std::get<Hello>(message.value()).session : 0;
  }
  Hello answer(Channel channel) const {
    Hello said = test::good_hello("z", channel);
    said.session = hello;
    return said;
  }

  Io io;
  boost::asio::ip::tcp::acceptor listening;
  std::optional<Node> a;
  std::optional<test::RawConnection> control;
  std::optional<test::RawConnection> bulk;
  std::optional<test::FakePeer> z;
  std::uint64_t hello = 0;
};

TEST_F(Crossed, TheOtherDialTakesOverUnnoticed) {
  bulk->write(encode(answer(Channel::kBulk)));
  control->write(encode(test::idle_advertisement("z", 7)));
  EXPECT_TRUE(run_until(io, [&] { return a->received.size() == 1; }));
  EXPECT_TRUE(a->downs.empty());
  EXPECT_EQ(a->ups(), 1u);
}

TEST_F(Crossed, WhereSomethingWasSentMeanwhileItsLossIsTold) {
  EXPECT_TRUE(a->link->send(base::PeerName("z"), test::block_of(1)));
  bulk->write(encode(answer(Channel::kBulk)));
  EXPECT_TRUE(run_until(io, [&] { return a->ups() == 2; }));
  EXPECT_EQ(a->downs.size(), 1u);
}

TEST_F(Crossed, AnEndOfTheOtherDialTooIsAnEnd) {
  control->end();
  bulk->end();
  EXPECT_TRUE(run_until(io, [&] { return !a->sees("z"); }));
  EXPECT_EQ(a->downs.size(), 1u);
}

// Behind NAT: it dials out, nobody can dial it, and what it advertises leads nowhere.
TEST(Link, APeerThatNobodyCanDialHasOneSessionWithEach) {
  Io io;
  Node a(io, "a");
  a.start();
  Node b(io, "b", [&](Options& o) { o.seeds = {a.address()}; });
  b.start();
  ASSERT_TRUE(all_meet(io, {&a, &b}));
  Node n(io, "n", [&](Options& o) {
    o.seeds = {a.address()};
    o.advertise = "127.0.0.1:1";  // nobody listens there
  });
  n.start();
  ASSERT_TRUE(all_meet(io, {&a, &b, &n}));
  EXPECT_TRUE(settles(io, {&a, &b, &n}));
  EXPECT_TRUE(n.up["a"].dialled && n.up["b"].dialled);  // b's address came from a
  EXPECT_EQ(a.up["n"].address, "127.0.0.1:1");
  ASSERT_TRUE(b.link->send(base::PeerName("n"), test::block_of(1)));
  ASSERT_TRUE(run_until(io, [&] { return n.received.size() == 1; }));
}

TEST(Link, APortInUseIsSaidWithItsRemedy) {
  Io io;
  Node a(io, "a");
  a.start();
  Node b(io, "b", [&](Options& o) { o.listen = {a.address()}; });
  const auto started = b.link->start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, base::ErrorCode::kUnavailable);
  EXPECT_NE(started.error().message.find(a.address()), std::string::npos);
  EXPECT_NE(started.error().message.find("in use"), std::string::npos);
  EXPECT_NE(started.error().message.find("another port"), std::string::npos);
}

TEST(Link, WithoutAKeyOnlyLoopbackIsListenedOnAndDialled) {
  Io io;
  for (const char* listen : {"0.0.0.0:0", "[::]:0", "192.0.2.1:0"}) {
    Node open(io, "open", [&](Options& o) { o.listen = {listen}; });
    const auto started = open.link->start();
    ASSERT_FALSE(started) << listen;
    EXPECT_EQ(started.error().code, base::ErrorCode::kInvalid);
    EXPECT_NE(started.error().message.find("turnout keygen"), std::string::npos);
  }
  Node a(io, "a", [](Options& o) { o.seeds = {"192.0.2.1:7460"}; });  // RFC 5737: nobody's
  a.start();
  ASSERT_TRUE(run_until(io, [&] { return !a.refused.empty(); }));
  EXPECT_EQ(a.refused[0].code, RefusalCode::kNotLoopback);
  EXPECT_EQ(a.link->stats().dialled, 0u);
}

TEST(Link, BadAddressesAreRefused) {
  Io io;
  Node a(io, "a");
  a.start();
  for (const char* text : {"", "host", "host:", ":1", "host:70000", "host:1x", "a b:1", "host:0",
                           "::1:7460x", "[::1]"}) {
    EXPECT_FALSE(a.link->add_peer(text)) << text;
  }
  Node b(io, "b", [](Options& o) { o.listen = {"nowhere"}; });
  EXPECT_FALSE(b.link->start());
}

// So that a group can be upgraded peer by peer.
TEST(Link, PeersOfNeighbouringVersionsSpeakTheOlderOne) {
  Io io;
  Node older(io, "a", [](Options& options) { options.protocol = group::kOldestProtocolVersion; });
  older.start();
  Node newer(io, "b", [&](Options& options) { options.seeds = {older.address()}; });
  newer.start();
  Node newest(io, "c", [&](Options& options) { options.seeds = {newer.address()}; });
  newest.start();
  ASSERT_TRUE(all_meet(io, {&older, &newer, &newest}));
  EXPECT_EQ(older.up["b"].protocol, group::kOldestProtocolVersion);
  EXPECT_EQ(newer.up["a"].protocol, group::kOldestProtocolVersion);
  EXPECT_EQ(newer.up["c"].protocol, group::kProtocolVersion);
  EXPECT_EQ(newest.up["b"].protocol, group::kProtocolVersion);
}

TEST(Link, AnotherGroupIsRefusedByName) {
  Io io;
  Node a(io, "a");
  Node b(io, "b", [](Options& o) { o.group = "other"; });
  a.start();
  b.start();
  ASSERT_TRUE(b.link->add_peer(a.address()));
  ASSERT_TRUE(run_until(io, [&] { return !a.refused.empty() && !b.refused.empty(); }));
  EXPECT_EQ(a.refused[0].code, RefusalCode::kOtherGroup);
  EXPECT_TRUE(a.refused[0].by_us);
  EXPECT_EQ(b.refused[0].code, RefusalCode::kOtherGroup);
  EXPECT_FALSE(b.refused[0].by_us);
  for (const char* group : {"\"g\"", "\"other\""}) {
    EXPECT_NE(b.refused[0].message.find(group), std::string::npos) << b.refused[0].message;
  }
  // Dialled again and again, told once.
  ASSERT_TRUE(run_until(io, [&] { return b.link->stats().dialled >= 4; }));
  EXPECT_EQ(a.refused.size(), 1u);
  EXPECT_EQ(b.refused.size(), 1u);
  EXPECT_EQ(a.ups() + b.ups(), 0u);
}

TEST(Link, ANameThatIsAliveIsRefusedAndSaysWhere) {
  Io io;
  Node a(io, "a");
  Node b(io, "b");
  a.start();
  b.start();
  ASSERT_TRUE(b.link->add_peer(a.address()));
  ASSERT_TRUE(all_meet(io, {&a, &b}));
  Node twin(io, "b", [](Options& o) { o.incarnation = base::Incarnation(2); });
  twin.start();
  ASSERT_TRUE(twin.link->add_peer(a.address()));
  ASSERT_TRUE(run_until(io, [&] { return !twin.refused.empty(); }));
  EXPECT_EQ(twin.refused[0].code, RefusalCode::kNameTaken);
  EXPECT_NE(twin.refused[0].message.find(b.address()), std::string::npos);
  EXPECT_TRUE(a.downs.empty());
  // The peer whose name it is says so itself, too.
  Node direct(io, "b", [](Options& o) { o.incarnation = base::Incarnation(3); });
  direct.start();
  ASSERT_TRUE(direct.link->add_peer(b.address()));
  ASSERT_TRUE(run_until(io, [&] { return !direct.refused.empty(); }));
  EXPECT_EQ(direct.refused[0].code, RefusalCode::kNameTaken);
}

TEST(Link, ASilentNameGivesWayToALaterIncarnation) {
  Io io;
  Node a(io, "a", [](Options& o) { o.alive_within = std::chrono::milliseconds(0); });
  Node b(io, "b");
  a.start();
  b.start();
  ASSERT_TRUE(a.link->add_peer(b.address()));
  ASSERT_TRUE(all_meet(io, {&a, &b}));
  Node later(io, "b", [](Options& o) { o.incarnation = base::Incarnation(2); });
  later.start();
  ASSERT_TRUE(later.link->add_peer(a.address()));
  ASSERT_TRUE(run_until(io, [&] { return later.sees("a"); }));
  ASSERT_EQ(a.downs.size(), 1u);
  EXPECT_EQ(a.downs[0].second.kind, DownKind::kReplaced);
  EXPECT_EQ(a.up["b"].incarnation, base::Incarnation(2));
  // The older one does not come back.
  ASSERT_TRUE(run_until(io, [&] { return !b.refused.empty(); }));
  EXPECT_EQ(b.refused[0].code, RefusalCode::kNameTaken);
}

}  // namespace
}  // namespace turnout::link
