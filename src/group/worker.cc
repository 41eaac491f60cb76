#include "group/worker.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "base/check.h"
#include "base/mutant.h"

namespace turnout::group {
namespace {

// Serial numbers skipped that may still arrive; older ones count as lost.
constexpr std::size_t kMaxMissing = 1'000;

// How long a window that is not renewed may still be used by its owner: one cycle after it heard of
// it, which was at most a cycle after it was sent.
constexpr int kLeaseCycles = 2;

// Blocks of one kind from one owner.
struct Flow {
  std::uint32_t received = 0;
  std::set<std::uint32_t> missing;  // serials below `received` that have not come
  std::int32_t window = 0;          // granted, unused
  std::int32_t reserved = 0;        // granted once, not renewed: may still be used
  std::int32_t held = 0;            // being done
  std::int32_t need = 0;            // blocks the owner has ready

  std::int32_t bound() const { return window + reserved + held; }
};

struct Owner {
  Incarnation incarnation;
  std::uint64_t session = 0;
  std::uint64_t credit_number = 0;
  std::uint64_t lapsed_number = 0;  // of the grant that is reserved, while no other was made since
  Flow bulk;
  Flow single;
  Tick heard;
  Tick reserved_until;
  Duration cycle{};
  bool changed = false;  // its window grew: tell it

  Flow& flow(BlockKind kind) { return kind == BlockKind::kBulk ? bulk : single; }
};

}  // namespace

class Worker::Impl {
 public:
  Impl(const Config& config, Slots capacity, Tick now)
      : name_(config.name),
        incarnation_(config.incarnation),
        cycle_(config.cycle),
        capacity_(capacity),
        next_cycle_(now + config.cycle),
        self_(owners_[config.name]) {
    CHECK(capacity.bulk >= 0 && capacity.single >= 1);
    self_.incarnation = incarnation_;
  }

  void receive(const Message& message, const PeerName& from, Tick now) {
    now_ = now;
    if (const auto* const advertisement = std::get_if<Advertisement>(&message)) {
      Owner& owner = know(from, advertisement->incarnation);
      owner.heard = now;
      owner.cycle = advertisement->cycle;
      set_need(owner, advertisement->backlog, now);
      divide();
    } else if (const auto* const block = std::get_if<BlockMessage>(&message)) {
      take_in(*block, from, now);
    } else if (const auto* const back = std::get_if<CreditGrant>(&message);
               back != nullptr && back->credit.owner == from && from != name_) {
      take_back(know(from, back->incarnation), back->credit);
    }
  }

  void own_backlog(const std::vector<Backlog>& backlog, Tick now) {
    now_ = now;
    Owner& owner = know(name_, incarnation_);
    owner.heard = now;
    owner.cycle = cycle_;
    set_need(owner, backlog, now);
    divide();
  }

  void peer_lost(const PeerName& peer, Tick now) {
    now_ = now;
    const auto found = owners_.find(peer);
    if (found != owners_.end()) {
      found->second.bulk.need = found->second.single.need = 0;
      lapse(found->second, now);
      divide();
    }
  }

  // Whoever takes the peer's tracks over needs the slots now, and nothing can use the grant any
  // more.
  void peer_ended(const PeerName& peer, Tick now) {
    peer_lost(peer, now);
    const auto found = owners_.find(peer);
    if (found != owners_.end()) {
      found->second.reserved_until = now;
      divisible_ = true;
      divide();
    }
  }

  void finished(std::uint64_t number, BlockReport report, Tick now) {
    now_ = now;
    const Job job = end_job(number);
    report.incarnation = incarnation_;
    report.owner_incarnation = job.owner_incarnation;
    report.block = job.block->id;
    report.attempt = job.attempt;
    report.track = job.block->track;
    report.epoch = job.block->epoch;
    report.credit = credit_in_passing(job.owner);
    send(job.owner, std::move(report));
  }

