#pragma once

// Connections of a peer to the other peers of its group.
//
// A *session* with a peer is two connections: one for advertisements and other small messages
// (control), one for blocks and their reports (bulk), so that a large block never delays an
// advertisement. The peer that dials opens both; if two peers dial each other at once, the session
// dialled by the lower name stays and the other one is drained. Frames are Protocol Buffers behind
// a four-byte big-endian length (link/wire.proto).
//
// With keys, every connection is TLS 1.3 authenticated by an external pre-shared key (link/tls.h);
// with certificates, by those of both sides (link/certificate.h). With neither, a link listens on,
// dials and accepts from this machine's loopback only, in plain TCP, and refuses everything else.
//
// Peers are found from the addresses given (seeds). Members tell each other of the addresses they
// know, so one seed is enough. An address that does not answer is dialled again with growing,
// jittered delays.
//
// Nothing sent is sure to arrive: what is queued is lost with its session. `group` expects that.
// Messages of one channel arrive in the order sent, except that an advertisement not yet sent is
// replaced by the next and that it goes after the other control messages queued with it.
//
// Thread-safety: none. A Link lives on one io_context that runs in one thread: create, call and
// destroy it there. All callbacks come from there and never from inside a call of the same Link,
// `send` included. Neither does any come once the Link is destroyed; the io_context may run on.

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "group/message.h"
#include "link/certificate.h"
#include "link/hint.h"
#include "link/key.h"

namespace turnout::link {

inline constexpr std::size_t kMaxPeers = 256;        // sessions at once
inline constexpr std::size_t kMaxAddresses = 1'024;  // known at once; further ones are ignored

struct Options {
  std::string group;  // 1–64 bytes; peers of another group are refused
  base::PeerName name;
  base::Incarnation incarnation;

  // "host:port", "[::1]:port"; a port of 0 takes a free one; names are resolved by start(). At
  // least one.
  std::vector<std::string> listen;
  // What other peers dial, where it differs from the first listening address; else empty.
  std::string advertise;
  std::vector<std::string> seeds;
  // The newest protocol version to speak, from kOldestProtocolVersion to kProtocolVersion.
  std::int32_t protocol = group::kProtocolVersion;

  // Keys or certificates, not both. With neither: loopback only, no TLS. keys[0] is used to dial,
  // all are accepted.
  std::vector<GroupKey> keys;
  std::shared_ptr<const Certificates> certificates;

