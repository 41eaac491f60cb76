#pragma once

// Tracks and blocks made by hand, so that the suite needs neither the language nor the engine.

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store/types.h"
#include "track/block.h"
#include "track/track.h"

namespace turnout::store::test {

// Times that a test gives: far from now, so that a dump tells them from the clock's.
inline constexpr base::Instant kLongAgo{1'000'000'000'000'000};  // 2001
inline constexpr base::Instant kFarOff{4'102'444'800'000'000};   // 2100

// A track with these steps in order. The first has a rule that sends the e-mail "hello", calls the
// webhook "hook" and stops as "done"; so with N steps "completed" is number N + 1, "hello" N + 2,
// "hook" N + 3 and "done" N + 4.
Publish make_publish(const std::string& name, const std::vector<std::string>& steps,
                     const std::string& text);

// A track of one step that contacts leave when they are on another track, at that step unless it is
// "".
Publish asking(const std::string& name, const std::string& text, const std::string& about,
               const std::string& step);

// What one row of a block does.
struct Way {
  std::vector<std::int32_t> path;  // [step, rule, …, end]; empty: nothing was met
  track::PositionState state = track::PositionState::kOpen;
  std::vector<track::Shape::Act> acts;
  std::vector<track::Shape::Tag> tags;
  base::Instant due = track::kNever;
  base::Instant step_at = kLongAgo;
  std::uint64_t stayed = 0;
  std::string seen = "{}";
  std::string payload;
  std::vector<std::pair<std::size_t, track::Value>> writes;  // (field, value)
  std::vector<std::pair<std::size_t, double>> adds;          // (field, number), no writes beside
  bool withdraws = false;
  std::optional<std::int64_t> heard;  // nothing: as before
  std::optional<std::string> data;    // of all rows or none
};

// The outcome of a block whose rows go these ways; rows with equal ways share a shape.
track::BlockOutcome outcome_of(const track::ContactBlock& block,
                               const std::vector<track::Field>& fields,
                               const std::function<Way(std::size_t row)>& way);

// A batch with one column per field, all rows present where the value is not Missing.
ContactBatch make_batch(const std::vector<std::string>& keys,
                        const std::vector<track::Field>& fields,
                        const std::vector<std::vector<track::Value>>& rows);

inline const track::Field kEmail{"email", track::Type::kText, "email"};
inline const track::Field kScore{"score", track::Type::kNumber, "score"};
inline const track::Field kPlan{"plan", track::Type::kText, "plan"};
inline const track::Field kActive{"active", track::Type::kBoolean, "active"};
inline const track::Field kSince{"since", track::Type::kTimestamp, "since"};
inline const track::Field kBorn{"born", track::Type::kDate, "born"};

}  // namespace turnout::store::test
