#include "decide/sql.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "base/time.h"
#include "decide/row.h"
#include "decide/time_sets.h"

namespace turnout::decide {
namespace {

using track::Compare;
using track::Type;
using track::Value;

constexpr const char* kTrue = "true";
constexpr const char* kFalse = "false";

constexpr const char* kZones = "days begin when they do in the zone of each contact";

// How far local days of different zones and sums of calendar units in them lie apart, amply.
constexpr std::int64_t kZonesDays = 5;
// What a translation may be where it cannot be exact: wider while it selects, narrower under a
// `not`.
enum class Side : std::uint8_t { kWider, kNarrower };

Side other(Side side) { return side == Side::kWider ? Side::kNarrower : Side::kWider; }

class Translator {
 public:
  Translator(const Columns& columns, Dialect dialect, base::Instant now, int first_parameter)
      : columns_(columns), dialect_(dialect), now_(now), next_parameter_(first_parameter) {}

  SqlCondition translate(const Node& where) {
    result_.text = condition(where, Side::kWider);
    if (result_.text == kTrue) {
      result_.text.clear();
    }
    return std::move(result_);
  }

 private:
  // SQL has three answers and we have two. `and` and `or` of SQL treat "unknown" as they treat
  // "false" when all that counts is whether the whole is true, so only `not` has to bring it down
  // to two.
  std::string condition(const Node& node, Side side) {
    if (!node.negated) {
      return plain(node, side);
    }
    std::string inner = plain(node, other(side));
    if (inner == kTrue || inner == kFalse) {
      return inner == kTrue ? kFalse : kTrue;
    }
    return fmt::format("({}) is not true", inner);
  }

  std::string plain(const Node& node, Side side) {
    switch (node.kind) {
      case Node::Kind::kAnd:
        return all(node, side, " and ", kTrue, kFalse);
      case Node::Kind::kOr:
        return all(node, side, " or ", kFalse, kTrue);
      case Node::Kind::kPresent:
        return node.a.kind == Term::Kind::kField ? column(node.a) + " is not null" : kTrue;
      case Node::Kind::kOneOf:
        return one_of(node);
      case Node::Kind::kTrue:
        return column(node.a) + " = true";
      case Node::Kind::kTag:
        return "exists (select 1 from contact_tag t where t.contact_id = c.id and t.tag = " +
               parameter(columns_.tags[node.tag]) + ")";
      case Node::Kind::kPlace:
        return inexact(side, "where a contact stands on another track is looked up by itself");
      case Node::Kind::kArm:
        return kFalse;  // who is to be gathered is in none
      case Node::Kind::kDid:
        return inexact(side, "what a contact did is looked up event by event");
      case Node::Kind::kText:
        return text_match(node);
      case Node::Kind::kRegex:
        return inexact(side, "databases know other regular expressions than `matches`");
      case Node::Kind::kCompare:
        return compare(node, side);
      case Node::Kind::kRelative:
      case Node::Kind::kWithin:
        return times(node, side);
      case Node::Kind::kAnniversary:
        return anniversary(node, side);
    }
    return inexact(side, "this condition has no form in SQL");
  }

  // Joined as a balanced tree: databases limit how deep an expression is, not how wide.
  static std::string joined(const std::vector<std::string>& parts, std::size_t begin,
                            std::size_t end, const char* with) {
    if (end - begin == 1) {
      return parts[begin];
    }
    const std::size_t middle = begin + (end - begin) / 2;
    return fmt::format("({}{}{})", joined(parts, begin, middle, with), with,
                       joined(parts, middle, end, with));
  }
  static std::string joined(const std::vector<std::string>& parts, const char* with) {
    return joined(parts, 0, parts.size(), with);
  }

  std::string all(const Node& node, Side side, const char* with, const char* neutral,
                  const char* final) {
    const std::size_t bound_before = result_.values.size();
    std::vector<std::string> parts;
    for (const Node& child : node.children) {
      std::string part = condition(child, side);
      if (part == final) {
        // The rest says nothing any more, so nothing may stay bound for it.
        next_parameter_ -= static_cast<int>(result_.values.size() - bound_before);
        result_.values.resize(bound_before);
        return part;
      }
      if (part != neutral) {
        parts.push_back(std::move(part));
      }
    }
    return parts.empty() ? neutral : joined(parts, with);
  }

