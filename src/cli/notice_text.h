#pragma once

// Words for what the group's machine says: for the log, for people, and for metrics. Thread-safe.

#include <string>

#include "group/member.h"

namespace turnout::cli {

// "joining", "living", "suspect", …
const char* state_name(group::PeerState state);
// Why a peer writes nothing for now, for a person.
const char* reason_text(group::StopReason reason);
// The kind of a notice, as metrics name it: "track_gained", "peer_gone", "stopped_unfit", …
std::string transition_name(const group::Notice& notice);

}  // namespace turnout::cli
