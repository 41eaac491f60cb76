#pragma once

// What peers do, in words: for transcripts and for the traces of failing seeds.

#include <string>

#include "group/member.h"

namespace turnout::sim {

std::string name_of(group::PeerState state);
std::string name_of(group::PeerPhase phase);
std::string name_of(group::StopReason reason);
std::string describe(const group::Notice& notice);

}  // namespace turnout::sim
