#include "generate.h"

#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

namespace turnout::lang {
namespace {

using namespace track;  // NOLINT: the tree is all this file is about

class Generator {
 public:
  Generator(std::uint64_t seed, int size) : engine_(seed), size_(size) {}

  Track make() {
    Track t;
    t.name = name();
    t.comments = comments();
    for (int n = below(size_ / 2 + 1); n > 0; --n) {
      t.clauses.push_back(clause());
    }
    for (int n = below(size_ / 2 + 1); n > 0; --n) {
      if (below(4) == 0) {
        t.parts.emplace_back(test_case());
      } else {
        t.parts.emplace_back(step());
      }
    }
    if (below(4) == 0) {
      for (int n = below(3); n > 0; --n) {
        t.comments_after.push_back(comment());
      }
    }
    return t;
  }

 private:
  int below(int n) { return static_cast<int>(engine_() % static_cast<std::uint64_t>(n)); }
  bool maybe() { return below(2) == 0; }
  template <class T, std::size_t N>
  const T& one_of(const std::array<T, N>& items) {
    return items.at(static_cast<std::size_t>(below(static_cast<int>(N))));
  }

  std::string text(bool may_be_empty) {
    static const std::array<std::string, 26> kPieces = {
        "a",    "Nudge", " ",    "  ",  "\"", "\\",     "\n",     "\t",      "\"\"\"",
        "#",    "ü",     "日本", "😀",  ":",  "select", "x\n  y", "\r",      "\x01",
        "\x7f", "{",     "\n\n", "\\n", "'",  "“",      "step",   "\\\"\"\""};
    std::string out;
    for (int n = below(6) + (may_be_empty ? 0 : 1); n > 0; --n) {
      out += one_of(kPieces);
    }
    return out;
  }
  Name name() { return {text(false), {}}; }
  std::optional<Name> maybe_name() { return maybe() ? std::optional(name()) : std::nullopt; }

  std::string comment() {
    std::string out = text(true);
    for (char& c : out) {
      c = c == '\n' || c == '\r' ? ' ' : c;
    }
    out.resize(out.find_last_not_of(" \t\r\v\f") + 1);
    return out;
  }
  Comments comments() {
    Comments c;
    if (below(5) == 0) {
      for (int n = below(3); n > 0; --n) {
        c.before.push_back(comment());
      }
    }
    if (below(5) == 0) {
      c.behind = comment();
    }
    return c;
  }

  FieldRef field() {
    static const std::array<std::string, 34> kNames = {
        "email",    "score",   "entry.due_on", "event.is", "row.x",  "visit.times", "is",
        "Not",      "missing", "starts",       "event",    "no",     "stopped",     "once",
        "every",    "day",     "continuously", "start",    "of",     "days",        "ago",
        "from",     "to",      "as",           "A_1",      "_",      "null",        "weekdays",
        "visit.on", "contain", "since",        "zone",     "longer", "today"};
    return {one_of(kNames), {}};
  }

  double number() {
    static const std::array<double, 16> kNumbers = {0,
                                                    1,
                                                    -1,
                                                    40,
                                                    0.1,
                                                    -3.5,
                                                    1e6,
                                                    1e15,
                                                    1e22,
                                                    9007199254740991.0,
                                                    1.7976931348623157e308,
                                                    5e-300,
                                                    123456.789,
                                                    -1e-9,
                                                    2.2250738585072014e-308,
                                                    3};
    if (maybe()) {
      return one_of(kNumbers);
    }
    // Any finite double that is not subnormal.
    for (;;) {
      const std::uint64_t bits = engine_();
      double d = 0;
      static_assert(sizeof d == sizeof bits);
      __builtin_memcpy(&d, &bits, sizeof d);
      if (std::isnormal(d)) {
        return d;
      }
    }
  }

