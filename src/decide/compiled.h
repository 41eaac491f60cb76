#pragma once

// A track compiled: the plain data behind Program, made once by compile_track() and read by every
// passage.

#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/ids.h"
#include "base/result.h"
#include "decide/condition.h"
#include "decide/due.h"
#include "decide/program.h"
#include "decide/row.h"
#include "decide/zone.h"
#include "track/block.h"
#include "track/numbering.h"

namespace turnout::decide {

// What a webhook is called with: literal JSON, an operand, or a list or an object of these.
struct JsonTemplate {
  enum class Kind : std::uint8_t { kTerm, kObject, kList };
  Kind kind = Kind::kTerm;
  Term term;
  std::vector<std::string> names;  // of an object's members, parallel to `items`
  std::vector<JsonTemplate> items;
};

struct CompiledAction {
  enum class Kind : std::uint8_t { kSend, kSet, kClear, kAdd, kTag };
  Kind kind = Kind::kSend;
  track::Shape::Act act;                  // kSend; `move` is filled in per shape
  std::optional<JsonTemplate> payload;    // kSend
  std::size_t field = 0;                  // kSet, kClear, kAdd
  std::optional<std::string> entry;       // the same: entry.NAME in place of the field
  Term value;                             // kSet, kAdd
  std::optional<CalendarDuration> delay;  // kAdd: in place of `value`
  int sign = 1;                           // kAdd: -1 takes away
  track::Shape::Tag tag;                  // kTag
  std::optional<std::size_t> tested_tag;  // kTag: its index when conditions test it
};

struct CompiledMove {
  enum class Kind : std::uint8_t { kGo, kWait, kStop, kStay, kRest };
  Kind kind = Kind::kGo;
  std::size_t step = 0;      // kGo, kWait: index of the step
  CompiledDue due;           // kWait: when it opens; kRest: when its rules are tested again
  std::int32_t outcome = 0;  // kStop: its number
};

struct CompiledRule {
  enum class Head : std::uint8_t { kWhen, kOn, kAfter, kOnceAt, kEvery, kShare, kOtherwise };
  Head head = Head::kOtherwise;
  Node condition;     // kWhen
  std::string event;  // kOn: its name, and what it must meet
  std::optional<Node> where;
  CalendarDuration after;  // kAfter
  Term once_at;            // kOnceAt
  WeeklyTurns every;       // kEvery
  // kShare: met when the draw lies in [low, high), in hundredths of a percent of 10,000.
  double share_low = 0;
  double share_high = 0;
  std::vector<CompiledAction> actions;
  CompiledMove move;
  Reads reads;                      // for `otherwise` those of the whole step
  Reads on_reads;                   // what `where` reads
  std::vector<std::size_t> tested;  // fields read by this rule and those before it
};

struct CompiledStep {
  std::int32_t number = 0;
  std::string name;
  std::vector<CompiledRule> rules;
  Reads reads;
  std::vector<std::size_t> tested;        // fields read by any rule
  std::optional<CalendarDuration> check;  // `check every`
  bool timed = false;                     // some rule depends on the time, or a `leave` clause
  bool stays = false;                     // some rule stays
};

inline constexpr std::size_t kNoStep = std::numeric_limits<std::size_t>::max();

struct CompiledTrack {
  base::TrackId id;
  base::Version version;
  Columns columns;
  std::vector<CompiledStep> steps;
  std::vector<std::size_t> step_of_number;  // step number → index, or kNoStep
  std::vector<std::size_t> written;         // fields that some action sets or clears, ascending
  std::vector<StepListens> listens;
  std::vector<CompiledDue> following;  // delayed moves that are due by a field, by `mark`
  // `leave` clauses in file order: each is met `when` and stops. Asked before a step's rules, and
  // of those that wait for a delayed move as well.
  std::vector<CompiledRule> leaves;
  Reads leave_reads;
  // `hold out`: the share of new entries that goes to the last of `steps`, which is no step of the
  // file.
  std::optional<CompiledRule> hold_out;
  std::vector<CompiledRule> gathers_on;  // `gather on`: event, condition, and the step to start at
  std::set<std::string> gathering_events;       // that these name, and kPutOnEvent
  std::string name;                             // the track's own
  std::optional<CalendarDuration> again_after;  // see decide::again_after
  std::optional<std::string> for_each;          // property of an event that tells entries apart
  std::int32_t first_step = 0;                  // number of the one where the first `gather` starts

  // A step's rule, or what else kHeldOutRule and leave_rule() name.
  const CompiledRule& rule(std::size_t step, std::int32_t number) const {
    if (track::is_leave_rule(number)) {
      return leaves[track::leave_index(number)];
    }
    if (number == track::kHeldOutRule) {
      CHECK(hold_out.has_value());
      return *hold_out;
    }
    return steps[step].rules[static_cast<std::size_t>(number)];
  }

  std::size_t step_index(std::int32_t number) const {
    return number >= 0 && static_cast<std::size_t>(number) < step_of_number.size()
               ? step_of_number[static_cast<std::size_t>(number)]
               : kNoStep;
  }
};

// Rules with a higher number cannot stay: each has a bit in ContactBlock::stayed.
inline constexpr std::size_t kMaxStayRule = 63;

base::Result<CompiledTrack> compile_track(const track::Track& track,
                                          const track::Catalogue& catalogue,
                                          const track::Numbering& numbering, base::TrackId id,
                                          base::Version version);

// Takes all rows of `block` as far as they go. See Program::run.
void run_passage(const CompiledTrack& compiled, track::ContactBlock& block,
                 track::BlockOutcome& out);

}  // namespace turnout::decide
