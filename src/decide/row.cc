#include "decide/row.h"

#include <re2/re2.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/check.h"
#include "decide/scopes.h"

namespace turnout::decide {
namespace {

using track::Compare;
using track::Type;

template <class T>
bool holds(Compare op, const T& a, const T& b) {
  switch (op) {
    case Compare::kIs:
      return a == b;
    case Compare::kLess:
      return a < b;
    case Compare::kAtMost:
      return a <= b;
    case Compare::kMore:
      return a > b;
    case Compare::kAtLeast:
      return a >= b;
    case Compare::kIsNot:
      break;
  }
  CHECK(op != Compare::kIsNot);
  return false;
}

bool present(const Term& term, const Rows& rows, std::size_t row) {
  if (term.kind == Term::Kind::kScoped) {
    return rows.scopes() != nullptr && rows.scopes()->find(term.scoped, row) != nullptr;
  }
  return term.kind != Term::Kind::kField || rows.column(term.field).present[row] != 0;
}
std::string_view text(const Term& term, const Rows& rows, std::size_t row) {
  return term.kind == Term::Kind::kField ? rows.column(term.field).text_at(row)
                                         : std::string_view(std::get<std::string>(term.constant));
}
double number(const Term& term, const Rows& rows, std::size_t row) {
  return term.kind == Term::Kind::kField ? rows.column(term.field).number[row]
                                         : std::get<double>(term.constant);
}
bool boolean(const Term& term, const Rows& rows, std::size_t row) {
  return term.kind == Term::Kind::kField ? rows.column(term.field).boolean[row] != 0
                                         : std::get<bool>(term.constant);
}

// The stretch of time [low, high) that a moment takes up; a point has low == high and is in no
// stretch.
struct Stretch {
  bool point = true;
  base::Instant low;
  base::Instant high;
};
Stretch stretch(const Moment& moment, const Zone& zone) {
  if (!moment.day) {
    return {true, {moment.value}, {moment.value}};
  }
  const auto day = static_cast<std::int32_t>(moment.value);
  return {false, zone.start_of({day}), zone.start_of({day + 1})};
}
// The same moved by a duration: a day by its months and days, both its ends by the rest.
Stretch moved(const Moment& moment, const Zone& zone, const CalendarDuration& by, int sign) {
  if (!moment.day) {
    const base::Instant at = zone.add({moment.value}, by, sign);
    return {true, at, at};
  }
  const base::Date day = shift({static_cast<std::int32_t>(moment.value)}, by, sign);
  return {false, add_clamped(zone.start_of(day), sign * by.exact),
          add_clamped(zone.start_of({day.days + 1}), sign * by.exact)};
}
// -1: before `at`, 0: at it or around it, 1: after it.
int order(const Stretch& stretch, base::Instant at) {
  if (at < stretch.low) {
    return 1;
  }
  const bool over = stretch.point ? at > stretch.high : at >= stretch.high;
  return over ? -1 : 0;
}

int compare_moments(const Moment& a, const Moment& b, const Rows& rows, std::size_t row) {
  if (a.day == b.day) {
    return a.value < b.value ? -1 : (a.value > b.value ? 1 : 0);
  }
  const Zone& zone = rows.zone(row);
  return a.day ? order(stretch(a, zone), {b.value}) : -order(stretch(b, zone), {a.value});
}

// Two dotted names: only values of one JSON type compare, and of those only numbers and texts by
// size.
bool test_untyped(const Node& node, const Rows& rows, std::size_t row) {
  if (!present(node.a, rows, row) || !present(node.b, rows, row)) {
    return false;
  }
  const nlohmann::json& a = *rows.scopes()->find(node.a.scoped, row);
  const nlohmann::json& b = *rows.scopes()->find(node.b.scoped, row);
  if (a.is_number() && b.is_number()) {
    return holds(node.op, a.get<double>(), b.get<double>());
  }
  if (a.is_string() && b.is_string()) {
    return holds(node.op, a.get_ref<const std::string&>(), b.get_ref<const std::string&>());
  }
  return node.op == Compare::kIs && a == b;
}

// Whether the contact has sent the event so often. An event that is to come by `now` has not been.
bool test_did(const Node& node, const Rows& rows, std::size_t row, base::Instant now) {
  const track::ContactBlock& block = rows.block();
  if (block.events.empty()) {
    return false;
  }
  const auto counts = [&](const track::BlockEvent& event) {
    switch (node.span) {
      case track::DidEvent::Span::kEver:
        return true;
      case track::DidEvent::Span::kWithinLast:
        return rows.zone(row).add(event.at, node.duration, 1) >= now;
      case track::DidEvent::Span::kSinceEntering:
        return event.at >= block.entered_at[row];
      case track::DidEvent::Span::kSinceStep:
        return event.at >= rows.step_at(row);
    }
    return false;
  };
  double times = 0;
  for (const track::BlockEvent& event : block.events[row]) {
    if (event.name != node.event || event.at > now || !counts(event)) {
      continue;
    }
    if (node.children.empty()) {
      ++times;
      continue;
    }
    CHECK(rows.scopes() != nullptr);
    const track::BlockEvent* const before = rows.scopes()->offer(row, &event);
    times += test(node.children.front(), rows, row, now) ? 1 : 0;
    rows.scopes()->offer(row, before);
  }
  return times >= node.times;
}

bool test_compare(const Node& node, const Rows& rows, std::size_t row, base::Instant now) {
  if (node.a.type == Type::kUntyped) {
    return test_untyped(node, rows, row);
  }
  switch (node.a.type) {
    case Type::kTimestamp:
    case Type::kDate: {
      const Moment a = moment(node.a, rows, row, now);
      const Moment b = moment(node.b, rows, row, now);
      return a.present && b.present && holds(node.op, compare_moments(a, b, rows, row), 0);
    }
    default:
      break;
  }
  if (!present(node.a, rows, row) || !present(node.b, rows, row)) {
    return false;
  }
  switch (node.a.type) {
    case Type::kText:
      // char_traits compares as unsigned bytes, which for UTF-8 is the order of code points.
      return holds(node.op, text(node.a, rows, row), text(node.b, rows, row));
    case Type::kNumber:
      return holds(node.op, number(node.a, rows, row), number(node.b, rows, row));
    default:
      return holds(node.op, boolean(node.a, rows, row), boolean(node.b, rows, row));
  }
}

bool test_distance(const Node& node, const Rows& rows, std::size_t row, base::Instant now) {
  const Moment at = moment(node.a, rows, row, now);
  if (!at.present) {
    return false;
  }
  const int distance = distance_order(node, rows, row, now);
  if (node.kind == Node::Kind::kRelative && node.more) {
    return distance < 0;
  }
  const bool near = node.kind == Node::Kind::kWithin ? distance >= 0 : distance > 0;
  // What is to come has not been within the last D, and what is over will not be within the next.
  return near && (node.future ? -1 : 1) * order(stretch(at, rows.zone(row)), now) <= 0;
}

// Days that std::chrono has a year for; anniversaries beyond them are nobody's.
constexpr std::int32_t kMaxCalendarDays = 10'000'000;

bool in_calendar(base::Date day) {
  return day.days >= -kMaxCalendarDays && day.days <= kMaxCalendarDays;
}

std::chrono::year_month_day calendar_day(base::Date day) {
  return std::chrono::sys_days{std::chrono::days{day.days}};
}

// The day of `year` that has the month and day of `date`, or the last of that month.
base::Date anniversary(base::Date date, std::chrono::year year) {
  const std::chrono::year_month_day ymd = calendar_day(date);
  const std::chrono::year_month_day_last last{year, std::chrono::month_day_last{ymd.month()}};
  const std::chrono::year_month_day day{year, ymd.month(), std::min(ymd.day(), last.day())};
  return {static_cast<std::int32_t>(std::chrono::sys_days{day}.time_since_epoch().count())};
}

base::Date local_day(const Moment& at, const Rows& rows, std::size_t row) {
  return at.day ? base::Date{static_cast<std::int32_t>(at.value)} : rows.day_of(row, {at.value});
}

bool test_anniversary(const Node& node, const Rows& rows, std::size_t row, base::Instant now) {
  const Moment a = moment(node.a, rows, row, now);
  const Moment b = moment(node.b, rows, row, now);
  if (!a.present || !b.present) {
    return false;
  }
  const base::Date day = local_day(a, rows, row);
  const base::Date of = local_day(b, rows, row);
  if (!in_calendar(day) || !in_calendar(of)) {
    return false;
  }
  const std::chrono::year year = calendar_day(day).year();
  return year > calendar_day(of).year() && anniversary(of, year) == day;
}

bool test_text(const Node& node, const Rows& rows, std::size_t row) {
  if (!present(node.a, rows, row) || !present(node.b, rows, row)) {
    return false;
  }
  const std::string_view whole = text(node.a, rows, row);
  const std::string_view part = text(node.b, rows, row);
  switch (node.text_test) {
    case track::TextTest::kContains:
      return whole.find(part) != std::string_view::npos;
    case track::TextTest::kStartsWith:
      return whole.starts_with(part);
    case track::TextTest::kEndsWith:
      return whole.ends_with(part);
  }
  return false;
}

bool test_leaf(const Node& node, const Rows& rows, std::size_t row, base::Instant now) {
  switch (node.kind) {
    case Node::Kind::kPresent:
      return present(node.a, rows, row);
    case Node::Kind::kCompare:
      return test_compare(node, rows, row, now);
    case Node::Kind::kOneOf:
      if (!present(node.a, rows, row)) {
        return false;
      }
      return node.a.type == Type::kText
                 ? std::binary_search(node.texts.begin(), node.texts.end(), text(node.a, rows, row))
                 : std::binary_search(node.numbers.begin(), node.numbers.end(),
                                      number(node.a, rows, row));
    case Node::Kind::kRelative:
    case Node::Kind::kWithin:
      return test_distance(node, rows, row, now);
    case Node::Kind::kAnniversary:
      return test_anniversary(node, rows, row, now);
    case Node::Kind::kText:
      return test_text(node, rows, row);
    case Node::Kind::kRegex:
      return present(node.a, rows, row) &&
             re2::RE2::PartialMatch(
                 re2::StringPiece(text(node.a, rows, row).data(), text(node.a, rows, row).size()),
                 *node.regex);
    case Node::Kind::kTrue:
      return present(node.a, rows, row) && boolean(node.a, rows, row);
    case Node::Kind::kTag:
      return rows.tag(node.tag)[row] != 0;
    case Node::Kind::kPlace:
      return rows.place(node.place)[row] != 0;
    case Node::Kind::kDid:
      return test_did(node, rows, row, now);
    case Node::Kind::kArm: {
      const track::ContactBlock& block = rows.block();
      const double share = draw(node.track, block.contact[row], block.entry[row], node.arm.step);
      return share >= node.arm.low && share < node.arm.high;
    }
    case Node::Kind::kAnd:
    case Node::Kind::kOr:
      break;
  }
  CHECK(node.kind == Node::Kind::kAnd || node.kind == Node::Kind::kOr);
  return false;
}

// ---- Changes with the time
// ------------------------------------------------------------------------------------------

// Instants at which the answer of a comparison may change, a superset.
class TurningPoints {
 public:
  TurningPoints(const Rows& rows, std::size_t row, base::Instant after)
      : rows_(rows), row_(row), after_(after) {}

