#pragma once

// Conditions as SQL, asked of a real database and compared with the reference.

#include <functional>

#include "conditions.h"
#include "decide/gather.h"

namespace turnout::decide {

// A database with the tables `contact` and `contact_tag`.
class SqlUnderTest {
 public:
  SqlUnderTest() = default;
  SqlUnderTest(const SqlUnderTest&) = delete;
  SqlUnderTest& operator=(const SqlUnderTest&) = delete;
  virtual ~SqlUnderTest() = default;
  virtual Dialect dialect() const = 0;
  // Replaces all contacts; ids count from 1.
  virtual void fill(const std::vector<reference::Person>& people) = 0;
  // Ids from `first` to `last` that meet the condition, whose parameters begin at 3.
  virtual std::set<std::int64_t> select(const SqlCondition& where, std::int64_t first,
                                        std::int64_t last) = 0;
};

inline constexpr int kFirstParameter = 3;

struct SqlCounts {
  int exact = 0;
  int wider = 0;
};

// `batches` times: a world, 200 contacts in it, and `conditions` conditions.
inline void check_sql(SqlUnderTest& database, std::uint64_t first_seed, int batches, int conditions,
                      SqlCounts& counts) {
  constexpr std::int64_t kPeople = 200;
  for (int batch = 0; batch < batches; ++batch) {
    const std::uint64_t seed = first_seed + static_cast<std::uint64_t>(batch);
    reference::Generator make(seed);
    const reference::World world = make.world(batch % 3 == 0);
    std::vector<reference::Person> people;
    for (std::int64_t i = 0; i < kPeople; ++i) {
      people.push_back(make.person(world));
    }
    database.fill(people);
    for (int k = 0; k < conditions; ++k) {
      const track::Condition condition = k % 3 == 0 ? make.time_test(world) : make.condition(world);
      const track::Track track = reference::one_condition(world, condition, true);
      auto gathers = compile_gathers(track, test_catalogue(), track::extend({}, track));
      ASSERT_TRUE(gathers) << gathers.error().message;
      SqlCondition where =
          gathers.value().front().sql(database.dialect(), world.now, kFirstParameter);
      ++(where.exact ? counts.exact : counts.wider);
      const std::set<std::int64_t> found = database.select(where, 1, kPeople);
      for (std::int64_t id = 1; id <= kPeople; ++id) {
        const bool met = reference::met(condition, world, people[static_cast<std::size_t>(id - 1)]);
        const std::string which = "seed " + std::to_string(seed) + ", condition " +
                                  std::to_string(k) + ", contact " + std::to_string(id) + "\n" +
                                  where.text;
        if (where.exact) {
          ASSERT_EQ(found.contains(id), met) << which;
        } else if (met) {
          ASSERT_TRUE(found.contains(id)) << "a contact is missed: " << which;
        }
      }
    }
  }
}

}  // namespace turnout::decide
