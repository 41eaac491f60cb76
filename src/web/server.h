#pragma once

// The HTTP server: one thread for all connections, a few for requests that ask the database.
//
// There are no accounts yet, so it listens on this machine's loopback only unless told otherwise,
// and even there refuses what a web page of another site might send through the user's browser:
// requests whose Host is no name of this machine (DNS rebinding), and requests that change
// something with a foreign Origin.

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "base/result.h"
#include "store/store.h"
#include "web/host.h"

namespace prometheus {
class Registry;
}

namespace turnout::web {

struct ServerOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 7100;  // 0: any free one
  bool allow_remote = false;
  int workers = 2;                    // 1–16; each has a session of the store
  std::size_t max_connections = 256;  // further ones wait to be accepted
  std::size_t max_waiting = 64;  // requests waiting for a worker; further ones are answered 503
  std::chrono::milliseconds read_timeout{
      60'000};  // from the first byte of a request to its last, and idle before it
  std::chrono::milliseconds write_timeout{30'000};
};

// start() and stop() are called from one thread; address() from any after start().
class Server {
 public:
  // `store` and `host` outlive the server. `registry` may be null: then /metrics is empty.
  Server(ServerOptions options, store::Store& store, Host& host,
         std::shared_ptr<prometheus::Registry> registry);
  ~Server();  // stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Binds and serves on threads of its own. kInvalid: the address cannot be understood, or is not
  // this machine's loopback and remote access is not allowed. kUnavailable: the port is in use or
  // the address is not this machine's.
  base::Result<void> start();
  // "127.0.0.1:7100", with the port really taken.
  std::string address() const;
  // Accepts no more, finishes requests in hand for at most 2 s, then closes. Idempotent.
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace turnout::web
