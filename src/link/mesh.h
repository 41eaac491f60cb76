#pragma once

// How a Link works inside: which connections there are, what each is for, and which sessions they
// make.
//
// A dialler opens the control connection and says Hello; the other side answers with its own. The
// dialler then opens the bulk connection with the same session number. The callee has the session
// when it gets that second Hello, the dialler when it gets the answer. Until then a deadline runs,
// and small frames only are read. Who holds two sessions with one life of a peer keeps the one that
// the lower name dialled, and drains the other so that nothing on it is lost.
//
// A dialler has at most one session under way per peer, and dials only when it has none, so a
// second session dialled by the same peer means that it has lost the first.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "link/address.h"
#include "link/connect.h"
#include "link/connection.h"
#include "link/link.h"
#include "link/security.h"
#include "link/wire.h"

namespace turnout::link {

class Link::Impl final : public ConnectionEvents, public std::enable_shared_from_this<Link::Impl> {
 public:
  Impl(boost::asio::io_context& io, Options options, Callbacks callbacks);

  base::Result<void> start();
  base::Result<void> add_peer(std::string_view address, bool seed);
  base::Result<void> send(const base::PeerName& to, std::string frame, Channel channel,
                          bool replaceable);
  void broadcast(std::string frame, Channel channel, bool replaceable);
  base::Result<void> set_keys(std::vector<GroupKey> keys);
  base::Result<void> set_certificates(std::shared_ptr<const Certificates> certificates);
  void stop(std::chrono::milliseconds patience, std::function<void()> done);
  void shut();

  std::vector<std::string> addresses() const;
  std::string advertised() const;
  std::vector<PeerInfo> peers() const;
  Stats stats() const;

  void on_secured(Connection& connection) override;
  void on_frame(Connection& connection, std::string_view body) override;
  void on_closed(Connection& connection, const Down& down) override;

 private:
  using Tcp = boost::asio::ip::tcp;
  using Clock = std::chrono::steady_clock;

  // An address to dial.
  struct Target {
    Target(boost::asio::io_context& io, Address at, bool from_user)
        : address(std::move(at)), text(format_address(address)), seed(from_user), timer(io) {}
    Address address;
    std::string text;
    bool seed;
    bool self = false;    // it is this very peer: never dialled again
    base::PeerName peer;  // who was found there last; empty if not known
    boost::asio::steady_timer timer;
    bool waiting = false;               // for the timer
    std::uint64_t turn = 0;             // numbers the waits, so that an expired one is void
    std::chrono::milliseconds delay{};  // before the next dial after a failure
    std::optional<Clock::time_point> failing_since;
    int tls_failures = 0;  // in a row
    int early_ends = 0;
    std::shared_ptr<Connect> connect;
    Connection* control = nullptr;  // of the session under way
    Connection* bulk = nullptr;
    std::uint64_t session = 0;
    std::optional<Hello> hello;  // the other side's, on control
    bool dialling() const { return connect || control != nullptr || bulk != nullptr; }
  };

  struct Session {
    PeerInfo info;
    std::uint64_t life = 0;
    std::uint64_t number = 0;  // of this session here
    Connection* control = nullptr;
    Connection* bulk = nullptr;
    Clock::time_point begun;
    Clock::time_point heard;
    std::optional<Down> ending;  // the first of the two connections has ended
    bool dropped = false;        // something that was to be sent did not go out
    std::unique_ptr<boost::asio::steady_timer> ending_timer;
  };

  enum class Stage : std::uint8_t {
    kCalled,   // accepted; no Hello yet
    kHalf,     // accepted control connection; its Hello is answered, the bulk connection is awaited
    kCalling,  // dialled; no answer to our Hello yet
    kAnswered,  // dialled control connection; the bulk connection is under way
    kSession,
    kDraining,    // of a session that another one has replaced
    kTurnedAway,  // a refusal is on its way
  };

  struct Entry {
    std::shared_ptr<Connection> connection;
    Stage stage = Stage::kCalled;
    Channel channel = Channel::kControl;
    Target* target = nullptr;    // kCalling, kAnswered
    base::PeerName peer;         // kSession, kDraining
    std::uint64_t life = 0;      // kSession, kDraining
    std::optional<Hello> hello;  // kHalf
    std::uint64_t order = 0;
  };

  // mesh_accept.cc: listening, accepting
  base::Result<void> listen(const std::string& text);
  base::Result<void> bind(const std::string& text, const Tcp::endpoint& endpoint);
  void accept(std::size_t listener);
  void accepted(Tcp::socket socket);
  void evict_unauthenticated();

  // mesh.cc: dialling, addresses
  Target* learn(const Address& address, bool seed);
  void wait(Target& target, std::chrono::milliseconds delay);
  Connect::Patience patience() const;
  void dial(Target& target);
  void dial_bulk(Target& target);
  void connected(Target& target, Tcp::socket socket, Channel channel);
  void dial_failed(Target& target);
  void drop_attempt(Target& target);
  void rest(Target& target);
  bool is_own(const Address& address) const;
  Connection::Settings settings(bool dialled, const base::PeerName& callee) const;

  // mesh_handshake.cc: hellos, refusals
  Hello make_hello(Channel channel, std::uint64_t session) const;
  std::optional<Refuse> judge(const Hello& hello, const Connection& connection) const;
  std::optional<Refuse> judge_name(const Hello& hello) const;
  void called(Entry& entry, const Hello& hello);
  void called_bulk(Entry& entry, const Hello& hello);
  void answered(Entry& entry, const Hello& hello);
  void turned_away(Entry& entry, const Refuse& refuse);
  void turn_away(Entry& entry, const Refuse& refuse);
  bool yields(const Session& held, bool dialled) const;
  void handshake_failed(Entry& entry, const Down& down);
  // `cause` tells apart what is one code but not one thing to mend.
  void report(RefusalCode code, bool by_us, const std::string& address, const std::string& message,
              int cause = 0);
  void close_withdrawn();

  // mesh_session.cc: sessions, frames
  void begin(Connection* control, Connection* bulk, const Hello& hello, bool dialled);
  bool crossed(const Session& ended, bool dialled) const;
  void retire(const Session& session, bool drain_it);
  void drain(Connection* connection, const Hello& who);
  void end(const base::PeerName& peer, const Down& down);
  void gossip(const Session& session);
  void take_frame(Entry& entry, Incoming message);
  void take_message(const base::PeerName& peer, Incoming message);
  void half_ended(Entry& entry, const Down& down);
  void forget(Connection& connection);
  void close(Connection* connection);
  Entry* find(Connection* connection);
  Session* find_session(const base::PeerName& peer);
  std::string address_of(const Hello& hello, const Connection& connection) const;
  std::uint64_t random();

  boost::asio::io_context& io_;
  const Options options_;
  Callbacks callbacks_;
  Security security_;
  std::mt19937_64 random_;
  std::uint64_t life_ = 0;

  std::vector<Tcp::acceptor> acceptors_;
  std::vector<Address> bound_;
  std::string advertised_;
  std::map<std::string, std::unique_ptr<Target>> targets_;
  std::map<Connection*, Entry> entries_;
  std::map<base::PeerName, std::unique_ptr<Session>> sessions_;
  std::map<std::string, std::set<std::pair<RefusalCode, int>>> reported_;  // by side and address
  Stats stats_;
  std::uint64_t orders_ = 0;  // connections so far
  std::uint64_t sessions_begun_ = 0;
  bool stopped_ = false;  // no callback any more
  std::function<void()> on_stopped_;
  std::unique_ptr<boost::asio::steady_timer> stop_timer_;
};

}  // namespace turnout::link
