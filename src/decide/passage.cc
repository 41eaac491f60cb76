// One passage of a block: every row is taken from step to step until it waits, stops or has moved
// often enough.
//
// The rows that stand on a step are handled together, so the work is done rule by rule over lists
// of rows. Where a row has been is one number: a leaf of the tree of ways that rows of this block
// have gone, whose nodes are (way so far, step, rule). What depends on the way alone (shape) is
// worked out once per leaf.

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "decide/compiled.h"
#include "decide/effects.h"
#include "decide/event_queue.h"
#include "decide/row.h"
#include "decide/rule_turns.h"
#include "decide/scopes.h"
#include "decide/select.h"
#include "decide/ways.h"

namespace turnout::decide {
namespace {

using base::Instant;
using track::kNever;
using track::PositionState;

constexpr base::Duration kSmallest{1};
constexpr Instant kBeginning{std::numeric_limits<std::int64_t>::min()};

class Passage {
  // Where a row with events stands by now.
  struct Place {
    std::size_t step = 0;
    PositionState state = PositionState::kOpen;
    bool tested = false;  // what it was due for has been seen to
  };

 public:
  Passage(const CompiledTrack& compiled, track::ContactBlock& block, track::BlockOutcome& out)
      : compiled_(compiled),
        block_(block),
        out_(out),
        rows_(block, compiled.columns.zone),
        scopes_(compiled.columns, block, rows_),
        fields_(compiled, rows_),
        payloads_(block.rows()),
        ways_(compiled, block.rows()),
        pending_(compiled.steps.size()),
        closed_(compiled.steps.size()),
        events_(block),
        met_(block.rows()) {
    rows_.set_scopes(&scopes_);
    rows_.set_step_at(out.step_at);
  }

  void run() {
    out_.step_at = block_.step_at;
    out_.due_at = block_.due_at;
    out_.stayed = block_.stayed;
    out_.heard = block_.heard;
    place_rows();
    settle();
    // Triggers of a contact are taken by their instants: an event that came before what else the
    // row was due for is heard first.
    while (offer_events()) {
      settle();
    }
    // What it could not hear on the way, whatever it was, it does not hear later.
    for (std::size_t row = 0; row < block_.newest.size(); ++row) {
      out_.heard[row] = std::max(out_.heard[row], block_.newest[row]);
    }
    fields_.collect(out_.writes);
    if (compiled_.columns.scopes) {
      scopes_.write(out_.data);
    }
    ways_.finish(rows_, payloads_, out_);
  }

 private:
  // Runs the rows that are to be tested until all wait or have stopped.
  void settle() {
    for (std::size_t step = 0; step < closed_.size(); ++step) {
      if (!closed_[step].empty()) {
        current_.clear();
        current_.swap(closed_[step]);
        keep_closed(step);
      }
    }
    for (bool more = true; more;) {
      more = false;
      for (std::size_t step = 0; step < pending_.size(); ++step) {
        if (!pending_[step].empty()) {
          current_.clear();
          current_.swap(pending_[step]);
          run_step(step);
          more = true;
        }
      }
    }
  }

  void place_rows() {
    for (std::size_t row = 0; row < block_.rows(); ++row) {
      const std::size_t step = compiled_.step_index(block_.step[row]);
      const PositionState state = block_.state[row];
      ways_.start(row, block_.step[row], state);
      if (step == kNoStep || state == PositionState::kStopped ||
          (state == PositionState::kClosed && block_.due_at[row] > block_.now)) {
        continue;
      }
      const track::BlockEvent* const event = events_.peek(row);
      if (event == nullptr || event->at > block_.due_at[row]) {
        test_row(row, step);
      }
    }
    places_.resize(events_.rows().empty() ? 0 : block_.rows());
    for (const std::size_t row : events_.rows()) {
      places_[row] = {compiled_.step_index(block_.step[row]), block_.state[row],
                      events_.peek(row)->at > block_.due_at[row]};
    }
  }

