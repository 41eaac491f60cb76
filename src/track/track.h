#pragma once

// What a track is: the syntax tree of the track language, whole. The text (room `lang`), the graph
// in the browser and the compiled program (room `decide`) are all made from it. Plain data, value
// semantics; nothing here checks meaning. Nodes carry the span they were read from, for
// diagnostics; it takes no part in comparison (==). Comments do.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "track/value.h"

namespace turnout::track {

// A stretch of the source text: 1-based line and column (in code points), and byte offsets [begin,
// end).
struct Span {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  friend constexpr bool operator==(Span, Span) {
    return true;
  }  // where it stood is not what it says
};

// Comments that belong to a statement: lines before it, and one behind it on its line; without "#"
// and the one space.
struct Comments {
  std::vector<std::string> before;
  std::optional<std::string> behind;
  friend bool operator==(const Comments&, const Comments&) = default;
};

// Owns one T on the heap and copies it with its owner: makes recursive value types possible. Never
// null unless moved from.
template <class T>
class Box {
 public:
  Box() : ptr_(std::make_unique<T>()) {}
  Box(T value) : ptr_(std::make_unique<T>(std::move(value))) {}  // NOLINT: meant to convert
  Box(const Box& other) : ptr_(std::make_unique<T>(*other.ptr_)) {}
  Box(Box&&) noexcept = default;
  Box& operator=(const Box& other) {
    ptr_ = std::make_unique<T>(*other.ptr_);
    return *this;
  }
  Box& operator=(Box&&) noexcept = default;
  ~Box() = default;
  T& operator*() { return *ptr_; }
  const T& operator*() const { return *ptr_; }
  T* operator->() { return ptr_.get(); }
  const T* operator->() const { return ptr_.get(); }
  friend bool operator==(const Box& a, const Box& b) { return *a == *b; }

