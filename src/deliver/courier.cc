#include "deliver/courier.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "base/text.h"
#include "deliver/retry.h"

namespace turnout::deliver {
namespace {

using std::chrono::milliseconds;

// Of the lease, beyond the longest delivery: so long may a delivery wait behind others until it
// begins, and so much is kept for the database's clock to run faster than ours.
constexpr base::Duration kBeginWithin = std::chrono::seconds(60);
constexpr base::Duration kMargin = std::chrono::seconds(10);
constexpr milliseconds kFirstPause{100};  // before the database is tried again
constexpr milliseconds kLongestPause{2'000};
constexpr base::Duration kStopPatience = std::chrono::seconds(5);
constexpr base::Duration kReadFieldsAgain = std::chrono::seconds(5);

struct Item {
  store::Delivery delivery;
  std::shared_ptr<const std::vector<track::Field>> fields;
  base::Tick begin_by;
  base::Tick end_by;
  std::string destination;
};

struct Destination {
  int on_their_way = 0;
  base::Tick leave_alone_until;
  std::string why;
};

// What another server said, as text that any database takes: UTF-8 without control characters, at
// most 1,000 bytes.
std::string safe_text(std::string text) {
  constexpr std::size_t kMost = 1'000;
  text.resize(std::min(text.size(), kMost));
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      c = ' ';
    }
  }
  for (std::size_t bad = base::first_invalid_utf8(text); bad != std::string::npos;
       bad = base::first_invalid_utf8(text)) {
    text[bad] = '?';
  }
  return text;
}

store::DeliveryResult result_of(const store::Delivery& delivery) {
  return {delivery.key, delivery.attempt, store::OutboxState::kWaiting, base::Duration(0), ""};
}

}  // namespace

class Courier::Impl {
 public:
  Impl(CourierOptions options, store::Store& store, store::PeerId self);
  ~Impl() { stop(); }

  std::size_t offer(const std::vector<store::OutboxKey>& keys);
  std::int32_t credit() const;
  void set_paused(bool paused);
  void stop();
  CourierCounts counts() const;

 private:
  // The clerk's.
  void run_clerk();
  bool may_take() const;
  bool clerk_has_work(base::Tick now) const;
  void give_back_ready();
  bool open_session();
  bool read_fields();
  void take(std::vector<store::OutboxKey> keys);
  void note(std::vector<store::DeliveryResult> results);
  void rest();

  // The carriers'.
  void run_carrier();
  std::deque<Item>::iterator pick();
  bool may_begin(const Item& item) const;
  store::DeliveryResult judge(const Item& item, const Outcome& outcome, std::uint64_t random);
  void carry(Carrier& carrier, const Item& item, std::unique_lock<std::mutex>& lock,
             std::mt19937_64& random);

  void warn(const std::string& message) const {
    if (options_.warn) {
      options_.warn(message);
    }
  }
  base::Duration longest() const { return options_.longest; }

  const CourierOptions options_;
  store::Store& store_;
  const store::PeerId self_;

  mutable std::mutex mutex_;
  std::condition_variable clerk_wakes_;
  std::condition_variable carriers_wake_;
  std::deque<store::OutboxKey> keys_;  // handed to us, not taken
  std::size_t taking_ = 0;             // no longer in keys_, since the clerk is just taking them
  std::deque<Item> ready_;             // taken, not begun
  int on_their_way_ = 0;
  std::size_t held_ = 0;  // taken and not yet noted: what a kill would leave uncertain
  std::map<std::string, Destination> destinations_;
  std::vector<store::DeliveryResult> results_;  // not noted
  base::Tick oldest_result_;
  bool paused_ = false;
  bool stopping_ = false;
  bool carriers_ended_ = false;
  base::Tick stop_by_;
  CourierCounts counts_;

  // The clerk's alone.
  std::unique_ptr<store::Session> session_;
  std::shared_ptr<const std::vector<track::Field>> fields_;
  std::vector<std::string> field_names_;  // that were looked for
  store::SendRules rules_;
  bool all_fields_ = false;
  base::Tick fields_read_;
  milliseconds pause_ = kFirstPause;

  std::thread clerk_;
  std::vector<std::thread> carriers_;
};