  void of(const Node& node) {
    switch (node.kind) {
      case Node::Kind::kAnd:
      case Node::Kind::kOr:
        for (const Node& child : node.children) {
          of(child);
        }
        break;
      case Node::Kind::kCompare:
        if (node.a.moves() != node.b.moves()) {
          compare(node.a.moves() ? node.b : node.a, node.a.moves() ? node.a : node.b);
        }
        break;
      case Node::Kind::kRelative:
      case Node::Kind::kWithin:
        distance(node);
        break;
      case Node::Kind::kAnniversary:
        if (node.a.moves()) {
          anniversaries(node.b);
        }
        break;
      case Node::Kind::kDid:
        did(node);
        break;
      default:
        break;
    }
  }
  std::vector<base::Instant>& sorted() {
    std::sort(turns_.begin(), turns_.end());
    return turns_;
  }

 private:
  void add(base::Instant at) {
    if (at > after_ && at != track::kNever) {
      turns_.push_back(at);
    }
  }
  void add(const Stretch& stretch) {
    add(stretch.low);
    // A point is passed right after it, a stretch at its end.
    add(stretch.point ? add_clamped(stretch.high, base::Duration(1)) : stretch.high);
  }
  void add_day(base::Date day) { add(stretch({true, true, day.days}, rows_.zone(row_))); }

