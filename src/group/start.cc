#include "group/start.h"

#include <algorithm>

namespace turnout::group {

Start::Start(Duration cycle, int miss_limit) : cycle_(cycle), miss_limit_(miss_limit) {}

StartVerdict Start::stamp_read(const PeerStamp& stamp, bool lock_free, Tick began, Tick now) {
  if (lock_free || stamp.count == 0) {
    return StartVerdict::kGo;
  }
  next_read_ = now + cycle_;
  if (!seen_) {
    seen_ = true;
    first_ = began;
    still_ = now;
    last_ = stamp;
    return StartVerdict::kWait;
  }
  if (stamp.count != last_.count || stamp.incarnation != last_.incarnation) {
    last_ = stamp;
    still_ = now;
    return began - first_ >= cycle_ * miss_limit_ ? StartVerdict::kInUse : StartVerdict::kWait;
  }
  return began - still_ >= cycle_ * 2 ? StartVerdict::kGo : StartVerdict::kWait;
}

}  // namespace turnout::group
