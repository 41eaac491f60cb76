#pragma once

// A condition compiled: names resolved to columns, operands to values, types checked once, so that
// testing it touches nothing but columns. The tree is evaluated over selections (select.h), by row
// (row.h) and translated to SQL (sql.h).
//
// What the times mean where the language leaves room; `L` is the left value, a point for a
// timestamp and the stretch of its local day for a date:
//   - a point and a day compare as "before its start", "within it", "at or after its end"; two days
//   by their numbers;
//   - "more than D ago" is L + D < now, "less than D ago" is L + D > now and not L > now, "within
//   the last D" is
//     L + D >= now and not L > now. So what has once become true stays true, and the instant at
//     which it does is the one that a timer for L + D would have. "From now" and "next" mirror it
//     with L - D;
//   - "A is the anniversary of B": the local day of A has the month and day of B's (the last of the
//   month where it has
//     no such day) in a later year.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "decide/zone.h"
#include "track/block.h"
#include "track/catalogue.h"
#include "track/track.h"

namespace re2 {
class RE2;
}

namespace turnout::decide {

// What cannot be compiled, with the line of the track's text where it has one.
base::Error invalid(track::Span span, const std::string& what);

// The zone in which a contact's days begin: that of its text field, where it names one, else the
// track's own.
struct ZoneRule {
  Zone own;
  std::optional<std::size_t> field;  // index into the columns
};

// What a name with a dot belongs to.
enum class Scope : std::uint8_t { kEntry, kEvent, kRow, kVisit };

struct ScopedName {
  Scope scope = Scope::kEntry;
  std::string name;  // what stands behind the dot
  friend bool operator==(const ScopedName&, const ScopedName&) = default;
};

// nullopt for a contact's own field.
std::optional<ScopedName> scoped_name(const std::string& field);

struct Term {
  enum class Kind : std::uint8_t {
    kConstant,
    kField,
    kScoped,  // a dotted name whose type nothing says: whatever JSON it holds
    kNow,
    kToday,
    kLocalTime,  // a date and time without a zone, where each contact may have its own
  };
  Kind kind = Kind::kConstant;
  track::Type type = track::Type::kText;
  track::Value constant;
  std::size_t field = 0;
  ScopedName scoped;
  base::Date date;                 // kLocalTime
  std::int32_t second_of_day = 0;  // kLocalTime

  bool moves() const { return kind == Kind::kNow || kind == Kind::kToday; }
};

// `for N% as "…"`: entries whose draw at the step lies in [low, high), in hundredths of a percent.
struct Arm {
  std::int32_t step = 0;  // its number
  double low = 0;
  double high = 0;
};

// An entry's draw at a step: uniform in [0, 10,000), the same at every visit. From ids alone, so
// that it is the same on every peer and whatever the step is called.
double draw(base::TrackId track, base::ContactId contact, std::int32_t entry, std::int32_t step);

struct Node {
  enum class Kind : std::uint8_t {
    kAnd,
    kOr,
    kPresent,      // a
    kCompare,      // a op b
    kOneOf,        // a among texts or numbers, sorted
    kRelative,     // a is more (else: less) than duration ago (else, future: from now)
    kWithin,       // a is within the last (future: next) duration
    kAnniversary,  // a is the anniversary of b
    kText,         // a contains, starts or ends with b
    kRegex,        // a matches regex
    kTrue,         // a is a boolean that is true
    kTag,          // has tag
    kPlace,        // on track
    kArm,          // in arm
    kDid,          // did: `event`, `times`, `span` and `duration`; the child is its `where`
  };
  Kind kind = Kind::kAnd;
  bool negated = false;     // of the two-valued answer
  bool comparison = false;  // kAnd or kOr made from one comparison of the source (between, one of)
  bool more = false;
  bool future = false;
  track::Compare op = track::Compare::kIs;  // never kIsNot: that is kIs negated
  track::TextTest text_test = track::TextTest::kContains;
  Term a;
  Term b;
  CalendarDuration duration;
  std::size_t tag = 0;    // kTag
  std::size_t place = 0;  // kPlace
  Arm arm;
  base::TrackId track{0};                                     // kArm
  std::string event;                                          // kDid
  double times = 1;                                           // kDid: at least so often
  track::DidEvent::Span span = track::DidEvent::Span::kEver;  // kDid
  std::vector<std::string> texts;
  std::vector<double> numbers;
  std::shared_ptr<const re2::RE2> regex;
  std::vector<Node> children;
};

// A dotted name read as values of one type: a column that no table has.
struct ScopedColumn {
  std::size_t field = 0;  // index into Columns::fields
  ScopedName name;
};

// What conditions of a track (or of a gather clause) read and where it stands, filled while they
// are compiled.
struct Columns {
  const track::Catalogue* catalogue = nullptr;
  std::vector<track::Field> fields;
  std::vector<std::string> tags;
  std::vector<track::OtherPlace> places;
  ZoneRule zone;
  // Where contacts are on a track: which, and its arms by their names. Elsewhere nobody is in an
  // arm.
  base::TrackId track{0};
  std::multimap<std::string, Arm> arms;
  std::vector<ScopedColumn> scoped;
  bool scopes = false;             // some dotted name is used
  std::set<std::string> events;    // names of events that are heard or asked for
  std::set<std::string> recalled;  // those of them that `did` asks for

  // The index of a field's column, added when it is new. kInvalid when there is no such field.
  base::Result<std::size_t> field(const std::string& name);
  // The same for a dotted name.
  std::size_t scoped_field(const ScopedName& name, track::Type type);
  std::size_t tag(const std::string& name);
  std::size_t place(const track::OtherPlace& place);
};

// kInvalid when types cannot compare, an expression does not compile, or a form does not run yet.
base::Result<Node> compile_condition(const track::Condition& condition, Columns& columns);
// A dotted name takes the type `wanted`; with none it is kScoped, but for visit.*, whose types are
// known.
base::Result<Term> compile_operand(const track::Operand& operand, Columns& columns,
                                   track::Type wanted = track::Type::kUntyped);
// The zone clause of a track, `UTC` without one. Must come before conditions are compiled.
base::Result<ZoneRule> compile_zone(const track::Track& track, Columns& columns);

struct Reads {
  std::set<std::size_t> fields;
  std::set<std::size_t> tags;
  std::set<std::size_t> places;
  std::set<std::string> events;
  bool time = false;  // the answer can change with the time alone
};
void collect_reads(const Node& node, const ZoneRule& zone, Reads& reads);

// True when the answer for given values depends on where days begin.
bool depends_on_zone(const Node& node);

}  // namespace turnout::decide
