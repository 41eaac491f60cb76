#include "store/postgres_support.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "store/postgres/store.h"

namespace turnout::store::postgres {

namespace {

// The address with another database, as a "key=value" string; `host` and `port` "" for its own.
std::string address(const std::string& server, const std::string& database, const std::string& host,
                    const std::string& port) {
  PQconninfoOption* const options = PQconninfoParse(server.c_str(), nullptr);
  CHECK(options != nullptr);
  std::string out = "dbname=" + database;
  for (const PQconninfoOption* option = options; option->keyword != nullptr; ++option) {
    const std::string key = option->keyword;
    if (option->val == nullptr || key == "dbname" || (!host.empty() && key == "host") ||
        (!port.empty() && key == "port")) {
      continue;
    }
    out += " " + key + "='" + option->val + "'";
  }
  PQconninfoFree(options);
  return out + (host.empty() ? "" : " host=" + host) + (port.empty() ? "" : " port=" + port);
}

std::string option_of(const std::string& server, const char* key, const std::string& otherwise) {
  PQconninfoOption* const options = PQconninfoParse(server.c_str(), nullptr);
  CHECK(options != nullptr);
  std::string out = otherwise;
  for (const PQconninfoOption* option = options; option->keyword != nullptr; ++option) {
    if (std::strcmp(option->keyword, key) == 0 && option->val != nullptr) {
      out = option->val;
    }
  }
  PQconninfoFree(options);
  return out;
}

}  // namespace

std::string test_server() {
  const char* server = std::getenv("TURNOUT_TEST_PG");
  return server == nullptr ? "" : server;
}

TestDatabase::TestDatabase() {
  static std::atomic<int> count{0};
  name_ = "turnout_pg_" + std::to_string(getpid()) + "_" + std::to_string(++count);
  PgConnection admin(std::make_shared<Target>(test_server()));
  CHECK(admin.run_script("create database " + name_));
  url_ = address(test_server(), name_, "", "");
  auto store = open_postgres(url_);
  CHECK(store);
  CHECK(store.value()->migrate());
}

TestDatabase::~TestDatabase() {
  PgConnection admin(std::make_shared<Target>(test_server()));
  static_cast<void>(admin.run_script("drop database " + name_ + " with (force)"));
}

std::unique_ptr<PgConnection> TestDatabase::connect() const {
  return std::make_unique<PgConnection>(std::make_shared<Target>(url_));
}

void TestDatabase::run(const std::string& sql) const { CHECK(connect()->run_script(sql)); }

std::int64_t TestDatabase::number(const std::string& sql) const {
  const auto rows = connect()->query(sql, {});
  CHECK(rows);
  return rows.value().integer(0, 0);
}

std::string TestDatabase::text(const std::string& sql) const {
  const auto rows = connect()->query(sql, {});
  CHECK(rows);
  return rows.value().text(0, 0);
}

void TestDatabase::fill(std::int64_t contacts) const {
  run("insert into track (name, version) values ('t', 1);"
      "insert into ledger (track_id, owner, incarnation, timeline, epoch, version)"
      " values (1, 'a', 1, 1, 1, 1);"
      "insert into contact (key) select 'c' || i from generate_series(1, " +
      std::to_string(contacts) +
      ") i; insert into position (track_id, contact_id, entry, step, move_no, version, state,"
      " entered_at, step_at, due_at) select 1, id, 1, 1, 0, 1, 0, now(), now(), now()"
      " from contact;"
      "insert into timer select 1, due_at, contact_id, 1, 0 from position");
}

LosingProxy::LosingProxy(const std::string& server) : server_(server) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK(listener_ >= 0);
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof here;
  auto* const any = reinterpret_cast<sockaddr*>(&here);
  CHECK(bind(listener_, any, size) == 0 && listen(listener_, 8) == 0);
  CHECK(getsockname(listener_, any, &size) == 0);
  port_ = ntohs(here.sin_port);
  thread_ = std::thread([this] { serve(); });
}

LosingProxy::~LosingProxy() {
  end_ = true;
  thread_.join();
  for (std::thread& pair : pairs_) {
    pair.join();
  }
  close(listener_);
}

