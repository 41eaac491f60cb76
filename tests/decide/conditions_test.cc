// Conditions over columns against the reference, value by value, over random conditions, contacts
// and times.

#include "conditions.h"
#include "decide/gather.h"

namespace turnout::decide {
namespace {

using reference::Generator;
using reference::one_condition;
using reference::Person;
using reference::World;

constexpr std::uint64_t kSeed = 20'261'123;

TestRow row_of(const Person& person) {
  TestRow row;
  row.values = person.values;
  row.tags.assign(person.tags.begin(), person.tags.end());
  return row;
}

TestTrack compiled(const World& world, const track::Condition& condition, bool otherwise) {
  track::Track track = one_condition(world, condition, otherwise);
  track::Numbering numbering = track::extend({}, track);
  auto program =
      Program::compile(track, test_catalogue(), numbering, base::TrackId(7), base::Version(1));
  if (!program) {
    ADD_FAILURE() << program.error().message;
    std::abort();
  }
  return {std::move(track), std::move(numbering), std::move(program).value()};
}

// A column's answers, by Program and by GatherClause, for one condition and a block of contacts.
void check_block(std::uint64_t seed, Generator& make, const World& world, std::size_t size) {
  const track::Condition condition = make.condition(world);
  std::vector<Person> people;
  std::vector<TestRow> rows;
  for (std::size_t i = 0; i < size; ++i) {
    people.push_back(make.person(world));
    rows.push_back(row_of(people.back()));
  }
  const TestTrack track = compiled(world, condition, true);
  const track::BlockOutcome out = track.run(world.now, rows);
  auto gathers = compile_gathers(track.track, test_catalogue(), track.numbering);
  ASSERT_TRUE(gathers) << gathers.error().message;
  const GatherClause& gather = gathers.value().front();
  std::vector<std::uint8_t> kept;
  gather.keep(make_block(world.now, rows, gather.fields(), gather.tags(), 1), kept);
  for (std::size_t i = 0; i < size; ++i) {
    const bool expected = reference::met(condition, world, people[i]);
    ASSERT_EQ(shape_of(out, i).step, track.outcome(expected ? "met" : "not met"))
        << "seed " << seed << ", block of " << size << ", row " << i;
    ASSERT_EQ(kept[i] != 0, expected) << "seed " << seed << ", block of " << size << ", row " << i;
  }
}

TEST(Conditions, R15ColumnsAnswerAsTheReferenceDoes) {
  constexpr std::size_t kSizes[] = {1, 2, 7, 64};
  for (std::uint64_t i = 0; i < 800; ++i) {
    Generator make(kSeed + i);
    check_block(kSeed + i, make, make.world(i % 3 == 0), kSizes[i % 4]);
    if (HasFatalFailure()) {
      return;
    }
  }
}

TEST(Conditions, R15LargeBlocksAnswerAsTheReferenceDoes) {
  for (std::uint64_t i = 0; i < 12; ++i) {
    Generator make(kSeed + 1'000'000 + i);
    check_block(kSeed + 1'000'000 + i, make, make.world(i % 2 == 0), 1'024);
    if (HasFatalFailure()) {
      return;
    }
  }
}

// A contact that waits on a comparison with the time is due at the very instant at which it
// changes: the answer is the same until one microsecond before, and another one then.
TEST(Conditions, R16WaitingContactsAreDueWhenTheAnswerChanges) {
  int changes = 0;
  for (std::uint64_t i = 0; i < 1'500; ++i) {
    const std::uint64_t seed = kSeed + 2'000'000 + i;
    Generator make(seed);
    World world = make.world(i % 3 == 0);
    const track::Condition condition = make.time_test(world);
    const TestTrack track = compiled(world, condition, false);
    auto gathers = compile_gathers(track.track, test_catalogue(), track.numbering);
    ASSERT_TRUE(gathers) << gathers.error().message;
    const GatherClause& gather = gathers.value().front();
    for (int k = 0; k < 4; ++k) {
      const Person person = make.person(world);
      const std::vector<TestRow> rows = {row_of(person)};
      const bool met = reference::met(condition, world, person);
      const base::Instant change =
          gather.next_change(make_block(world.now, rows, gather.fields(), gather.tags(), 1), 0);
      const auto answer_at = [&](base::Instant now) {
        World later = world;
        later.now = now;
        return reference::met(condition, later, person);
      };
      if (!met) {
        const track::BlockOutcome out = track.run(world.now, rows);
        ASSERT_EQ(out.due_at[0], change) << "seed " << seed;
        ASSERT_EQ(shape_of(out, 0).moves, 0) << "seed " << seed;
        ASSERT_EQ(shape_of(out, 0).state, track::PositionState::kOpen);
      }
      const bool never = change == track::kNever;
      const std::int64_t until =
          never ? world.now.us + 3 * 366 * 86'400 * reference::kSecond : change.us - 1;
      ASSERT_GE(until, world.now.us) << "seed " << seed;
      ASSERT_EQ(answer_at({until}), met) << "seed " << seed;
      for (int sample = 0; sample < 6; ++sample) {
        const auto span = static_cast<std::size_t>(until - world.now.us) + 1;
        const base::Instant between{world.now.us + static_cast<std::int64_t>(make.below(span))};
        ASSERT_EQ(answer_at(between), met) << "seed " << seed << " at " << between.us;
      }
      if (!never) {
        ++changes;
        ASSERT_NE(answer_at(change), met) << "seed " << seed;
      }
    }
  }
  EXPECT_GT(changes, 1'000);
}

TEST(Conditions, ComparisonsThatMeanNothingAreRefused) {
  const auto refused = [](const std::string& condition) {
    const auto program =
        compile("track \"t\"\nstep \"s\"\n  when " + condition + ":\n    stop\n", test_catalogue());
    return program ? std::string("compiled") : program.error().message;
  };
  EXPECT_EQ(refused("score is \"a\""), "line 3: number cannot be compared with text");
  EXPECT_EQ(refused("name is after now"), "line 3: text cannot be compared with timestamp");
  EXPECT_EQ(refused("active is more than true"),
            "line 3: a boolean is neither more nor less than another");
  EXPECT_EQ(refused("name"), "line 3: field name is not a boolean but a text");
  EXPECT_EQ(refused("nobody is 3"), "line 3: there is no field nobody");
  EXPECT_THAT(refused("name matches \"(\""), testing::HasSubstr("is not a regular expression"));
  EXPECT_EQ(refused("score is within the last 3 days"), "line 3: number has no distance from now");
  EXPECT_EQ(refused("score contains \"3\""), "line 3: number is not text");
  EXPECT_EQ(refused("seen_at is 2026-01-01 09:00 [Mars/Base]"),
            "line 3: \"Mars/Base\" is not a time zone");
}

}  // namespace
}  // namespace turnout::decide
