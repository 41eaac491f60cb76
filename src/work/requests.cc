#include "work/requests.h"

#include <algorithm>

namespace turnout::work {

group::LedgerRow to_group(const store::LedgerRow& row) {
  group::LedgerRow out;
  out.track = row.track;
  if (row.owner) {
    out.owner = row.owner->name;
    out.incarnation = row.owner->incarnation;
  }
  out.fence = {row.timeline, row.epoch};
  return out;
}

std::vector<store::BlockItem> to_store(const std::vector<group::Item>& items) {
  std::vector<store::BlockItem> out;
  out.reserve(items.size());
  for (const group::Item& item : items) {
    out.push_back({item.contact, item.entry, item.move_no});
  }
  return out;
}

Stamped carry_out(store::GroupSession& session, const group::StampWrite& write,
                  const store::PeerId& self) {
  Stamped stamped;
  stamped.result.number = write.number;
  if (const auto answer = session.stamp(self)) {
    const store::StampAnswer& said = answer.value();
    stamped.result.outcome = said.refused ? group::Attempt::kRefused : group::Attempt::kDone;
    stamped.result.master = to_group(said.master);
    stamped.result.master_stamp = said.master_stamp;
    stamped.result.timeline = said.timeline;
    stamped.catalogue = said.catalogue_version;
  }
  return stamped;
}

group::StampReadResult carry_out(store::GroupSession& session, const group::StampRead& read) {
  group::StampReadResult result;
  result.number = read.number;
  if (const auto stamps = session.stamps()) {
    result.outcome = group::Attempt::kDone;
    for (const store::PeerStamp& stamp : stamps.value()) {
      if (std::find(read.peers.begin(), read.peers.end(), stamp.peer.name) != read.peers.end()) {
        result.stamps.push_back({stamp.peer.name, stamp.peer.incarnation, stamp.stamp});
      }
    }
  }
  return result;
}

group::LedgerResult carry_out(store::GroupSession& session, const group::LedgerRead& read) {
  group::LedgerResult result;
  result.number = read.number;
  if (const auto rows = session.ledger()) {
    result.outcome = group::Attempt::kDone;
    for (const store::LedgerRow& row : rows.value()) {
      result.rows.push_back(to_group(row));
    }
  }
  return result;
}

group::TakeResult carry_out(store::GroupSession& session, const group::Take& take,
                            const store::PeerId& self) {
  group::TakeResult result;
  result.track = take.track;
  std::optional<store::StillStamp> still;
  if (take.still) {
    still = {{take.still->name, take.still->incarnation}, take.still->count, take.read_in};
  }
  const auto taken =
      session.take(take.track, take.expected.timeline, take.expected.epoch, self, still);
  if (taken) {
    result.outcome = taken.value().taken ? group::Attempt::kDone : group::Attempt::kRefused;
    result.row = to_group(taken.value().row);
    result.row.track = take.track;
  }
  return result;
}

group::LifeResult carry_out(store::GroupSession& session, const group::LifeProbe& probe) {
  group::LifeResult result;
  result.peer = probe.peer;
  result.incarnation = probe.incarnation;
  const auto ended = session.life_has_ended({probe.peer, probe.incarnation});
  if (!ended) {
    return result;
  }
  if (!ended.value()) {
    result.outcome = group::Attempt::kRefused;
    return result;
  }
  result.stamp = {probe.peer, probe.incarnation, 0};
  if (const auto stamps = session.stamps()) {
    result.outcome = group::Attempt::kDone;
    for (const store::PeerStamp& stamp : stamps.value()) {
      if (stamp.peer.name == probe.peer) {
        result.stamp = {stamp.peer.name, stamp.peer.incarnation, stamp.stamp};
      }
    }
  }
  return result;
}

FoundRow find_row(store::GroupSession& session, base::TrackId track) {
  if (const auto rows = session.ledger()) {
    for (const store::LedgerRow& row : rows.value()) {
      if (row.track == track) {
        return to_group(row);
      }
    }
  }
  return std::nullopt;
}

}  // namespace turnout::work
