#pragma once

// Start decides when a process that begins under a peer's name may take the next incarnation
// (docs/group.md, *Life of a peer*): at once if nothing stamps under that name or its last process
// is proven over; otherwise when the stamp has stood still for 2 cycles; never if it moves on for M
// cycles, for then the name is in use. A state machine without I/O.

#include <cstdint>

#include "group/config.h"
#include "group/ledger.h"

namespace turnout::group {

enum class StartVerdict : std::uint8_t {
  kWait,  // read the stamp again at next_read()
  kGo,    // draw the next incarnation from the database
  kInUse  // another process of this name lives: refuse to start, naming its address
};

class Start {
 public:
  // cycle and miss_limit as in Config.
  Start(Duration cycle, int miss_limit);

  // The name's stamp as read: began and now are before and after the attempt. count 0: never
  // stamped. lock_free: the life lock of the incarnation read could be had, so its process is over.
  StartVerdict stamp_read(const PeerStamp& stamp, bool lock_free, Tick began, Tick now);
  Tick next_read() const { return next_read_; }

 private:
  Duration cycle_;
  int miss_limit_;
  bool seen_ = false;
  PeerStamp last_;
  Tick first_{};  // when the first reading began
  Tick still_{};  // since when the stamp has not changed
  Tick next_read_{};
};

}  // namespace turnout::group