  void compare(const Term& still, const Term& moving) {
    const Moment at = moment(still, rows_, row_, after_);
    if (!at.present) {
      return;
    }
    if (moving.kind == Term::Kind::kToday) {
      add_day(local_day(at, rows_, row_));
    } else {
      add(stretch(at, rows_.zone(row_)));
    }
  }
  void distance(const Node& node) {
    const Moment at = moment(node.a, rows_, row_, after_);
    if (!at.present || node.a.moves()) {
      return;
    }
    const Zone& zone = rows_.zone(row_);
    add(moved(at, zone, node.duration, node.future ? -1 : 1));
    add(stretch(at, zone));
  }
  // When an event is too long ago to count.
  void did(const Node& node) {
    if (node.span != track::DidEvent::Span::kWithinLast || rows_.block().events.empty()) {
      return;
    }
    for (const track::BlockEvent& event : rows_.block().events[row_]) {
      if (event.name == node.event) {
        const base::Instant last = rows_.zone(row_).add(event.at, node.duration, 1);
        add(add_clamped(last, base::Duration(1)));
      }
    }
  }
  void anniversaries(const Term& of) {
    const Moment at = moment(of, rows_, row_, after_);
    if (!at.present) {
      return;
    }
    const base::Date day = local_day(at, rows_, row_);
    if (!in_calendar(day) || !in_calendar(rows_.day_of(row_, after_))) {
      return;
    }
    const std::chrono::year first = std::max(calendar_day(rows_.day_of(row_, after_)).year(),
                                             calendar_day(day).year() + std::chrono::years(1));
    // The day of one year may be over, and that of another one that the zone skipped.
    for (int k = 0; k < 3; ++k) {
      add_day(anniversary(day, first + std::chrono::years(k)));
    }
  }

