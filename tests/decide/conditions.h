#pragma once

// Random conditions and contacts from a seed, drawn from small pools so that values meet: equal
// ones, neighbours of the bounds, missing ones, odd text, days at which the clocks change.

#include <random>

#include "blocks.h"
#include "reference.h"

namespace turnout::reference {

inline const std::vector<std::string>& zones() {
  static const std::vector<std::string> kZones = {
      "UTC",          "Europe/Berlin",       "America/New_York", "America/Sao_Paulo",
      "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia",     "Pacific/Chatham",
      "Africa/Cairo", "Asia/Beirut",         "America/St_Johns", "America/Havana"};
  return kZones;
}

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
  }
  bool chance(int percent) { return below(100) < static_cast<std::size_t>(percent); }
  template <class T>
  const T& pick(const std::vector<T>& pool) {
    return pool[below(pool.size())];
  }

  World world(bool contact_zones) {
    // Days with changes of the clocks, the day that Samoa skipped, ends of February, a plain one.
    static const std::vector<const char*> kInstants = {
        "2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z",        "2026-10-25T00:30:00Z",
        "2026-10-25T01:30:00Z", "2026-03-08T07:00:00Z",        "2026-11-01T05:30:00Z",
        "2026-11-01T06:30:00Z", "2011-12-30T10:00:00Z",        "2011-12-31T09:59:59.999999Z",
        "2018-11-04T03:00:00Z", "2024-02-29T12:00:00Z",        "2026-02-28T23:30:00Z",
        "2025-03-31T10:15:00Z", "2026-06-15T12:34:56.789012Z", "2006-10-29T02:31:00Z"};
    World made;
    made.now = decide::at(pick(kInstants));
    made.zone = pick(zones());
    if (contact_zones) {
      made.zone_field = "zone";
    }
    return made;
  }

  std::string text() {
    static const std::vector<std::string> kTexts = {
        "",       "a",       "A",    "ab",  "abc",        "b",
        "ba",     "a%",      "a_b",  "%",   "_",          "\\",
        "'",      "\"",      "o'x",  "é",   "e\u0301",    "Z",
        "zebra",  "äb",      "日本", "日",  "\U0001F600", "\uFFFD",
        "\uE000", "a b",     " a",   "a ",  "\n",         "a\nb",
        "Straße", "STRASSE", "12",   "012", "true",       "longer than eight"};
    return pick(kTexts);
  }
  double number() {
    static const std::vector<double> kNumbers = {0,
                                                 -0.0,
                                                 1,
                                                 -1,
                                                 0.1,
                                                 0.3,
                                                 40,
                                                 39.999999999999996,
                                                 1e10,
                                                 1e22,
                                                 -2.5,
                                                 1e-9,
                                                 9007199254740992.0,
                                                 100};
    return pick(kNumbers);
  }
  track::DurationSpec duration() {
    static const std::vector<std::vector<std::pair<std::int64_t, track::Unit>>> kParts = {
        {{0, track::Unit::kSecond}},
        {{1, track::Unit::kSecond}},
        {{90, track::Unit::kMinute}},
        {{1, track::Unit::kHour}},
        {{24, track::Unit::kHour}},
        {{0, track::Unit::kDay}},
        {{1, track::Unit::kDay}},
        {{2, track::Unit::kDay}},
        {{1, track::Unit::kWeek}},
        {{1, track::Unit::kMonth}},
        {{6, track::Unit::kMonth}},
        {{1, track::Unit::kYear}},
        {{1, track::Unit::kDay}, {12, track::Unit::kHour}},
        {{1, track::Unit::kMonth}, {1, track::Unit::kDay}, {1, track::Unit::kSecond}}};
    return {pick(kParts), {}};
  }
  Instant instant(const World& world) {
    static const std::vector<std::int64_t> kNear = {0, 1, -1, kSecond, -kSecond};
    const Clock clock(world.zone);
    Instant made = world.now;
    switch (below(4)) {
      case 0:
        break;
      case 1:
        made = midnight(clock, day_of(clock, world.now) + static_cast<std::int64_t>(below(5)) - 2);
        break;
      case 2:
        made = shifted(clock, world.now, reference::duration(duration()), chance(50) ? 1 : -1);
        break;
      default:
        made.us += (static_cast<std::int64_t>(below(400 * 24)) - 200 * 24) * 1800 * kSecond;
        break;
    }
    return {made.us + pick(kNear)};
  }
  Date date(const World& world) {
    static const std::vector<int> kNear = {0,   0,  1,   -1,  2,    7,   -7,   30,
                                           -30, 31, -31, 365, -365, 366, -366, -1461};
    const Clock clock(world.zone);
    return {static_cast<std::int32_t>(day_of(clock, world.now)) + pick(kNear)};
  }
  Value value(track::Type type, const World& world) {
    switch (type) {
      case track::Type::kText:
        return text();
      case track::Type::kNumber:
        return number();
      case track::Type::kBoolean:
        return chance(50);
      case track::Type::kTimestamp:
        return instant(world);
      default:
        return date(world);
    }
  }

  Person person(const World& world) {
    Person made;
    for (const track::Field& field : decide::test_catalogue().fields) {
      const bool built_in = field.name == "key" || field.name == "email" ||
                            field.name == "created_at" || field.name == "updated_at";
      if (!built_in && !chance(20)) {
        made.values[field.name] = value(field.type, world);
      }
    }
    if (chance(80)) {
      made.values["zone"] = chance(90) ? pick(zones()) : std::string("Nowhere/Land");
    }
    for (const char* const tag : {"vip", "o'tag", ""}) {
      if (chance(40)) {
        made.tags.insert(tag);
      }
    }
    return made;
  }

  track::Condition condition(const World& world, int depth = 3) {
    if (depth > 0 && chance(45)) {
      return combined(world, depth);
    }
    track::Condition made;
    switch (below(12)) {
      case 0:
        made.node = track::HasTag{{pick(std::vector<std::string>{"vip", "o'tag", ""}), {}}};
        break;
      case 1:
        made.node = track::BooleanField{{chance(50) ? "active" : "agreed", {}}};
        break;
      case 2:
        made.node = track::IsMissing{field(any_type()), chance(50), chance(50)};
        break;
      case 3:
        made.node = text_match(world);
        break;
      case 4:
        made.node = one_of(world);
        break;
      case 5:
        made.node = between(world);
        break;
      case 6:
      case 7:
        made = time_test(world);
        break;
      default:
        made.node = comparison(world);
        break;
    }
    return made;
  }

  // One comparison with the time.
  track::Condition time_test(const World& world) {
    track::Condition made;
    const track::Type type = chance(60) ? track::Type::kTimestamp : track::Type::kDate;
    switch (below(5)) {
      case 0:
        made.node = track::Relative{field(type), chance(30), chance(50), duration(), chance(50)};
        break;
      case 1:
        made.node = track::Within{field(type), chance(30), chance(50), duration()};
        break;
      case 2:
        made.node = track::Anniversary{moving(), chance(30), field(type)};
        break;
      case 3:
        made.node = track::BeforeAfter{field(type), chance(30), chance(50),
                                       chance(60) ? moving() : time_operand(world)};
        break;
      default:
        made.node = track::Comparison{chance(50) ? field(type) : moving(), compare(), chance(30),
                                      chance(50) ? field(type) : moving()};
        break;
    }
    return made;
  }

 private:
  track::Condition combined(const World& world, int depth) {
    track::Condition made;
    const std::size_t kind = below(5);
    if (kind == 0) {
      made.node = track::Not{condition(world, depth - 1)};
      return made;
    }
    std::vector<track::Condition> operands;
    for (std::size_t i = 0, count = 2 + below(3); i < count; ++i) {
      operands.push_back(condition(world, depth - 1));
    }
    if (kind < 3) {
      made.node = track::And{std::move(operands)};
    } else {
      made.node = track::Or{std::move(operands)};
    }
    return made;
  }

  track::Type any_type() {
    static const std::vector<track::Type> kTypes = {track::Type::kText, track::Type::kNumber,
                                                    track::Type::kBoolean, track::Type::kTimestamp,
                                                    track::Type::kDate};
    return pick(kTypes);
  }
  track::Operand field(track::Type type) {
    switch (type) {
      case track::Type::kText:
        return ref(chance(50) ? "name" : "nick");
      case track::Type::kNumber:
        return ref(chance(50) ? "score" : "limit");
      case track::Type::kBoolean:
        return ref(chance(50) ? "active" : "agreed");
      case track::Type::kTimestamp:
        return ref(chance(50) ? "seen_at" : "ends_at");
      default:
        return ref(chance(50) ? "born_on" : "due_on");
    }
  }
  static track::Operand ref(const char* name) { return {track::FieldRef{name, {}}, {}}; }
  track::Operand moving() {
    if (chance(50)) {
      return {track::Now{}, {}};
    }
    return {track::Today{}, {}};
  }
  track::Operand time_operand(const World& world) {
    switch (below(5)) {
      case 0:
        return moving();
      case 1:
        return {date(world), {}};
      case 2: {
        track::DateTime literal{date(world), {static_cast<std::int32_t>(below(48)) * 1800}, {}, {}};
        if (chance(50)) {
          literal.zone = pick(zones());
        }
        return {literal, {}};
      }
      default:
        return field(chance(50) ? track::Type::kTimestamp : track::Type::kDate);
    }
  }
  track::Operand operand(track::Type type, const World& world) {
    if (type == track::Type::kTimestamp || type == track::Type::kDate) {
      return time_operand(world);
    }
    if (chance(25)) {
      return field(type);
    }
    switch (type) {
      case track::Type::kText:
        return {text(), {}};
      case track::Type::kNumber:
        return {number(), {}};
      default:
        return {chance(50), {}};
    }
  }
  track::Compare compare() {
    static const std::vector<track::Compare> kAll = {
        track::Compare::kIs,     track::Compare::kIsNot, track::Compare::kLess,
        track::Compare::kAtMost, track::Compare::kMore,  track::Compare::kAtLeast};
    return pick(kAll);
  }
  track::Comparison comparison(const World& world) {
    const track::Type type = any_type();
    track::Comparison made;
    made.left = chance(85) ? field(type) : operand(type, world);
    made.right = operand(type, world);
    made.op = type == track::Type::kBoolean
                  ? (chance(50) ? track::Compare::kIs : track::Compare::kIsNot)
                  : compare();
    const bool is = made.op == track::Compare::kIs || made.op == track::Compare::kIsNot;
    made.negated = !is && chance(30);
    return made;
  }
  track::OneOf one_of(const World& world) {
    const track::Type type = any_type();
    track::OneOf made{field(type), chance(40), {}};
    for (std::size_t i = 0, count = 1 + below(chance(10) ? 40 : 5); i < count; ++i) {
      made.values.push_back(operand(type, world));
    }
    return made;
  }
  track::Between between(const World& world) {
    static const std::vector<track::Type> kTypes = {track::Type::kText, track::Type::kNumber,
                                                    track::Type::kTimestamp, track::Type::kDate};
    const track::Type type = pick(kTypes);
    return {field(type), chance(40), operand(type, world), operand(type, world)};
  }
  track::Condition text_test_regex() {
    static const std::vector<std::string> kPatterns = {"a",        "^a",     "b$",   "^$",
                                                       "(?i)A.*B", "[é-日]", "\\d+", "."};
    track::Condition made;
    made.node = track::RegexMatch{field(track::Type::kText), chance(40), {pick(kPatterns), {}}};
    return made;
  }
  decltype(track::Condition::node) text_match(const World& world) {
    if (chance(25)) {
      return text_test_regex().node;
    }
    static const std::vector<track::TextTest> kTests = {
        track::TextTest::kContains, track::TextTest::kStartsWith, track::TextTest::kEndsWith};
    return track::TextMatch{field(track::Type::kText), chance(40), pick(kTests),
                            operand(track::Type::kText, world)};
  }

  std::mt19937_64 random_;
};

// A track that gathers contacts by the condition and stops them as "met", and the others as "not
// met" when `otherwise`.
inline track::Track one_condition(const World& world, const track::Condition& condition,
                                  bool otherwise) {
  track::Track track;
  track.name.text = "t";
  track::TimeZone zone;
  zone.zone.text = world.zone;
  if (world.zone_field) {
    zone.of = track::FieldRef{*world.zone_field, {}};
  }
  track.clauses.emplace_back(std::move(zone));
  track::Gather gather;
  gather.what = track::GatherContacts{condition, track::Continuously{}};
  track.clauses.emplace_back(std::move(gather));
  track::Step step;
  step.name.text = "s";
  const auto stop = [](const char* as) {
    track::Move move;
    move.what = track::Stop{track::Name{as, {}}};
    return move;
  };
  track::Rule met;
  met.head = track::When{condition};
  met.move = stop("met");
  step.rules.push_back(std::move(met));
  if (otherwise) {
    track::Rule not_met;
    not_met.head = track::Otherwise{};
    not_met.move = stop("not met");
    step.rules.push_back(std::move(not_met));
  }
  track.parts.emplace_back(std::move(step));
  return track;
}

}  // namespace turnout::reference