Courier::Impl::Impl(CourierOptions options, store::Store& store, store::PeerId self)
    : options_(std::move(options)), store_(store), self_(std::move(self)) {
  CHECK(options_.threads >= 1 && options_.threads <= 256);
  CHECK(options_.capacity >= 1 && options_.capacity <= 100'000);
  CHECK(options_.batch >= 1 && options_.batch <= 1'000);
  CHECK(options_.make_carrier != nullptr);
  clerk_ = std::thread([this] { run_clerk(); });
  for (int i = 0; i < options_.threads; ++i) {
    carriers_.emplace_back([this] { run_carrier(); });
  }
}

std::size_t Courier::Impl::offer(const std::vector<store::OutboxKey>& keys) {
  const std::lock_guard lock(mutex_);
  if (stopping_ || paused_) {
    return 0;
  }
  const std::size_t most = 2 * static_cast<std::size_t>(options_.capacity);
  const std::size_t kept = std::min(keys.size(), most - std::min(most, keys_.size()));
  keys_.insert(keys_.end(), keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(kept));
  clerk_wakes_.notify_one();
  return kept;
}

std::int32_t Courier::Impl::credit() const {
  const std::lock_guard lock(mutex_);
  if (stopping_ || paused_) {
    return 0;
  }
  const auto held =
      static_cast<std::int64_t>(keys_.size() + taking_ + ready_.size() + results_.size()) +
      on_their_way_;
  return static_cast<std::int32_t>(std::max<std::int64_t>(0, options_.capacity - held));
}

CourierCounts Courier::Impl::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

void Courier::Impl::set_paused(bool paused) {
  const std::lock_guard lock(mutex_);
  paused_ = paused;
  if (paused) {
    keys_.clear();  // they wait in the outbox and are handed out again
    give_back_ready();
  }
  clerk_wakes_.notify_one();
}

void Courier::Impl::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (!clerk_.joinable()) {
      return;
    }
    stopping_ = true;
    stop_by_ = base::boot_now() + kStopPatience;
    keys_.clear();
    give_back_ready();
  }
  clerk_wakes_.notify_all();
  carriers_wake_.notify_all();
  for (std::thread& carrier : carriers_) {
    carrier.join();
  }
  {
    const std::lock_guard lock(mutex_);
    carriers_ended_ = true;
    stop_by_ = base::boot_now() + kStopPatience;
  }
  clerk_wakes_.notify_all();
  clerk_.join();
}

// ---- The clerk
// --------------------------------------------------------------------------------------------------------

void Courier::Impl::give_back_ready() {
  for (const Item& item : ready_) {
    results_.push_back(result_of(item.delivery));
    results_.back().answer = "given back: this peer stopped taking deliveries";
    ++counts_.returned;
  }
  ready_.clear();
}

// So many that no thread waits for the clerk, and few enough that a kill leaves few uncertain.
bool Courier::Impl::may_take() const {
  const auto batch = static_cast<std::size_t>(options_.batch);
  return ready_.size() < batch && held_ < 2 * batch;
}

bool Courier::Impl::clerk_has_work(base::Tick now) const {
  const bool note =
      results_.size() >= static_cast<std::size_t>(options_.batch) ||
      (!results_.empty() && (stopping_ || now - oldest_result_ >= options_.note_within));
  const bool take = !keys_.empty() && !paused_ && may_take();
  return note || take || (stopping_ && carriers_ended_);
}

void Courier::Impl::run_clerk() {
  std::unique_lock lock(mutex_);
  while (true) {
    while (!clerk_has_work(base::boot_now())) {
      if (results_.empty()) {
        clerk_wakes_.wait(lock);
      } else {
        const base::Duration left = options_.note_within - (base::boot_now() - oldest_result_);
        clerk_wakes_.wait_for(lock, std::max(left, base::Duration(std::chrono::milliseconds(1))));
      }
    }
    if (stopping_ && carriers_ended_ && results_.empty()) {
      return;
    }
    std::vector<store::DeliveryResult> results = std::exchange(results_, {});
    std::vector<store::OutboxKey> keys;
    if (!stopping_ && !paused_ && may_take()) {
      const auto count = static_cast<std::ptrdiff_t>(
          std::min(keys_.size(), static_cast<std::size_t>(options_.batch)));
      keys.assign(keys_.begin(), keys_.begin() + count);
      keys_.erase(keys_.begin(), keys_.begin() + count);
      taking_ = keys.size();
    }
    lock.unlock();
    note(std::move(results));
    take(std::move(keys));
    lock.lock();
    if (stopping_ && carriers_ended_ && base::boot_now() > stop_by_) {
      return;  // what could not be noted becomes uncertain when its lease is over
    }
  }
}

