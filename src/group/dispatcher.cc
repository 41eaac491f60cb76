#include "group/dispatcher.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "group/dispatcher_impl.h"

namespace turnout::group {
namespace {

constexpr std::size_t kFirstBlock =
    1'000;  // contacts in a track's first block, before anything is measured
constexpr std::int64_t kMaxBlockWork = 100'000;  // moves and actions in one block
constexpr std::int32_t kMaxBacklog = 1'000;      // blocks of a track that are advertised
constexpr std::int32_t kMaxReadAhead = 8;        // blocks of a track kept ready

}  // namespace

// --- the public face
// ---------------------------------------------------------------------------------------------

Dispatcher::Dispatcher(const Config& config, Tick now)
    : impl_(std::make_unique<Impl>(config, now)) {}
Dispatcher::~Dispatcher() = default;
Dispatcher::Dispatcher(Dispatcher&&) noexcept = default;
Dispatcher& Dispatcher::operator=(Dispatcher&&) noexcept = default;

void Dispatcher::gained(TrackId track, Version version, Fence fence) {
  impl_->gained(track, version, fence);
}
void Dispatcher::lost(TrackId track) { impl_->lost(track); }
void Dispatcher::drain(TrackId track) { impl_->drain(track); }
void Dispatcher::resume_track(TrackId track, Tick now) { impl_->resume_track(track, now); }
bool Dispatcher::drained(TrackId track) const { return impl_->drained(track); }
void Dispatcher::stop() { impl_->stop(); }
void Dispatcher::resume(Tick now) { impl_->resume(now); }
std::size_t Dispatcher::want(TrackId track) const { return impl_->want(track); }
bool Dispatcher::outstanding(TrackId track, ContactId contact, std::int32_t entry) const {
  return impl_->outstanding(track, contact, entry);
}
void Dispatcher::offer(TrackId track, Instant cut_at, std::vector<Item> items,
                       std::int64_t remaining, Tick now) {
  impl_->offer(track, cut_at, std::move(items), remaining, now);
}
void Dispatcher::set_remaining(TrackId track, std::int64_t remaining, Tick now) {
  impl_->set_remaining(track, remaining, now);
}
void Dispatcher::offer_single(TrackId track, Instant cut_at, const Item& item, Tick now) {
  impl_->offer_single(track, cut_at, item, now);
}
void Dispatcher::receive(const Message& message, const PeerName& from, Tick now) {
  impl_->receive(message, from, now);
}
void Dispatcher::peer_lost(const PeerName& peer, Tick now) { impl_->peer_lost(peer, now); }
void Dispatcher::tick(Tick now) { impl_->tick(now); }
Tick Dispatcher::next_tick() const { return impl_->next_tick(); }
DispatchReady Dispatcher::take_ready() { return impl_->take_ready(); }
bool Dispatcher::has_ready() const { return impl_->has_ready(); }
std::vector<Backlog> Dispatcher::backlog() const { return impl_->backlog(); }
std::vector<TrackLoad> Dispatcher::tracks() const { return impl_->tracks(); }

// --- tracks
// ------------------------------------------------------------------------------------------------------

Dispatcher::Impl::Impl(const Config& config, Tick now)
    : name_(config.name),
      incarnation_(config.incarnation),
      cycle_(config.cycle),
      miss_limit_(config.miss_limit),
      next_check_(now + config.cycle),
      now_(now) {}

void Dispatcher::Impl::gained(TrackId id, Version version, Fence fence) {
  const std::size_t size = tracks_.contains(id) ? tracks_.at(id).size : kFirstBlock;
  lost(id);
  Track& track = tracks_[id];
  track.version = version;
  track.fence = fence;
  track.size = size;
}

void Dispatcher::Impl::lost(TrackId id) {
  if (!tracks_.contains(id)) {
    return;
  }
  drop_blocks(id);
  tracks_.erase(id);
  busy_.erase(id);
  load_changed_ = true;
}

void Dispatcher::Impl::drop_blocks(TrackId id) {
  for (auto at = blocks_.begin(); at != blocks_.end();) {
    if (at->second.block->track != id) {
      ++at;
      continue;
    }
    unset_ready(at->second);
    out_.erase(at->first);
    at = blocks_.erase(at);
  }
}

void Dispatcher::Impl::drain(TrackId id) {
  const auto found = tracks_.find(id);
  if (found != tracks_.end()) {
    found->second.draining = true;
    load_changed_ = true;
  }
}

void Dispatcher::Impl::resume_track(TrackId id, Tick now) {
  const auto found = tracks_.find(id);
  if (found != tracks_.end()) {
    found->second.draining = false;
    load_changed_ = true;
    hand_out(now);
  }
}

bool Dispatcher::Impl::drained(TrackId id) const {
  const auto found = tracks_.find(id);
  return found == tracks_.end() || found->second.out_blocks == 0;
}

void Dispatcher::Impl::resume(Tick now) {
  stopped_ = false;
  hand_out(now);
}

// --- cutting
// -----------------------------------------------------------------------------------------------------

// Blocks that peers could take now, as far as it is known.
std::int32_t Dispatcher::Impl::credit_blocks() const {
  std::int32_t sum = 0;
  for (const auto& [name, peer] : peers_) {
    const std::uint32_t granted =
        peer.credit.received_bulk + static_cast<std::uint32_t>(peer.credit.window.bulk);
    if (peer.credit.session == peer.session && granted > peer.sent_bulk) {
      sum += static_cast<std::int32_t>(granted - peer.sent_bulk);
    }
  }
  return sum;
}

std::size_t Dispatcher::Impl::want(TrackId id) const {
  const auto found = tracks_.find(id);
  if (found == tracks_.end() || stopped_ || found->second.draining || found->second.overtaken) {
    return 0;
  }
  const Track& track = found->second;
  // One block more than can be handed out, so that the next slot freed is filled at once, and
  // advertised as backlog.
  const std::int32_t ahead = std::min(credit_blocks(), kMaxReadAhead - 1) + 1 - track.bulk_count;
  return ahead <= 0 ? 0 : static_cast<std::size_t>(ahead) * track.size;
}

bool Dispatcher::Impl::outstanding(TrackId id, ContactId contact, std::int32_t entry) const {
  const auto found = tracks_.find(id);
  return found != tracks_.end() && found->second.entries.contains({contact, entry});
}

void Dispatcher::Impl::offer(TrackId id, Instant cut_at, std::vector<Item> items,
                             std::int64_t remaining, Tick now) {
  const auto found = tracks_.find(id);
  CHECK(found != tracks_.end());
  Track& track = found->second;
  track.remaining = std::max<std::int64_t>(0, remaining);
  for (std::size_t begin = 0; begin < items.size();) {
    // The last two blocks are evened out rather than leaving a small one.
    const std::size_t left = items.size() - begin;
    const std::size_t count = left <= track.size      ? left
                              : left < 2 * track.size ? (left + 1) / 2
                                                      : track.size;
    const auto first = items.begin() + static_cast<std::ptrdiff_t>(begin);
    add_block(id, track, BlockKind::kBulk, cut_at,
              {first, first + static_cast<std::ptrdiff_t>(count)});
    begin += count;
  }
  touch(id, track);
  hand_out(now);
}

void Dispatcher::Impl::set_remaining(TrackId id, std::int64_t remaining, Tick now) {
  const auto found = tracks_.find(id);
  if (found != tracks_.end() && found->second.remaining != remaining) {
    found->second.remaining = std::max<std::int64_t>(0, remaining);
    touch(id, found->second);
    hand_out(now);
  }
}

void Dispatcher::Impl::offer_single(TrackId id, Instant cut_at, const Item& item, Tick now) {
  const auto found = tracks_.find(id);
  CHECK(found != tracks_.end());
  add_block(id, found->second, BlockKind::kSingle, cut_at, {item});
  touch(id, found->second);
  hand_out(now);
}

void Dispatcher::Impl::add_block(TrackId id, Track& track, BlockKind kind, Instant cut_at,
                                 std::vector<Item> items) {
  for (const Item& item : items) {
    const bool is_new = track.entries.insert({item.contact, item.entry}).second;
    CHECK(is_new);  // a contact is never in two blocks at once
  }
  Block block;
  block.id = ++block_number_;
  block.kind = kind;
  block.track = id;
  block.version = track.version;
  block.timeline = track.fence.timeline;
  block.epoch = track.fence.epoch;
  block.cut_at = cut_at;
  block.items = std::move(items);
  BlockState& state = blocks_[block.id];
  state.ready = false;
  state.block = std::make_shared<const Block>(std::move(block));
  set_ready(state, false);
}

void Dispatcher::Impl::set_ready(BlockState& state, bool at_front) {
  if (state.ready) {
    return;
  }
  state.ready = true;
  const Block& block = *state.block;
  Track& track = tracks_.at(block.track);
  const bool bulk = block.kind == BlockKind::kBulk;
  auto& queue = bulk ? track.ready_bulk : track.ready_single;
  at_front ? queue.push_front(block.id) : queue.push_back(block.id);
  ++(bulk ? track.bulk_count : track.single_count);
  ++(bulk ? ready_bulk_ : ready_single_);
  track.ready_items += static_cast<std::int64_t>(block.items.size());
  touch(block.track, track);
}

void Dispatcher::Impl::unset_ready(BlockState& state) {
  if (!state.ready) {
    return;
  }
  state.ready = false;
  const Block& block = *state.block;
  Track& track = tracks_.at(block.track);
  const bool bulk = block.kind == BlockKind::kBulk;
  --(bulk ? track.bulk_count : track.single_count);
  --(bulk ? ready_bulk_ : ready_single_);
  track.ready_items -= static_cast<std::int64_t>(block.items.size());
  touch(block.track, track);
}

void Dispatcher::Impl::forget_entries(Track& track, const Block& block) {
  for (const Item& item : block.items) {
    track.entries.erase({item.contact, item.entry});
  }
}

void Dispatcher::Impl::touch(TrackId id, const Track& track) {
  if (track.bulk_count + track.single_count > 0 || track.remaining > 0) {
    busy_.insert(id);
  } else {
    busy_.erase(id);
  }
  load_changed_ = true;
}

// The next block is cut so that it takes about kBlockTarget, judged by the last ones. It grows at
// most twofold at a time, so that one easy block does not make a huge one, and shrinks at once.
void Dispatcher::Impl::resize(Track& track, const Block& block, const BlockReport& report) {
  if (block.kind != BlockKind::kBulk || report.elapsed <= Duration(0)) {
    return;
  }
  const auto contacts = static_cast<double>(block.items.size());
  double fitting = contacts * static_cast<double>(kBlockTarget.count()) /
                   static_cast<double>(report.elapsed.count());
  const auto work = static_cast<double>(report.moves + report.actions);
  if (work > 0) {
    fitting = std::min(fitting, contacts * static_cast<double>(kMaxBlockWork) / work);
  }
  const auto now_size = static_cast<double>(track.size);
  // A block smaller than the size says little about how much larger ones may be.
  const double ceiling = contacts * 2 < now_size ? now_size : now_size * 2;
  const double next = std::min(ceiling, now_size + (fitting - now_size) / 2);
  track.size = static_cast<std::size_t>(std::clamp(next, 1.0, static_cast<double>(kMaxBlockItems)));
}

// --- outputs
// -----------------------------------------------------------------------------------------------------

DispatchReady Dispatcher::Impl::take_ready() {
  give_back(now_);
  ready_.load_changed = std::exchange(load_changed_, false);
  return std::exchange(ready_, {});
}

std::vector<Backlog> Dispatcher::Impl::backlog() const {
  std::vector<Backlog> all;
  if (stopped_) {
    return all;
  }
  for (const TrackId id : busy_) {
    const Track& track = tracks_.at(id);
    if (track.draining || track.overtaken) {
      continue;
    }
    const auto size = static_cast<std::int64_t>(track.size);
    const std::int64_t bulk = track.bulk_count + (track.remaining + size - 1) / size;
    all.push_back({id, static_cast<std::int32_t>(std::min<std::int64_t>(bulk, kMaxBacklog)),
                   std::min(track.single_count, kMaxBacklog)});
  }
  return all;
}

std::vector<TrackLoad> Dispatcher::Impl::tracks() const {
  std::vector<TrackLoad> all;
  all.reserve(tracks_.size());
  for (const auto& [id, track] : tracks_) {
    all.push_back({id, track.ready_items, track.out_items, track.bulk_count + track.single_count,
                   track.out_blocks, static_cast<std::int32_t>(track.size), track.handed_out,
                   track.handed_again});
  }
  return all;
}

}  // namespace turnout::group
