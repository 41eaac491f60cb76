#pragma once

// Recurrence rules of iCalendar (RFC 5545, 3.3.10), for `gather … rrule "FREQ=MONTHLY;BYDAY=1MO"`.

#include <memory>
#include <string>

#include "base/result.h"
#include "decide/zone.h"

namespace turnout::decide {

// A rule and the local time from which it counts. Immutable and cheap to copy; any thread.
class RecurrenceRule {
 public:
  // "FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=9", with "RRULE:" before it or not, behind a line
  // "DTSTART:20260105T090000" or not. Without DTSTART it counts from midnight on Monday, 1 January
  // 2001: what names no weekday is on Mondays, no day of the month on the first, no hour at
  // midnight. kInvalid with a sentence: not such a rule, COUNT without DTSTART, one that may come
  // round every second, a DTSTART with a zone, or one that never comes round.
  static base::Result<RecurrenceRule> parse(const std::string& text);

  // The first turn after `after`, by the clocks of the zone; kNever when there is none. Cost: some
  // microseconds, and as many turns as were since DTSTART where the rule has a COUNT (at most
  // kMaxCount) or an INTERVAL.
  base::Instant next(const Zone& zone, base::Instant after) const;

  static constexpr int kMaxCount = 10'000;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace turnout::decide
