// The HTTP server over real sockets.

#include "web/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <prometheus/registry.h>

#include "store/model/model.h"
#include "web/api.h"
#include "web/fake_host.h"

namespace turnout::web {
namespace {

// One connection, spoken to in bytes.
class Client {
 public:
  explicit Client(const std::string& address)
      : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port =
        htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  }
  ~Client() { close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void say(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) {
        return;
      }
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  // Reads until `end` has come, or the connection ends.
  std::string hear(const std::string& end) {
    std::string text;
    char bytes[4096];
    ssize_t got = 0;
    while (text.find(end) == std::string::npos && (got = recv(fd_, bytes, sizeof bytes, 0)) > 0) {
      text.append(bytes, static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  int fd_;
};

std::string request(const std::string& method, const std::string& target,
                    const std::string& body = "",
                    const std::string& headers = "Host: 127.0.0.1\r\n") {
  return method + " " + target + " HTTP/1.1\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class ServerTest : public ::testing::Test {
 protected:
  ServerTest()
      : store_([] { return base::Instant{1'000'000}; }),
        registry_(std::make_shared<prometheus::Registry>()) {}

  std::unique_ptr<Server> start(ServerOptions options = {}) {
    options.port = 0;
    auto server = std::make_unique<Server>(options, store_, host_, registry_);
    const auto started = server->start();
    EXPECT_TRUE(started) << (started ? "" : started.error().message);
    return server;
  }

  FakeHost host_;
  store::model::ModelStore store_;
  std::shared_ptr<prometheus::Registry> registry_;
};

TEST_F(ServerTest, AnswersSeveralRequestsOnOneConnection) {
  const auto server = start();
  Client client(server->address());
  client.say(request("GET", "/healthz"));
  EXPECT_NE(client.hear("\"ok\"}").find("200 OK"), std::string::npos);
  client.say(request("GET", "/api/tracks") + request("GET", "/api/fields"));
  const std::string both = client.hear("\"webhooks\":[\"sales\"]}");
  EXPECT_NE(both.find("{\"tracks\":[]}"), std::string::npos) << both;
}

TEST_F(ServerTest, TakesBodiesOfclientsThatWaitFor100Continue) {
  const auto server = start();
  Client client(server->address());
  client.say(
      "POST /api/import HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: "
      "39\r\n\r\n");
  EXPECT_NE(client.hear("\r\n\r\n").find("100 Continue"), std::string::npos);
  client.say(R"({"key":["a"],"fields":[],"columns":[]} )");
  EXPECT_NE(client.hear("unchanged").find("200 OK"), std::string::npos);
}

TEST_F(ServerTest, CountsRequestsByRoute) {
  const auto server = start();
  Client client(server->address());
  client.say(request("GET", "/api/tracks/Some%20track") + request("GET", "/metrics"));
  const std::string text = client.hear("turnout_http_request_seconds");
  EXPECT_NE(text.find("turnout_http_requests_total{route=\"/api/tracks/*\",status=\"404\"} 1"),
            std::string::npos)
      << text;
}

TEST_F(ServerTest, RefusesWhatIsNoHttpAndGoesOn) {
  const auto server = start();
  Client bad(server->address());
  bad.say("\x16\x03\x01 garbage\r\n\r\n");
  EXPECT_NE(bad.hear("}}").find("400 Bad Request"), std::string::npos);
  Client large(server->address());
  large.say("GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n");
  EXPECT_NE(large.hear("}}").find("431"), std::string::npos);
  Client long_body(server->address());
  long_body.say("POST /api/import HTTP/1.1\r\nHost: localhost\r\nContent-Length: 33554433\r\n\r\n");
  EXPECT_NE(long_body.hear("}}").find("413"), std::string::npos);
  Client good(server->address());
  good.say(request("GET", "/healthz"));
  EXPECT_NE(good.hear("\"ok\"}").find("200 OK"), std::string::npos);
}

// A page of another site cannot use the browser to reach us: neither by a name that it points at
// 127.0.0.1, nor by a form.
TEST_F(ServerTest, RefusesForeignPages) {
  const auto server = start();
  Client rebound(server->address());
  rebound.say(request("GET", "/api/peers", "", "Host: evil.example.com\r\n"));
  EXPECT_NE(rebound.hear("}}").find("403"), std::string::npos);
  Client form(server->address());
  form.say(request("POST", "/api/tracks/T/pause", "",
                   "Host: 127.0.0.1:7100\r\nOrigin: https://evil.example.com\r\n"));
  EXPECT_NE(form.hear("}}").find("403"), std::string::npos);
  Client own(server->address());
  own.say(request("POST", "/api/tracks/T/pause", "",
                  "Host: 127.0.0.1:7100\r\nOrigin: http://127.0.0.1:7100\r\n"));
  EXPECT_NE(own.hear("}}").find("404"), std::string::npos)
      << "it came as far as the track that does not exist";
}

TEST_F(ServerTest, ListensOnLoopbackOnlyUnlessToldOtherwise) {
  ServerOptions options;
  options.host = "0.0.0.0";
  options.port = 0;
  Server refused(options, store_, host_, nullptr);
  const auto answer = refused.start();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, base::ErrorCode::kInvalid);
  EXPECT_NE(answer.error().message.find("allow_remote = true"), std::string::npos);
  options.allow_remote = true;
  Server allowed(options, store_, host_, nullptr);
  EXPECT_TRUE(allowed.start());
}

// Measure 5: a port in use.
TEST_F(ServerTest, APortInUseIsSaid) {
  const auto server = start();
  ServerOptions options;
  options.port = static_cast<std::uint16_t>(
      std::stoi(server->address().substr(server->address().rfind(':') + 1)));
  Server second(options, store_, host_, nullptr);
  const auto answer = second.start();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, base::ErrorCode::kUnavailable);
  EXPECT_NE(answer.error().message.find("is in use"), std::string::npos);
  EXPECT_NE(answer.error().message.find("TURNOUT_LISTEN"), std::string::npos);
}

TEST_F(ServerTest, SlowClientsAreLeft) {
  ServerOptions options;
  options.read_timeout = std::chrono::milliseconds(100);
  const auto server = start(options);
  Client client(server->address());
  client.say("GET /healthz HTTP/1.1\r\nHost:");
  EXPECT_EQ(client.hear("never"), "") << "the connection is closed";
}

TEST_F(ServerTest, MoreConnectionsThanAllowedWaitTheirTurn) {
  ServerOptions options;
  options.max_connections = 1;
  const auto server = start(options);
  auto first = std::make_unique<Client>(server->address());
  first->say(request("GET", "/healthz"));
  first->hear("\"ok\"}");
  Client second(server->address());
  second.say(request("GET", "/healthz"));
  first.reset();
  EXPECT_NE(second.hear("\"ok\"}").find("200 OK"), std::string::npos);
}

TEST_F(ServerTest, StopsWithConnectionsOpen) {
  const auto server = start();
  Client idle(server->address());
  idle.say(request("GET", "/healthz"));
  idle.hear("\"ok\"}");
  Client half(server->address());
  half.say("GET /heal");
  server->stop();
  EXPECT_EQ(idle.hear("never"), "");
  server->stop();
}

}  // namespace
}  // namespace turnout::web