  void refused(std::uint64_t number, const PeerName& by, Incarnation incarnation, Timeline timeline,
               Epoch epoch, Tick now) {
    now_ = now;
    const Job job = end_job(number);
    Refusal refusal;
    refusal.incarnation = incarnation_;
    refusal.owner_incarnation = job.owner_incarnation;
    refusal.block = job.block->id;
    refusal.attempt = job.attempt;
    refusal.track = job.block->track;
    refusal.owner = by;
    refusal.row_incarnation = incarnation;
    refusal.timeline = timeline;
    refusal.epoch = epoch;
    refusal.credit = credit_in_passing(job.owner);
    send(job.owner, std::move(refusal));
  }

  void stop(Tick now) {
    stopped_ = true;
    touched_ = divisible_ = true;
    for (auto& [name, owner] : owners_) {
      lapse(owner, now);
    }
  }

  void resume() {
    stopped_ = false;
    touched_ = divisible_ = true;
    divide();
  }

  void set_capacity(Slots capacity) {
    CHECK(capacity.bulk >= 0 && capacity.single >= 1);
    capacity_ = capacity;
    touched_ = divisible_ = true;
    divide();
  }

  void tick(Tick now) {
    now_ = now;
    if (now < next_cycle_) {
      divide();
      return;
    }
    next_cycle_ = now + cycle_;
    for (auto at = owners_.begin(); at != owners_.end();) {
      Owner& owner = at->second;
      if (at->first != name_ && now - owner.heard > std::max(cycle_, owner.cycle) * kLeaseCycles) {
        owner.bulk.need = owner.single.need = 0;
        lapse(owner, now);
      }
      const bool idle = &owner != &self_ && owner.bulk.bound() == 0 && owner.single.bound() == 0 &&
                        now - owner.heard > cycle_ * kForgetCycles;
      touched_ = touched_ || idle;
      at = idle ? owners_.erase(at) : std::next(at);
    }
    divide();
  }

  Tick next_tick() const {
    const bool releases = self_.bulk.reserved + self_.single.reserved > 0;
    return releases ? std::min(next_cycle_, self_.reserved_until) : next_cycle_;
  }

  bool has_ready() const { return touched_ || !ready_.jobs.empty() || !ready_.messages.empty(); }

  WorkerReady take_ready() {
    ready_.load_changed = false;
    if (!std::exchange(touched_, false)) {
      return std::exchange(ready_, {});
    }
    for (auto& [name, owner] : owners_) {
      if (std::exchange(owner.changed, false)) {
        send(name, CreditGrant{incarnation_, credit(name, owner)});
      }
    }
    const Slots now_free = slots();
    std::vector<Credit> now_granted = credits();
    ready_.load_changed = now_free != told_slots_ || now_granted != told_credits_;
    told_slots_ = now_free;
    told_credits_ = std::move(now_granted);
    return std::exchange(ready_, {});
  }

  Slots slots() const {
    if (stopped_) {
      return {};
    }
    return {free_bulk(), free_single()};
  }

  std::vector<Credit> credits() const {
    std::vector<Credit> all;
    for (const auto& [name, owner] : owners_) {
      if (name != name_ && owner.bulk.window + owner.single.window > 0) {
        all.push_back(credit(name, owner));
      }
    }
    return all;
  }

  std::size_t jobs() const { return jobs_.size(); }

 private:
  static constexpr int kForgetCycles = 100;
  static constexpr Tick kNever{std::numeric_limits<std::int64_t>::max()};

  Owner& know(const PeerName& name, Incarnation incarnation) {
    Owner& owner = owners_[name];
    if (owner.incarnation != incarnation) {
      touched_ = true;
      const std::uint64_t number = owner.credit_number;
      const std::int32_t bulk = owner.bulk.held;
      const std::int32_t single = owner.single.held;
      owner = {};
      divisible_ = true;
      owner.incarnation = incarnation;
      owner.credit_number = number;
      owner.bulk.held = bulk;  // blocks of its earlier life are still being done
      owner.single.held = single;
    }
    return owner;
  }

