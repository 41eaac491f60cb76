#pragma once

// The tracks that the simulated group runs, and the deciding of their blocks. What a contact does
// on a track follows from its number, the track's and the step's, so that everybody decides alike.
// All tracks have the same steps: it passes through at once, waits for a time after its arrival, or
// waits until the contact's one field is high enough.

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "store/types.h"
#include "track/block.h"

namespace turnout::sim {

enum class StepKind { kAtOnce, kTime, kRule };

struct StepRule {
  StepKind kind = StepKind::kAtOnce;
  base::Duration wait{};      // kTime: after arrival
  std::int64_t at_least = 0;  // kRule: of the contact's value
  bool acts = false;          // the move away puts an action in the outbox
};

class Program {
 public:
  static constexpr std::int32_t kSteps = 6;  // numbered from 1
  static constexpr std::int32_t kCompleted = kSteps + 1;
  static constexpr std::int64_t kMaxValue = 5;
  static constexpr int kMaxHops = 2;  // moves in one block; the rest goes on by a timer due at once

  // `cycle`: waiting steps wait for up to two of them.
  explicit Program(base::Duration cycle) : cycle_(cycle) {}

  StepRule rule(base::TrackId track, base::ContactId contact, std::int32_t step) const;
  // Whether an entry on that step waits for the contact's value.
  bool listens(base::TrackId track, base::ContactId contact, std::int32_t step) const {
    return rule(track, contact, step).kind == StepKind::kRule;
  }
  // What becomes of a block that was loaded with fields(). `after` is cleared first.
  void run(base::TrackId track, const track::ContactBlock& before,
           track::BlockOutcome& after) const;

  // The contact's value, a number; missing is 0.
  const std::vector<track::Field>& fields() const { return fields_; }
  // A track of these steps, as it is published for the `edition`th time.
  static store::Publish publish(const std::string& name, int edition);

 private:
  base::Duration cycle_;
  std::vector<track::Field> fields_ = {{"value", track::Type::kNumber, "value"}};
};

}  // namespace turnout::sim
