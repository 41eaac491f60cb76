#include "cli/delivery_desk.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include <spdlog/spdlog.h>

#include "base/check.h"
#include "deliver/carrier.h"
#include "deliver/courier.h"
#include "deliver/handout.h"
#include "work/send_rules.h"

namespace turnout::cli {
namespace {

// How often the master looks into the outbox: soon again while there is work, now and then
// otherwise.
constexpr base::Duration kLookBusy = std::chrono::milliseconds(20);
constexpr base::Duration kLookIdle = std::chrono::milliseconds(100);
// How often deliveries whose lease is over are looked for.
constexpr base::Duration kGiveUpEvery = std::chrono::seconds(1);

deliver::Tls tls_of(SmtpTls tls) {
  switch (tls) {
    case SmtpTls::kNone:
      return deliver::Tls::kNone;
    case SmtpTls::kOptional:
      return deliver::Tls::kOptional;
    case SmtpTls::kRequired:
      return deliver::Tls::kRequired;
  }
  return deliver::Tls::kRequired;
}

base::Result<deliver::PostOffice> open_post_office(const Config& config) {
  deliver::PostOffice office;
  office.templates = deliver::TemplateFolder::load(config.templates);
  for (const std::string& problem : office.templates.problems()) {
    spdlog::warn("{}", problem);
  }
  office.smtp = {config.smtp.url,         config.smtp.user, config.smtp.password,
                 tls_of(config.smtp.tls), config.smtp.helo, config.smtp.timeout};
  const auto from = deliver::parse_mailbox(config.smtp.from);
  if (!from) {
    return base::fail(base::ErrorCode::kInvalid,
                      "smtp.from = \"" + config.smtp.from +
                          "\" is not one address such as Example <hello@example.com>");
  }
  office.from = *from;
  for (const auto& [name, webhook] : config.webhooks) {
    office.webhooks[name] = {webhook.url, webhook.timeout};
  }
  return office;
}

deliver::CourierOptions courier_options(const Config& config, const deliver::PostOffice& office,
                                        const work::TrackBook& book,
                                        std::function<void()> recorded) {
  deliver::CourierOptions options;
  options.threads = config.deliver.threads;
  options.batch = 32;  // what a kill may leave uncertain; a larger batch saves little
  options.longest = office.longest();
  options.fields = office.templates.fields();
  options.rule_fields = [&book] { return work::zone_fields(book); };
  options.rules = [&book](std::shared_ptr<const std::vector<track::Field>> fields) {
    return work::send_rules(book, std::move(fields));
  };
  options.make_carrier = [&office] { return deliver::make_carrier(office); };
  options.warn = [](const std::string& message) { spdlog::warn("{}", message); };
  options.recorded = std::move(recorded);
  return options;
}

// Reads the outbox for the master, on a thread and a connection of its own.
class OutboxReader {
 public:
  struct Request {
    int look = 0;                      // due rows wanted; 0: none
    bool hold = false;                 // the database may have failed over
    bool give_up = false;              // look for leases that are over
    std::vector<store::PeerId> ended;  // whose deliveries are uncertain now
  };
  struct Answer {
    bool failed = false;
    std::vector<store::OutboxDue> due;
    std::int64_t held = 0;
    std::int64_t given_up = 0;
    Request request;
  };

  OutboxReader(std::unique_ptr<store::Session> session, std::function<void(Answer)> answered)
      : session_(std::move(session)), answered_(std::move(answered)), thread_([this] { loop(); }) {}
  ~OutboxReader() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }
  OutboxReader(const OutboxReader&) = delete;
  OutboxReader& operator=(const OutboxReader&) = delete;

  // One at a time: the next after the answer.
  void ask(Request request) {
    {
      const std::lock_guard lock(mutex_);
      request_ = std::move(request);
    }
    wake_.notify_all();
  }

