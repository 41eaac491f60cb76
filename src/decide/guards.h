#pragma once

// What a track says of when its messages may go out: `quiet` and `send at most`. Looked at when a
// message is about to be sent, not when it is asked for.
//
// Quiet hours delay e-mails. A cap drops: `emails` counts those of the track that were sent to the
// contact within the time, `messages` what is shown on pages as well. Webhooks and SQL go to
// systems, and are never held up.

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "decide/zone.h"
#include "track/block.h"
#include "track/track.h"

namespace turnout::decide {

// A message of the track that was sent to the contact.
struct SentMessage {
  base::Instant at;
  track::ActionKind kind = track::ActionKind::kEmail;
};

// Immutable; any thread.
class Guards {
 public:
  // Of one track. `own` is the track's zone. The track has passed lang::check.
  Guards(const track::Track& track, Zone own);

  // Names of the fields, behind `quiet … in`, that hold a contact's zone.
  std::vector<std::string> zone_fields() const;
  // Whether messages of that kind wait for quiet hours to end.
  static bool waits(track::ActionKind kind) { return kind == track::ActionKind::kEmail; }

  // The first instant from `at` on at which it is not quiet, `at` itself where it is not; kNever
  // where it always is. `value_of` tells what a field of zone_fields() holds; where that is no
  // zone, it is the contact's (`contact`).
  template <class ValueOf>
  base::Instant not_quiet_from(base::Instant at, const Zone& contact, ValueOf value_of) const {
    std::vector<Zone> zones;
    for (const track::Quiet& quiet : quiet_) {
      std::optional<Zone> zone;
      if (quiet.zone_field) {
        zone = Zone::find(value_of(quiet.zone_field->name));
      }
      zones.push_back(zone.value_or(contact));
    }
    return not_quiet_from(at, zones);
  }
  // Whether a cap drops a message of that kind at that time; `sent` is what went out before.
  bool capped(track::ActionKind kind, base::Instant at, const std::vector<SentMessage>& sent) const;

 private:
  // `zones`: one for each `quiet` clause.
  base::Instant not_quiet_from(base::Instant at, const std::vector<Zone>& zones) const;

  std::vector<track::Quiet> quiet_;
  std::optional<track::Cap> cap_;
  Zone own_;
};

}  // namespace turnout::decide