 private:
  std::unique_ptr<T> ptr_;
};

// ---- Leaves
// ---------------------------------------------------------------------------------------------------------

// A name in quotes, with where it stood.
struct Name {
  std::string text;
  Span span;
  friend bool operator==(const Name&, const Name&) = default;
};

// A field with its scope in the name: "score", "entry.x", "event.x", "row.x", "visit.step".
struct FieldRef {
  std::string name;
  Span span;
  friend bool operator==(const FieldRef&, const FieldRef&) = default;
};

enum class Unit : std::uint8_t { kSecond, kMinute, kHour, kDay, kWeek, kMonth, kYear };

// A duration as written: largest unit first, counts whole and at least 0. Days and larger are
// calendar arithmetic.
struct DurationSpec {
  std::vector<std::pair<std::int64_t, Unit>> parts;
  Span span;
  friend bool operator==(const DurationSpec&, const DurationSpec&) = default;
};

struct TimeOfDay {
  std::int32_t seconds = 0;  // since midnight, 0–86399
  friend bool operator==(const TimeOfDay&, const TimeOfDay&) = default;
};

// A local date and time, in `zone` when given, else in the track's.
struct DateTime {
  base::Date date;
  TimeOfDay time;
  std::optional<std::string> zone;
  Span span;
  friend bool operator==(const DateTime&, const DateTime&) = default;
};

// A set of weekdays: bit 0 is Monday … bit 6 Sunday.
struct Days {
  std::uint8_t bits = 0;
  friend bool operator==(const Days&, const Days&) = default;
};
constexpr Days kEveryDay{0b1111111};
constexpr Days kMondayToFriday{0b0011111};

struct Now {
  friend bool operator==(const Now&, const Now&) = default;
};
struct Today {
  friend bool operator==(const Today&, const Today&) = default;
};

// An operand. The span covers it.
struct Operand {
  std::variant<std::string, double, bool, base::Date, DateTime, FieldRef, Now, Today> value;
  Span span;
  friend bool operator==(const Operand&, const Operand&) = default;
};

// JSON as written behind `with`: an object, a list or an operand.
struct Json {
  struct Member;
  struct Object {
    std::vector<Member> members;  // in the order written
    friend bool operator==(const Object&, const Object&);
  };
  struct List {
    std::vector<Json> items;
    friend bool operator==(const List&, const List&) = default;
  };
  std::variant<Operand, Object, List> value;
  Span span;
  friend bool operator==(const Json&, const Json&) = default;
};
// Not std::pair, which clang will not have of an incomplete type.
struct Json::Member {
  std::string first;  // the name
  Json second;        // its value
  friend bool operator==(const Member& a, const Member& b) {
    return a.first == b.first && a.second == b.second;
  }
};
inline bool operator==(const Json::Object& a, const Json::Object& b) {
  return a.members == b.members;
}

// ---- Conditions
// -----------------------------------------------------------------------------------------------------

enum class Compare : std::uint8_t { kIs, kIsNot, kLess, kAtMost, kMore, kAtLeast };

struct Condition;

struct And {
  std::vector<Condition> operands;  // two or more
  friend bool operator==(const And&, const And&) = default;
};
struct Or {
  std::vector<Condition> operands;  // two or more
  friend bool operator==(const Or&, const Or&) = default;
};
struct Not {
  Box<Condition> operand;
  friend bool operator==(const Not&, const Not&) = default;
};
// `x is missing`, `x is present`; `negated` is `x is not missing`.
struct IsMissing {
  Operand left;
  bool present = false;
  bool negated = false;
  friend bool operator==(const IsMissing&, const IsMissing&) = default;
};
// `is`, `is not`, `is [not] less than` …; `negated` where `is not at least 3` was written, never
// with kIs/kIsNot.
struct Comparison {
  Operand left;
  Compare op = Compare::kIs;
  bool negated = false;
  Operand right;
  friend bool operator==(const Comparison&, const Comparison&) = default;
};
struct OneOf {
  Operand left;
  bool negated = false;
  std::vector<Operand> values;
  friend bool operator==(const OneOf&, const OneOf&) = default;
};
struct Between {
  Operand left;
  bool negated = false;
  Operand low;
  Operand high;
  friend bool operator==(const Between&, const Between&) = default;
};
// `is [not] before X`, `is [not] after X` (times).
struct BeforeAfter {
  Operand left;
  bool negated = false;
  bool after = false;
  Operand right;
  friend bool operator==(const BeforeAfter&, const BeforeAfter&) = default;
};
// `is [not] more|less than D ago|from now`.
struct Relative {
  Operand left;
  bool negated = false;
  bool more = false;
  DurationSpec duration;
  bool from_now = false;  // else: ago
  friend bool operator==(const Relative&, const Relative&) = default;
};
// `is [not] within the last|next D`.
struct Within {
  Operand left;
  bool negated = false;
  bool next = false;
  DurationSpec duration;
  friend bool operator==(const Within&, const Within&) = default;
};
// `is [not] the anniversary of X`.
struct Anniversary {
  Operand left;
  bool negated = false;
  Operand right;
  friend bool operator==(const Anniversary&, const Anniversary&) = default;
};
enum class TextTest : std::uint8_t { kContains, kStartsWith, kEndsWith };
struct TextMatch {
  Operand left;
  bool negated = false;
  TextTest test = TextTest::kContains;
  Operand right;
  friend bool operator==(const TextMatch&, const TextMatch&) = default;
};
// `matches "…"`: RE2, unanchored.
struct RegexMatch {
  Operand left;
  bool negated = false;
  Name pattern;
  friend bool operator==(const RegexMatch&, const RegexMatch&) = default;
};
struct BooleanField {
  FieldRef field;
  friend bool operator==(const BooleanField&, const BooleanField&) = default;
};
struct HasTag {
  Name tag;
  friend bool operator==(const HasTag&, const HasTag&) = default;
};
struct DidEvent {
  enum class Span : std::uint8_t { kEver, kWithinLast, kSinceEntering, kSinceStep };
  Name event;
  bool negated = false;            // did not do
  std::optional<double> at_least;  // times
  Span span = Span::kEver;
  std::optional<DurationSpec> within;  // with kWithinLast
  std::optional<Box<Condition>> where;
  friend bool operator==(const DidEvent&, const DidEvent&) = default;
};
struct OnTrack {
  Name track;
  std::optional<Name> step;
  friend bool operator==(const OnTrack&, const OnTrack&) = default;
};
struct InArm {
  Name arm;
  friend bool operator==(const InArm&, const InArm&) = default;
};

struct Condition {
  std::variant<And, Or, Not, IsMissing, Comparison, OneOf, Between, BeforeAfter, Relative, Within,
               Anniversary, TextMatch, RegexMatch, BooleanField, HasTag, DidEvent, OnTrack, InArm>
      node;
  Span span;
  friend bool operator==(const Condition&, const Condition&) = default;
};

// ---- Clauses of the track
// ----------------------------------------------------------------------------------------------

struct OnceAt {
  DateTime at;
  friend bool operator==(const OnceAt&, const OnceAt&) = default;
};
struct EveryDuration {
  DurationSpec every;
  std::optional<DateTime> from;
  friend bool operator==(const EveryDuration&, const EveryDuration&) = default;
};
// `every day|weekday|monday, … at TIME`; bits 0b1111111 is `day`.
struct EveryDays {
  Days days;
  TimeOfDay at;
  friend bool operator==(const EveryDays&, const EveryDays&) = default;
};
struct EveryMonth {
  double day = 1;
  TimeOfDay at;
  friend bool operator==(const EveryMonth&, const EveryMonth&) = default;
};
struct Rrule {
  Name rule;  // RFC 5545 recurrence
  friend bool operator==(const Rrule&, const Rrule&) = default;
};
struct Continuously {
  friend bool operator==(const Continuously&, const Continuously&) = default;
};
using Schedule = std::variant<OnceAt, EveryDuration, EveryDays, EveryMonth, Rrule, Continuously>;

struct GatherContacts {
  std::optional<Condition> where;
  Schedule schedule;
  friend bool operator==(const GatherContacts&, const GatherContacts&) = default;
};
struct GatherFrom {
  Name database;
  Name query;
  Schedule schedule;
  friend bool operator==(const GatherFrom&, const GatherFrom&) = default;
};
struct GatherOn {
  Name event;
  std::optional<Condition> where;
  friend bool operator==(const GatherOn&, const GatherOn&) = default;
};
struct Gather {
  std::variant<GatherContacts, GatherFrom, GatherOn> what;
  std::optional<FieldRef> for_each;
  std::optional<Name> start_at;  // else the first step
  Span span;
  Comments comments;
  friend bool operator==(const Gather&, const Gather&) = default;
};

struct About {
  std::string text;
  Span span;
  Comments comments;
  friend bool operator==(const About&, const About&) = default;
};
struct TimeZone {
  std::optional<FieldRef> of;  // `of FIELD or "ZONE"`
  Name zone;
  Span span;
  Comments comments;
  friend bool operator==(const TimeZone&, const TimeZone&) = default;
};
struct Enter {
  enum class Kind : std::uint8_t { kOnce, kAgainAfter, kEveryTime };
  Kind kind = Kind::kOnce;
  std::optional<DurationSpec> after;
  Span span;
  Comments comments;
  friend bool operator==(const Enter&, const Enter&) = default;
};
struct Leave {
  struct When {
    Condition condition;
    friend bool operator==(const When&, const When&) = default;
  };
  struct NoLongerGathered {
    friend bool operator==(const NoLongerGathered&, const NoLongerGathered&) = default;
  };
  struct On {
    Name event;
    std::optional<Condition> where;
    friend bool operator==(const On&, const On&) = default;
  };
  std::variant<When, NoLongerGathered, On> why;
  std::optional<Name> as;
  Span span;
  Comments comments;
  friend bool operator==(const Leave&, const Leave&) = default;
};
struct HoldOut {
  double percent = 0;
  Name as;
  std::optional<DurationSpec> duration;
  Span span;
  Comments comments;
  friend bool operator==(const HoldOut&, const HoldOut&) = default;
};
struct Cap {
  double count = 0;
  bool messages = false;  // else: emails
  DurationSpec per;
  Span span;
  Comments comments;
  friend bool operator==(const Cap&, const Cap&) = default;
};
struct Quiet {
  std::optional<std::pair<TimeOfDay, TimeOfDay>> hours;
  std::optional<Days> days;
  std::optional<FieldRef> zone_field;  // `in FIELD`
  Span span;
  Comments comments;
  friend bool operator==(const Quiet&, const Quiet&) = default;
};
// In the order written.
using Clause = std::variant<About, TimeZone, Gather, Enter, Leave, HoldOut, Cap, Quiet>;

// ---- Steps
// ------------------------------------------------------------------------------------------------------------

struct When {
  Condition condition;
  friend bool operator==(const When&, const When&) = default;
};
struct OnEvent {
  Name event;
  std::optional<Condition> where;
  friend bool operator==(const OnEvent&, const OnEvent&) = default;
};
struct After {
  DurationSpec duration;
  friend bool operator==(const After&, const After&) = default;
};
struct Share {  // `for N% [as "arm"]`
  double percent = 0;
  std::optional<Name> as;
  friend bool operator==(const Share&, const Share&) = default;
};
struct Otherwise {
  friend bool operator==(const Otherwise&, const Otherwise&) = default;
};
using Head = std::variant<When, OnEvent, After, OnceAt, EveryDays, Share, Otherwise>;

struct SendEmail {
  Name email;  // the template's name
  std::optional<Operand> to;
  friend bool operator==(const SendEmail&, const SendEmail&) = default;
};
struct CallWebhook {
  Name webhook;
  std::optional<Json> with;
  friend bool operator==(const CallWebhook&, const CallWebhook&) = default;
};
struct Show {
  Name what;
  std::optional<Json> with;
  friend bool operator==(const Show&, const Show&) = default;
};
struct RunSql {
  Name database;
  Name statement;
  friend bool operator==(const RunSql&, const RunSql&) = default;
};
struct SetField {
  FieldRef field;
  Operand to;
  friend bool operator==(const SetField&, const SetField&) = default;
};
struct ClearField {
  FieldRef field;
  friend bool operator==(const ClearField&, const ClearField&) = default;
};
struct IncreaseField {
  bool decrease = false;
  FieldRef field;
  std::variant<Operand, DurationSpec> by;
  friend bool operator==(const IncreaseField&, const IncreaseField&) = default;
};
struct TagAction {
  bool remove = false;
  Name tag;
  friend bool operator==(const TagAction&, const TagAction&) = default;
};
struct RecordEvent {
  Name event;
  std::optional<Json> with;
  friend bool operator==(const RecordEvent&, const RecordEvent&) = default;
};
struct PutOnTrack {
  Name track;
  std::optional<Name> at;
  friend bool operator==(const PutOnTrack&, const PutOnTrack&) = default;
};
struct TakeOffTrack {
  Name track;
  friend bool operator==(const TakeOffTrack&, const TakeOffTrack&) = default;
};
struct Action {
  std::variant<SendEmail, CallWebhook, Show, RunSql, SetField, ClearField, IncreaseField, TagAction,
               RecordEvent, PutOnTrack, TakeOffTrack>
      what;
  Span span;
  Comments comments;
  friend bool operator==(const Action&, const Action&) = default;
};

// `at TIME [on days]`.
struct Clock {
  TimeOfDay at;
  std::optional<Days> days;
  friend bool operator==(const Clock&, const Clock&) = default;
};
struct Due {
  struct AfterDuration {
    DurationSpec duration;
    std::optional<Clock> clock;
    friend bool operator==(const AfterDuration&, const AfterDuration&) = default;
  };
  struct RelativeToField {
    DurationSpec duration;
    bool before = false;
    FieldRef field;
    std::optional<Clock> clock;
    friend bool operator==(const RelativeToField&, const RelativeToField&) = default;
  };
  struct AtDateTime {
    DateTime at;
    friend bool operator==(const AtDateTime&, const AtDateTime&) = default;
  };
  std::variant<AfterDuration, RelativeToField, Clock, AtDateTime> when;
  Span span;
  friend bool operator==(const Due&, const Due&) = default;
};
struct GoTo {
  Name step;
  std::optional<Due> due;
  friend bool operator==(const GoTo&, const GoTo&) = default;
};
struct Stop {
  std::optional<Name> as;  // else "completed"
  friend bool operator==(const Stop&, const Stop&) = default;
};
struct Stay {
  std::optional<DurationSpec> duration;
  friend bool operator==(const Stay&, const Stay&) = default;
};
struct Move {
  std::variant<GoTo, Stop, Stay> what;
  Span span;
  Comments comments;
  friend bool operator==(const Move&, const Move&) = default;
};

struct Rule {
  Head head;
  std::vector<Action> actions;
  std::optional<Move>
      move;   // none: on to the next step in the file; after the last, stop as "completed"
  Span span;  // of the head
  Comments comments;
  friend bool operator==(const Rule&, const Rule&) = default;
};

struct LookUp {
  Name database;
  Name query;
  Span span;
  Comments comments;
  friend bool operator==(const LookUp&, const LookUp&) = default;
};

struct Step {
  Name name;
  std::optional<std::string> about;
  Comments about_comments;
  std::optional<LookUp> look_up;
  std::optional<DurationSpec> check_every;
  Comments check_comments;
  std::vector<Rule> rules;
  Span span;  // of the line with its name
  Comments comments;
  friend bool operator==(const Step&, const Step&) = default;
};

// ---- Tests beside a track
// ------------------------------------------------------------------------------------------------

struct TestCase {
  struct Given {
    std::vector<std::pair<FieldRef, Operand>> fields;
    friend bool operator==(const Given&, const Given&) = default;
  };
  struct GivenTag {  // `given [no] tag "T"`
    bool no = false;
    Name tag;
    friend bool operator==(const GivenTag&, const GivenTag&) = default;
  };
  struct GivenPlace {  // `given [not] on track "T" [at "S"]`
    bool no = false;
    Name track;
    std::optional<Name> step;
    friend bool operator==(const GivenPlace&, const GivenPlace&) = default;
  };
  struct Event {
    Name event;
    std::optional<Json> with;
    friend bool operator==(const Event&, const Event&) = default;
  };
  struct Pass {  // `after D`
    DurationSpec duration;
    friend bool operator==(const Pass&, const Pass&) = default;
  };
  struct ExpectThing {
    enum class Kind : std::uint8_t { kEmail, kWebhook, kEvent, kTag };
    bool no = false;
    Kind kind = Kind::kEmail;
    Name name;
    friend bool operator==(const ExpectThing&, const ExpectThing&) = default;
  };
  struct ExpectOnStep {
    Name step;
    friend bool operator==(const ExpectOnStep&, const ExpectOnStep&) = default;
  };
  struct ExpectStopped {
    std::optional<Name> as;
    friend bool operator==(const ExpectStopped&, const ExpectStopped&) = default;
  };
  struct ExpectField {
    FieldRef field;
    Operand value;
    friend bool operator==(const ExpectField&, const ExpectField&) = default;
  };
  struct Line {
    std::variant<Given, GivenTag, GivenPlace, Event, Pass, ExpectThing, ExpectOnStep, ExpectStopped,
                 ExpectField>
        what;
    Span span;
    Comments comments;
    friend bool operator==(const Line&, const Line&) = default;
  };
  Name name;
  std::vector<Line> lines;
  Span span;
  Comments comments;
  friend bool operator==(const TestCase&, const TestCase&) = default;
};

struct Track {
  Name name;
  std::vector<Clause> clauses;
  std::vector<std::variant<Step, TestCase>> parts;  // steps and tests in file order
  Comments comments;                                // of the `track` line
  std::vector<std::string> comments_after;  // after the last statement: they belong to the file
  friend bool operator==(const Track&, const Track&) = default;

  // The steps in file order. Pointers live as long as the track is neither changed nor moved.
  std::vector<const Step*> steps() const;
};

// Whether contacts may leave by a condition: then those that wait for a time are tested as well.
bool has_leave_condition(const Track& track);

inline constexpr const char* kCompleted =
    "completed";  // outcome of a contact that passes the last step
inline constexpr const char* kLeft =
    "left";  // outcome of a contact that a `leave` without `as` takes off
inline constexpr const char* kTakenOff =
    "taken off";  // outcome of a contact that another track's `take off track` takes off
inline constexpr const char* kHeldOut = "held out";  // where contacts are that `hold out` keeps

}  // namespace turnout::track