  // The row is due: a closed one opens or is looked at, an open one is tested. It has not moved.
  void test_row(std::size_t row, std::size_t step) {
    const PositionState state = block_.state[row];
    const Instant opens = state == PositionState::kClosed ? opening(row) : kBeginning;
    if (opens > block_.now) {
      out_.due_at[row] = opens;
      closed_[step].push_back(static_cast<RowNumber>(row));
      return;
    }
    ways_.start(row, block_.step[row], PositionState::kOpen);
    if (state == PositionState::kClosed) {
      const bool rested = (block_.stayed[row] & track::kRests) != 0;
      out_.step_at[row] = rested ? block_.step_at[row] : opens;
      out_.stayed[row] = 0;
    } else if (out_.stayed[row] != 0) {
      out_.stayed[row] &= ~turned_rules(compiled_.steps[step], row);
    }
    out_.due_at[row] = kNever;
    pending_[step].push_back(static_cast<RowNumber>(row));
  }

  // --- Events

  // Offers each row its next event; false when none has any.
  bool offer_events() {
    bool any = false;
    for (const std::size_t row : events_.rows()) {
      const track::BlockEvent* const event = events_.peek(row);
      const Place place = places_[row];
      if (place.step == kNoStep || place.state == PositionState::kStopped) {
        out_.heard[row] = std::max(out_.heard[row], last_event(row));
        continue;
      }
      if (event != nullptr) {
        any = true;
        events_.pop(row);
        out_.heard[row] = event->id;
        offer(static_cast<RowNumber>(row), place, *event);
      } else if (!place.tested) {
        any = true;
        places_[row].tested = true;
        test_row(row, place.step);
      }
    }
    return any;
  }

  std::int64_t last_event(std::size_t row) const {
    std::int64_t last = 0;
    for (const track::BlockEvent& event : block_.events[row]) {
      last = event.at <= block_.now ? std::max(last, event.id) : last;
    }
    return last;
  }

  // At most one rule is met by it: a `leave` clause, or else an `on` rule of the step.
  void offer(RowNumber row, const Place& place, const track::BlockEvent& event) {
    if (compiled_.for_each && scopes_.is_of_another(row, *compiled_.for_each, event)) {
      return;
    }
    scopes_.offer(row, &event);
    const std::vector<CompiledRule>& rules = compiled_.steps[place.step].rules;
    std::int32_t met = first_met(compiled_.leaves, row, event);
    met =
        met >= 0 ? track::leave_rule(static_cast<std::size_t>(met)) : first_met(rules, row, event);
    if (met == kNobody) {
      scopes_.offer(row, nullptr);
      if (asks_for(compiled_.steps[place.step], event.name)) {
        out_.stayed[row] &= ~asking_rules(place, event.name);
        if (place.tested) {
          test_again(row, place);
        }
      }
      return;
    }
    scopes_.keep(row);
    places_[row].tested = true;
    met_[0] = row;
    const bool stays =
        met >= 0 && rules[static_cast<std::size_t>(met)].move.kind == CompiledMove::Kind::kStay;
    if (stays && place.state == PositionState::kClosed) {
      out_.step_at[row] = block_.now;  // its timer is cancelled, so the step opens
      out_.stayed[row] = 0;
    }
    fire(place.step, met, 1);
    if (stays) {
      out_.stayed[row] &= ~asking_rules(places_[row], event.name);
      places_[row].state = PositionState::kOpen;
      pending_[place.step].push_back(row);
    }
  }

  static constexpr std::int32_t kNobody = -1;

  std::int32_t first_met(const std::vector<CompiledRule>& rules, RowNumber row,
                         const track::BlockEvent& event) const {
    for (std::size_t i = 0; i < rules.size(); ++i) {
      const CompiledRule& rule = rules[i];
      if (rule.head == CompiledRule::Head::kOn && rule.event == event.name &&
          (!rule.where || test(*rule.where, rows_, row, block_.now))) {
        return static_cast<std::int32_t>(i);
      }
    }
    return kNobody;
  }

  // Whether the answer of some rule or `leave` clause depends on the event without being met by it.
  bool asks_for(const CompiledStep& step, const std::string& event) const {
    return step.reads.events.contains(event) || compiled_.leave_reads.events.contains(event);
  }

