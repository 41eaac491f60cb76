// What others may know of a peer at any time: its copy of the group, its counters, whether it is
// ready.

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "cli/notice_text.h"
#include "cli/peer.h"

namespace turnout::cli {

web::PeerView Peer::view_of(const group::PeerInfo& info, base::Tick now) const {
  web::PeerView view;
  view.name = info.name.get();
  view.incarnation = info.incarnation.get();
  view.address = info.address;
  view.state = state_name(info.state);
  view.self = info.self;
  view.fit = info.fit;
  view.master = info.master;
  if (info.last_heard) {
    view.heard_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(now - *info.last_heard).count();
  }
  if (info.cycle) {
    view.cycle_ms = std::chrono::duration_cast<std::chrono::milliseconds>(*info.cycle).count();
  }
  view.catalogue = info.catalogue;
  view.owned = info.owned;
  view.slots = info.slots.bulk;
  for (const group::Backlog& backlog : info.backlog) {
    view.backlog += backlog.bulk + backlog.single;
  }
  for (const auto& [track, handed] : engine_->counters().handed) {
    if (const auto found = handed.find(info.name); found != handed.end()) {
      view.blocks += found->second;
    }
  }
  view.deliveries = info.deliveries;
  return view;
}

void Peer::take_snapshot() {
  const base::Tick now = base::boot_now();
  snapshot_at_ = now;
  auto snapshot = std::make_shared<PeerSnapshot>();
  snapshot->counters = engine_->counters();
  snapshot->transitions = transitions_;
  snapshot->certificate_ends = certificate_.ends();
  web::GroupView& group = snapshot->group;
  group.self = self_.name.get();
  group.master = member_->master().get();
  group.master_epoch = member_->master_epoch().get();
  for (const group::PeerInfo& info : member_->peers()) {
    group.peers.push_back(view_of(info, now));
  }
  std::map<base::TrackId, group::TrackLoad> loads;
  for (group::TrackLoad& load : engine_->tracks()) {
    loads.emplace(load.track, load);
  }
  for (const auto& entry : book_.all()) {
    web::TrackView view;
    view.id = entry->published.id;
    if (const auto row = member_->row(view.id)) {
      view.owner = row->owner.get();
      view.epoch = row->fence.epoch.get();
    }
    if (const auto handed = snapshot->counters.handed.find(view.id);
        handed != snapshot->counters.handed.end() && member_->owns(view.id)) {
      for (const auto& [peer, blocks] : handed->second) {
        view.blocks_to[peer.get()] = blocks;
      }
    }
    if (const auto load = loads.find(view.id); load != loads.end()) {
      view.ready = load->second.ready_items;
      view.out = load->second.out_items;
    }
    group.tracks.push_back(std::move(view));
  }
  web::Readiness& readiness = snapshot->readiness;
  readiness.ready = member_->may_write() && !member_->master().empty();
  if (!readiness.ready) {
    readiness.reason = !member_->fit()             ? "the database does not answer"
                       : member_->master().empty() ? "no master has been elected yet"
                                                   : "this peer is joining or leaving the group";
  }
  const std::lock_guard lock(snapshot_mutex_);
  snapshot_ = std::move(snapshot);
}

std::shared_ptr<const PeerSnapshot> Peer::snapshot() const {
  const std::lock_guard lock(snapshot_mutex_);
  return snapshot_;
}

}  // namespace turnout::cli
