// The courier against the model store: what is taken, noted, retried, given back, and what is never
// sent twice.

#include "deliver/courier.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "deliver/retry.h"
#include "store/model/model.h"

namespace turnout::deliver {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using store::OutboxKey;
using store::OutboxState;

const store::PeerId kSelf{base::PeerName("a"), base::Incarnation(1)};

// A carrier that the test tells what to answer, and that tells what it was given.
class Road {
 public:
  class Walker : public Carrier {
   public:
    explicit Walker(Road& road) : road_(road) {}
    Outcome carry(const store::Delivery& delivery, const std::vector<track::Field>& /*fields*/,
                  milliseconds /*at_most*/) override {
      return road_.carry(delivery);
    }

   private:
    Road& road_;
  };

  Outcome carry(const store::Delivery& delivery) {
    std::unique_lock lock(mutex_);
    ++carried_[delivery.key];
    ++now_;
    most_ = std::max(most_, now_);
    changed_.notify_all();
    const bool webhook = delivery.kind == track::ActionKind::kWebhook;
    changed_.wait(lock, [&] { return !(webhook ? hold_webhooks_ : hold_); });
    --now_;
    return answer_ ? answer_(delivery) : Outcome{};
  }
  void hold(bool hold) {
    const std::lock_guard lock(mutex_);
    hold_ = hold;
    changed_.notify_all();
  }
  void hold_webhooks(bool hold) {
    const std::lock_guard lock(mutex_);
    hold_webhooks_ = hold;
    changed_.notify_all();
  }
  void wait_carrying(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return now_ >= count; });
  }
  std::map<OutboxKey, int> carried() {
    const std::lock_guard lock(mutex_);
    return carried_;
  }
  std::function<Outcome(const store::Delivery&)> answer_;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<OutboxKey, int> carried_;
  bool hold_ = false;
  bool hold_webhooks_ = false;
  int now_ = 0;
  int most_ = 0;
};

class CourierTest : public ::testing::Test {
 protected:
  CourierTest()
      : store_([this] { return base::Instant{clock_.load()}; }),
        session_(store_.open_session().value()) {
    store::ContactBatch batch;
    batch.fields = {{"email", track::Type::kText, "email"}};
    batch.columns.resize(1);
    for (int i = 1; i <= 300; ++i) {
      batch.key.push_back("c" + std::to_string(i));
      batch.columns[0].append(track::Value("c" + std::to_string(i) + "@example.com"));
    }
    EXPECT_TRUE(session_->import_contacts(batch));
    store::Publish publish;
    publish.track.name.text = "T";
    publish.track.parts.emplace_back(track::Step{});
    std::get<track::Step>(publish.track.parts[0]).name.text = "S";
    EXPECT_EQ(session_->publish(publish).value().id, base::TrackId(1));
  }

  // Puts rows straight into the outbox, as a commit would.
  std::vector<OutboxKey> ask(int from, int to, track::ActionKind kind = track::ActionKind::kEmail) {
    std::vector<OutboxKey> keys;
    const std::lock_guard lock(store_.tables().mutex);
    for (int i = from; i <= to; ++i) {
      const OutboxKey key{base::TrackId(1), base::ContactId(i), 0, 1,
                          static_cast<std::int16_t>(kind)};
      store::model::Action action;
      action.kind = kind;
      store_.tables().outbox.emplace(key, action);
      keys.push_back(key);
    }
    return keys;
  }

  std::unique_ptr<Courier> start(int threads = 2, int batch = 10) {
    CourierOptions options;
    options.threads = threads;
    options.batch = batch;
    options.capacity = 100;
    options.make_carrier = [this] { return std::make_unique<Road::Walker>(road_); };
    return std::make_unique<Courier>(std::move(options), store_, kSelf);
  }

