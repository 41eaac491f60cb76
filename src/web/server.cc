#include "web/server.h"

#include <atomic>
#include <thread>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/check.h"
#include "web/api.h"
#include "web/connection.h"
#include "web/worker_pool.h"

namespace turnout::web {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

class Server::Impl final : public ConnectionOwner {
 public:
  Impl(ServerOptions options, store::Store& store, Host& host,
       std::shared_ptr<prometheus::Registry> registry)
      : options_(std::move(options)),
        store_(store),
        api_(host, registry),
        meter_(registry),
        acceptor_(io_),
        retry_(io_) {
    CHECK(options_.workers >= 1 && options_.workers <= 16 && options_.max_connections >= 1);
  }

  base::Result<void> start();
  void stop();
  std::string address() const { return address_; }

  // ConnectionOwner
  void ended(Connection& connection) override {
    connections_.erase(&connection);
    if (stopping_ && connections_.empty()) {
      retry_.cancel();  // ends stop()'s wait
    }
    if (connections_.size() + 1 == options_.max_connections) {
      accept();
    }
  }
  bool stopping() const override { return stopping_; }
  bool is_own_name(std::string_view host) const override;
  const Api& api() const override { return api_; }
  WorkerPool& workers() override { return *workers_; }
  Meter& meter() override { return meter_; }
  const ServerOptions& options() const override { return options_; }

 private:
  base::Result<void> listen(const tcp::endpoint& endpoint);
  void accept();
  void accepted(error_code error, tcp::socket socket);
  void close();

  ServerOptions options_;
  store::Store& store_;
  Api api_;
  Meter meter_;
  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  asio::steady_timer retry_;
  std::unordered_set<Connection*> connections_;  // each is kept alive by its own handlers
  std::unique_ptr<WorkerPool> workers_;
  std::thread thread_;
  std::string address_;
  std::atomic<bool> stopping_ = false;
  bool accepting_ = false;
};

base::Result<void> Server::Impl::start() {
  error_code error;
  tcp::resolver resolver(io_);
  const auto found =
      resolver.resolve(options_.host, std::to_string(options_.port),
                       tcp::resolver::passive | tcp::resolver::numeric_service, error);
  const std::string wanted = fmt::format("{}:{}", options_.host, options_.port);
  if (error || found.empty()) {
    return base::fail(
        base::ErrorCode::kInvalid,
        fmt::format("cannot listen on {}: {}; give an address of this machine in \"listen\"",
                    wanted, error ? error.message() : "no such address"));
  }
  const tcp::endpoint endpoint = *found.begin();
  if (!endpoint.address().is_loopback() && !options_.allow_remote) {
    return base::fail(
        base::ErrorCode::kInvalid,
        fmt::format(
            "refused to listen on {}: other machines could reach it and there are no accounts yet; "
            "listen on 127.0.0.1, or set allow_remote = true behind a proxy that checks who asks",
            wanted));
  }
  TRYV(listen(endpoint));
  workers_ = std::make_unique<WorkerPool>(store_, options_.workers, options_.max_waiting);
  accept();
  thread_ = std::thread([this] { io_.run(); });
  return base::ok();
}

base::Result<void> Server::Impl::listen(const tcp::endpoint& endpoint) {
  error_code error;
  acceptor_.open(endpoint.protocol(), error);
  if (!error) {
    acceptor_.set_option(asio::socket_base::reuse_address(true), error);
  }
  if (!error) {
    acceptor_.bind(endpoint, error);
  }
  if (!error) {
    acceptor_.listen(asio::socket_base::max_listen_connections, error);
  }
  const std::string wanted = fmt::format("{}:{}", options_.host, options_.port);
  if (error == boost::system::errc::address_in_use) {
    return base::fail(
        base::ErrorCode::kUnavailable,
        fmt::format(
            "port {} is in use: cannot listen on {}; stop the other program or give another port "
            "in \"listen\" (TURNOUT_LISTEN)",
            options_.port, wanted));
  }
  if (error) {
    return base::fail(
        base::ErrorCode::kUnavailable,
        fmt::format("cannot listen on {}: {}; give an address of this machine in \"listen\" "
                    "(TURNOUT_LISTEN)",
                    wanted, error.message()));
  }
  const tcp::endpoint bound = acceptor_.local_endpoint();
  address_ = bound.address().is_v6()
                 ? fmt::format("[{}]:{}", bound.address().to_string(), bound.port())
                 : fmt::format("{}:{}", bound.address().to_string(), bound.port());
  return base::ok();
}

void Server::Impl::accept() {
  if (stopping_ || accepting_ || connections_.size() >= options_.max_connections) {
    return;
  }
  accepting_ = true;
  acceptor_.async_accept(
      [this](error_code error, tcp::socket socket) { accepted(error, std::move(socket)); });
}

void Server::Impl::accepted(error_code error, tcp::socket socket) {
  accepting_ = false;
  if (stopping_) {
    return;
  }
  if (error) {  // out of descriptors, most likely: not at once again
    retry_.expires_after(std::chrono::milliseconds(100));
    retry_.async_wait([this](error_code cancelled) {
      if (!cancelled) {
        accept();
      }
    });
    return;
  }
  const auto connection = std::make_shared<Connection>(*this, std::move(socket));
  connections_.insert(connection.get());
  connection->start();
  accept();
}

bool Server::Impl::is_own_name(std::string_view host) const {
  if (options_.allow_remote) {
    return true;
  }
  if (host.starts_with('[')) {
    host =
        host.substr(1, host.find(']') == std::string_view::npos ? host.npos : host.find(']') - 1);
  } else {
    host = host.substr(0, host.find(':'));
  }
  if (host == "localhost" || host == options_.host) {
    return true;
  }
  error_code error;
  const asio::ip::address address = asio::ip::make_address(std::string(host), error);
  return !error && address.is_loopback();
}

void Server::Impl::close() {
  error_code ignored;
  acceptor_.close(ignored);
  retry_.cancel();
  const std::unordered_set<Connection*> open = connections_;
  for (Connection* const connection : open) {
    connection->close_if_idle();
  }
}

void Server::Impl::stop() {
  if (!thread_.joinable()) {
    return;
  }
  stopping_ = true;
  asio::post(io_, [this] { close(); });
  workers_->stop();  // answers what waits; its last answers are posted to io_
  asio::post(io_, [this] {
    retry_.expires_after(std::chrono::seconds(2));
    retry_.async_wait([this](error_code) { io_.stop(); });
    if (connections_.empty()) {
      retry_.cancel();
    }
  });
  thread_.join();
  const std::unordered_set<Connection*> open = connections_;
  for (Connection* const connection : open) {
    connection->end();  // those that 2 s were not enough for
  }
}

Server::Server(ServerOptions options, store::Store& store, Host& host,
               std::shared_ptr<prometheus::Registry> registry)
    : impl_(std::make_unique<Impl>(std::move(options), store, host, std::move(registry))) {}

Server::~Server() { stop(); }

base::Result<void> Server::start() { return impl_->start(); }

std::string Server::address() const { return impl_->address(); }

void Server::stop() { impl_->stop(); }

}  // namespace turnout::web