  DurationSpec duration() {
    DurationSpec d;
    for (int unit = 6; unit >= 0; --unit) {
      if (below(4) == 0) {
        d.parts.emplace_back(below(100), static_cast<Unit>(unit));
      }
    }
    if (d.parts.empty()) {
      d.parts.emplace_back(below(3), static_cast<Unit>(below(7)));
    }
    return d;
  }
  TimeOfDay time() { return {maybe() ? below(1440) * 60 : below(86'400)}; }
  base::Date date() { return {below(3'652'059) - 719'528}; }
  DateTime date_time() {
    static const std::array<std::string, 4> kZones = {"Europe/Berlin", "UTC", "Etc/GMT+5",
                                                      "America/Port-au-Prince"};
    DateTime d;
    d.date = date();
    d.time = time();
    if (maybe()) {
      d.zone = one_of(kZones);
    }
    return d;
  }
  Days days() { return {static_cast<std::uint8_t>(1 + below(127))}; }

  Operand operand() {
    Operand o;
    switch (below(9)) {
      case 0:
        o.value = text(true);
        break;
      case 1:
        o.value = number();
        break;
      case 2:
        o.value = maybe();
        break;
      case 3:
        o.value = date();
        break;
      case 4:
        o.value = date_time();
        break;
      case 5:
        o.value = Now{};
        break;
      case 6:
        o.value = Today{};
        break;
      default:
        o.value = field();
    }
    return o;
  }

  Json json(int depth, bool object) {
    Json j;
    const int kind = object ? 0 : below(depth > 3 ? 1 : 3) == 0 ? 2 : below(2);
    if (kind == 0) {
      Json::Object o;
      for (int n = below(4); n > 0; --n) {
        o.members.emplace_back(text(true), json(depth + 1, false));
      }
      j.value = std::move(o);
    } else if (kind == 1) {
      Json::List l;
      for (int n = below(4); n > 0; --n) {
        l.items.push_back(json(depth + 1, false));
      }
      j.value = std::move(l);
    } else {
      j.value = operand();
    }
    return j;
  }
  std::optional<Json> maybe_json() { return maybe() ? std::optional(json(0, true)) : std::nullopt; }

  std::vector<Condition> conditions(int depth) {
    std::vector<Condition> out;
    for (int n = 2 + below(4); n > 0; --n) {
      out.push_back(condition(depth + 1));
    }
    return out;
  }

  Condition condition(int depth) {
    Condition c;
    constexpr int kDeepest = 4;
    const int kind = depth >= kDeepest ? 3 + below(15) : below(18);
    switch (kind) {
      case 0:
        c.node = And{conditions(depth)};
        break;
      case 1:
        c.node = Or{conditions(depth)};
        break;
      case 2:
        c.node = Not{condition(depth + 1)};
        break;
      default:
        c.node = test(kind, depth);
    }
    return c;
  }

  decltype(Condition::node) test(int kind, int depth) {
    switch (kind) {
      case 3:
        return IsMissing{operand(), maybe(), maybe()};
      case 4:
      case 5: {
        const auto op = static_cast<Compare>(below(6));
        const bool plain = op == Compare::kIs || op == Compare::kIsNot;
        return Comparison{operand(), op, !plain && maybe(), operand()};
      }
      case 6: {
        OneOf n{operand(), maybe(), {}};
        for (int i = 1 + below(4); i > 0; --i) {
          n.values.push_back(operand());
        }
        return n;
      }
      case 7:
        return Between{operand(), maybe(), operand(), operand()};
      case 8:
        return BeforeAfter{operand(), maybe(), maybe(), operand()};
      case 9:
        return Relative{operand(), maybe(), maybe(), duration(), maybe()};
      case 10:
        return Within{operand(), maybe(), maybe(), duration()};
      case 11:
        return Anniversary{operand(), maybe(), operand()};
      case 12:
        return TextMatch{operand(), maybe(), static_cast<TextTest>(below(3)), operand()};
      case 13:
        return RegexMatch{operand(), maybe(), {text(true), {}}};
      case 14:
        return HasTag{name()};
      case 15:
        return did(depth);
      case 16:
        return maybe() ? decltype(Condition::node)(OnTrack{name(), maybe_name()})
                       : decltype(Condition::node)(InArm{name()});
      default:
        return BooleanField{field()};
    }
  }

  DidEvent did(int depth) {
    DidEvent d;
    d.event = name();
    d.negated = maybe();
    if (maybe()) {
      d.at_least = number();
    }
    d.span = static_cast<DidEvent::Span>(below(4));
    if (d.span == DidEvent::Span::kWithinLast) {
      d.within = duration();
    }
    if (maybe()) {
      d.where = Box<Condition>(condition(depth + 1));
    }
    return d;
  }
  std::optional<Condition> maybe_condition() {
    return maybe() ? std::optional(condition(0)) : std::nullopt;
  }

  Schedule schedule() {
    switch (below(6)) {
      case 0:
        return OnceAt{date_time()};
      case 1:
        return EveryDuration{duration(), maybe() ? std::optional(date_time()) : std::nullopt};
      case 2:
        return EveryDays{days(), time()};
      case 3:
        return EveryMonth{number(), time()};
      case 4:
        return Rrule{name()};
      default:
        return Continuously{};
    }
  }

  template <class Node>
  Node with_comments(Node node) {
    node.comments = comments();
    return node;
  }

  Clause clause() {
    switch (below(8)) {
      case 0:
        return with_comments(About{text(true), {}, {}});
      case 1:
        return with_comments(
            TimeZone{maybe() ? std::optional(field()) : std::nullopt, name(), {}, {}});
      case 2:
        return with_comments(gather());
      case 3: {
        Enter e;
        e.kind = static_cast<Enter::Kind>(below(3));
        if (e.kind == Enter::Kind::kAgainAfter) {
          e.after = duration();
        }
        return with_comments(e);
      }
      case 4: {
        Leave l;
        switch (below(3)) {
          case 0:
            l.why = Leave::When{condition(0)};
            break;
          case 1:
            l.why = Leave::NoLongerGathered{};
            break;
          default:
            l.why = Leave::On{name(), maybe_condition()};
        }
        l.as = maybe_name();
        return with_comments(l);
      }
      case 5:
        return with_comments(
            HoldOut{number(), name(), maybe() ? std::optional(duration()) : std::nullopt, {}, {}});
      case 6:
        return with_comments(Cap{number(), maybe(), duration(), {}, {}});
      default: {
        Quiet q;
        if (maybe()) {
          q.hours = std::pair(time(), time());
        }
        if (!q.hours || maybe()) {
          q.days = days();
        }
        if (maybe()) {
          q.zone_field = field();
        }
        return with_comments(q);
      }
    }
  }

  Gather gather() {
    Gather g;
    switch (below(3)) {
      case 0:
        g.what = GatherContacts{maybe_condition(), schedule()};
        break;
      case 1:
        g.what = GatherFrom{name(), name(), schedule()};
        break;
      default:
        g.what = GatherOn{name(), maybe_condition()};
    }
    if (maybe()) {
      g.for_each = field();
    }
    g.start_at = maybe_name();
    return g;
  }

  Head head() {
    switch (below(8)) {
      case 0:
      case 1:
        return When{condition(0)};
      case 2:
        return OnEvent{name(), maybe_condition()};
      case 3:
        return After{duration()};
      case 4:
        return OnceAt{date_time()};
      case 5:
        return EveryDays{days(), time()};
      case 6:
        return Share{number(), maybe_name()};
      default:
        return Otherwise{};
    }
  }

  Action action() {
    Action a;
    switch (below(11)) {
      case 0:
        a.what = SendEmail{name(), maybe() ? std::optional(operand()) : std::nullopt};
        break;
      case 1:
        a.what = CallWebhook{name(), maybe_json()};
        break;
      case 2:
        a.what = Show{name(), maybe_json()};
        break;
      case 3:
        a.what = RunSql{name(), name()};
        break;
      case 4:
        a.what = SetField{field(), operand()};
        break;
      case 5:
        a.what = ClearField{field()};
        break;
      case 6:
        a.what = IncreaseField{maybe(), field(), {}};
        if (maybe()) {
          std::get<IncreaseField>(a.what).by = duration();
        } else {
          std::get<IncreaseField>(a.what).by = operand();
        }
        break;
      case 7:
        a.what = TagAction{maybe(), name()};
        break;
      case 8:
        a.what = RecordEvent{name(), maybe_json()};
        break;
      case 9:
        a.what = PutOnTrack{name(), maybe_name()};
        break;
      default:
        a.what = TakeOffTrack{name()};
    }
    return with_comments(a);
  }

  std::optional<Clock> maybe_clock() {
    if (maybe()) {
      return std::nullopt;
    }
    return Clock{time(), maybe() ? std::optional(days()) : std::nullopt};
  }

  Move move() {
    Move m;
    switch (below(4)) {
      case 0:
        m.what = Stop{maybe_name()};
        break;
      case 1:
        m.what = Stay{maybe() ? std::optional(duration()) : std::nullopt};
        break;
      default: {
        GoTo go;
        go.step = name();
        if (maybe()) {
          Due due;
          switch (below(4)) {
            case 0:
              due.when = Due::AfterDuration{duration(), maybe_clock()};
              break;
            case 1:
              due.when = Due::RelativeToField{duration(), maybe(), field(), maybe_clock()};
              break;
            case 2:
              due.when = Clock{time(), maybe() ? std::optional(days()) : std::nullopt};
              break;
            default:
              due.when = Due::AtDateTime{date_time()};
          }
          go.due = std::move(due);
        }
        m.what = std::move(go);
      }
    }
    return with_comments(m);
  }

  Step step() {
    Step s;
    s.name = name();
    s.comments = comments();
    if (below(4) == 0) {
      s.about = text(true);
      s.about_comments = comments();
    }
    if (below(4) == 0) {
      s.look_up = with_comments(LookUp{name(), name(), {}, {}});
    }
    if (below(4) == 0) {
      s.check_every = duration();
      s.check_comments = comments();
    }
    for (int n = below(5); n > 0; --n) {
      Rule r;
      r.head = head();
      r.comments = comments();
      for (int k = below(3); k > 0; --k) {
        r.actions.push_back(action());
      }
      if (maybe()) {
        r.move = move();
      }
      s.rules.push_back(std::move(r));
    }
    return s;
  }

  TestCase test_case() {
    TestCase t;
    t.name = name();
    t.comments = comments();
    for (int n = below(6); n > 0; --n) {
      TestCase::Line line;
      switch (below(9)) {
        case 7:
          line.what = TestCase::GivenTag{maybe(), name()};
          break;
        case 8:
          line.what = TestCase::GivenPlace{maybe(), name(), maybe_name()};
          break;
        case 0: {
          TestCase::Given given;
          for (int k = 1 + below(3); k > 0; --k) {
            given.fields.emplace_back(field(), operand());
          }
          line.what = std::move(given);
          break;
        }
        case 1:
          line.what = TestCase::Event{name(), maybe_json()};
          break;
        case 2:
          line.what = TestCase::Pass{duration()};
          break;
        case 3:
          line.what = TestCase::ExpectThing{
              maybe(), static_cast<TestCase::ExpectThing::Kind>(below(4)), name()};
          break;
        case 4:
          line.what = TestCase::ExpectOnStep{name()};
          break;
        case 5:
          line.what = TestCase::ExpectStopped{maybe_name()};
          break;
        default:
          line.what = TestCase::ExpectField{field(), operand()};
      }
      t.lines.push_back(with_comments(line));
    }
    return t;
  }

  std::mt19937_64 engine_;
  int size_;
};

}  // namespace

Track random_track(std::uint64_t seed, int size) { return Generator(seed, size).make(); }

}  // namespace turnout::lang