  std::vector<store::OutboxRow> rows() {
    auto found = session_->outbox(std::nullopt, 10'000);
    return std::move(found.value());
  }
  std::map<OutboxState, int> states() {
    std::map<OutboxState, int> states;
    for (const store::OutboxRow& row : rows()) {
      ++states[row.state];
    }
    return states;
  }
  // Waits until the store says so; the courier notes within 50 ms, so this ends as soon as it may.
  template <class F>
  void until(F f) {
    const base::Tick patience = base::boot_now() + seconds(60);
    while (!f()) {
      ASSERT_LT(base::boot_now(), patience) << "never came";
      std::this_thread::yield();
    }
  }

  std::atomic<std::int64_t> clock_ = 1'000'000'000;
  store::model::ModelStore store_;
  std::unique_ptr<store::Session> session_;
  Road road_;
};

TEST_F(CourierTest, SendsEachOnceAndNotesIt) {
  const auto keys = ask(1, 95);
  const auto courier = start();
  EXPECT_EQ(courier->credit(), 100);
  EXPECT_EQ(courier->offer(keys), 95U);
  EXPECT_EQ(courier->offer(keys), 95U) << "handed out twice";
  until([&] { return states()[OutboxState::kSent] == 95; });
  courier->stop();
  EXPECT_EQ(road_.carried().size(), 95U);
  for (const auto& [key, times] : road_.carried()) {
    EXPECT_EQ(times, 1);
  }
  EXPECT_EQ(courier->counts().sent, 95);
}

TEST_F(CourierTest, CreditIsWhatItCanHold) {
  road_.hold(true);
  const auto courier = start();
  EXPECT_EQ(courier->offer(ask(1, 100)), 100U);
  road_.wait_carrying(1);
  EXPECT_EQ(courier->credit(), 0);
  EXPECT_LE(courier->offer(ask(101, 300)), 200U)
      << "no more than twice its capacity waits to be taken";
  road_.hold(false);
  until([&] { return courier->credit() == 100; });
}

TEST_F(CourierTest, EachOutcomeHasItsState) {
  road_.answer_ = [](const store::Delivery& delivery) -> Outcome {
    switch (delivery.key.contact.get()) {
      case 1:
        return {How::kSent, "ok", false, {}};
      case 2:
        return {How::kRefused, "no\x01\xff", false, {}};
      case 3:
        return {How::kUnknown, "?", false, {}};
      default:
        return {How::kRetry, "later", false, seconds(500)};
    }
  };
  const auto courier = start();
  courier->offer(ask(1, 4));
  until([&] { return courier->counts().retried == 1 && states()[OutboxState::kSending] == 0; });
  courier->stop();
  EXPECT_EQ(states(), (std::map<OutboxState, int>{{OutboxState::kWaiting, 1},
                                                  {OutboxState::kSent, 1},
                                                  {OutboxState::kFailed, 1},
                                                  {OutboxState::kUncertain, 1}}));
  for (const store::OutboxRow& row : rows()) {
    if (row.state == OutboxState::kFailed) {
      EXPECT_EQ(row.answer, "no ?");
    }
    if (row.state == OutboxState::kWaiting) {
      EXPECT_EQ(row.due, base::Instant{clock_.load()} + seconds(500))
          << "as long as the other side asked for";
    }
  }
}

TEST_F(CourierTest, TheTenthAttemptIsTheLast) {
  road_.answer_ = [](const store::Delivery&) { return Outcome{How::kRetry, "busy", false, {}}; };
  const auto courier = start();
  const auto keys = ask(1, 1);
  for (int attempt = 1; attempt <= kMaxAttempts; ++attempt) {
    clock_ += std::chrono::duration_cast<base::Duration>(std::chrono::hours(48)).count();
    until([&] {
      const auto all = rows();
      return all[0].state == OutboxState::kWaiting && all[0].attempt == attempt - 1;
    });
    courier->offer(keys);
    until([&] { return road_.carried()[keys[0]] == attempt; });
  }
  until([&] { return states()[OutboxState::kFailed] == 1; });
  EXPECT_NE(rows()[0].answer.find("given up after 10 attempts: busy"), std::string::npos);
}

// A webhook that hangs must not hold up e-mails.
TEST_F(CourierTest, OneDestinationNeverHoldsUpAnother) {
  road_.hold_webhooks(true);
  const auto courier = start(3, 100);
  courier->offer(ask(1, 20, track::ActionKind::kWebhook));
  road_.wait_carrying(1);
  courier->offer(ask(21, 60));
  until([&] { return states()[OutboxState::kSent] >= 20; });
  road_.hold_webhooks(false);
  until([&] { return states()[OutboxState::kSent] == 60; });
}

TEST_F(CourierTest, ADestinationThatDoesNotAnswerIsLeftAlone) {
  road_.answer_ = [](const store::Delivery&) { return Outcome{How::kRetry, "refused", true, {}}; };
  const auto courier = start(1, 100);
  courier->offer(ask(1, 50));
  until([&] { return courier->counts().retried == 50; });
  EXPECT_LT(road_.carried().size(), 50U) << "not each of them waited for a server that is gone";
}

TEST_F(CourierTest, StoppingGivesBackWhatHasNotBegun) {
  road_.hold(true);
  auto courier = start(2, 20);
  courier->offer(ask(1, 60));
  road_.wait_carrying(1);
  until([&] { return states()[OutboxState::kSending] >= 20; });
  std::thread stopping([&] { courier->stop(); });
  until([&] { return courier->credit() == 0 && states()[OutboxState::kSending] <= 2; });
  road_.hold(false);
  stopping.join();
  auto at_end = states();
  EXPECT_EQ(at_end[OutboxState::kSending], 0);
  EXPECT_EQ(at_end[OutboxState::kSent] + at_end[OutboxState::kWaiting], 60);
  EXPECT_EQ(static_cast<std::size_t>(at_end[OutboxState::kSent]), road_.carried().size());
}

TEST_F(CourierTest, PausedItTakesNothing) {
  const auto courier = start();
  courier->pause();
  EXPECT_EQ(courier->credit(), 0);
  EXPECT_EQ(courier->offer(ask(1, 5)), 0U);
  courier->resume();
  EXPECT_EQ(courier->credit(), 100);
}

}  // namespace
}  // namespace turnout::deliver