  const Rows& rows_;
  const std::size_t row_;
  const base::Instant after_;
  std::vector<base::Instant> turns_;
};

bool changes_with_time(const Node& node) {
  return node.kind == Node::Kind::kRelative || node.kind == Node::Kind::kWithin ||
         node.kind == Node::Kind::kDid || node.a.moves() || node.b.moves() ||
         std::any_of(node.children.begin(), node.children.end(), changes_with_time);
}

}  // namespace

ColumnView view_of(const track::Column& column) {
  ColumnView view;
  view.type = column.type;
  view.present = column.present.data();
  view.number = column.number.data();
  view.boolean = column.boolean.data();
  view.time = column.time.data();
  view.text = &column.text;
  return view;
}

Rows::Rows(const track::ContactBlock& block, const ZoneRule& zone)
    : block_(block), zone_(zone), step_at_(&block.step_at), own_{zone.own, {}, {}, false} {
  columns_.reserve(block.columns.size());
  for (const track::Column& column : block.columns) {
    columns_.push_back(view_of(column));
  }
}

Rows::Local& Rows::local(std::size_t row) const {
  if (!zone_.field || columns_[*zone_.field].present[row] == 0) {
    return own_;
  }
  std::string name(columns_[*zone_.field].text_at(row));
  const auto known = by_name_.find(name);
  if (known != by_name_.end()) {
    return known->second;
  }
  const Zone zone = Zone::find(name).value_or(zone_.own);
  return by_name_.emplace(std::move(name), Local{zone, {}, {}, false}).first->second;
}

const Zone& Rows::zone(std::size_t row) const { return local(row).zone; }

base::Date Rows::day_of(std::size_t row, base::Instant at) const {
  Local& here = local(row);
  if (!here.known || here.at != at) {
    here.at = at;
    here.day = here.zone.day_of(at);
    here.known = true;
  }
  return here.day;
}

Moment moment(const Term& term, const Rows& rows, std::size_t row, base::Instant now) {
  const bool day = term.type == Type::kDate;
  switch (term.kind) {
    case Term::Kind::kConstant:
      return {true, day,
              day ? std::get<base::Date>(term.constant).days
                  : std::get<base::Instant>(term.constant).us};
    case Term::Kind::kField: {
      const ColumnView& column = rows.column(term.field);
      return {column.present[row] != 0, day, column.time[row]};
    }
    case Term::Kind::kNow:
      return {true, false, now.us};
    case Term::Kind::kToday:
      return {true, true, rows.day_of(row, now).days};
    case Term::Kind::kLocalTime:
      return {true, false, rows.zone(row).instant(term.date, term.second_of_day).us};
    case Term::Kind::kScoped:
      break;  // has no type, so is no time
  }
  return {};
}

int distance_order(const Node& node, const Rows& rows, std::size_t row, base::Instant now) {
  const int sign = node.future ? -1 : 1;
  return sign *
         order(moved(moment(node.a, rows, row, now), rows.zone(row), node.duration, sign), now);
}

bool test(const Node& node, const Rows& rows, std::size_t row, base::Instant now) {
  bool met = false;
  if (node.kind == Node::Kind::kAnd) {
    met = std::all_of(node.children.begin(), node.children.end(),
                      [&](const Node& child) { return test(child, rows, row, now); });
  } else if (node.kind == Node::Kind::kOr) {
    met = std::any_of(node.children.begin(), node.children.end(),
                      [&](const Node& child) { return test(child, rows, row, now); });
  } else {
    met = test_leaf(node, rows, row, now);
  }
  return met != node.negated;
}

base::Instant next_change(const Node& node, const Rows& rows, std::size_t row,
                          base::Instant after) {
  if (!changes_with_time(node)) {
    return track::kNever;
  }
  if (!node.children.empty() && !node.comparison && node.kind != Node::Kind::kDid) {
    base::Instant first = track::kNever;
    for (const Node& child : node.children) {
      first = std::min(first, next_change(child, rows, row, after));
    }
    return first;
  }
  TurningPoints turns(rows, row, after);
  turns.of(node);
  const bool answer = test(node, rows, row, after);
  for (const base::Instant turn : turns.sorted()) {
    if (test(node, rows, row, turn) != answer) {
      return turn;
    }
  }
  return track::kNever;
}

}  // namespace turnout::decide
