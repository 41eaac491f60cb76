#pragma once

// One connection: a TCP socket, TLS over it if there is a context, frames out of it and into it.
// Knows nothing of peers.
//
// Frames wait in a queue bounded in bytes; one place beside the queue holds the frame that may be
// replaced (the advertisement), which goes out after everything queued. Little of what is sent
// waits in the kernel (TCP_NOTSENT_LOWAT), so what may be replaced stays replaceable while the
// other side does not read.
//
// Not thread-safe: lives in the thread of its io_context. Events come from the io_context, never
// from inside a call. Keeps itself alive until it is closed.

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "link/certificate.h"
#include "link/frame.h"
#include "link/key.h"
#include "link/link.h"

namespace turnout::link {

class Connection;
using Frame = std::shared_ptr<const std::string>;  // header included

class ConnectionEvents {
 public:
  virtual ~ConnectionEvents() = default;
  // TCP and TLS are there: frames may be sent and will come.
  virtual void on_secured(Connection& connection) = 0;
  virtual void on_frame(Connection& connection, std::string_view body) = 0;
  // Once, unless close() was called. Nothing comes after it.
  virtual void on_closed(Connection& connection, const Down& down) = 0;
};

// What TLS has shown of the other side; all empty without TLS.
struct Proof {
  base::PeerName peer;      // empty: only that it has the key
  std::string key_id;       // with the group's key
  std::string certificate;  // with certificates: the serial number of its own
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Tcp = boost::asio::ip::tcp;

  struct Settings {
    bool dialled = false;
    boost::asio::ssl::context* tls =
        nullptr;  // of the right side; none: plain TCP. Must outlive start()
    std::shared_ptr<const Certificates> certificates;  // if `tls` is of these; else it is of keys
    std::optional<PskIdentity> identity;               // when dialled with a key
    const GroupKey* key = nullptr;  // when dialled with a key; read by start() only
    std::chrono::milliseconds handshake_timeout{5'000};
    std::chrono::milliseconds user_timeout{10'000};
  };

  Connection(Tcp::socket socket, std::weak_ptr<ConnectionEvents> events);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Sets the socket's options, starts the deadline and the handshake.
  void start(const Settings& settings);

  // The handshake's deadline no longer holds; frames up to `max_frame` are accepted from now on.
  void establish(std::size_t max_frame, std::size_t max_queue);

  // False if the queue would pass its limit; the frame is not taken then.
  bool send(Frame frame);
  // Returns true if one that was waiting was replaced.
  bool send_replaceable(Frame frame);

  // No frame is read until resume(). From on_frame: the one at hand is the last.
  void pause() { paused_ = true; }
  void resume();

  // Whether frames that are not replaceable were in the queue when it closed.
  bool left_unsent() const { return left_unsent_; }
  // Sends what is queued, ends our direction, reads on until the other side ends its own, at most
  // `patience`.
  void finish(std::chrono::milliseconds patience);
  // At once; no event follows.
  void close();

  bool closed() const { return closed_; }
  bool secured() const { return secured_; }
  bool met_tls() const { return met_tls_; }  // the other side speaks TLS and this one does not
  bool finishing() const { return finishing_; }
  const std::string& remote() const { return remote_; }            // "ip:port"
  const std::string& remote_host() const { return remote_host_; }  // "ip"
  // Whoever has one address of it may well have all: network_of(remote_host()).
  const std::string& remote_network() const { return remote_network_; }
  bool dialled() const { return dialled_; }
  const Proof& proof() const { return proof_; }  // once secured
  // With certificates, once secured: whether the other side's is good by newer ones.
  base::Result<CertifiedPeer> verify_again(const Certificates& certificates) const;
  // The other side has ended TLS with an alert: it does not take our key or certificate.
  bool turned_down() const { return turned_down_; }
  // What is wrong with the other side's certificate, or 0: tells causes apart.
  int certificate_code() const { return certificate_code_; }

  std::uint64_t frames_sent() const { return frames_sent_; }
  std::uint64_t bytes_sent() const { return bytes_sent_; }
  std::uint64_t bytes_received() const { return bytes_received_; }

 private:
  using Tls = boost::asio::ssl::stream<Tcp::socket&>;

  void set_options(const Settings& settings);
  void arm(std::chrono::milliseconds after, const char* what);
  void handshake();
  void handshake_failed(const boost::system::error_code& error);
  base::Result<Proof> prove() const;
  void begin_traffic();
  void read();
  void take(std::size_t size);
  void deliver();
  void write();
  void written(std::size_t size);
  void lost(const boost::system::error_code& error);
  void fail(const Down& down);
  bool waiting() const { return !queue_.empty() || replaceable_ != nullptr; }

  Tcp::socket socket_;
  std::unique_ptr<Tls> tls_;
  std::weak_ptr<ConnectionEvents> events_;
  boost::asio::steady_timer deadline_;
  std::uint64_t deadline_number_ =
      0;  // an expiry already on its way when the deadline went is void
  std::string remote_;
  std::string remote_host_;
  std::string remote_network_;
  bool dialled_ = false;
  std::shared_ptr<const Certificates> certificates_;
  Proof proof_;
  int certificate_code_ = 0;
  bool turned_down_ = false;

  std::vector<char> incoming_;
  FrameReader reader_{kMaxHelloFrame};
  std::deque<Frame> queue_;
  Frame replaceable_;
  std::string outgoing_;
  std::size_t queued_ = 0;  // bytes in queue_
  bool left_unsent_ = false;
  std::size_t max_queue_ = 2 * kMaxHelloFrame;
  std::uint64_t frames_sent_ = 0;
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t bytes_received_ = 0;

  bool secured_ = false;
  bool met_tls_ = false;
  bool reading_ = false;
  bool delivering_ = false;
  bool writing_ = false;
  bool paused_ = false;
  bool finishing_ = false;
  bool shut_ = false;
  bool closed_ = false;
};

}  // namespace turnout::link
