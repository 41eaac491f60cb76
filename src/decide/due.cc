#include "decide/due.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/hash.h"
#include "track/block.h"

namespace turnout::decide {
namespace {

using base::Instant;
using base::Result;

constexpr Instant kAnyTime{std::numeric_limits<std::int64_t>::min()};

WeeklyTurns clock_of(const track::Clock& clock) {
  return {clock.days.value_or(track::kEveryDay), clock.at.seconds};
}

// The same for the same wait in every version of the track, so that one that is waited for goes on
// when another version takes over.
std::uint64_t mark_of(const CompiledDue& due, const std::string& field) {
  const CalendarDuration& d = due.delay;
  std::string text =
      fmt::format("{} {} {} {} {}", field, due.sign, d.months, d.days, d.exact.count());
  if (due.clock) {
    text += fmt::format(" at {} on {}", due.clock->second_of_day, due.clock->days.bits);
  }
  return track::kFollows | (base::hash_text(text) & (track::kFollows - 1));
}

// The field's time moved by the delay. A day is its local midnight.
Instant from_field(const CompiledDue& due, const Rows& rows, std::size_t row) {
  const Moment at = moment(due.time, rows, row, rows.now());
  if (!at.present) {
    return track::kNever;
  }
  const Zone& zone = rows.zone(row);
  if (!at.day) {
    return zone.add({at.value}, due.delay, due.sign);
  }
  const base::Date day = shift({static_cast<std::int32_t>(at.value)}, due.delay, due.sign);
  return add_clamped(zone.start_of(day), due.delay.exact * due.sign);
}

}  // namespace

CompiledDue due_after(const track::DurationSpec& duration) {
  CompiledDue due;
  due.delay = to_calendar(duration);
  return due;
}

Result<CompiledDue> compile_due(const track::Due& source, Columns& columns) {
  if (const auto* const after = std::get_if<track::Due::AfterDuration>(&source.when)) {
    CompiledDue due = due_after(after->duration);
    if (after->clock) {
      due.clock = clock_of(*after->clock);
    }
    return due;
  }
  CompiledDue due;
  if (const auto* const relative = std::get_if<track::Due::RelativeToField>(&source.when)) {
    due = due_after(relative->duration);
    due.kind = CompiledDue::Kind::kField;
    due.sign = relative->before ? -1 : 1;
    if (relative->clock) {
      due.clock = clock_of(*relative->clock);
    }
    TRY(due.time,
        compile_operand({relative->field, relative->field.span}, columns, track::Type::kTimestamp));
    if (!is_time(due.time.type)) {
      return invalid(relative->field.span,
                     fmt::format("`{}` is {}: nothing comes before or after it",
                                 relative->field.name, track::type_name(due.time.type)));
    }
    due.mark = mark_of(due, relative->field.name);
    return due;
  }
  if (const auto* const clock = std::get_if<track::Clock>(&source.when)) {
    due.kind = CompiledDue::Kind::kClock;
    due.clock = clock_of(*clock);
    return due;
  }
  const auto& at = std::get<track::Due::AtDateTime>(source.when).at;
  due.kind = CompiledDue::Kind::kAt;
  TRY(due.time, compile_operand({at, at.span}, columns));
  return due;
}

Instant due_instant(const CompiledDue& due, const Rows& rows, std::size_t row) {
  const Instant now = rows.now();
  const Zone& zone = rows.zone(row);
  const bool whole_days = due.delay.exact.count() == 0;
  Instant at = now;
  switch (due.kind) {
    case CompiledDue::Kind::kAfter:
      at = zone.add(now, due.delay, 1);
      at = due.clock ? at_clock(*due.clock, zone, at, whole_days, now) : at;
      break;
    case CompiledDue::Kind::kField:
      at = from_field(due, rows, row);
      at = due.clock && at != track::kNever ? at_clock(*due.clock, zone, at, whole_days, kAnyTime)
                                            : at;
      break;
    case CompiledDue::Kind::kClock:
      at = due.clock ? at_clock(*due.clock, zone, now, false, now) : now;
      break;
    case CompiledDue::Kind::kAt:
      at = {moment(due.time, rows, row, now).value};
      break;
  }
  return std::max(at, now);
}

bool reads_zone(const CompiledDue& due) {
  return due.delay.calendar() || due.clock || due.time.kind == Term::Kind::kLocalTime ||
         (due.kind == CompiledDue::Kind::kField && due.time.type == track::Type::kDate);
}

}  // namespace turnout::decide
