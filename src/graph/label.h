#pragma once

// Parts of a track in the few words that fit into a picture. Names stay as they are: whoever draws
// them wraps and shortens.

#include <string>

#include "track/track.h"

namespace turnout::graph {

// `email "welcome"`, `+tag "trial"`, `webhook "sales"`: without the body of a webhook and the like.
std::string action_label(const track::Action& action);

// The rule as written, in lines: head, actions, move.
std::string rule_text(const track::Rule& rule);

}  // namespace turnout::graph
