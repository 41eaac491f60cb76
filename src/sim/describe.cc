#include "sim/describe.h"

namespace turnout::sim {

using namespace group;  // its enumerators and notices are what this file is about

std::string name_of(PeerState state) {
  switch (state) {
    case PeerState::kJoining:
      return "joining";
    case PeerState::kLiving:
      return "living";
    case PeerState::kSuspect:
      return "suspect";
    case PeerState::kUnavailable:
      return "unavailable";
    case PeerState::kGone:
      return "gone";
    case PeerState::kLeaving:
      return "leaving";
    case PeerState::kLeft:
      return "left";
  }
  return "?";
}

std::string name_of(PeerPhase phase) {
  switch (phase) {
    case PeerPhase::kJoining:
      return "joining";
    case PeerPhase::kMember:
      return "member";
    case PeerPhase::kLeaving:
      return "leaving";
    case PeerPhase::kLeft:
      return "left";
  }
  return "?";
}

std::string name_of(StopReason reason) {
  switch (reason) {
    case StopReason::kStarting:
      return "starting";
    case StopReason::kLateTimer:
      return "its timer ran late";
    case StopReason::kLostGroup:
      return "it lost most of the group";
    case StopReason::kUnfit:
      return "unfit";
    case StopReason::kTimeline:
      return "the timeline changed";
  }
  return "?";
}

namespace {

struct Describe {
  std::string operator()(const TrackGained& n) const {
    return "gained track " + std::to_string(n.track.get()) + " at epoch " +
           std::to_string(n.fence.epoch.get());
  }
  std::string operator()(const TrackLost& n) const {
    return "lost track " + std::to_string(n.track.get()) + " of epoch " +
           std::to_string(n.fence.epoch.get()) + (n.by.empty() ? "" : " to " + n.by.get());
  }
  std::string operator()(const TrackCeding& n) const {
    return "cedes track " + std::to_string(n.track.get()) +
           (n.to.empty() ? " to nobody" : " to " + n.to.get());
  }
  std::string operator()(const TrackKept& n) const {
    return "keeps track " + std::to_string(n.track.get());
  }
  std::string operator()(const MasterGained& n) const {
    return "is master under epoch " + std::to_string(n.fence.epoch.get());
  }
  std::string operator()(const MasterLost& n) const {
    return "is no longer master under epoch " + std::to_string(n.fence.epoch.get());
  }
  std::string operator()(const MasterChanged& n) const {
    return n.name.empty()
               ? "sees no master"
               : "sees master " + n.name.get() + " under epoch " + std::to_string(n.epoch.get());
  }
  std::string operator()(const PeerChanged& n) const {
    return "finds " + n.name.get() + "/" + std::to_string(n.incarnation.get()) + " " +
           name_of(n.state) + (n.fit ? "" : ", unfit");
  }
  std::string operator()(const Stopped& n) const { return "stops: " + name_of(n.reason); }
  std::string operator()(const Resumed&) const { return "may write"; }
  std::string operator()(const Joined&) const { return "is a member"; }
  std::string operator()(const LeftGroup&) const { return "has left"; }
  std::string operator()(const Superseded&) const { return "is superseded"; }
};

}  // namespace

std::string describe(const Notice& notice) { return std::visit(Describe{}, notice); }

}  // namespace turnout::sim
