#include "decide/rrule.h"

#include <fmt/format.h>
#include <libical/ical.h>

#include <algorithm>
#include <optional>

#include "track/block.h"

namespace turnout::decide {

struct RecurrenceRule::Impl {
  icalrecurrencetype rule{};
  icaltimetype start{};  // no zone: a local time
};

namespace {

using base::Instant;

struct FreeIterator {
  void operator()(icalrecur_iterator* iterator) const { icalrecur_iterator_free(iterator); }
};
using Iterator = std::unique_ptr<icalrecur_iterator, FreeIterator>;

constexpr int kMidnight2001[] = {2001, 1, 1};  // a Monday

icaltimetype usual_start() {
  icaltimetype start = icaltime_null_time();
  start.year = kMidnight2001[0];
  start.month = kMidnight2001[1];
  start.day = kMidnight2001[2];
  return start;
}

// 1 January 1970 plus `days`.
icaltimetype local_of(base::Date day) {
  icaltimetype local = usual_start();
  const std::string text = base::format_date(day);  // YYYY-MM-DD
  local.year = std::stoi(text);
  const std::size_t dash = text.find('-', 1);
  local.month = std::stoi(text.substr(dash + 1));
  local.day = std::stoi(text.substr(dash + 4));
  return local;
}

std::optional<Instant> instant_of(const icaltimetype& local, const Zone& zone) {
  const auto day =
      base::parse_date(fmt::format("{:04}-{:02}-{:02}", local.year, local.month, local.day));
  if (!day) {
    return std::nullopt;
  }
  return zone.instant(day.value(), local.hour * 3600 + local.minute * 60 + local.second);
}

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n;");
  const std::size_t end = text.find_last_not_of(" \t\r\n;");
  return begin == std::string::npos ? "" : text.substr(begin, end - begin + 1);
}

base::Error wrong(std::string message) { return {base::ErrorCode::kInvalid, std::move(message)}; }

struct Parts {
  std::optional<std::string> start;
  std::string rule;
};

// A line for each, as calendars write them; the rule may stand alone.
Parts parts_of(const std::string& text) {
  Parts parts;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = trimmed(text.substr(begin, end - begin));
    if (line.starts_with("DTSTART")) {
      parts.start = line.substr(7);
    } else if (!line.empty()) {
      parts.rule = line.starts_with("RRULE:") ? line.substr(6) : line;
    }
    begin = end + 1;
  }
  return parts;
}

base::Result<icaltimetype> start_of(const std::string& text) {
  constexpr const char* kWrite = "write DTSTART:20260105T090000, a local time";
  const bool local = text.starts_with(":") && text.size() == 16 && text[9] == 'T';
  const icaltimetype start =
      local ? icaltime_from_string(text.substr(1).c_str()) : icaltime_null_time();
  if (icaltime_is_null_time(start) != 0 || icaltime_is_valid_time(start) == 0) {
    return wrong(fmt::format("\"DTSTART{}\" is no start of a rule; {}", text, kWrite));
  }
  return start;
}

// The next turn of the iterator, or nullopt at the rule's end.
std::optional<icaltimetype> step(icalrecur_iterator* iterator) {
  const icaltimetype turn = icalrecur_iterator_next(iterator);
  return icaltime_is_null_time(turn) != 0 ? std::nullopt : std::optional(turn);
}

}  // namespace

base::Result<RecurrenceRule> RecurrenceRule::parse(const std::string& text) {
  const Parts parts = parts_of(text);
  auto impl = std::make_shared<Impl>();
  impl->start = usual_start();
  if (parts.start) {
    TRY(impl->start, start_of(*parts.start));
  }
  impl->rule = icalrecurrencetype_from_string(parts.rule.c_str());
  if (impl->rule.freq == ICAL_NO_RECURRENCE) {
    return wrong(
        fmt::format("\"{}\" is no recurrence rule of iCalendar; write \"FREQ=WEEKLY;"
                    "BYDAY=MO;BYHOUR=9\"",
                    parts.rule));
  }
  if (impl->rule.freq == ICAL_SECONDLY_RECURRENCE || impl->rule.freq == ICAL_MINUTELY_RECURRENCE) {
    return wrong("a recurrence rule comes round every hour at most; write `every 5 minutes`");
  }
  if (impl->rule.count > 0 && !parts.start) {
    return wrong(
        "COUNT needs a start to count from; write \"DTSTART:20260105T090000\" on a line "
        "before the rule");
  }
  if (impl->rule.count > kMaxCount) {
    return wrong(fmt::format("COUNT is {} at most", kMaxCount));
  }
  RecurrenceRule rule;
  rule.impl_ = std::move(impl);
  if (rule.next(Zone(), Instant{}) == track::kNever && rule.impl_->rule.count == 0 &&
      icaltime_is_null_time(rule.impl_->rule.until) != 0) {
    return wrong("the recurrence rule never comes round");
  }
  return rule;
}

Instant RecurrenceRule::next(const Zone& zone, Instant after) const {
  // libical changes the rule that it is given in no way, but does not say so.
  const Iterator iterator(icalrecur_iterator_new(impl_->rule, impl_->start));
  if (!iterator) {
    return track::kNever;
  }
  // Where the clocks go back, the evening before comes again.
  const icaltimetype from = local_of(base::Date{zone.day_of(after).days - 1});
  if (impl_->rule.count == 0 && icaltime_compare(from, impl_->start) > 0) {
    icalrecur_iterator_set_start(iterator.get(), from);
  }
  while (const std::optional<icaltimetype> turn = step(iterator.get())) {
    if (const std::optional<Instant> at = instant_of(*turn, zone); at && *at > after) {
      return *at;
    }
  }
  return track::kNever;
}

}  // namespace turnout::decide
