#include "decide/time_sets.h"

#include <algorithm>

#include "base/time.h"
#include "decide/row.h"

namespace turnout::decide {
namespace {

using base::Instant;
using track::Compare;
using track::Type;

// Months of different lengths and changes of the clocks move a sum of calendar units by less than
// this.
constexpr std::int64_t kSlackDays = 10;

// The values that compare equal to a moment are [low, high); those below are before it, the others
// after it.
struct Bounds {
  std::int64_t low = 0;
  std::int64_t high = 0;
};

struct At {
  bool day = false;
  std::int64_t value = 0;
};

At fixed(const Term& term, const Zone& zone, Instant now) {
  switch (term.kind) {
    case Term::Kind::kNow:
      return {false, now.us};
    case Term::Kind::kToday:
      return {true, zone.day_of(now).days};
    case Term::Kind::kLocalTime:
      return {false, zone.instant(term.date, term.second_of_day).us};
    default:
      break;
  }
  if (term.type == Type::kDate) {
    return {true, std::get<base::Date>(term.constant).days};
  }
  return {false, std::get<Instant>(term.constant).us};
}

Bounds bounds(Type field, const At& at, const Zone& zone) {
  if (field == Type::kDate) {
    const std::int64_t day = at.day ? at.value : zone.day_of({at.value}).days;
    return {day, day + 1};
  }
  if (at.day) {
    const auto day = static_cast<std::int32_t>(at.value);
    return {zone.start_of({day}).us, zone.start_of({day + 1}).us};
  }
  return {at.value, at.value + 1};
}

TimeSet values(Compare op, const Bounds& bounds) {
  switch (op) {
    case Compare::kIs:
    case Compare::kIsNot:
      return {{bounds.low, bounds.high}};
    case Compare::kLess:
      return {{Interval::kLowest, bounds.low}};
    case Compare::kAtMost:
      return {{Interval::kLowest, bounds.high}};
    case Compare::kMore:
      return {{bounds.high, Interval::kHighest}};
    case Compare::kAtLeast:
      return {{bounds.low, Interval::kHighest}};
  }
  return {};
}

Compare mirrored(Compare op) {
  switch (op) {
    case Compare::kLess:
      return Compare::kMore;
    case Compare::kAtMost:
      return Compare::kAtLeast;
    case Compare::kMore:
      return Compare::kLess;
    case Compare::kAtLeast:
      return Compare::kAtMost;
    default:
      return op;
  }
}

void append(TimeSet& set, Interval more) {
  if (more.low >= more.high) {
    return;
  }
  if (!set.empty() && set.back().high >= more.low) {
    set.back().high = std::max(set.back().high, more.high);
  } else {
    set.push_back(more);
  }
}

TimeSet both(const TimeSet& a, const TimeSet& b) {
  TimeSet common;
  for (const Interval& x : a) {
    for (const Interval& y : b) {
      append(common, {std::max(x.low, y.low), std::min(x.high, y.high)});
    }
  }
  return common;
}

enum class Wanted : std::uint8_t { kFar, kNear, kNearOrAt };

// Asks a kRelative or kWithin how one value of its field stands to now: a block of one row.
class Probe {
 public:
  Probe(const Node& node, Wanted wanted, const Zone& zone, Instant now)
      : node_(node), wanted_(wanted), rule_{zone, {}} {
    node_.a.field = 0;
    block_.now = now;
    block_.contact.emplace_back(1);
    block_.columns.resize(1);
    block_.columns[0].type = node.a.type;
    block_.columns[0].present = {1};
    block_.columns[0].time = {0};
  }
  bool operator()(std::int64_t value) {
    block_.columns[0].time[0] = value;
    const int order = distance_order(node_, Rows(block_, rule_), 0, block_.now);
    switch (wanted_) {
      case Wanted::kFar:
        return order < 0;
      case Wanted::kNear:
        return order > 0;
      case Wanted::kNearOrAt:
        break;
    }
    return order >= 0;
  }

