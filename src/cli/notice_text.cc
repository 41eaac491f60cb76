#include "cli/notice_text.h"

#include <variant>

#include "base/overloaded.h"

namespace turnout::cli {
namespace {

const char* reason_name(group::StopReason reason) {
  switch (reason) {
    case group::StopReason::kStarting:
      return "starting";
    case group::StopReason::kLateTimer:
      return "late_timer";
    case group::StopReason::kLostGroup:
      return "lost_group";
    case group::StopReason::kUnfit:
      return "unfit";
    case group::StopReason::kTimeline:
      return "timeline";
  }
  return "?";
}

}  // namespace

const char* state_name(group::PeerState state) {
  switch (state) {
    case group::PeerState::kJoining:
      return "joining";
    case group::PeerState::kLiving:
      return "living";
    case group::PeerState::kSuspect:
      return "suspect";
    case group::PeerState::kUnavailable:
      return "unavailable";
    case group::PeerState::kGone:
      return "gone";
    case group::PeerState::kLeaving:
      return "leaving";
    case group::PeerState::kLeft:
      return "left";
  }
  return "?";
}

const char* reason_text(group::StopReason reason) {
  switch (reason) {
    case group::StopReason::kStarting:
      return "starting: has not stamped and read the ledger yet";
    case group::StopReason::kLateTimer:
      return "this process was held up for more than a cycle; checking before going on";
    case group::StopReason::kLostGroup:
      return "lost more than half of the other peers at once; checking before going on";
    case group::StopReason::kUnfit:
      return "the database does not answer";
    case group::StopReason::kTimeline:
      return "the database's timeline changed; reading the ledger again";
  }
  return "?";
}

std::string transition_name(const group::Notice& notice) {
  return std::visit(
      base::Overloaded{
          [](const group::TrackGained&) { return std::string("track_gained"); },
          [](const group::TrackLost&) { return std::string("track_lost"); },
          [](const group::TrackCeding&) { return std::string("track_ceding"); },
          [](const group::TrackKept&) { return std::string("track_kept"); },
          [](const group::MasterGained&) { return std::string("master_gained"); },
          [](const group::MasterLost&) { return std::string("master_lost"); },
          [](const group::MasterChanged&) { return std::string("master_changed"); },
          [](const group::PeerChanged& n) { return std::string("peer_") + state_name(n.state); },
          [](const group::Stopped& n) { return std::string("stopped_") + reason_name(n.reason); },
          [](const group::Resumed&) { return std::string("resumed"); },
          [](const group::Joined&) { return std::string("joined"); },
          [](const group::LeftGroup&) { return std::string("left"); },
          [](const group::Superseded&) { return std::string("superseded"); }},
      notice);
}

}  // namespace turnout::cli