std::string LosingProxy::url() const {
  return address(server_, option_of(server_, "dbname", ""), "127.0.0.1", std::to_string(port_)) +
         " sslmode=disable gssencmode=disable";
}

void LosingProxy::serve() {
  while (!end_) {
    pollfd waiting{listener_, POLLIN, 0};
    if (poll(&waiting, 1, 50) <= 0) {
      continue;
    }
    const int client = accept(listener_, nullptr, nullptr);
    const std::string host = option_of(server_, "host", "127.0.0.1");
    const std::string port = option_of(server_, "port", "5432");
    int server = -1;
    if (host.front() == '/') {
      server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
      sockaddr_un there{};
      there.sun_family = AF_UNIX;
      const std::string path = host + "/.s.PGSQL." + port;
      CHECK(path.size() < sizeof there.sun_path);
      std::memcpy(there.sun_path, path.c_str(), path.size() + 1);
      CHECK(::connect(server, reinterpret_cast<sockaddr*>(&there), sizeof there) == 0);
    } else {
      server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      sockaddr_in there{};
      there.sin_family = AF_INET;
      there.sin_port = htons(static_cast<std::uint16_t>(std::stoi(port)));
      inet_pton(AF_INET, host == "localhost" ? "127.0.0.1" : host.c_str(), &there.sin_addr);
      CHECK(::connect(server, reinterpret_cast<sockaddr*>(&there), sizeof there) == 0);
    }
    pairs_.emplace_back([this, client, server] { pass(client, server); });
  }
}

void LosingProxy::pass(int client, int server) {
  std::vector<char> bytes(1 << 16);
  const auto forward = [&](int from, int to) {
    const ssize_t n = read(from, bytes.data(), bytes.size());
    for (ssize_t done = 0; done < n;) {
      const ssize_t wrote =
          send(to, bytes.data() + done, static_cast<std::size_t>(n - done), MSG_NOSIGNAL);
      if (wrote <= 0) {
        return false;
      }
      done += wrote;
    }
    return n > 0;
  };
  bool open = true;
  while (open && !end_) {
    pollfd both[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    if (poll(both, 2, 50) <= 0) {
      continue;
    }
    if (both[0].revents != 0) {
      open = forward(client, server);
    }
    if (open && both[1].revents != 0) {
      if (lose_.exchange(false)) {
        ++lost_;
        break;
      }
      open = forward(server, client);
    }
  }
  close(client);
  close(server);
}

track::ContactBlock load_block(Session& session, std::int64_t first, std::int64_t last,
                               std::int32_t move_no) {
  std::vector<BlockItem> items;
  for (std::int64_t id = first; id <= last; ++id) {
    items.push_back({base::ContactId(id), 1, move_no});
  }
  track::ContactBlock block;
  CHECK(session.load(base::TrackId(1), items, {{}, {}}, block));
  return block;
}

track::BlockOutcome one_move(const track::ContactBlock& block, std::int32_t step,
                             base::Instant due) {
  track::BlockOutcome outcome;
  track::Shape shape;
  shape.path = {1, 0, step};
  shape.path_json = "[1,0," + std::to_string(step) + "]";
  shape.moves = 1;
  shape.step = step;
  shape.acts.push_back({1, 1, track::ActionKind::kEmail, 9, false});
  shape.counts.push_back({1, 0, 1});
  outcome.shapes.push_back(shape);
  for (std::size_t row = 0; row < block.rows(); ++row) {
    outcome.shape.push_back(0);
    outcome.step_at.push_back(block.now);
    outcome.due_at.push_back(due);
    outcome.stayed.push_back(0);
    outcome.seen.append("{}");
    outcome.payload.append("");
  }
  return outcome;
}

Commit make_commit(const track::ContactBlock& before, const track::BlockOutcome& after) {
  static const std::vector<track::Field> kNoFields;
  Commit commit;
  commit.fence = {base::TrackId(1), base::Timeline(1), base::Epoch(1)};
  commit.version = base::Version(1);
  commit.peer = {base::PeerName("a"), base::Incarnation(1)};
  commit.connection = 1;
  commit.fields = &kNoFields;
  commit.before = &before;
  commit.after = &after;
  return commit;
}

}  // namespace turnout::store::postgres