 private:
  Node node_;
  Wanted wanted_;
  ZoneRule rule_;
  track::ContactBlock block_;
};

// Instants between which a sum of calendar units only grows with the value: local midnights and
// changes of the clocks.
std::vector<std::int64_t> cuts(const Zone& zone, std::int64_t from, std::int64_t to) {
  std::vector<std::int64_t> at = {from, to};
  for (base::Date day = zone.day_of({from}); zone.start_of(day).us < to; ++day.days) {
    at.push_back(zone.start_of(day).us);
  }
  for (auto turn = zone.next_transition({from}); turn && turn->us < to;
       turn = zone.next_transition(*turn)) {
    at.push_back(turn->us);
  }
  std::erase_if(at, [&](std::int64_t point) { return point < from || point > to; });
  std::sort(at.begin(), at.end());
  at.erase(std::unique(at.begin(), at.end()), at.end());
  return at;
}

// The first value in (low, high] with another answer than `low`, where all after it have that
// answer too.
std::int64_t boundary(Probe& probe, std::int64_t low, std::int64_t high) {
  const bool answer = probe(low);
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    (probe(middle) == answer ? low : high) = middle;
  }
  return high;
}

// Values for which `node` is met, whose answer below and above [from, to] does not change any more
// and changes at most once between two neighbouring cuts.
TimeSet searched(Probe& probe, const std::vector<std::int64_t>& cuts) {
  TimeSet set;
  std::int64_t begin = Interval::kLowest;
  bool met = probe(cuts.front() - 1);
  const auto turn = [&](std::int64_t at, bool now_met) {
    if (met == now_met) {
      return;
    }
    if (met) {
      append(set, {begin, at});
    }
    begin = at;
    met = now_met;
  };
  for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
    turn(cuts[i], probe(cuts[i]));
    if (probe(cuts[i + 1] - 1) != met) {
      turn(boundary(probe, cuts[i], cuts[i + 1] - 1), !met);
    }
  }
  turn(cuts.back(), probe(cuts.back()));
  if (met) {
    append(set, {begin, Interval::kHighest});
  }
  return set;
}

std::optional<TimeSet> distance_set(const Node& node, const Zone& zone, Instant now) {
  if (node.a.kind != Term::Kind::kField) {
    return std::nullopt;
  }
  const int sign = node.future ? -1 : 1;
  const Instant pivot = zone.add(now, node.duration, -sign);
  std::vector<std::int64_t> points;
  if (node.a.type == Type::kDate) {
    const std::int64_t day = zone.day_of(pivot).days;
    for (std::int64_t i = -kSlackDays; i <= kSlackDays; ++i) {
      points.push_back(day + i);
    }
  } else if (node.duration.calendar()) {
    points = cuts(zone, pivot.us - kSlackDays * base::kUsPerDay,
                  pivot.us + kSlackDays * base::kUsPerDay);
  } else {
    points = {pivot.us - base::kUsPerDay, pivot.us + base::kUsPerDay};
  }
  if (node.kind == Node::Kind::kRelative && node.more) {
    Probe probe(node, Wanted::kFar, zone, now);
    return searched(probe, points);
  }
  Probe probe(node, node.kind == Node::Kind::kWithin ? Wanted::kNearOrAt : Wanted::kNear, zone,
              now);
  const At at{false, now.us};
  return both(searched(probe, points), values(node.future ? Compare::kAtLeast : Compare::kAtMost,
                                              bounds(node.a.type, at, zone)));
}

}  // namespace

std::optional<TimeSet> met_set(const Node& node, const Zone& zone, Instant now) {
  if (node.kind == Node::Kind::kRelative || node.kind == Node::Kind::kWithin) {
    return distance_set(node, zone, now);
  }
  if (node.kind != Node::Kind::kCompare) {
    return std::nullopt;
  }
  const bool left = node.a.kind == Term::Kind::kField;
  const bool right = node.b.kind == Term::Kind::kField;
  if (left == right) {
    return std::nullopt;
  }
  const Term& field = left ? node.a : node.b;
  const At at = fixed(left ? node.b : node.a, zone, now);
  return values(left ? node.op : mirrored(node.op), bounds(field.type, at, zone));
}

}  // namespace turnout::decide