  // The bits of the rules that stayed and may be met again because of the event: those that ask for
  // it, and `otherwise`.
  std::uint64_t asking_rules(const Place& place, const std::string& event) const {
    const std::vector<CompiledRule>& rules = compiled_.steps[place.step].rules;
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < std::min(rules.size(), kMaxStayRule); ++i) {
      const bool asks =
          rules[i].head == CompiledRule::Head::kOtherwise ||
          (rules[i].head == CompiledRule::Head::kWhen && rules[i].reads.events.contains(event));
      bits |= asks ? std::uint64_t{1} << i : 0;
    }
    return place.state == PositionState::kClosed ? 0 : bits;
  }

  // A row that has been tested in this passage, or has moved.
  void test_again(RowNumber row, const Place& place) {
    if (place.state == PositionState::kClosed) {
      closed_[place.step].push_back(row);
    } else {
      pending_[place.step].push_back(row);
    }
  }

  // When a closed row whose time has come to be looked at opens. One that is due by a field was
  // woken when the field changed, and may be due later now.
  Instant opening(std::size_t row) const {
    const std::uint64_t mark = block_.stayed[row];
    if ((mark & track::kFollows) != 0) {
      const auto due = std::ranges::lower_bound(compiled_.following, mark, {}, &CompiledDue::mark);
      if (due != compiled_.following.end() && due->mark == mark) {
        const Instant at = due_instant(*due, rows_, row);
        return at > block_.now ? at : block_.due_at[row];
      }
    } else if ((mark & track::kLooks) != 0) {
      return {static_cast<std::int64_t>(mark & (track::kLooks - 1))};
    }
    return block_.due_at[row];
  }

  // The rows of current_ wait for a delayed move to the step, or rest there: only a `leave` clause
  // takes them away. out_.due_at says when they open.
  void keep_closed(std::size_t step) {
    const std::size_t left = leave(step, current_.size());
    for (std::size_t i = 0; i < left; ++i) {
      const RowNumber row = current_[i];
      const Instant opens = out_.due_at[row];
      const std::uint64_t mark = out_.stayed[row];
      close(row, opens, (mark & track::kFollows) != 0 ? mark : mark & track::kRests);
    }
    current_.clear();
  }

  // Moves those of current_[0 … count) off that a `leave` clause is met for; returns how many are
  // left, at the front.
  std::size_t leave(std::size_t step, std::size_t count) {
    for (std::size_t i = 0; i < compiled_.leaves.size() && count > 0; ++i) {
      if (compiled_.leaves[i].head == CompiledRule::Head::kOn) {
        continue;
      }
      const std::size_t met = split(compiled_.leaves[i].condition, rows_, current_.data(), count,
                                    met_.data(), current_.data());
      if (met > 0) {
        fire(step, track::leave_rule(i), met);
        count -= met;
      }
    }
    return count;
  }

  // The same for new entries that are held out: those drawn below `share`.
  std::size_t hold_out(std::size_t step, std::size_t count, double share) {
    std::size_t met = 0;
    std::size_t rest = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const RowNumber row = current_[i];
      const bool is_new = block_.move_no[row] == 0 && ways_.moves(row) == 0;
      if (is_new &&
          draw(compiled_.id, block_.contact[row], block_.entry[row], track::kHeldOutStep) < share) {
        met_[met++] = row;
      } else {
        current_[rest++] = row;
      }
    }
    if (met > 0) {
      fire(step, track::kHeldOutRule, met);
    }
    return rest;
  }

  // The bits of those rules that stayed and that the timer which brought the row here was set for.
  std::uint64_t turned_rules(const CompiledStep& step, std::size_t row) const {
    std::uint64_t bits = 0;
    std::uint64_t all = 0;
    for (std::size_t i = 0; i < step.rules.size(); ++i) {
      const std::uint64_t bit = i < kMaxStayRule ? std::uint64_t{1} << i : 0;
      if (turned(step.rules[i], rows_, row, block_.step_at[row], block_.due_at[row]) != kNever) {
        bits |= bit;
        all = ~std::uint64_t{0};
      }
    }
    // `otherwise` listens to what all the others do.
    for (std::size_t i = 0; i < std::min(step.rules.size(), kMaxStayRule); ++i) {
      if (step.rules[i].head == CompiledRule::Head::kOtherwise) {
        bits |= all & (std::uint64_t{1} << i);
      }
    }
    return bits;
  }

