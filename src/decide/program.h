#pragma once

// A track compiled: what it reads and writes, and the moves and actions it decides for a block of
// contacts.
//
// Deciding goes column by column: all rows of a block that stand on a step form a selection; each
// rule's condition splits the selection into those it is met for, which take its actions and move
// (and go on on the next step, if that opens at once), and the rest, which try the next rule. Rows
// that went the same way share one Shape.

#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "track/block.h"
#include "track/catalogue.h"
#include "track/numbering.h"
#include "track/track.h"

namespace turnout::decide {

inline constexpr int kMaxMovesPerPassage =
    1000;  // then the block commits and the contact is due at once

// What of a contact is read, or has changed: indices into fields(), tags() and places().
struct Facts {
  std::vector<std::size_t> fields = {};
  std::vector<std::size_t> tags = {};
  std::vector<std::size_t> places = {};

  bool empty() const { return fields.empty() && tags.empty() && places.empty(); }
  bool meets(const Facts& others) const;  // linear in the product of both
  void add(const Facts& others);
};

// What wakes a waiting contact on a step.
struct StepListens {
  std::int32_t step = 0;
  Facts reads;
};

// Immutable after compile(); may be used from any number of threads at once.
class Program {
 public:
  // kInvalid with a sentence when the track cannot be compiled (an invalid regular expression, an
  // unknown time zone, …); the track has passed lang::check and lang::check_runnable.
  static base::Result<Program> compile(const track::Track& track, const track::Catalogue& catalogue,
                                       const track::Numbering& numbering, base::TrackId id,
                                       base::Version version);
  Program(Program&&) noexcept;
  Program& operator=(Program&&) noexcept;
  ~Program();

  // The fields that are read or written, and the tags that are tested, in the order of
  // ContactBlock::columns and ::tags.
  const std::vector<track::Field>& fields() const;
  const std::vector<std::string>& tags() const;
  // The places on tracks that are tested, in the order of ContactBlock::places.
  const std::vector<track::OtherPlace>& places() const;
  const std::vector<StepListens>& listens() const;
  base::Version version() const;
  base::TrackId track() const;
  std::int32_t first_step() const;  // number of the step where the first `gather` starts
  // Names of the events that blocks are to bring along where the entry has not heard them, and of
  // those of which they are to bring along all.
  const std::set<std::string>& events() const;
  const std::set<std::string>& recalls() const;
  // Whether entries hold more than their position: ContactBlock::data.
  bool keeps_data() const;
  // The number of the step on which `gather on`, or another track's `put on track`, puts the
  // contact of the block's row for the event; nullopt: no clause takes it.
  std::optional<std::int32_t> admits(track::ContactBlock& block, std::size_t row,
                                     const track::BlockEvent& event) const;
  // Names of the events that some `gather on` names, and track::kPutOnEvent.
  const std::set<std::string>& gathering_events() const;
  // Whether the event, a track::kTakeOffEvent, is meant for this track.
  bool is_taken_off_by(const track::BlockEvent& event) const;
  // What an entry keeps that the event has made: ContactBlock::data.
  std::string data_of(const track::BlockEvent& event) const;
  // What tells the entries of one contact apart, by `for each`: the property's value as JSON, "" if
  // the event has none; nullopt where the track has no `for each`.
  std::optional<std::string> entry_key(const track::BlockEvent& event) const;
  // What the track's `enter` says as of `now`: see GatherClause::may_have_stopped_by.
  std::optional<base::Instant> may_have_stopped_by(base::Instant now) const;

  // For a contact that waits on `step` with the rules of `stayed` spent: the bits of those that may
  // be met again because something of it `changed`.
  std::uint64_t woken_rules(std::int32_t step, const Facts& changed) const;

  // For a contact that is closed with `stayed`: whether its move is due by a field that `changed`,
  // or a `leave` clause reads something that did.
  bool wakes_closed(std::uint64_t stayed, const Facts& changed) const;
  // Whether contacts that wait for a delayed move may leave.
  bool leaves() const;
  // For a row of the block that is closed since the rule numbered `rule` of the step `from`, in
  // whichever version, moved it at `moved_at`: what its `stayed` is to be for it to be looked at
  // now and then wait as this version says; nullopt: it keeps its time. See decide/reschedule.h.
  std::optional<std::uint64_t> rescheduled(track::ContactBlock& block, std::size_t row,
                                           std::int32_t from, std::int32_t rule,
                                           base::Instant moved_at) const;

  // Decides every row: takes it through as many steps as it can at block.now. A row that is not due
  // (kClosed before its due_at, kStopped, on a step this version does not have) keeps its state
  // with an empty shape. `block` is scratch: its columns change as rows set fields. Cost: O(rows ×
  // conditions); nothing is kept between calls.
  void run(track::ContactBlock& block, track::BlockOutcome& out) const;

 private:
  struct Impl;
  explicit Program(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

}  // namespace turnout::decide