bool Courier::Impl::open_session() {
  if (session_ != nullptr) {
    return true;
  }
  auto opened = store_.open_session();
  if (!opened) {
    warn("deliveries wait: " + opened.error().message);
    return false;
  }
  session_ = std::move(opened.value());
  return true;
}

// Before the database is tried again.
void Courier::Impl::rest() {
  std::unique_lock lock(mutex_);
  if (stopping_) {
    clerk_wakes_.wait_for(lock, kFirstPause);
    return;
  }
  clerk_wakes_.wait_for(lock, pause_, [this] { return stopping_; });
  pause_ = std::min(pause_ * 2, kLongestPause);
}

// The columns that templates need. A field that is not declared yet is looked for again now and
// then.
bool Courier::Impl::read_fields() {
  const base::Tick now = base::boot_now();
  std::vector<std::string> names = options_.fields;
  if (options_.rule_fields) {
    const std::vector<std::string> more = options_.rule_fields();
    names.insert(names.end(), more.begin(), more.end());
  }
  names.emplace_back("email");
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  if (fields_ != nullptr && names == field_names_ &&
      (all_fields_ || now - fields_read_ < kReadFieldsAgain)) {
    return true;
  }
  auto catalogue = session_->catalogue();
  if (!catalogue) {
    return fields_ != nullptr;
  }
  fields_read_ = now;
  all_fields_ = true;
  std::vector<track::Field> found;
  for (const std::string& name : names) {
    if (const track::Field* const field = catalogue.value().find(name); field == nullptr) {
      all_fields_ = false;
    } else if (name != "key") {  // every delivery has it anyway
      found.push_back(*field);
    }
  }
  fields_ = std::make_shared<const std::vector<track::Field>>(std::move(found));
  field_names_ = std::move(names);
  rules_ = options_.rules ? options_.rules(fields_) : store::SendRules{};
  return true;
}

void Courier::Impl::take(std::vector<store::OutboxKey> keys) {
  if (keys.empty()) {
    return;
  }
  // Neighbours together: the database finds them on the same pages.
  std::sort(keys.begin(), keys.end());
  const base::Duration lease = kBeginWithin + longest() + kMargin;
  const base::Tick begun = base::boot_now();
  base::Result<std::vector<store::Delivery>> taken = base::fail(base::ErrorCode::kUnavailable, "");
  if (open_session() && read_fields()) {
    taken = session_->take_deliveries(keys, self_, lease, *fields_, rules_);
    if (!taken) {
      warn("deliveries cannot be taken: " + taken.error().message);
    }
  }
  if (!taken) {
    rest();  // they stay in the outbox; should they have been taken after all, they become
             // uncertain unsent
    const std::lock_guard lock(mutex_);
    taking_ = 0;
    if (!stopping_ && !paused_) {
      keys_.insert(keys_.begin(), keys.begin(), keys.end());
    }
    return;
  }
  pause_ = kFirstPause;
  // What does not come back was an event, or somebody else's, or is held back.
  if (taken.value().size() < keys.size() && options_.recorded) {
    options_.recorded();
  }
  const std::lock_guard lock(mutex_);
  taking_ = 0;
  counts_.taken += static_cast<std::int64_t>(taken.value().size());
  held_ += taken.value().size();
  for (store::Delivery& delivery : taken.value()) {
    std::string destination = destination_of(delivery);
    ready_.push_back({std::move(delivery), fields_, begun + kBeginWithin,
                      begun + kBeginWithin + longest(), std::move(destination)});
  }
  if (stopping_ || paused_) {
    give_back_ready();
  }
  carriers_wake_.notify_all();
}

void Courier::Impl::note(std::vector<store::DeliveryResult> results) {
  if (results.empty()) {
    return;
  }
  base::Result<std::int64_t> noted = base::fail(base::ErrorCode::kUnavailable, "");
  if (open_session()) {
    noted = session_->note_deliveries(self_, results);
    if (!noted) {
      warn("results of deliveries cannot be noted: " + noted.error().message);
    }
  }
  if (noted) {
    pause_ = kFirstPause;
    const std::lock_guard lock(mutex_);
    held_ -= results.size();
    return;
  }
  // Noting is a compare-and-set, so it may be repeated whatever became of it.
  rest();
  const std::lock_guard lock(mutex_);
  results_.insert(results_.begin(), std::make_move_iterator(results.begin()),
                  std::make_move_iterator(results.end()));
}

