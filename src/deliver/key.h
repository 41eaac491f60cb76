#pragma once

#include <string>
#include <string_view>

#include "store/types.h"

namespace turnout::deliver {

// The outbox key as text: "track.contact.entry.move.action", as in a Message-ID and in the header
// webhook-id.
std::string key_text(const store::OutboxKey& key);

}  // namespace turnout::deliver
