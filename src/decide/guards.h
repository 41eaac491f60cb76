#pragma once

// What a track says of when its messages may go out: `quiet` and `send at most`. Looked at when a
// message is about to be sent, not when it is asked for.
//
// Quiet hours delay e-mails. A cap drops: `emails` counts those of the track that were sent to the
// contact within the time, `messages` what is shown on pages as well. Webhooks and SQL go to
// systems, and are never held up.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "decide/zone.h"
#include "track/block.h"
#include "track/catalogue.h"
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

  // The same, with what tells a contact's own zone. kInvalid when there is no such zone.
  static base::Result<Guards> compile(const track::Track& track, const track::Catalogue& catalogue);

  // Whether anything may ever hold a message up, or drop it.
  bool any() const { return !quiet_.empty() || cap_; }
  // Names of all fields that not_before() asks for.
  std::vector<std::string> fields() const;
  // not_quiet_from() for messages of that kind, where `value_of` tells the contact's zone as well.
  template <class ValueOf>
  base::Instant not_before(track::ActionKind kind, base::Instant at, ValueOf value_of) const {
    if (!waits(kind) || quiet_.empty()) {
      return at;
    }
    const Zone contact = zone_field_ ? Zone::find(value_of(*zone_field_)).value_or(own_) : own_;
    return not_quiet_from(at, contact, value_of);
  }
  // The track's cap as of `now`: at most so many of those sent after `since`.
  struct Cap {
    bool messages = false;
    std::int64_t at_most = 0;
    base::Instant since;
  };
  std::optional<Cap> cap(base::Instant now) const;

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
  std::optional<std::string> zone_field_;
};

}  // namespace turnout::decide