// ---- The carriers
// -----------------------------------------------------------------------------------------------------

// One thread is always left for other destinations.
bool Courier::Impl::may_begin(const Item& item) const {
  const auto found = destinations_.find(item.destination);
  return options_.threads == 1 || found == destinations_.end() ||
         found->second.on_their_way < options_.threads - 1;
}

std::deque<Item>::iterator Courier::Impl::pick() {
  return std::find_if(ready_.begin(), ready_.end(),
                      [this](const Item& item) { return may_begin(item); });
}

void Courier::Impl::run_carrier() {
  const std::unique_ptr<Carrier> carrier = options_.make_carrier();
  std::mt19937_64 random{std::random_device{}()};
  std::unique_lock lock(mutex_);
  while (true) {
    auto next = ready_.end();
    carriers_wake_.wait(lock, [&] { return (next = pick()) != ready_.end() || stopping_; });
    if (next == ready_.end()) {
      return;
    }
    const Item item = std::move(*next);
    ready_.erase(next);
    if (ready_.size() + 1 == static_cast<std::size_t>(options_.batch)) {
      clerk_wakes_.notify_one();  // there is room for another batch
    }
    carry(*carrier, item, lock, random);
  }
}

void Courier::Impl::carry(Carrier& carrier, const Item& item, std::unique_lock<std::mutex>& lock,
                          std::mt19937_64& random) {
  Destination& destination = destinations_[item.destination];
  const base::Tick now = base::boot_now();
  store::DeliveryResult result = result_of(item.delivery);
  if (now >= item.begin_by) {
    result.answer = "given back: its turn did not come within its lease";
    ++counts_.returned;
  } else if (now < destination.leave_alone_until) {
    result =
        judge(item, {How::kRetry, "not tried just now: " + destination.why, false, {}}, random());
  } else {
    ++destination.on_their_way;
    ++on_their_way_;
    lock.unlock();
    const Outcome outcome = carrier.carry(
        item.delivery, *item.fields, std::chrono::duration_cast<milliseconds>(item.end_by - now));
    lock.lock();
    --on_their_way_;
    --destination.on_their_way;
    if (outcome.unreachable) {
      destination.leave_alone_until = base::boot_now() + options_.leave_alone;
      destination.why = outcome.answer;
    }
    result = judge(item, outcome, random());
    if (!ready_.empty()) {
      carriers_wake_.notify_one();
    }
  }
  if (results_.empty()) {
    oldest_result_ = base::boot_now();
    clerk_wakes_.notify_one();
  }
  results_.push_back(std::move(result));
  if (results_.size() == static_cast<std::size_t>(options_.batch)) {
    clerk_wakes_.notify_one();
  }
}

store::DeliveryResult Courier::Impl::judge(const Item& item, const Outcome& outcome,
                                           std::uint64_t random) {
  store::DeliveryResult result = result_of(item.delivery);
  result.answer = safe_text(outcome.answer);
  switch (outcome.how) {
    case How::kSent:
      result.state = store::OutboxState::kSent;
      ++counts_.sent;
      break;
    case How::kRefused:
      result.state = store::OutboxState::kFailed;
      ++counts_.failed;
      break;
    case How::kUnknown:
      result.state = store::OutboxState::kUncertain;
      ++counts_.uncertain;
      break;
    case How::kRetry:
      if (const auto delay = retry_delay(item.delivery.attempt, random)) {
        result.retry_after = std::max(*delay, outcome.retry_after);
        ++counts_.retried;
      } else {
        result.state = store::OutboxState::kFailed;
        result.answer =
            fmt::format("given up after {} attempts: {}", item.delivery.attempt, result.answer);
        ++counts_.failed;
      }
      break;
  }
  return result;
}

// ----
// ------------------------------------------------------------------------------------------------------------------

Courier::Courier(CourierOptions options, store::Store& store, store::PeerId self)
    : impl_(std::make_unique<Impl>(std::move(options), store, std::move(self))) {}

Courier::~Courier() { stop(); }

std::size_t Courier::offer(const std::vector<store::OutboxKey>& keys) { return impl_->offer(keys); }

std::int32_t Courier::credit() const { return impl_->credit(); }

void Courier::pause() { impl_->set_paused(true); }

void Courier::resume() { impl_->set_paused(false); }

void Courier::stop() { impl_->stop(); }

CourierCounts Courier::counts() const { return impl_->counts(); }

}  // namespace turnout::deliver
