#pragma once

// What the tracks of a book say of when their messages may go out, for those who take deliveries.

#include <memory>
#include <string>
#include <vector>

#include "store/types.h"
#include "work/track_book.h"

namespace turnout::work {

// Names of the fields that tell contacts' time zones; each once. Any thread.
std::vector<std::string> zone_fields(const TrackBook& book);

// `fields`: those that deliveries are taken with, all of zone_fields() among them that are
// declared. The rules look at the book as it is when they are asked, which must outlive them. Any
// thread.
store::SendRules send_rules(const TrackBook& book,
                            std::shared_ptr<const std::vector<track::Field>> fields);

}  // namespace turnout::work
