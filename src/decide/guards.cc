#include "decide/guards.h"

#include <algorithm>
#include <cmath>
#include <variant>

#include "decide/condition.h"
#include "decide/turns.h"

namespace turnout::decide {
namespace {

using base::Date;
using base::Instant;

// The end of the quiet stretch that `at` lies in, or `at`. One that goes past midnight belongs to
// the day on which it begins, so that of the day before is looked at as well.
Instant end_of_quiet(const track::Quiet& quiet, const Zone& zone, Instant at) {
  const track::Days days = quiet.days.value_or(track::kEveryDay);
  const Date today = zone.day_of(at);
  for (const std::int32_t ahead : {-1, 0}) {
    const Date day{today.days + ahead};
    if (!has_day(days, day)) {
      continue;
    }
    Instant begins = zone.start_of(day);
    Instant ends = zone.start_of(Date{day.days + 1});
    if (quiet.hours) {
      const auto [from, to] = *quiet.hours;
      begins = zone.instant(day, from.seconds);
      ends = zone.instant(Date{day.days + (to.seconds <= from.seconds ? 1 : 0)}, to.seconds);
    }
    if (at >= begins && at < ends) {
      return ends;
    }
  }
  return at;
}

}  // namespace

Guards::Guards(const track::Track& track, Zone own) : own_(own) {
  for (const track::Clause& clause : track.clauses) {
    if (const auto* const quiet = std::get_if<track::Quiet>(&clause)) {
      quiet_.push_back(*quiet);
    } else if (const auto* const cap = std::get_if<track::Cap>(&clause)) {
      cap_ = *cap;
    }
  }
}

base::Result<Guards> Guards::compile(const track::Track& track, const track::Catalogue& catalogue) {
  Columns columns;
  columns.catalogue = &catalogue;
  TRY(const ZoneRule rule, compile_zone(track, columns));
  Guards guards(track, rule.own);
  if (rule.field && !columns.fields[*rule.field].column.empty()) {
    guards.zone_field_ = columns.fields[*rule.field].name;
  }
  return guards;
}

std::vector<std::string> Guards::fields() const {
  std::vector<std::string> names = zone_fields();
  if (zone_field_ && !quiet_.empty()) {
    names.push_back(*zone_field_);
  }
  return names;
}

std::optional<Guards::Cap> Guards::cap(Instant now) const {
  if (!cap_) {
    return std::nullopt;
  }
  return Cap{cap_->messages, static_cast<std::int64_t>(std::ceil(cap_->count)),
             own_.add(now, to_calendar(cap_->per), -1)};
}

std::vector<std::string> Guards::zone_fields() const {
  std::vector<std::string> names;
  for (const track::Quiet& quiet : quiet_) {
    if (quiet.zone_field) {
      names.push_back(quiet.zone_field->name);
    }
  }
  return names;
}

Instant Guards::not_quiet_from(Instant at, const std::vector<Zone>& zones) const {
  // Each turn ends a stretch of a day at most. Weeks repeat themselves, so what is quiet for longer
  // than two of them always is.
  const int enough = 15 * (static_cast<int>(quiet_.size()) + 1);
  for (int turn = 0; turn < enough; ++turn) {
    Instant end = at;
    for (std::size_t i = 0; i < quiet_.size(); ++i) {
      end = std::max(end, end_of_quiet(quiet_[i], zones[i], at));
    }
    if (end == at) {
      return at;
    }
    at = end;
  }
  return track::kNever;
}

bool Guards::capped(track::ActionKind kind, Instant at,
                    const std::vector<SentMessage>& sent) const {
  const auto counts = [this](track::ActionKind what) {
    return what == track::ActionKind::kEmail ||
           (cap_->messages && what == track::ActionKind::kShow);
  };
  if (!cap_ || !counts(kind)) {
    return false;
  }
  const Instant since = own_.add(at, to_calendar(cap_->per), -1);
  const auto within = std::count_if(sent.begin(), sent.end(), [&](const SentMessage& message) {
    return message.at > since && counts(message.kind);
  });
  return static_cast<double>(within) >= cap_->count;
}

}  // namespace turnout::decide