  std::string inexact(Side side, const char* because) {
    result_.exact = false;
    if (std::ranges::find(result_.because, because) == result_.because.end()) {
      result_.because.emplace_back(because);
    }
    return side == Side::kWider ? kTrue : kFalse;
  }

  std::string column(const Term& term) const {
    std::string name = "c.\"";
    for (const char c : columns_.fields[term.field].column) {
      name += c;
      if (c == '"') {
        name += c;
      }
    }
    return name + '"';
  }

  std::string parameter(Value value) {
    constexpr const char* kCasts[] = {"",     "boolean",     "double precision",
                                      "text", "timestamptz", "date"};
    const std::size_t type = value.index();
    result_.values.push_back(std::move(value));
    const int number = next_parameter_++;
    return dialect_ == Dialect::kSqlite ? fmt::format("?{}", number)
                                        : fmt::format("${}::{}", number, kCasts[type]);
  }

  std::string operand(const Term& term) {
    return term.kind == Term::Kind::kField ? column(term) : parameter(term.constant);
  }

  static const char* sign(Compare op) {
    switch (op) {
      case Compare::kLess:
        return " < ";
      case Compare::kAtMost:
        return " <= ";
      case Compare::kMore:
        return " > ";
      case Compare::kAtLeast:
        return " >= ";
      default:
        return " = ";
    }
  }

  // Text in the order of code points, whatever order the database was made with. PostgreSQL also
  // refuses to compare two columns of different orders.
  const char* collation() const { return dialect_ == Dialect::kPostgres ? " collate \"C\"" : ""; }
  static bool two_fields(const Node& node) {
    return node.a.kind == Term::Kind::kField && node.b.kind == Term::Kind::kField;
  }

  std::string one_of(const Node& node) {
    std::string list;
    const auto add = [&](Value value) {
      list += list.empty() ? "" : ", ";
      list += parameter(std::move(value));
    };
    for (const std::string& text : node.texts) {
      add(text);
    }
    for (const double number : node.numbers) {
      add(number);
    }
    return fmt::format("{} in ({})", column(node.a), list);
  }

  std::string text_match(const Node& node) {
    const std::string whole = operand(node.a) + (two_fields(node) ? collation() : "");
    const std::string part = operand(node.b);
    switch (node.text_test) {
      case track::TextTest::kContains:
        return dialect_ == Dialect::kPostgres ? fmt::format("strpos({}, {}) > 0", whole, part)
                                              : fmt::format("instr({}, {}) > 0", whole, part);
      case track::TextTest::kStartsWith:
        return fmt::format("substr({}, 1, length({})) = {}", whole, part, part);
      case track::TextTest::kEndsWith:
        return fmt::format("substr({0}, length({0}) - length({1}) + 1) = {1}", whole, part);
    }
    return kTrue;
  }

  std::string compare(const Node& node, Side side) {
    const bool left = node.a.kind == Term::Kind::kField;
    const bool right = node.b.kind == Term::Kind::kField;
    if (!left && !right) {
      return constant(node, side);
    }
    const Type type = node.a.type;
    const bool time = type == Type::kTimestamp || type == Type::kDate;
    if (time && left != right) {
      return times(node, side);
    }
    if (type != node.b.type) {
      return inexact(side, "a time and a date are compared, and a day begins with its zone");
    }
    const bool collated = type == Type::kText && (node.op != Compare::kIs || two_fields(node));
    const std::string first = operand(node.a) + (collated ? collation() : "");
    return first + sign(node.op) + operand(node.b);
  }

  // Two constants, or now or today against one: the answer is the same for all contacts of a zone.
  std::string constant(const Node& node, Side side) {
    if (columns_.zone.field && depends_on_zone(node)) {
      return inexact(side, kZones);
    }
    track::ContactBlock block;
    block.now = now_;
    const ZoneRule zone{columns_.zone.own, {}};
    return test(node, Rows(block, zone), 0, now_) != node.negated ? kTrue : kFalse;
  }