  void set_need(Owner& owner, const std::vector<Backlog>& backlog, Tick now) {
    Slots need;
    for (const Backlog& ready : backlog) {
      need.bulk += ready.bulk;
      need.single += ready.single;
    }
    set_need(owner, need, now);
  }

  void set_need(Owner& owner, Slots need, Tick now) {
    divisible_ = divisible_ || need != Slots{owner.bulk.need, owner.single.need};
    owner.bulk.need = need.bulk;
    owner.single.need = need.single;
    if (need.bulk + need.single == 0) {
      lapse(owner, now);
    }
  }

  // The owner gives back what it does not need, if it speaks of the newest grant; blocks under way
  // keep their slots. A grant may have lapsed meanwhile, because it crossed the word that the owner
  // needs nothing: then nobody else will use what is reserved.
  void take_back(Owner& owner, const Credit& kept) {
    const bool lapsed =
        kept.number == owner.lapsed_number && kept.number + 1 == owner.credit_number;
    if ((kept.number != owner.credit_number && !lapsed) || kept.session < owner.session) {
      return;
    }
    const bool current = kept.session == owner.session;
    const auto shrink = [&](Flow& flow, std::uint32_t sent, std::int32_t keep) {
      const std::int64_t under_way = static_cast<std::int64_t>(sent) -
                                     (current ? static_cast<std::int64_t>(flow.received) : 0);
      std::int32_t& granted = lapsed ? flow.reserved : flow.window;
      granted = static_cast<std::int32_t>(
          std::clamp<std::int64_t>(under_way + keep, 0, std::max(0, granted)));
      flow.need = std::min(flow.need, keep);
    };
    shrink(owner.bulk, kept.received_bulk, kept.window.bulk);
    shrink(owner.single, kept.received_single, kept.window.single);
    ++owner.credit_number;
    touched_ = divisible_ = true;
    divide();
  }

  // What was granted and not used is renewed no more. It stays reserved while the owner may still
  // use it.
  void lapse(Owner& owner, Tick now) {
    if (owner.bulk.window + owner.single.window == 0) {
      return;
    }
    touched_ = divisible_ = true;
    for (Flow* const flow : {&owner.bulk, &owner.single}) {
      flow->reserved += std::exchange(flow->window, 0);
    }
    // To oneself nothing is under way for longer than one turn of the host's loop, in which time
    // stands still; and one's own Dispatcher, for whom no slots fall silent, is told.
    owner.changed = owner.changed || &owner == &self_;
    owner.reserved_until =
        now + (&owner == &self_ ? Duration(1) : std::max(cycle_, owner.cycle) * kLeaseCycles);
    owner.lapsed_number = owner.credit_number;
    ++owner.credit_number;
  }

  std::int32_t bound_bulk() const {
    std::int32_t sum = 0;
    for (const auto& [name, owner] : owners_) {
      sum += owner.bulk.bound();
    }
    return sum;
  }

  std::int32_t bound_single() const {
    std::int32_t sum = 0;
    for (const auto& [name, owner] : owners_) {
      sum += owner.single.bound();
    }
    return sum;
  }

  // Singles beyond their own slots use bulk ones.
  std::int32_t free_bulk() const {
    const std::int32_t spill = std::max(0, bound_single() - capacity_.single);
    return std::max(0, capacity_.bulk - bound_bulk() - spill);
  }

  std::int32_t free_single() const { return std::max(0, capacity_.single - bound_single()); }

