#pragma once

// What is the same of events in both databases and the model.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "store/sql/connection.h"
#include "store/types.h"

namespace turnout::store::sql {

inline constexpr std::size_t kMaxEvents = 5000;  // recorded in one transaction

// kInvalid with a sentence when the events cannot be recorded, whatever is in the database.
base::Result<void> check_events(const std::vector<NewEvent>& events);

// The events of a JSON text [[number, microseconds since 1970, name, properties, heard], …], or "".
// CHECKs that it is one: a database has written it.
std::vector<track::BlockEvent> read_events(std::string_view text);

// Records what actions ask for that is recorded (track::is_recorded), that of one contact in the
// order given. Within a write transaction.
base::Result<void> record_asked(Connection& connection, const std::vector<Delivery>& asked);

// The event of such an action: its name, and its properties or "".
std::pair<std::string, std::string> asked_event(const Delivery& asked);

// Tells entries that these messages were dropped by a cap. Within a write transaction.
base::Result<void> record_capped(Connection& connection, const std::vector<Delivery>& capped);
// The event that tells of it: its name, and its properties.
std::pair<std::string, std::string> capped_event(const Delivery& capped);

// When a delivery that is held back is looked at again: then, or within a day.
constexpr base::Instant looked_at_again(base::Instant not_before, base::Instant now) {
  const base::Instant tomorrow = now + std::chrono::hours(24);
  return not_before < tomorrow ? not_before : tomorrow;
}

// The journal's path of an entry that is taken off on the step.
std::string taken_off_path(std::int32_t step, std::int32_t outcome);

// Whether an entry hears an event that comes from `origin` of an entry, or from outside.
constexpr bool is_heard(EventOrigin origin, bool own_entry) {
  return origin == EventOrigin::kOutside || own_entry == (origin == EventOrigin::kAnswer);
}

}  // namespace turnout::store::sql
