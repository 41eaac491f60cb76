#pragma once

// When a delayed move is due: `go to "S" after 2 days at 09:00 on weekdays`, `3 days before
// renews_on`, `at 09:00`, `at 2026-12-01 09:00`.

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "decide/condition.h"
#include "decide/row.h"
#include "decide/turns.h"
#include "track/track.h"

namespace turnout::decide {

struct CompiledDue {
  enum class Kind : std::uint8_t { kAfter, kField, kClock, kAt };
  Kind kind = Kind::kAfter;
  CalendarDuration delay;  // kAfter, kField
  int sign = 1;            // kField: -1 is before the field's time
  std::optional<WeeklyTurns> clock;
  Term time;               // kField, kAt
  std::uint64_t mark = 0;  // kField: what ContactBlock::stayed holds while the move waits

  bool follows() const { return kind == Kind::kField; }
};

base::Result<CompiledDue> compile_due(const track::Due& due, Columns& columns);
// `after` a duration alone.
CompiledDue due_after(const track::DurationSpec& duration);

// The instant for a row that moves, or waits for it, at rows.now(). Of kField not before now either
// (past: at once), or kNever while the field is missing. Of the others never before now.
base::Instant due_instant(const CompiledDue& due, const Rows& rows, std::size_t row);

// Whether due_instant() depends on where the contact's days begin.
bool reads_zone(const CompiledDue& due);

}  // namespace turnout::decide