 private:
  void loop() {
    while (true) {
      Request request;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return ending_ || request_.has_value(); });
        if (ending_) {
          return;
        }
        CHECK(request_.has_value());
        request = std::move(*request_);
        request_.reset();
      }
      answered_(answer(std::move(request)));
    }
  }

  Answer answer(Request request) {
    Answer answer;
    if (request.hold) {
      const auto held = session_->hold_deliveries();
      answer.failed = !held;
      answer.held = held ? held.value() : 0;
    }
    if (!answer.failed && (request.give_up || !request.ended.empty())) {
      const auto given_up = session_->give_up_deliveries(request.ended);
      answer.failed = !given_up;
      answer.given_up = given_up ? given_up.value() : 0;
    }
    if (request.look > 0 && !answer.failed) {
      auto due = session_->outbox_due(request.look);
      answer.failed = !due;
      if (due) {
        answer.due = std::move(due.value());
      }
    }
    answer.request = std::move(request);
    return answer;
  }

  const std::unique_ptr<store::Session> session_;
  const std::function<void(Answer)> answered_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::optional<Request> request_;
  bool ending_ = false;
  std::thread thread_;
};

store::OutboxKey to_store(const group::DeliveryKey& key) {
  return {key.track, key.contact, key.entry, key.move_no, static_cast<std::int16_t>(key.action_no)};
}

}  // namespace