  std::string times(const Node& node, Side side) {
    std::optional<TimeSet> set = met_set(node, columns_.zone.own, now_);
    if (!set) {
      return node.kind == Node::Kind::kCompare
                 ? inexact(side, "this comparison of times has no form in SQL")
                 : constant(node, side);
    }
    const Term& field = node.a.kind == Term::Kind::kField ? node.a : node.b;
    if (columns_.zone.field && depends_on_zone(node)) {
      inexact(side, kZones);
      const std::int64_t days = side == Side::kWider ? kZonesDays : -kZonesDays;
      widen(*set, field.type == Type::kDate ? days : days * base::kUsPerDay);
    }
    std::vector<std::string> parts;
    for (const Interval& interval : *set) {
      if (interval.low < interval.high) {
        parts.push_back(between(field, interval));
      }
    }
    return parts.empty() ? kFalse : joined(parts, " or ");
  }

  static void widen(TimeSet& set, std::int64_t by) {
    for (Interval& interval : set) {
      interval.low -= interval.low == Interval::kLowest ? 0 : by;
      interval.high += interval.high == Interval::kHighest ? 0 : by;
    }
  }

  std::string between(const Term& field, const Interval& interval) {
    const auto value = [&](std::int64_t number) -> Value {
      if (field.type == Type::kDate) {
        return base::Date{static_cast<std::int32_t>(number)};
      }
      return base::Instant{number};
    };
    const std::string name = column(field);
    const bool low = interval.low != Interval::kLowest;
    const bool high = interval.high != Interval::kHighest;
    if (!low && !high) {
      return name + " is not null";
    }
    if (low && high && interval.high - interval.low == 1) {
      return name + " = " + parameter(value(interval.low));
    }
    std::string text = low ? name + " >= " + parameter(value(interval.low)) : "";
    if (high) {
      text += (low ? " and " : "") + name + " < " + parameter(value(interval.high));
    }
    return low && high ? "(" + text + ")" : text;
  }

  // Only a date that is a field can be asked for its month and day without asking for a zone.
  std::string anniversary(const Node& node, Side side) {
    const bool zoned = node.a.kind != Term::Kind::kConstant || node.a.type != Type::kDate;
    const bool askable = node.b.kind == Term::Kind::kField && node.b.type == Type::kDate &&
                         node.a.kind != Term::Kind::kField;
    if (!askable || (zoned && columns_.zone.field)) {
      return inexact(side, "an anniversary is asked of a date alone, in one zone");
    }
    track::ContactBlock block;
    block.now = now_;
    const ZoneRule zone{columns_.zone.own, {}};
    const Rows rows(block, zone);
    const Moment at = moment(node.a, rows, 0, now_);
    const base::Date day =
        at.day ? base::Date{static_cast<std::int32_t>(at.value)} : rows.day_of(0, {at.value});
    const std::chrono::year_month_day ymd{std::chrono::sys_days{std::chrono::days{day.days}}};
    const std::chrono::sys_days january{ymd.year() / std::chrono::January / 1};
    const std::string name = column(node.b);
    const std::string month_and_day =
        dialect_ == Dialect::kPostgres
            ? fmt::format("to_char({}, 'MM-DD')", name)
            : fmt::format("strftime('%m-%d', {} * 86400, 'unixepoch')", name);
    const auto number = [](auto part) { return static_cast<unsigned>(part); };
    std::string days =
        parameter(fmt::format("{:02}-{:02}", number(ymd.month()), number(ymd.day())));
    const bool last_of_february =
        ymd.month() == std::chrono::February && number(ymd.day()) == 28 && !ymd.year().is_leap();
    if (last_of_february) {
      days += ", " + parameter("02-29");
    }
    const auto first = static_cast<std::int32_t>(january.time_since_epoch().count());
    return fmt::format("({} < {} and {} in ({}))", name, parameter(base::Date{first}),
                       month_and_day, days);
  }

  const Columns& columns_;
  const Dialect dialect_;
  const base::Instant now_;
  int next_parameter_;
  SqlCondition result_;
};

}  // namespace

SqlCondition to_sql(const Node& where, const Columns& columns, Dialect dialect, base::Instant now,
                    int first_parameter) {
  return Translator(columns, dialect, now, first_parameter).translate(where);
}

}  // namespace turnout::decide
