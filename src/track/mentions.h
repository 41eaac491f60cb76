#pragma once

// What fields and places a track speaks of.

#include <vector>

#include "track/track.h"

namespace turnout::track {

// Every place where the track reads or writes a field, tests included; in the order of the tree's
// description (json_tree.h), which is not always that of the text. Pointers live as long as the
// track is neither changed nor moved. Linear.
std::vector<const FieldRef*> fields_of(const Track& track);

// Every `on track "…"`, likewise.
std::vector<const OnTrack*> places_of(const Track& track);

}  // namespace turnout::track
