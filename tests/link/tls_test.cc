// The group's key: who has it gets in, who has not neither gets in nor reads.

#include "link/tls.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <future>

#include "link/fake_peer.h"
#include "link/link.h"
#include "link/net.h"
#include "link/relay.h"

namespace turnout::link {
namespace {

using std::chrono::milliseconds;
using test::meet;
using test::Node;
using test::run_until;
using Io = boost::asio::io_context;

GroupKey key_of(const std::string& id, unsigned char fill) {
  GroupKey key;
  key.id = id;
  key.secret.fill(fill);
  return key;
}

std::function<void(Options&)> keyed(std::vector<GroupKey> keys,
                                    std::vector<std::string> seeds = {}) {
  return [keys = std::move(keys), seeds = std::move(seeds)](Options& options) {
    options.keys = keys;
    options.seeds = seeds;
  };
}

// Until `who` has been refused, and nobody got in meanwhile.
void expect_kept_out(Io& io, const Node& who, const Node& by, RefusalCode code) {
  ASSERT_TRUE(run_until(io, [&] { return !who.refused.empty(); }));
  EXPECT_EQ(who.refused[0].code, code) << who.refused[0].message;
  ASSERT_TRUE(run_until(io, [&] { return who.link->stats().dialled >= 4; }));
  EXPECT_EQ(who.ups() + by.ups(), 0u);
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    char two[3];
    std::snprintf(two, sizeof two, "%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    text += two;
  }
  return text;
}

// What `openssl s_client` says to the address, while the link runs.
std::string s_client(Io& io, const std::string& address, const std::string& options) {
  // Standard input stays open for a moment, so that the server has the time to answer.
  const std::string command =
      "sleep 0.3 | timeout 10 openssl s_client -connect " + address + " " + options + " 2>&1";
  auto output = std::async(std::launch::async, [command] {
    std::string text;
    FILE* const pipe = popen(command.c_str(), "r");
    char buffer[4096];
    std::size_t size = 0;
    while (pipe != nullptr && (size = fread(buffer, 1, sizeof buffer, pipe)) > 0) {
      text.append(buffer, size);
    }
    if (pipe != nullptr) {
      pclose(pipe);
    }
    return text;
  });
  EXPECT_TRUE(
      run_until(io, [&] { return output.wait_for(milliseconds(0)) == std::future_status::ready; }));
  return output.get();
}

TEST(Tls, PeersWithTheKeyMeetAndTalk) {
  Io io;
  const GroupKey key = key_of("k1", 7);
  Node a(io, "a", keyed({key}));
  a.start();
  Node b(io, "b", keyed({key}, {a.address()}));
  b.start();
  Node c(io, "c", keyed({key}, {a.address()}));
  c.start();
  ASSERT_TRUE(meet(io, a, b));
  ASSERT_TRUE(meet(io, a, c));
  ASSERT_TRUE(meet(io, b, c));
  EXPECT_EQ(a.up["b"].key_id, "k1");
  ASSERT_TRUE(a.link->send(base::PeerName("b"), test::block_of(20'000)));
  ASSERT_TRUE(b.link->send(base::PeerName("c"), test::idle_advertisement("b", 5)));
  ASSERT_TRUE(run_until(io, [&] { return b.received.size() == 1 && c.received.size() == 1; }));
  EXPECT_EQ(std::get<group::BlockMessage>(b.received[0].message).block->items,
            test::block_of(20'000).block->items);
}

TEST(Tls, AKeyAllowsAddressesThatAreNotLoopback) {
  Io io;
  Node a(io, "a", [](Options& o) {
    o.keys = {key_of("k1", 7)};
    o.listen = {"0.0.0.0:0"};
  });
  a.start();
  const std::string port = a.address().substr(a.address().rfind(':'));
  EXPECT_EQ(a.link->advertised(), port);
  Node b(io, "b", keyed({key_of("k1", 7)}, {"127.0.0.1" + port}));
  b.start();
  ASSERT_TRUE(meet(io, a, b));
  EXPECT_EQ(b.up["a"].address, "127.0.0.1" + port);  // the host that it was reached at
}

TEST(Tls, AnotherKeyIsKeptOut) {
  Io io;
  Node a(io, "a", keyed({key_of("k1", 7)}));
  a.start();
  Node same_id(io, "b", keyed({key_of("k1", 8)}, {a.address()}));
  same_id.start();
  expect_kept_out(io, same_id, a, RefusalCode::kNotSecured);
  Node other_id(io, "c", keyed({key_of("k2", 7)}, {a.address()}));
  other_id.start();
  expect_kept_out(io, other_id, a, RefusalCode::kNotSecured);
}

TEST(Tls, AnotherGroupWithTheSameKeyIsKeptOut) {
  Io io;
  Node a(io, "a", keyed({key_of("k1", 7)}));
  a.start();
  Node b(io, "b", [&](Options& o) {
    o.keys = {key_of("k1", 7)};
    o.group = "other";
    o.seeds = {a.address()};
  });
  b.start();
  expect_kept_out(io, b, a, RefusalCode::kNotSecured);
}

TEST(Tls, APeerWithoutAKeyIsKeptOutAndToldWhy) {
  Io io;
  Node a(io, "a", keyed({key_of("k1", 7)}));
  a.start();
  Node b(io, "b", [&](Options& o) { o.seeds = {a.address()}; });
  b.start();
  expect_kept_out(io, b, a, RefusalCode::kNotSecured);
  Node plain(io, "p");
  plain.start();
  Node c(io, "c", keyed({key_of("k1", 7)}, {plain.address()}));
  c.start();
  expect_kept_out(io, c, plain, RefusalCode::kNotSecured);
  EXPECT_EQ(plain.refused[0].code, RefusalCode::kNotSecured);
}

TEST(Tls, TwoKeysAreAcceptedAndWithdrawingOneClosesItsConnections) {
  Io io;
  const GroupKey old_key = key_of("old", 7);
  const GroupKey new_key = key_of("new", 9);
  Node a(io, "a", keyed({old_key, new_key}));
  a.start();
  Node b(io, "b", keyed({new_key, old_key}, {a.address()}));
  b.start();
  ASSERT_TRUE(meet(io, a, b));
  Node c(io, "c", keyed({old_key}, {a.address()}));
  c.start();
  ASSERT_TRUE(meet(io, a, c));
  EXPECT_EQ(a.up["b"].dialled ? "old" : "new", a.up["b"].key_id);
  EXPECT_EQ(a.up["c"].key_id, "old");

  ASSERT_TRUE(a.link->set_keys({new_key}));
  ASSERT_TRUE(b.link->set_keys({new_key}));
  ASSERT_TRUE(run_until(io, [&] { return !a.sees("c") && !b.sees("c"); }));
  EXPECT_EQ(a.downs.back().second.kind, DownKind::kWithdrawn);
  ASSERT_TRUE(run_until(io, [&] { return !c.refused.empty(); }));
  EXPECT_FALSE(c.sees("a") || c.sees("b"));
  ASSERT_TRUE(meet(io, a, b));
  EXPECT_EQ(a.up["b"].key_id, "new");
}

// old → old, new → new, old → new, one peer after the other, while they run.
TEST(Tls, AKeyIsReplacedPeerByPeerOnOpenSessions) {
  Io io;
  const GroupKey old_key = key_of("old", 7);
  const GroupKey new_key = key_of("new", 9);
  std::vector<std::unique_ptr<Node>> nodes;
  for (const char* name : {"a", "b", "c"}) {
    std::vector<std::string> seeds;
    for (const auto& node : nodes) {
      seeds.push_back(node->address());
    }
    nodes.push_back(std::make_unique<Node>(io, name, keyed({old_key}, seeds)));
    nodes.back()->start();
  }
  const auto all_meet = [&] {
    return meet(io, *nodes[0], *nodes[1]) && meet(io, *nodes[0], *nodes[2]) &&
           meet(io, *nodes[1], *nodes[2]);
  };
  const auto downs = [&] {
    return nodes[0]->downs.size() + nodes[1]->downs.size() + nodes[2]->downs.size();
  };
  ASSERT_TRUE(all_meet());
  const std::vector<std::vector<GroupKey>> stages = {
      {old_key, new_key}, {new_key, old_key}, {new_key}};
  for (const std::vector<GroupKey>& stage : stages) {
    for (const auto& node : nodes) {
      const std::size_t before = downs();
      ASSERT_TRUE(node->link->set_keys(stage));
      run_until(io, [] { return false; }, milliseconds(30));
      ASSERT_TRUE(all_meet());
      // Only where a key is withdrawn do sessions made with it end, and both sides see that; they
      // are there again at once.
      EXPECT_LE(downs() - before, stage.size() == 1 ? 4u : 0u);
    }
  }
  for (const auto& node : nodes) {
    EXPECT_TRUE(node->refused.empty()) << node->refused[0].message;
    for (const auto& [name, info] : node->up) {
      EXPECT_EQ(info.key_id, "new");
    }
  }
  EXPECT_GT(downs(), 0u);
}

// The same where each is stopped and started again: the others do not lose each other.
TEST(Tls, AKeyIsReplacedPeerByPeerByRestarts) {
  Io io;
  const GroupKey old_key = key_of("old", 7);
  const GroupKey new_key = key_of("new", 9);
  const std::vector<std::string> names = {"a", "b", "c"};
  std::map<std::string, std::string> addresses;
  std::map<std::string, std::unique_ptr<Node>> nodes;
  const auto start = [&](const std::string& name, const std::vector<GroupKey>& keys) {
    nodes[name] = std::make_unique<Node>(io, name, [&](Options& o) {
      o.keys = keys;
      o.listen = {addresses.count(name) != 0 ? addresses[name] : "127.0.0.1:0"};
      for (const auto& [other, address] : addresses) {
        o.seeds.push_back(address);
      }
    });
    nodes[name]->start();
    addresses[name] = nodes[name]->address();
  };
  const auto all_meet = [&] {
    return meet(io, *nodes["a"], *nodes["b"]) && meet(io, *nodes["a"], *nodes["c"]) &&
           meet(io, *nodes["b"], *nodes["c"]);
  };
  for (const std::string& name : names) {
    start(name, {old_key});
  }
  ASSERT_TRUE(all_meet());
  const std::vector<std::vector<GroupKey>> stages = {
      {old_key, new_key}, {new_key, old_key}, {new_key}};
  for (const std::vector<GroupKey>& stage : stages) {
    for (const std::string& name : names) {
      for (const auto& [other, node] : nodes) {
        node->downs.clear();
      }
      nodes[name].reset();
      ASSERT_TRUE(run_until(io, [&] {
        return std::all_of(nodes.begin(), nodes.end(), [&](const auto& entry) {
          return entry.first == name || !entry.second->sees(name);
        });
      }));
      start(name, stage);
      ASSERT_TRUE(all_meet());
      for (const auto& [other, node] : nodes) {
        for (const auto& [lost, down] : node->downs) {
          EXPECT_EQ(lost, name) << other << " lost it: " << down.message;
        }
      }
    }
  }
}

TEST(Tls, StrangersWithOpenSslDoNotGetIn) {
  Io io;
  const GroupKey key = key_of("k1", 7);
  Node a(io, "a", keyed({key}));
  a.start();
  const std::string identity =
      encode_identity({"g", "k1", base::PeerName("s"), base::PeerName("a")});
  const auto psk = derive_psk(key, identity);
  const std::string right =
      hex({static_cast<const char*>(static_cast<const void*>(psk.data())), psk.size()});
  const std::string wrong(64, 'a');
  const std::string suite = " -ciphersuites TLS_AES_128_GCM_SHA256";
  const auto with = [&](const std::string& who, const std::string& secret) {
    std::string quoted;
    for (const char c : who) {  // printf's octal escapes
      char four[5];
      std::snprintf(four, sizeof four, "\\%03o",
                    static_cast<unsigned>(static_cast<unsigned char>(c)));
      quoted += four;
    }
    return suite + " -psk " + secret + " -psk_identity \"$(printf '" + quoted + "')\"";
  };
  const std::string in = "Reused, TLSv1.3";

  // Who derives the key from the group's gets through TLS: so the others fail for want of it.
  EXPECT_NE(s_client(io, a.address(), with(identity, right)).find(in), std::string::npos);
  const std::uint64_t before = a.link->stats().handshakes_failed;

  const std::vector<std::string> strangers = {
      "",
      "-tls1_2",
      suite,
      with(identity, wrong),
      with("Client_identity", right),
      with(encode_identity({"h", "k1", base::PeerName("s"), base::PeerName("a")}), right),
      with(encode_identity({"g", "k2", base::PeerName("s"), base::PeerName("a")}), right),
      with(encode_identity({"g", "k1", base::PeerName("s"), base::PeerName("b")}), right),
      " -ciphersuites TLS_AES_256_GCM_SHA384",
  };
  for (const std::string& options : strangers) {
    const std::string said = s_client(io, a.address(), options);
    EXPECT_EQ(said.find(in), std::string::npos) << options << "\n" << said;
    EXPECT_EQ(said.find("New, TLSv1"), std::string::npos) << options << "\n" << said;
    // Nothing that names the group or its peers is told to somebody without the key.
    EXPECT_EQ(said.find("127.0.0.1:" + std::to_string(0)), std::string::npos);
  }
  ASSERT_TRUE(run_until(
      io, [&] { return a.link->stats().handshakes_failed >= before + strangers.size(); }));
  EXPECT_EQ(a.ups(), 0u);
}

// The PSK of one pair and direction is no good for another, though the group's key is the same.
TEST(Tls, KeysOfPairsDiffer) {
  const GroupKey key = key_of("k1", 7);
  const auto psk = [&](const char* caller, const char* callee) {
    return derive_psk(key,
                      encode_identity({"g", "k1", base::PeerName(caller), base::PeerName(callee)}));
  };
  EXPECT_EQ(psk("a", "b"), psk("a", "b"));
  EXPECT_NE(psk("a", "b"), psk("b", "a"));
  EXPECT_NE(psk("a", "b"), psk("a", "c"));
  EXPECT_NE(psk("a", "b"), psk("a", ""));
  EXPECT_NE(psk("ab", "c"), psk("a", "bc"));
}

TEST(Tls, SomebodyOnTheWireReadsNothingAndChangesNothing) {
  for (const bool secure : {true, false}) {
    Io io;
    const std::vector<GroupKey> keys =
        secure ? std::vector<GroupKey>{key_of("k1", 7)} : std::vector<GroupKey>();
    Node a(io, "a", keyed(keys));
    a.start();
    test::Relay relay(io, a.address());
    Node b(io, "b", keyed(keys, {relay.address()}));
    b.start();
    // The addresses learnt from the hellos are not dialled while the session lasts, so all goes
    // through the relay.
    ASSERT_TRUE(meet(io, a, b));
    auto said = test::idle_advertisement("b", 1);
    said.group = "THE-SECRET-GROUP";
    ASSERT_TRUE(b.link->send(base::PeerName("a"), said));
    ASSERT_TRUE(run_until(io, [&] { return a.received.size() == 1; }));
    EXPECT_EQ(relay.seen().find("THE-SECRET-GROUP") == std::string::npos, secure);

    relay.corrupt_next();
    ASSERT_TRUE(b.link->send(base::PeerName("a"), said));
    if (secure) {
      ASSERT_TRUE(run_until(io, [&] { return !a.downs.empty(); }));
      EXPECT_EQ(a.downs[0].second.kind, DownKind::kBroken);
      EXPECT_EQ(a.received.size(), 1u);
    }
  }
}

// RFC 9257 §4.1 (Selfie): a peer that is made to speak with itself must not take that for a peer.
TEST(Tls, APeerReflectedToItselfHasNoSession) {
  Io io;
  Node a(io, "a", keyed({key_of("k1", 7)}));
  a.start();
  test::Relay relay(io, a.address());
  ASSERT_TRUE(a.link->add_peer(relay.address()));
  ASSERT_TRUE(run_until(io, [&] { return a.link->stats().accepted == 1; }));
  ASSERT_TRUE(run_until(io, [&] { return a.link->stats().connections == 0; }));
  EXPECT_EQ(a.ups(), 0u);
}

TEST(Tls, ATwinWithTheKeyIsToldThatItsNameIsTaken) {
  Io io;
  Node a(io, "a", keyed({key_of("k1", 7)}));
  a.start();
  Node twin(io, "a", keyed({key_of("k1", 7)}, {a.address()}));
  twin.start();
  expect_kept_out(io, twin, a, RefusalCode::kNameTaken);
}

TEST(Tls, AHandshakeThatIsNotGoneOnWithIsCut) {
  Io io;
  Node a(io, "a", [](Options& o) {
    o.keys = {key_of("k1", 7)};
    o.handshake_timeout = milliseconds(100);
  });
  a.start();
  test::RawConnection silent(io, a.address());
  test::RawConnection half(io, a.address());
  half.write(std::string("\x16\x03\x01\x01\x00\x01\x00\x00\xfc\x03\x03", 11));
  EXPECT_TRUE(run_until(io, [&] {
    silent.poll();
    half.poll();
    return silent.ended() && half.ended();
  }));
  EXPECT_EQ(a.link->stats().connections, 0u);
}

}  // namespace
}  // namespace turnout::link