  // From accepting or dialling until the session is up. Slow and half-open handshakes end here.
  std::chrono::milliseconds handshake_timeout{5'000};
  // An address that has not answered within this time is dialled anew, since the system would ask
  // it again ever more seldom (RFC 6298). Longer than a way there and back.
  std::chrono::milliseconds connect_timeout{3'000};
  // Delay before an address is dialled again: doubles from min to max, each time between half and
  // all of it. A max of one cycle costs a small packet per cycle and dead address.
  std::chrono::milliseconds min_redial{50};
  std::chrono::milliseconds max_redial{1'000};
  // Bytes sent that stay unacknowledged this long, or keepalive probes unanswered, end the session
  // (TCP_USER_TIMEOUT). It should exceed the miss limit times the cycle: silence is judged by the
  // group, not here. After a cut that lasts longer a new connection is up sooner than what was lost
  // would be sent again: the pauses between tries grow with the cut.
  std::chrono::milliseconds user_timeout{10'000};
  // A second peer of the same name is refused while the first was heard within this time; later the
  // newer incarnation takes its place. The miss limit times the cycle.
  std::chrono::milliseconds alive_within{4'000};

  std::size_t max_unauthenticated =
      64;  // accepted and in no session yet; of the network with most of them, the oldest goes
  std::size_t max_control_queue = 4u << 20;  // bytes per peer, beyond which send() fails
  std::size_t max_bulk_queue = 32u << 20;    // bytes per peer, beyond which send() fails
};

enum class DownKind : std::uint8_t {
  kEnded,     // the connection ended by EOF or reset: the process may be gone (its life lock tells)
  kTimedOut,  // nothing was acknowledged for user_timeout
  kBroken,    // the peer sent what is no frame or no message of ours
  kReplaced,  // a later incarnation of the same name took its place
  kWithdrawn,  // its key was withdrawn, or its certificate is not good any more
};

struct Down {
  DownKind kind = DownKind::kEnded;
  std::string message;  // for the log
};

// Why a peer, or this one, was turned away.
enum class RefusalCode : std::uint8_t {
  kOtherGroup,
  kOtherProtocol,
  kNameTaken,   // a peer of this name is alive
  kNotSecured,  // one side uses TLS and the other does not, the keys differ, or a certificate is
                // not what it must be
  kTooManyPeers,
  kNotLoopback,  // without key and certificates the address must be this machine's
  kNotPeer,      // what is there speaks something else
};

struct Refused {
  RefusalCode code = RefusalCode::kOtherGroup;
  bool by_us = false;   // we turned it away; else it turned us away
  std::string address;  // of the other side
  std::string message;  // says which group, version, name or key, and what to do
};

struct PeerInfo {
  base::PeerName name;
  base::Incarnation incarnation;
  std::string address;      // advertised
  bool dialled = false;     // by us
  std::string key_id;       // with keys: that it was made with
  std::string certificate;  // with certificates: serial number of the peer's
  std::int32_t protocol = group::kProtocolVersion;  // the version that both speak
};

struct Callbacks {
  // A session with the peer is there; from now on send() to it works. Once per incarnation until
  // on_down.
  std::function<void(const PeerInfo&)> on_up;
  // The last session with the peer ended. A killed process shows as kEnded within a millisecond or
  // so.
  std::function<void(const base::PeerName&, const Down&)> on_down;
  std::function<void(const base::PeerName&, group::Message)> on_message;
  // The master handed out deliveries.
  std::function<void(const base::PeerName&, group::Handout)> on_handout;
  std::function<void(const Hint&)> on_hint;
  // A connection was turned away. The same refusal of the same address is reported once, until it
  // succeeds.
  std::function<void(const Refused&)> on_refused;
};

// Counters since the start, for metrics and tests.
struct Stats {
  std::uint64_t accepted = 0;           // connections
  std::uint64_t dialled = 0;            // connections
  std::uint64_t handshakes_failed = 0;  // TLS or Hello: strangers, slow ones, garbage
  std::uint64_t frames_sent = 0;
  std::uint64_t frames_received = 0;
  std::uint64_t bytes_sent = 0;  // frames with their length, before TLS
  std::uint64_t bytes_received = 0;
  std::uint64_t unknown_messages = 0;  // of a kind this version does not know; skipped
  std::uint64_t advertisements_replaced = 0;
  std::uint64_t sends_refused = 0;  // queue full
  std::size_t connections = 0;      // open now, of every state
  std::size_t unauthenticated = 0;  // open now
};

class Link {
 public:
  // CHECKs that names and group are 1–64 bytes. `io` must outlive the Link.
  Link(boost::asio::io_context& io, Options options, Callbacks callbacks);
  ~Link();  // closes every connection at once; unsent messages are lost
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // Binds, listens, and begins to dial the seeds. Blocks only to resolve the names in `listen`.
  // kInvalid: an address cannot be parsed or resolved, or is not loopback and there is neither key
  // nor certificate.
  // kUnavailable: port in use, or the address is not this machine's. The message names address and
  // remedy.
  base::Result<void> start();

  // Addresses bound, in the order of Options::listen, with the ports really taken. After start().
  std::vector<std::string> addresses() const;
  // What other peers are told to dial.
  std::string advertised() const;

  // One more address to keep a session with. kInvalid if it cannot be parsed. Idempotent.
  base::Result<void> add_peer(std::string_view address);

  // Queues the message on its channel. O(size); the bytes leave when the io_context runs.
  // kNotFound: no session with the peer. kExhausted: its queue is full. kInvalid: too large for a
  // frame.
  base::Result<void> send(const base::PeerName& to, const group::Message& message);
  base::Result<void> send(const base::PeerName& to, const group::Handout& handout);
  base::Result<void> send(const base::PeerName& to, const Hint& hint);
  // To every peer there is a session with; encodes once. Full queues are counted in stats().
  void broadcast(const group::Message& message);
  void broadcast(const Hint& hint);

  // Replaces the keys at run time (same rule as Options::keys; at least one, and only if there were
  // some before). Sessions made with a key that is no longer listed are closed. kInternal if
  // OpenSSL fails: then nothing has changed.
  base::Result<void> set_keys(std::vector<GroupKey> keys);
  // Replaces the certificates at run time, only if there were some before. Sessions whose peer's
  // certificate is not good by the new ones (another CA, revoked, expired meanwhile) are closed.
  // kInvalid if OpenSSL does not take them: then nothing has changed.
  base::Result<void> set_certificates(std::shared_ptr<const Certificates> certificates);

  // Peers with a session, by name.
  std::vector<PeerInfo> peers() const;
  Stats stats() const;

  // Sends what is queued, then closes, and calls `done` when all is closed or after `patience`. No
  // other callback comes after this call.
  void stop(std::chrono::milliseconds patience, std::function<void()> done);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace turnout::link
