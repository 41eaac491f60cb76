#pragma once

// One HTTP connection: reads requests one after another, answers each, keeps the connection while
// the client does. Lives on the server's one thread.

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "web/api.h"
#include "web/meter.h"
#include "web/server.h"
#include "web/worker_pool.h"

namespace turnout::web {

class Connection;

// What a connection needs of its server; outlives it.
class ConnectionOwner {
 public:
  virtual ~ConnectionOwner() = default;
  virtual void ended(Connection& connection) = 0;
  virtual bool stopping() const = 0;
  // Whether a Host header names this server.
  virtual bool is_own_name(std::string_view host) const = 0;
  virtual const Api& api() const = 0;
  virtual WorkerPool& workers() = 0;
  virtual Meter& meter() = 0;
  virtual const ServerOptions& options() const = 0;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(ConnectionOwner& owner, boost::asio::ip::tcp::socket socket);

  void start() { read(); }
  // Ends it if no request has begun; otherwise it ends after its answer.
  void close_if_idle();
  // Ends it whatever it is doing.
  void end();

 private:
  using StringBody = boost::beast::http::string_body;
  using Parser = boost::beast::http::request_parser<StringBody>;

  void read();
  void header_read(boost::beast::error_code error);
  void read_body();
  void body_read(boost::beast::error_code error);
  void handle();
  // Why the request is refused before its body is read; nullopt when it is not.
  std::optional<Response> refuse() const;
  void answer(Response response, bool close);
  void written(boost::beast::error_code error);
  void bad_request(boost::beast::error_code error);

  ConnectionOwner& owner_;
  boost::beast::tcp_stream stream_;
  boost::beast::flat_buffer buffer_;
  std::unique_ptr<Parser> parser_;  // of the request being read
  boost::beast::http::response<StringBody> response_;
  boost::beast::http::response<boost::beast::http::empty_body> go_on_;
  std::chrono::steady_clock::time_point began_;
  std::string route_ = "other";
  bool idle_ = true;
  bool ended_ = false;
};

}  // namespace turnout::web
