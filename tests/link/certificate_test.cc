// Certificates in place of the group's key: whose is not exactly what it must be does not get in,
// whichever side dialled, and the log says what is wrong with it.

#include "link/certificate.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "link/authority.h"
#include "link/certificate_watch.h"
#include "link/impostor.h"
#include "link/link.h"
#include "link/net.h"

namespace turnout::link {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Authority;
using test::Impostor;
using test::meet;
using test::Node;
using test::run_until;
using test::Signed;
using test::Wish;
using Io = boost::asio::io_context;

std::string uri_of(const std::string& name, const std::string& group = "g") {
  return "URI:" + format_peer_uri({group, base::PeerName(name)});
}

Wish wish_of(const std::string& name) {
  Wish wish;
  wish.subject = name;
  wish.names = {uri_of(name)};
  return wish;
}

struct CertificateTest : testing::Test {
  std::filesystem::path folder;
  Authority ca{"Group CA"};
  Io io;

  void SetUp() override {
    std::string name =
        (std::filesystem::temp_directory_path() / "certificate_test.XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::string write(const std::string& name, const std::string& text, mode_t mode = 0600) const {
    const std::string path = (folder / name).string();
    std::ofstream(path, std::ios::binary) << text;
    EXPECT_EQ(chmod(path.c_str(), mode), 0);
    return path;
  }

  CertificateFiles files_of(const std::string& name, const Signed& own, const std::string& ca_pem,
                            const std::string& between = "") const {
    const std::string file = std::to_string(std::hash<std::string>()(name));  // any bytes
    return {write(file + ".pem", own.certificate_pem() + between),
            write(file + ".key", own.key_pem()), write(file + ".ca", ca_pem)};
  }

  std::shared_ptr<const Certificates> certificates_of(const std::string& name, const Signed& own,
                                                      const std::string& ca_pem,
                                                      const std::string& between = "") const {
    auto read =
        Certificates::read(files_of(name, own, ca_pem, between), {"g", base::PeerName(name)});
    EXPECT_TRUE(read) << read.error().message;
    return read ? read.value() : nullptr;
  }

  std::function<void(Options&)> with(std::shared_ptr<const Certificates> certificates,
                                     std::vector<std::string> seeds = {}) const {
    return [=](Options& options) {
      options.certificates = certificates;
      options.seeds = seeds;
    };
  }

  // A peer as it should be.
  std::unique_ptr<Node> good(const std::string& name, std::vector<std::string> seeds = {}) {
    auto node = std::make_unique<Node>(
        io, name, with(certificates_of(name, ca.sign(wish_of(name)), ca.pem()), std::move(seeds)));
    node->start();
    return node;
  }

  // What is wrong with reading these files, for the peer "a" of the group "g".
  std::string fault(const CertificateFiles& files) const {
    const auto read = Certificates::read(files, {"g", base::PeerName("a")});
    return read ? "nothing" : read.error().message;
  }
};

TEST_F(CertificateTest, PeersWithTheirCertificatesMeetAndTalk) {
  const auto a = good("a");
  const auto b = good("b", {a->address()});
  const auto c = good("c", {a->address()});
  ASSERT_TRUE(meet(io, *a, *b));
  ASSERT_TRUE(meet(io, *a, *c));
  ASSERT_TRUE(meet(io, *b, *c));
  EXPECT_FALSE(a->up["b"].certificate.empty());
  EXPECT_TRUE(a->up["b"].key_id.empty());
  ASSERT_TRUE(a->link->send(base::PeerName("b"), test::block_of(20'000)));
  ASSERT_TRUE(run_until(io, [&] { return b->received.size() == 1; }));
  EXPECT_TRUE(a->refused.empty() && b->refused.empty() && c->refused.empty());
}

TEST_F(CertificateTest, NamesAreAnyBytes) {
  const std::string odd = "z\xc3\xbcrich/2 %41\x01";
  const auto a = good("a");
  const auto b = good(odd, {a->address()});
  EXPECT_TRUE(meet(io, *a, *b));
}

TEST_F(CertificateTest, AChainThroughACaBelowTheRoot) {
  const Authority below("Below", &ca);
  const auto of = [&](const std::string& name, const std::string& trusted) {
    return certificates_of(name, below.sign(wish_of(name)), trusted, below.pem());
  };
  // Whether the root is trusted or the CA below it.
  Node a(io, "a", with(of("a", ca.pem())));
  a.start();
  Node b(io, "b", with(of("b", below.pem()), {a.address()}));
  b.start();
  EXPECT_TRUE(meet(io, a, b));
}

TEST_F(CertificateTest, CertificatesAllowAddressesThatAreNotLoopback) {
  const auto own = certificates_of("a", ca.sign(wish_of("a")), ca.pem());
  Node a(io, "a", [&](Options& o) {
    o.certificates = own;
    o.listen = {"0.0.0.0:0"};
  });
  a.start();
  const auto b = good("b", {"127.0.0.1" + a.address().substr(a.address().rfind(':'))});
  EXPECT_TRUE(meet(io, a, *b));
}

struct Bad {
  const char* what;
  std::function<void(Wish&)> change;
  const char* said;
};

const std::vector<Bad>& bad_ones() {
  static const std::vector<Bad> all = {
      {"expired", [](Wish& w) { w.ends = seconds(-60); }, ") expired on 20"},
      {"of tomorrow", [](Wish& w) { w.begins = hours(24), w.ends = hours(48); },
       ") is not valid before 20"},
      {"for servers only", [](Wish& w) { w.usage = "serverAuth"; }, "serverAuth and clientAuth"},
      {"for clients only", [](Wish& w) { w.usage = "clientAuth"; }, "serverAuth and clientAuth"},
      {"for any use", [](Wish& w) { w.usage = ""; }, "serverAuth and clientAuth"},
      {"of another group", [](Wish& w) { w.names = {uri_of("s", "h")}; },
       "is of the group \"h\", and this is \"g\""},
      {"of a host", [](Wish& w) { w.names = {"DNS:s"}; }, "names no peer"},
      {"of two peers", [](Wish& w) { w.names.push_back(uri_of("t")); }, "more than one peer"},
      {"of no name", [](Wish& w) { w.names = {"URI:turnout:g/"}; }, "names no peer"},
      {"of an authority", [](Wish& w) { w.names = {"URI:turnout://g/s"}; }, "names no peer"},
  };
  return all;
}

TEST_F(CertificateTest, ACallerWithABadCertificateIsRefusedAndTheLogSaysWhy) {
  for (const Bad& bad : bad_ones()) {
    const auto a = good("a");
    Wish wish = wish_of("s");
    bad.change(wish);
    const Signed own = ca.sign(wish);
    Impostor s(io, &own, "s");
    s.dial(a->address());
    ASSERT_TRUE(run_until(io, [&] { return !a->refused.empty() && s.ended(); })) << bad.what;
    EXPECT_EQ(a->refused[0].code, RefusalCode::kNotSecured);
    EXPECT_TRUE(a->refused[0].by_us);
    EXPECT_NE(a->refused[0].message.find(bad.said), std::string::npos)
        << bad.what << ": " << a->refused[0].message;
    EXPECT_NE(a->refused[0].message.find("\"CN = s\""), std::string::npos);
    EXPECT_TRUE(s.heard().empty()) << bad.what;
    EXPECT_EQ(a->ups(), 0u);
  }
}

TEST_F(CertificateTest, ACalleeWithABadCertificateIsRefusedAndTheLogSaysWhy) {
  for (const Bad& bad : bad_ones()) {
    Wish wish = wish_of("s");
    bad.change(wish);
    const Signed own = ca.sign(wish);
    Impostor s(io, &own, "s");
    const auto a = good("a", {s.listen()});
    ASSERT_TRUE(run_until(io, [&] { return !a->refused.empty(); })) << bad.what;
    EXPECT_EQ(a->refused[0].code, RefusalCode::kNotSecured);
    EXPECT_NE(a->refused[0].message.find(bad.said), std::string::npos)
        << bad.what << ": " << a->refused[0].message;
    EXPECT_TRUE(s.heard().empty()) << bad.what;  // not even our Hello
    EXPECT_EQ(a->ups(), 0u);
  }
}

TEST_F(CertificateTest, AnotherCaItselfOrNoneIsRefusedInBothDirections) {
  const Authority other("Group CA");  // of the same name: the signature tells
  const Signed foreign = other.sign(wish_of("s"));
  const Signed itself = Authority::sign_itself(wish_of("s"));
  const std::pair<const Signed*, const char*> cases[] = {
      {&foreign, "is signed by no CA in"}, {&itself, "is signed by itself, not by a CA in"}};
  for (const auto& [own, said] : cases) {
    const auto a = good("a");
    Impostor caller(io, own, "s");
    caller.dial(a->address());
    ASSERT_TRUE(run_until(io, [&] { return !a->refused.empty() && caller.ended(); })) << said;
    EXPECT_NE(a->refused[0].message.find(said), std::string::npos) << a->refused[0].message;
    Impostor callee(io, own, "s");
    const auto b = good("b", {callee.listen()});
    ASSERT_TRUE(run_until(io, [&] { return !b->refused.empty(); })) << said;
    EXPECT_NE(b->refused[0].message.find(said), std::string::npos) << b->refused[0].message;
    EXPECT_TRUE(caller.heard().empty() && callee.heard().empty());
    EXPECT_EQ(a->ups() + b->ups(), 0u);
  }
  const auto a = good("a");
  Impostor bare(io, nullptr, "s");
  bare.dial(a->address());
  ASSERT_TRUE(run_until(io, [&] { return !a->refused.empty() && bare.ended(); }));
  EXPECT_NE(a->refused[0].message.find("shows no certificate"), std::string::npos)
      << a->refused[0].message;
  EXPECT_TRUE(bare.heard().empty());
}

TEST_F(CertificateTest, AHelloOfAnotherNameThanTheCertificatesIsRefused) {
  const Signed own = ca.sign(wish_of("s"));
  const auto a = good("a");
  Impostor honest(io, &own, "s");
  honest.dial(a->address());  // gets an answer, so that the others fail for their names alone
  ASSERT_TRUE(run_until(io, [&] { return !honest.heard().empty(); }));
  EXPECT_TRUE(a->refused.empty());

  const auto is_told = [](const Node& node) {
    const std::string& said = node.refused.at(0).message;
    return said.find("says that it is \"b\"") != std::string::npos &&
           said.find("the certificate of \"s\"") != std::string::npos;
  };
  Impostor caller(io, &own, "b");
  caller.dial(a->address());
  ASSERT_TRUE(run_until(io, [&] { return !a->refused.empty() && caller.ended(); }));
  EXPECT_TRUE(is_told(*a)) << a->refused[0].message;
  Impostor callee(io, &own, "b");
  const auto c = good("c", {callee.listen()});
  ASSERT_TRUE(run_until(io, [&] { return !c->refused.empty(); }));
  EXPECT_TRUE(is_told(*c)) << c->refused[0].message;
  EXPECT_EQ(a->ups() + c->ups(), 0u);
}

// The side that is refused learns at least that it is, and whose fault that is.
TEST_F(CertificateTest, TwoCasRefuseEachOtherAndBothSaySo) {
  const Authority other("Other CA");
  const auto a = good("a");
  Node b(
      io, "b",
      with(certificates_of("b", other.sign(wish_of("b")), ca.pem() + other.pem()), {a->address()}));
  b.start();
  ASSERT_TRUE(run_until(io, [&] { return !a->refused.empty() && !b.refused.empty(); }));
  EXPECT_NE(a->refused[0].message.find("is signed by no CA in"), std::string::npos);
  EXPECT_NE(b.refused[0].message.find("does not take this peer's certificate"), std::string::npos)
      << b.refused[0].message;
  EXPECT_FALSE(b.refused[0].by_us);
  EXPECT_EQ(b.refused[0].code, RefusalCode::kNotSecured);
}

TEST_F(CertificateTest, KeyCertificatesAndNeitherDoNotMix) {
  const auto a = good("a");
  Node keyed(io, "k", [&](Options& o) {
    o.keys = {generate_key().value()};
    o.seeds = {a->address()};
  });
  keyed.start();
  Node plain(io, "p", [&](Options& o) { o.seeds = {a->address()}; });
  plain.start();
  for (const Node* node : {&keyed, &plain}) {
    ASSERT_TRUE(run_until(io, [&] { return !node->refused.empty(); }));
    EXPECT_EQ(node->refused[0].code, RefusalCode::kNotSecured) << node->refused[0].message;
  }
  EXPECT_EQ(a->ups() + keyed.ups() + plain.ups(), 0u);
}

// A peer's own certificate that the others would refuse is a mistake at the start, not a riddle
// later.
TEST_F(CertificateTest, FilesThatAreWrongAreSaidAtTheStart) {
  const Signed own = ca.sign(wish_of("a"));
  const CertificateFiles right = files_of("a", own, ca.pem());
  EXPECT_EQ(fault(right), "nothing");
  const auto has = [&](const CertificateFiles& files, const std::string& words) {
    const std::string said = fault(files);
    EXPECT_NE(said.find(words), std::string::npos) << said;
  };
  has({right.certificate + "x", right.private_key, right.ca}, "cannot read the peer's certificate");
  has({write("empty", ""), right.private_key, right.ca}, "holds no certificate in PEM");
  has({right.certificate, write("k", own.key_pem(), 0644), right.ca}, "chmod 600");
  has({right.certificate, write("k", own.key_pem("word")), right.ca}, "without a passphrase");
  has({right.certificate, write("k", ca.sign(wish_of("a")).key_pem()), right.ca},
      "is not the private key of the first certificate");
  has({right.certificate, right.private_key, right.certificate}, "which is no CA certificate");
  has({right.certificate, right.private_key, write("none", "no PEM")}, "holds no CA certificate");
  has({right.certificate, right.private_key, write("other", Authority("Other").pem())},
      "is signed by no CA in");
  has(files_of("b", ca.sign(wish_of("b")), ca.pem()), "is the certificate of the peer \"b\"");
  const Authority stale("Stale CA", &ca, hours(-1));
  has(files_of("a", stale.sign(wish_of("a")), ca.pem(), stale.pem()),
      "is below the CA \"CN = Stale CA\", which expired on 20");
  for (const Bad& bad : bad_ones()) {
    Wish wish = wish_of("a");
    bad.change(wish);
    if (wish.names.at(0) != uri_of("s", "h")) {
      has(files_of("bad", ca.sign(wish), ca.pem()), bad.said);
    }
  }
}

// Rotation without a stop: to another CA, one peer after the other, on the sessions that there are.
TEST_F(CertificateTest, ANewCaTakesOverOnOpenSessions) {
  const Authority next("Next CA");
  const std::string both = ca.pem() + next.pem();
  const auto a = good("a");
  const auto b = good("b", {a->address()});
  ASSERT_TRUE(meet(io, *a, *b));
  const Signed a1 = ca.sign(wish_of("a"));
  const Signed b1 = ca.sign(wish_of("b"));
  const Signed a2 = next.sign(wish_of("a"));
  const Signed b2 = next.sign(wish_of("b"));
  ASSERT_TRUE(a->link->set_certificates(certificates_of("a", a1, both)));
  ASSERT_TRUE(b->link->set_certificates(certificates_of("b", b1, both)));
  ASSERT_TRUE(a->link->set_certificates(certificates_of("a", a2, both)));
  ASSERT_TRUE(b->link->set_certificates(certificates_of("b", b2, both)));
  const std::uint64_t dialled = a->link->stats().dialled + b->link->stats().dialled;
  ASSERT_TRUE(a->link->send(base::PeerName("b"), test::block_of(1)));
  ASSERT_TRUE(run_until(io, [&] { return b->received.size() == 1; }));
  EXPECT_EQ(a->link->stats().dialled + b->link->stats().dialled, dialled);
  EXPECT_TRUE(a->downs.empty() && b->downs.empty());

  // The session was made with certificates of the first CA: it ends with that, and comes again.
  ASSERT_TRUE(a->link->set_certificates(certificates_of("a", a2, next.pem())));
  ASSERT_TRUE(run_until(io, [&] { return !a->downs.empty(); }));
  EXPECT_EQ(a->downs[0].second.kind, DownKind::kWithdrawn);
  EXPECT_NE(a->downs[0].second.message.find("is signed by no CA in"), std::string::npos);
  ASSERT_TRUE(meet(io, *a, *b));
  ASSERT_TRUE(b->link->set_certificates(certificates_of("b", b2, next.pem())));
  ASSERT_TRUE(b->link->send(base::PeerName("a"), test::block_of(1)));
  ASSERT_TRUE(run_until(io, [&] { return a->received.size() == 1; }));
  EXPECT_EQ(b->downs.size(), 1u);
}

TEST_F(CertificateTest, ARevokedCertificateIsCutAndKeptOut) {
  const Signed a1 = ca.sign(wish_of("a"));
  const Signed b1 = ca.sign(wish_of("b"));
  Node a(io, "a", with(certificates_of("a", a1, ca.pem() + ca.revoke({}))));
  a.start();
  Node b(io, "b", with(certificates_of("b", b1, ca.pem()), {a.address()}));
  b.start();
  const auto c = good("c", {a.address()});
  ASSERT_TRUE(meet(io, a, b));
  ASSERT_TRUE(meet(io, a, *c));
  ASSERT_TRUE(a.link->set_certificates(certificates_of("a", a1, ca.pem() + ca.revoke({&b1}))));
  ASSERT_TRUE(run_until(io, [&] { return !a.downs.empty() && !a.refused.empty(); }));
  EXPECT_EQ(a.downs.at(0).first, "b");
  EXPECT_NE(a.downs[0].second.message.find("has been revoked"), std::string::npos);
  EXPECT_NE(a.refused[0].message.find("has been revoked"), std::string::npos);
  EXPECT_EQ(a.downs.size(), 1u);
  EXPECT_TRUE(a.sees("c"));
}

TEST(PeerUri, IsReadBackAndNothingElseIsTaken) {
  for (const char* name : {"a", "Peer-1.example_~", "\xff\x00z", "a/b", "%", "turnout:g/a"}) {
    const GroupPeer peer{"my group", base::PeerName(name)};
    const auto read = parse_peer_uri(format_peer_uri(peer));
    ASSERT_TRUE(read) << name;
    EXPECT_EQ(read.value(), peer);
  }
  EXPECT_EQ(format_peer_uri({"g", base::PeerName("a b")}), "turnout:g/a%20b");
  EXPECT_EQ(parse_peer_uri("TURNOUT:g/%61").value(), (GroupPeer{"g", base::PeerName("a")}));
  for (const char* bad :
       {"", "turnout:", "turnout:g", "turnout:g/", "turnout:/a", "turnout://g/a", "turnout:g/a/b",
        "turnout:g/a%", "turnout:g/a%4", "turnout:g/a%4x", "turnout:g/a b", "turnout:g/a?x",
        "turnout:g/a#x", "spiffe://g/a", "turnoutx:g/a", "turnout:g/\xc3\xbc"}) {
    EXPECT_FALSE(parse_peer_uri(bad)) << bad;
  }
  const std::string longest(64, 'x');
  EXPECT_TRUE(parse_peer_uri("turnout:" + longest + "/" + longest));
  EXPECT_FALSE(parse_peer_uri("turnout:" + longest + "x/a"));
  EXPECT_FALSE(parse_peer_uri("turnout:g/" + longest + "x"));
}

// Of what a peer shows.

base::Instant now() {
  return {std::chrono::duration_cast<base::Duration>(
              std::chrono::system_clock::now().time_since_epoch())
              .count()};
}

TEST_F(CertificateTest, EndsWithTheFirstOfItsChain) {
  const Authority root("Root", nullptr, hours(24));
  const Authority between("Between", &root, hours(2));
  Wish wish = wish_of("a");
  const auto near = [](base::Instant at, hours from_now) {
    return std::chrono::abs(at - (now() + from_now)) < seconds(60);
  };
  const auto own = certificates_of("a", ca.sign(wish), ca.pem());
  EXPECT_TRUE(near(own->ends(), hours(24)));
  EXPECT_TRUE(near(own->begins(), hours(-24)));
  const auto below = certificates_of("a", between.sign(wish), root.pem(), between.pem());
  EXPECT_TRUE(near(below->ends(), hours(2)));
  // A CA that is in the file and not needed ends nothing.
  const Authority old("Old", nullptr, hours(1));
  EXPECT_TRUE(near(certificates_of("a", ca.sign(wish), ca.pem() + old.pem())->ends(), hours(24)));
}

TEST_F(CertificateTest, ItsEndIsToldInTimeAndOnceADay) {
  CertificateWatch watch;
  EXPECT_EQ(watch.warning(now()), std::nullopt);
  EXPECT_EQ(watch.ends(), std::nullopt);

  Authority lasting("Lasting", nullptr, hours(24 * 400));
  Wish wish = wish_of("a");
  wish.ends = hours(24 * 365);
  const auto of_a_year = certificates_of("a", lasting.sign(wish), lasting.pem());
  watch.shows(of_a_year.get());
  const base::Instant end = of_a_year->ends();
  EXPECT_EQ(watch.ends(), end);
  EXPECT_EQ(watch.about(),
            "serial " + of_a_year->serial() + ", valid until " + format_instant(end));
  EXPECT_EQ(watch.warning(end - hours(24 * 30) - seconds(1)), std::nullopt);
  EXPECT_EQ(watch.warning(end - hours(24 * 30)),
            "the certificate that this peer shows (serial " + of_a_year->serial() +
                "), or its CA's, ends on " + format_instant(end) +
                ": put a new one in its place and send SIGHUP");
  EXPECT_EQ(watch.warning(end - hours(24 * 29) - seconds(1)), std::nullopt);
  EXPECT_NE(watch.warning(end - hours(24 * 29)), std::nullopt);
  EXPECT_NE(watch.warning(end - hours(1)), std::nullopt);
  const auto ended = watch.warning(end);
  EXPECT_NE(ended.value_or("nothing").find("ended on"), std::string::npos);
  EXPECT_EQ(watch.warning(end + hours(23)), std::nullopt);
  EXPECT_NE(watch.warning(end + hours(24)), std::nullopt);

  // One of two days: a third of its time.
  const auto of_two_days = certificates_of("a", ca.sign(wish_of("a")), ca.pem());
  watch.shows(of_two_days.get());
  EXPECT_EQ(watch.warning(of_two_days->ends() - hours(16) - seconds(1)), std::nullopt);
  EXPECT_NE(watch.warning(of_two_days->ends() - hours(16)), std::nullopt);
  watch.shows(nullptr);
  EXPECT_EQ(watch.warning(end), std::nullopt);
}

}  // namespace
}  // namespace turnout::link
