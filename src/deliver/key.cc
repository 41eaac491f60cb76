#include "deliver/key.h"

#include <fmt/format.h>

namespace turnout::deliver {

std::string key_text(const store::OutboxKey& key) {
  return fmt::format("{}.{}.{}.{}.{}", key.track.get(), key.contact.get(), key.entry, key.move_no,
                     key.action_no);
}

}  // namespace turnout::deliver