  void run_step(std::size_t index) {
    const CompiledStep& step = compiled_.steps[index];
    if (compiled_.columns.scopes) {
      for (const RowNumber row : current_) {
        scopes_.stand(row, step.number, step.name, out_.step_at[row]);
      }
    }
    std::size_t left = leave(index, current_.size());
    if (const std::optional<CompiledRule>& held_out = compiled_.hold_out) {
      left = hold_out(index, left, held_out->share_high);
    }
    for (std::size_t rule = 0; rule < step.rules.size() && left > 0; ++rule) {
      const std::size_t met = step.rules[rule].move.kind == CompiledMove::Kind::kStay
                                  ? split_unspent(step.rules[rule], step, rule, left)
                                  : split_rule(step.rules[rule], step, current_.data(), left);
      if (met > 0) {
        fire(index, static_cast<std::int32_t>(rule), met);
        left -= met;
      }
    }
    for (std::size_t i = 0; i < left; ++i) {
      const RowNumber row = current_[i];
      out_.due_at[row] = step.timed ? next_turn(step, row) : kNever;
    }
  }

  // Moves those of rows[0 … count) that meet the rule to met_, the others to the front of `rows`.
  std::size_t split_rule(const CompiledRule& rule, const CompiledStep& step, RowNumber* rows,
                         std::size_t count) {
    if (rule.head == CompiledRule::Head::kWhen) {
      return split(rule.condition, rows_, rows, count, met_.data(), rows);
    }
    std::size_t met = 0;
    std::size_t rest = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const RowNumber row = rows[i];
      if (is_met(rule, step, row)) {
        met_[met++] = row;
      } else {
        rows[rest++] = row;
      }
    }
    return met;
  }

  // The same for a rule that stays: rows for which it is spent are not asked.
  std::size_t split_unspent(const CompiledRule& rule, const CompiledStep& step, std::size_t number,
                            std::size_t count) {
    const auto middle =
        std::partition(current_.begin(), current_.begin() + static_cast<std::ptrdiff_t>(count),
                       [&](RowNumber row) { return (out_.stayed[row] >> number & 1) != 0; });
    const auto spent = static_cast<std::size_t>(middle - current_.begin());
    return split_rule(rule, step, current_.data() + spent, count - spent);
  }

  bool is_met(const CompiledRule& rule, const CompiledStep& step, RowNumber row) const {
    switch (rule.head) {
      case CompiledRule::Head::kAfter:
      case CompiledRule::Head::kOnceAt:
      case CompiledRule::Head::kEvery:
        return has_turned(rule, row);
      case CompiledRule::Head::kShare: {
        const double share =
            draw(compiled_.id, block_.contact[row], block_.entry[row], step.number);
        return share >= rule.share_low && share < rule.share_high;
      }
      case CompiledRule::Head::kOn:
        return false;
      default:
        return true;
    }
  }

  // Whether the clock has brought the rule about since the contact's step opened.
  bool has_turned(const CompiledRule& rule, RowNumber row) const {
    return turn_after(rule, rows_, row, out_.step_at[row], kBeginning) <= block_.now;
  }

  // The rows met_[0 … count) fire the rule.
  void fire(std::size_t step, std::int32_t rule_number, std::size_t count) {
    const CompiledRule& rule = compiled_.rule(step, rule_number);
    for (const CompiledAction& action : rule.actions) {
      act(action, count);
    }
    note_places(rule.move, step, count);
    const bool fresh =
        rule.move.kind != CompiledMove::Kind::kStay && rule.move.kind != CompiledMove::Kind::kRest;
    for (std::size_t i = 0; i < count && fresh; ++i) {
      out_.step_at[met_[i]] = block_.now;
      out_.stayed[met_[i]] = 0;
    }
    switch (rule.move.kind) {
      case CompiledMove::Kind::kGo:
        go(step, rule_number, rule.move.step, count);
        return;
      case CompiledMove::Kind::kWait:
        wait(rule.move.due, count, rule.move.due.mark);
        break;
      case CompiledMove::Kind::kRest:
        wait(rule.move.due, count, track::kRests);
        break;
      case CompiledMove::Kind::kStop:
        for (std::size_t i = 0; i < count; ++i) {
          out_.due_at[met_[i]] = kNever;
        }
        break;
      case CompiledMove::Kind::kStay:
        for (std::size_t i = 0; i < count; ++i) {
          stay(compiled_.steps[step], static_cast<std::size_t>(rule_number), met_[i]);
        }
        break;
    }
    ways_.extend(step, rule_number, met_.data(), count);
  }

  // Where the rows met_[0 … count) are after the move.
  void note_places(const CompiledMove& move, std::size_t step, std::size_t count) {
    const bool goes =
        move.kind == CompiledMove::Kind::kGo || move.kind == CompiledMove::Kind::kWait;
    if (goes && compiled_.columns.scopes) {
      for (std::size_t i = 0; i < count; ++i) {
        scopes_.arrive(met_[i], compiled_.steps[move.step].number);
      }
    }
    if (places_.empty()) {
      return;
    }
    PositionState state = PositionState::kOpen;
    if (move.kind == CompiledMove::Kind::kStop) {
      state = PositionState::kStopped;
    } else if (move.kind == CompiledMove::Kind::kWait || move.kind == CompiledMove::Kind::kRest) {
      state = PositionState::kClosed;
    }
    for (std::size_t i = 0; i < count; ++i) {
      places_[met_[i]] = {goes ? move.step : step, state, true};
    }
  }

  void go(std::size_t step, std::int32_t rule_number, std::size_t target, std::size_t count) {
    std::vector<RowNumber>& next = pending_[target];
    if (ways_.extend(step, rule_number, met_.data(), count) < kMaxMovesPerPassage) {
      next.insert(next.end(), met_.begin(), met_.begin() + static_cast<std::ptrdiff_t>(count));
      return;
    }
    for (std::size_t i = 0; i < count; ++i) {
      const RowNumber row = met_[i];
      if (ways_.moves(row) < kMaxMovesPerPassage) {
        next.push_back(row);
      } else {
        out_.due_at[row] = block_.now;
      }
    }
  }

  // Closes the rows met_[0 … count): at one instant unless something of theirs says when they open.
  void wait(const CompiledDue& due, std::size_t count, std::uint64_t mark) {
    const bool one = !due.follows() && rows_.one_zone();
    Instant at = kNever;
    for (std::size_t i = 0; i < count; ++i) {
      const RowNumber row = met_[i];
      at = i == 0 || !one ? due_instant(due, rows_, row) : at;
      close(row, at, mark);
    }
  }

  // The row opens at `at`, and is looked at before that when a `leave` clause may be met by the
  // time alone.
  void close(RowNumber row, Instant at, std::uint64_t mark) {
    const Instant looks = next_leave(row);
    out_.due_at[row] = std::min(at, looks);
    out_.stayed[row] = looks < at ? track::looked_at(mark, at) : mark;
  }

  void stay(const CompiledStep& step, std::size_t rule_number, RowNumber row) {
    if (step.rules[rule_number].head == CompiledRule::Head::kOn) {
      return;  // each event is another, and the step's rules are tested after it
    }
    out_.stayed[row] |= std::uint64_t{1} << rule_number;
    out_.due_at[row] = step.timed ? next_turn(step, row) : kNever;
    // Timers keep running: a later rule whose time has come was not asked, because this one was met
    // first, and no timer would be set for it any more. The contact is due for it at once, but
    // later than any instant that has been, so that no rule which has just stayed takes it for its
    // own.
    for (std::size_t i = rule_number + 1; i < step.rules.size(); ++i) {
      const bool spent = i < kMaxStayRule && (out_.stayed[row] >> i & 1) != 0;
      if (!spent && timer_is_due(step.rules[i], row)) {
        out_.due_at[row] = block_.now + kSmallest;
      }
    }
  }

  // Whether a rule that the time brings about is met.
  bool timer_is_due(const CompiledRule& rule, RowNumber row) const {
    return rule.head == CompiledRule::Head::kWhen
               ? rule.reads.time && test(rule.condition, rows_, row, block_.now)
               : has_turned(rule, row);
  }

  void act(const CompiledAction& action, std::size_t count) {
    switch (action.kind) {
      case CompiledAction::Kind::kSend:
        if (const auto& payload = action.payload) {
          payloads_.add(*payload, rows_, met_.data(), count);
        }
        break;
      case CompiledAction::Kind::kSet:
      case CompiledAction::Kind::kClear:
      case CompiledAction::Kind::kAdd:
        write(action, count);
        break;
      case CompiledAction::Kind::kTag:
        if (const std::optional<std::size_t>& tested = action.tested_tag) {
          std::vector<std::uint8_t>& tag = block_.tags[*tested];
          for (std::size_t i = 0; i < count; ++i) {
            tag[met_[i]] = action.tag.add ? 1 : 0;
          }
        }
        break;
    }
  }

  void write(const CompiledAction& action, std::size_t count) {
    if (action.entry) {
      for (std::size_t i = 0; i < count; ++i) {
        write_entry(action, rows_, met_[i], scopes_);
      }
    } else if (action.kind == CompiledAction::Kind::kSet) {
      fields_.set(action.field, action.value, met_.data(), count);
    } else if (action.kind == CompiledAction::Kind::kClear) {
      fields_.clear(action.field, met_.data(), count);
    } else {
      fields_.add(action, met_.data(), count);
    }
  }

  // The next instant at which some rule of the step may answer otherwise for a row that waits.
  Instant next_turn(const CompiledStep& step, RowNumber row) const {
    Instant first = next_leave(row);
    for (const CompiledRule& rule : step.rules) {
      first = std::min(first, next_answer(rule, rows_, row, out_.step_at[row], block_.now));
    }
    if (step.check) {
      first = std::min(first, next_round(rows_.zone(row), out_.step_at[row], *step.check,
                                         std::max(out_.step_at[row], block_.now)));
    }
    return first;
  }

  // The same for the `leave` clauses.
  Instant next_leave(RowNumber row) const {
    Instant first = kNever;
    for (std::size_t i = 0; i < compiled_.leaves.size() && compiled_.leave_reads.time; ++i) {
      first = std::min(first,
                       next_answer(compiled_.leaves[i], rows_, row, out_.step_at[row], block_.now));
    }
    return first;
  }

  const CompiledTrack& compiled_;
  track::ContactBlock& block_;
  track::BlockOutcome& out_;
  Rows rows_;
  Scopes scopes_;
  FieldEffects fields_;
  Payloads payloads_;
  Ways ways_;
  std::vector<std::vector<RowNumber>>
      pending_;  // per step: rows that stand on it and have not been tested
  std::vector<std::vector<RowNumber>> closed_;  // per step: rows that only `leave` may take off it
  EventQueue events_;
  std::vector<Place> places_;       // per row, where there are events; else empty
  std::vector<RowNumber> current_;  // rows on the step in hand that no rule was met for yet
  std::vector<RowNumber> met_;
};

}  // namespace

void run_passage(const CompiledTrack& compiled, track::ContactBlock& block,
                 track::BlockOutcome& out) {
  CHECK(block.columns.size() == compiled.columns.fields.size());
  for (std::size_t i = 0; i < block.columns.size(); ++i) {
    CHECK(block.columns[i].type == compiled.columns.fields[i].type);
    CHECK(block.columns[i].size() == block.rows());
  }
  CHECK(block.tags.size() == compiled.columns.tags.size());
  CHECK(block.places.size() == compiled.columns.places.size());
  for (const auto& tag : block.tags) {
    CHECK(tag.size() == block.rows());
  }
  out.clear();
  Passage(compiled, block, out).run();
}

}  // namespace turnout::decide
