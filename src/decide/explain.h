#pragma once

// What a compiled track would do, for people: what it reads and writes, which part of each `gather
// contacts` the database answers, and what wakes who waits on a step.

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "decide/gather.h"
#include "track/catalogue.h"
#include "track/track.h"

namespace turnout::decide {

struct GatherPlan {
  SqlCondition sqlite;  // as of the instant asked for
  SqlCondition postgres;
  bool depends_on_time = false;  // it looks again although nothing has changed
};

struct StepPlan {
  std::string step;  // kHeldOut for those who are held out
  std::vector<std::string> fields;
  std::vector<std::string> tags;
  std::vector<track::OtherPlace> places;
  std::vector<std::string> events;  // that rules are `on`, or ask for
  std::vector<std::size_t> timed;   // rules that the time alone may bring about, by their index
};

struct TrackPlan {
  std::vector<std::string> reads;  // fields, in the order in which blocks load them
  std::vector<std::string> writes;
  std::vector<std::string> tags;             // that are tested
  std::vector<GatherPlan> gathers;           // the `gather contacts` clauses in file order
  std::vector<std::string> gathers_on;       // events of the `gather on` clauses in file order
  std::vector<std::string> leaves_by;        // fields and tags that `leave` clauses read
  std::vector<track::OtherPlace> leaves_at;  // places that they ask for
  std::vector<std::string> leaves_on;        // events that they hear or ask for
  std::vector<std::size_t> timed_leaves;
  std::vector<StepPlan> steps;
};

// kInvalid: the track does not compile. It has passed lang::check and check_runnable.
base::Result<TrackPlan> explain(const track::Track& track, const track::Catalogue& catalogue,
                                base::Instant now);

}  // namespace turnout::decide