  // Grants free slots one by one to the owner that has the fewest and needs one.
  void divide() {
    if (!divisible_ && now_ < next_release_) {
      return;
    }
    divisible_ = false;
    next_release_ = kNever;
    bool wanted = false;
    for (auto& [name, owner] : owners_) {
      if (owner.bulk.reserved + owner.single.reserved > 0) {
        if (now_ >= owner.reserved_until) {
          owner.bulk.reserved = owner.single.reserved = 0;
          touched_ = true;
        } else {
          next_release_ = std::min(next_release_, owner.reserved_until);
        }
      }
      wanted =
          wanted || owner.bulk.need > owner.bulk.window || owner.single.need > owner.single.window;
    }
    if (stopped_ || !wanted) {
      return;
    }
    // What is reserved for an owner that needs slots again is granted to it again.
    for (auto& [name, owner] : owners_) {
      for (Flow* const flow : {&owner.bulk, &owner.single}) {
        const std::int32_t back = std::min(flow->reserved, flow->need - flow->window);
        if (back > 0) {
          flow->reserved -= back;
          flow->window += back;
          ++owner.credit_number;
          owner.changed = true;
          touched_ = true;
        }
      }
    }
    std::int32_t single = free_single();
    std::int32_t bulk = free_bulk();
    while (single + bulk > 0 && grant(BlockKind::kSingle)) {
      single > 0 ? --single : --bulk;
    }
    while (bulk > 0 && grant(BlockKind::kBulk)) {
      --bulk;
    }
  }

  // One slot, to the owner that has the fewest; among equals to the next in turn, so that none
  // waits for as long as others have a backlog.
  bool grant(BlockKind kind) {
    PeerName& last = kind == BlockKind::kBulk ? last_bulk_ : last_single_;
    auto poorest = owners_.end();
    const auto consider = [&](std::map<PeerName, Owner>::iterator at) {
      const Flow& flow = at->second.flow(kind);
      if (flow.need > flow.window + flow.reserved &&
          (poorest == owners_.end() || flow.bound() < poorest->second.flow(kind).bound())) {
        poorest = at;
      }
    };
    const auto after = owners_.upper_bound(last);
    for (auto at = after; at != owners_.end(); ++at) {
      consider(at);
    }
    for (auto at = owners_.begin(); at != after; ++at) {
      consider(at);
    }
    if (poorest == owners_.end()) {
      return false;
    }
    last = poorest->first;
    ++poorest->second.flow(kind).window;
    ++poorest->second.credit_number;
    poorest->second.changed = true;
    touched_ = true;
    return true;
  }

  Credit credit(const PeerName& name, const Owner& owner) const {
    return {name,
            owner.credit_number,
            owner.session,
            owner.bulk.received,
            owner.single.received,
            {owner.bulk.window, owner.single.window}};
  }

  Credit credit_in_passing(const PeerName& name) {
    divide();
    Owner& owner = owners_.at(name);
    owner.changed = false;
    touched_ = true;
    return credit(name, owner);
  }

  void take_in(const BlockMessage& message, const PeerName& from, Tick now) {
    CHECK(message.block != nullptr);
    touched_ = divisible_ = true;
    Owner& owner = know(from, message.incarnation);
    owner.heard = now;
    if (message.session < owner.session) {
      return;  // of a numbering that its owner has given up: it has the block ready again
    }
    if (message.session > owner.session) {
      owner.session = message.session;
      for (Flow* const flow : {&owner.bulk, &owner.single}) {
        flow->received = 0;
        flow->missing.clear();
      }
      ++owner.credit_number;
    }
    if (!count_in(owner, owner.flow(message.block->kind), message.serial)) {
      return;
    }
    set_need(owner, message.backlog, now);
    const Job job{++job_number_, from, message.incarnation, message.attempt, message.block};
    ++owner.flow(message.block->kind).held;
    jobs_.emplace(job.number, job);
    if (stopped_) {
      BlockReport report;
      report.outcome = BlockOutcome::kReturned;
      finished(job.number, std::move(report), now);
    } else {
      ready_.jobs.push_back(job);
      divide();
    }
  }