class DeliveryDesk::Impl {
 public:
  Impl(store::PeerId self, const work::TrackBook& book, Hooks hooks, deliver::PostOffice office)
      : self_(std::move(self)), book_(book), hooks_(std::move(hooks)), office_(std::move(office)) {}
  ~Impl() {
    *alive_ = false;
    reader_.reset();
    courier_.reset();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  base::Result<void> start(const Config& config, store::Store& store) {
    TRY(auto session, store.open_session());
    reader_ =
        std::make_unique<OutboxReader>(std::move(session), [this](OutboxReader::Answer answer) {
          hooks_.post([this, alive = alive_, answer = std::move(answer)] {
            if (*alive) {
              take_answer(answer);
            }
          });
        });
    if (config.deliver.threads > 0) {
      courier_ = std::make_unique<deliver::Courier>(
          courier_options(config, office_, book_, hooks_.recorded), store, self_);
    }
    return base::ok();
  }

  std::vector<std::string> templates() const { return office_.templates.names(); }
  std::int32_t credit() const { return courier_ ? courier_->credit() : 0; }

  void set_credit(const base::PeerName& peer, std::int32_t credit) {
    if (epoch_) {
      dispatcher_.set_credit(peer, credit);
      if (credit > 0 && std::exchange(credit_awaited_, false)) {
        look_at_ = base::Tick{};
      }
    }
  }

  void set_master(std::optional<base::Epoch> epoch) {
    epoch_ = epoch;
    dispatcher_.clear();
    look_at_ = base::Tick{};
    give_up_at_ = base::Tick{};
    hold_ = true;
  }

  void take(const group::Handout& handout, base::Epoch known_epoch) {
    if (!courier_ || stopped_ || handout.master_epoch < known_epoch) {
      return;
    }
    std::vector<store::OutboxKey> keys;
    keys.reserve(handout.deliveries.size());
    for (const group::DeliveryKey& key : handout.deliveries) {
      keys.push_back(to_store(key));
    }
    courier_->offer(keys);
  }

  void look() {
    look_at_ = base::Tick{};
    again_ = asking_;
  }

  void peer_ended(const store::PeerId& peer, bool certain) {
    dispatcher_.forget_peer(peer.name);
    if (certain) {
      ended_.push_back(peer);
    }
  }

  void stop() {
    stopped_ = true;
    if (courier_) {
      courier_->pause();
    }
  }

  void resume() {
    stopped_ = false;
    hold_ = true;
    if (courier_) {
      courier_->resume();
    }
  }

  void tick(base::Tick now) {
    if (!epoch_ || stopped_ || asking_) {
      return;
    }
    OutboxReader::Request request;
    if (now >= look_at_) {
      request.look = dispatcher_.look();
      if (request.look == 0) {  // nobody can take any: not before somebody can, or in a while
        credit_awaited_ = true;
        look_at_ = now + kLookIdle;
      }
    }
    request.give_up = now >= give_up_at_;
    request.ended = std::exchange(ended_, {});
    if (request.look == 0 && !request.give_up && request.ended.empty()) {
      return;
    }
    if (request.give_up) {
      give_up_at_ = now + kGiveUpEvery;
    }
    request.hold = std::exchange(hold_, false);
    asking_ = true;
    reader_->ask(std::move(request));
  }

  base::Tick next_tick() const {
    if (!epoch_ || stopped_ || asking_) {
      return base::boot_now() + kGiveUpEvery;
    }
    return std::min(look_at_, give_up_at_);
  }

 private:
  void take_answer(const OutboxReader::Answer& answer) {
    asking_ = false;
    const base::Tick now = base::boot_now();
    if (answer.given_up > 0) {
      spdlog::warn("{} deliveries are uncertain: their peer ended, or took too long",
                   answer.given_up);
    }
    if (answer.held > 0) {
      spdlog::warn(
          "the database has failed over: {} deliveries that may have been sent shortly before are "
          "uncertain; `turnout outbox` lists them",
          answer.held);
    }
    if (answer.failed) {
      hold_ = hold_ || answer.request.hold;
      ended_.insert(ended_.end(), answer.request.ended.begin(), answer.request.ended.end());
    }
    const int look = answer.request.look;
    look_at_ = std::exchange(again_, false) ? now
               : answer.due.empty()         ? now + kLookIdle
                                            : now + kLookBusy;
    if (!epoch_ || stopped_ || hold_ || look == 0 || answer.failed) {
      return;
    }
    const base::Epoch epoch = *epoch_;
    for (const deliver::Handed& handed : dispatcher_.hand_out(answer.due, look, now)) {
      hand(handed, epoch);
    }
  }

  void hand(const deliver::Handed& handed, base::Epoch epoch) {
    if (handed.peer == self_.name) {
      courier_->offer(handed.keys);
      return;
    }
    group::Handout handout;
    handout.incarnation = self_.incarnation;
    handout.master_epoch = epoch;
    handout.deliveries.reserve(handed.keys.size());
    for (const store::OutboxKey& key : handed.keys) {
      handout.deliveries.push_back({key.track, key.contact, key.entry, key.move_no, key.action_no});
    }
    hooks_.send(handed.peer, handout);
  }

  const store::PeerId self_;
  const work::TrackBook& book_;
  const Hooks hooks_;
  const deliver::PostOffice office_;
  deliver::Dispatcher dispatcher_;
  std::optional<base::Epoch> epoch_;  // as master
  bool stopped_ = false;
  bool hold_ = true;  // to be asked for before the next look
  bool asking_ = false;
  std::vector<store::PeerId> ended_;
  base::Tick look_at_{};
  bool again_ = false;  // something came while the outbox was being read
  bool credit_awaited_ = false;
  base::Tick give_up_at_{};
  std::unique_ptr<OutboxReader> reader_;
  std::unique_ptr<deliver::Courier> courier_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

DeliveryDesk::DeliveryDesk(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DeliveryDesk::~DeliveryDesk() = default;

base::Result<std::unique_ptr<DeliveryDesk>> DeliveryDesk::start(const Config& config,
                                                                store::Store& store,
                                                                store::PeerId self,
                                                                const work::TrackBook& book,
                                                                Hooks hooks) {
  TRY(deliver::PostOffice office, open_post_office(config));
  auto impl = std::make_unique<Impl>(std::move(self), book, std::move(hooks), std::move(office));
  TRYV(impl->start(config, store));
  return std::unique_ptr<DeliveryDesk>(new DeliveryDesk(std::move(impl)));
}

std::vector<std::string> DeliveryDesk::templates() const { return impl_->templates(); }
std::int32_t DeliveryDesk::credit() const { return impl_->credit(); }
void DeliveryDesk::credit_of(const base::PeerName& peer, std::int32_t credit) {
  impl_->set_credit(peer, credit);
}
void DeliveryDesk::set_master(std::optional<base::Epoch> epoch) { impl_->set_master(epoch); }
void DeliveryDesk::take(const group::Handout& handout, base::Epoch known_epoch) {
  impl_->take(handout, known_epoch);
}
void DeliveryDesk::peer_ended(const store::PeerId& peer, bool certain) {
  impl_->peer_ended(peer, certain);
}
void DeliveryDesk::look() { impl_->look(); }
void DeliveryDesk::stop() { impl_->stop(); }
void DeliveryDesk::resume() { impl_->resume(); }
void DeliveryDesk::tick(base::Tick now) { impl_->tick(now); }
base::Tick DeliveryDesk::next_tick() const { return impl_->next_tick(); }

}  // namespace turnout::cli
