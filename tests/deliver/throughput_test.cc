// Courier and Mailer together against a mail server that costs next to nothing. The rate is
// recorded, not asserted: a busy machine must not fail the test; what is asserted is that each mail
// comes once.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "deliver/courier.h"
#include "deliver/key.h"
#include "store/model/model.h"

namespace turnout::deliver {
namespace {

// Takes every mail and keeps its Message-ID.
class Sink {
 public:
  Sink() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener_, 64), 0);
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    accepter_ = std::thread([this] { accept_all(); });
  }
  ~Sink() {
    shutdown(listener_, SHUT_RDWR);
    accepter_.join();
    for (std::thread& thread : threads_) {
      thread.join();
    }
    close(listener_);
  }
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  int port() const { return port_; }
  std::multiset<std::string> ids() {
    const std::lock_guard lock(mutex_);
    return ids_;
  }

 private:
  void accept_all() {
    int fd = -1;
    while ((fd = accept(listener_, nullptr, nullptr)) >= 0) {
      threads_.emplace_back([this, fd] { talk(fd); });
    }
  }
  static void say(int fd, std::string_view text) {
    if (send(fd, text.data(), text.size(), MSG_NOSIGNAL) < 0) {
      shutdown(fd, SHUT_RDWR);
    }
  }
  void talk(int fd) {
    say(fd, "220 sink\r\n");
    std::string heard;
    bool data = false;
    char bytes[4096];
    ssize_t got = 0;
    while ((got = recv(fd, bytes, sizeof bytes, 0)) > 0) {
      heard.append(bytes, static_cast<std::size_t>(got));
      for (std::size_t end = 0;
           (end = heard.find(data ? "\r\n.\r\n" : "\r\n")) != std::string::npos;) {
        const std::string part = heard.substr(0, end);
        heard.erase(0, end + (data ? 5 : 2));
        if (data) {
          const std::size_t at = part.find("Message-ID: <") + 13;
          const std::lock_guard lock(mutex_);
          ids_.insert(part.substr(at, part.find('@', at) - at));
        }
        const bool begins = !data && part.starts_with("DATA");
        say(fd, begins ? "354 go on\r\n" : "250 ok\r\n");
        data = begins;
      }
    }
    close(fd);
  }

  int listener_;
  int port_ = 0;
  std::thread accepter_;
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::multiset<std::string> ids_;
};

TEST(Throughput, EachMailComesOnce) {
  constexpr int kMails = 2'000;
  Sink sink;
  store::model::ModelStore store([] { return base::Instant{1'000'000'000}; });
  const auto session = std::move(store.open_session().value());
  store::ContactBatch batch;
  batch.fields = {{"email", track::Type::kText, "email"}};
  batch.columns.resize(1);
  for (int i = 1; i <= kMails; ++i) {
    batch.key.push_back("c" + std::to_string(i));
    batch.columns[0].append(track::Value("c" + std::to_string(i) + "@example.com"));
  }
  ASSERT_TRUE(session->import_contacts(batch));
  store::Publish publish;
  publish.track.name.text = "T";
  publish.track.parts.emplace_back(track::Step{});
  std::get<track::Step>(publish.track.parts[0]).name.text = "S";
  ASSERT_TRUE(session->publish(publish));
  std::vector<store::OutboxKey> keys;
  {
    const std::lock_guard lock(store.tables().mutex);
    for (int i = 1; i <= kMails; ++i) {
      keys.push_back({base::TrackId(1), base::ContactId(i), 0, 1, 1});
      store.tables().outbox.emplace(keys.back(), store::model::Action());
    }
  }
  class Letters : public Carrier {
   public:
    explicit Letters(int port) : mailer_({.url = "smtp://127.0.0.1:" + std::to_string(port)}) {}
    Outcome carry(const store::Delivery& delivery, const std::vector<track::Field>& /*fields*/,
                  std::chrono::milliseconds at_most) override {
      return mailer_.send({{"", "from@example.com"},
                           "to@example.com",
                           "s",
                           "text\n",
                           key_text(delivery.key) + "@example.com",
                           base::Instant{0}},
                          at_most);
    }

   private:
    Mailer mailer_;
  };
  CourierOptions options;
  options.make_carrier = [&] { return std::make_unique<Letters>(sink.port()); };
  Courier courier(std::move(options), store, {base::PeerName("a"), base::Incarnation(1)});
  const base::Tick begun = base::boot_now();
  ASSERT_EQ(courier.offer(keys), static_cast<std::size_t>(kMails));
  while (courier.counts().sent < kMails && base::boot_now() - begun < std::chrono::minutes(2)) {
    std::this_thread::yield();
  }
  const auto took = std::chrono::duration<double>(base::boot_now() - begun).count();
  RecordProperty("mails_per_second", std::to_string(kMails / took));
  courier.stop();
  EXPECT_EQ(session->outbox(store::OutboxState::kSent, 10'000).value().size(),
            static_cast<std::size_t>(kMails));
  const auto ids = sink.ids();
  EXPECT_EQ(ids.size(), static_cast<std::size_t>(kMails));
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), static_cast<std::size_t>(kMails));
}

}  // namespace
}  // namespace turnout::deliver
