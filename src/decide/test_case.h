#pragma once

// The tests that stand beside a track: one contact, a clock that the test moves, and what is
// expected of it.

#include <string>
#include <vector>

#include "base/time.h"
#include "track/catalogue.h"
#include "track/track.h"

namespace turnout::decide {

// When every test begins, in the track's own zone: a Monday at noon, so that what tests say of
// weekdays and times of day is the same whenever they run.
inline constexpr base::Date kTestDay{20'605};  // 1 June 2026
inline constexpr std::int32_t kTestSecond = 12 * 3600;

struct TestFailure {
  track::Span span;
  std::string message;  // one sentence: what was expected, and what was
};

struct TestResult {
  std::string name;
  track::Span span;
  std::vector<TestFailure> failures;  // in the order of the lines; empty: passed
};

// Runs a test of a track that has passed lang::check and check_runnable. `given` sets fields; the
// first other line puts the contact on the track, where a `gather on` takes it if that line is an
// event, else where the first `gather contacts` clause starts whose condition it meets, or else the
// first `gather`; `after` moves the clock; `expect` looks at
// what happened since the clock was moved last, and at how things stand. Thread-safe.
TestResult run_test(const track::Track& track, const track::TestCase& test,
                    const track::Catalogue& catalogue);

}  // namespace turnout::decide