  // Whether the serial is new. Those skipped have used their slots, too: they may come later, or
  // are lost.
  static bool count_in(Owner& owner, Flow& flow, std::uint32_t serial) {
    if (serial <= flow.received) {
      return flow.missing.erase(serial) > 0 || base::planted(base::Mutant::kSerialTakenTwice);
    }
    for (std::uint32_t skipped = flow.received + 1; skipped < serial; ++skipped) {
      flow.missing.insert(skipped);
      if (flow.missing.size() > kMaxMissing) {
        flow.missing.erase(flow.missing.begin());
      }
    }
    const auto used = static_cast<std::int32_t>(
        std::min<std::uint32_t>(serial - flow.received, static_cast<std::uint32_t>(kMaxSlots)));
    const std::int32_t from_window = std::min(used, flow.window);
    flow.window -= from_window;
    flow.reserved = std::max(0, flow.reserved - (used - from_window));
    flow.received = serial;
    ++owner.credit_number;
    return true;
  }

  Job end_job(std::uint64_t number) {
    const auto found = jobs_.find(number);
    CHECK(found != jobs_.end());
    Job job = std::move(found->second);
    jobs_.erase(found);
    touched_ = divisible_ = true;
    Flow& flow = owners_.at(job.owner).flow(job.block->kind);
    CHECK(flow.held > 0);
    flow.held -= base::planted(base::Mutant::kSlotNotReturned) ? 0 : 1;
    return job;
  }

  void send(const PeerName& to, Message message) {
    ready_.messages.push_back({to, std::move(message)});
  }

  PeerName name_;
  Incarnation incarnation_;
  Duration cycle_;
  Slots capacity_;
  Tick next_cycle_;
  Tick now_;
  bool stopped_ = false;
  bool touched_ = true;         // what peers are told may have changed since the last take_ready()
  bool divisible_ = true;       // what divide() looks at has changed since it looked
  Tick next_release_ = kNever;  // when the next of what is reserved is free
  std::map<PeerName, Owner> owners_;
  Owner& self_;         // in owners_, always
  PeerName last_bulk_;  // whom the last slot of that kind was granted
  PeerName last_single_;
  std::map<std::uint64_t, Job> jobs_;
  std::uint64_t job_number_ = 0;
  WorkerReady ready_;
  Slots told_slots_;
  std::vector<Credit> told_credits_;
};

Worker::Worker(const Config& config, Slots capacity, Tick now)
    : impl_(std::make_unique<Impl>(config, capacity, now)) {}
Worker::~Worker() = default;
Worker::Worker(Worker&&) noexcept = default;
Worker& Worker::operator=(Worker&&) noexcept = default;

void Worker::receive(const Message& message, const PeerName& from, Tick now) {
  impl_->receive(message, from, now);
}
void Worker::own_backlog(const std::vector<Backlog>& backlog, Tick now) {
  impl_->own_backlog(backlog, now);
}
void Worker::peer_lost(const PeerName& peer, Tick now) { impl_->peer_lost(peer, now); }
void Worker::peer_ended(const PeerName& peer, Tick now) { impl_->peer_ended(peer, now); }
void Worker::finished(std::uint64_t job, BlockReport result, Tick now) {
  impl_->finished(job, std::move(result), now);
}
void Worker::refused(std::uint64_t job, const PeerName& owner, Incarnation incarnation,
                     Timeline timeline, Epoch epoch, Tick now) {
  impl_->refused(job, owner, incarnation, timeline, epoch, now);
}
void Worker::stop(Tick now) { impl_->stop(now); }
void Worker::resume(Tick) { impl_->resume(); }
void Worker::set_capacity(Slots capacity, Tick) { impl_->set_capacity(capacity); }
void Worker::tick(Tick now) { impl_->tick(now); }
Tick Worker::next_tick() const { return impl_->next_tick(); }
bool Worker::has_ready() const { return impl_->has_ready(); }
WorkerReady Worker::take_ready() { return impl_->take_ready(); }
Slots Worker::slots() const { return impl_->slots(); }
std::vector<Credit> Worker::credits() const { return impl_->credits(); }
std::size_t Worker::jobs() const { return impl_->jobs(); }

}  // namespace turnout::group
