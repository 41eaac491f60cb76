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
#include "base/hash.h"
#include "decide/compiled.h"
#include "decide/effects.h"
#include "decide/row.h"
#include "decide/select.h"
#include "decide/ways.h"

namespace turnout::decide {
namespace {

using base::Instant;
using track::kNever;
using track::PositionState;

constexpr base::Duration kSmallest{1};
constexpr Instant kBeginning{std::numeric_limits<std::int64_t>::min()};

// The first instant after `after` at which the time alone may change whether the rule is met.
Instant next_answer(const CompiledRule& rule, const Rows& rows, std::size_t row, Instant step_at,
                    Instant after) {
  if (rule.head == CompiledRule::Head::kWhen) {
    return rule.reads.time ? next_change(rule.condition, rows, row, after) : kNever;
  }
  return turn_after(rule, rows, row, step_at, after);
}

// The first instant in [from, now] at which a comparison with the time changed its answer, or
// kNever.
Instant turned(const CompiledRule& rule, const Rows& rows, std::size_t row, Instant step_at,
               Instant from) {
  if (from > rows.now()) {
    return kNever;
  }
  const Instant at = next_answer(rule, rows, row, step_at, from - kSmallest);
  return at <= rows.now() ? at : kNever;
}

class Passage {
 public:
  Passage(const CompiledTrack& compiled, track::ContactBlock& block, track::BlockOutcome& out)
      : compiled_(compiled),
        block_(block),
        out_(out),
        rows_(block, compiled.columns.zone),
        fields_(compiled, rows_),
        payloads_(block.rows()),
        ways_(compiled, block.rows()),
        pending_(compiled.steps.size()),
        met_(block.rows()) {}

  void run() {
    place_rows();
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
    fields_.collect(out_.writes);
    ways_.finish(rows_.block(), payloads_, out_);
  }

 private:
  void place_rows() {
    out_.step_at = block_.step_at;
    out_.due_at = block_.due_at;
    out_.stayed = block_.stayed;
    for (std::size_t row = 0; row < block_.rows(); ++row) {
      const std::size_t step = compiled_.step_index(block_.step[row]);
      const PositionState state = block_.state[row];
      if (step == kNoStep || state == PositionState::kStopped ||
          (state == PositionState::kClosed && stays_closed(row))) {
        ways_.start(row, block_.step[row], state);
        continue;
      }
      ways_.start(row, block_.step[row], PositionState::kOpen);
      if (state == PositionState::kClosed) {
        const bool rested = (block_.stayed[row] & track::kRests) != 0;
        out_.step_at[row] = rested ? block_.step_at[row] : block_.due_at[row];
        out_.stayed[row] = 0;
      } else if (out_.stayed[row] != 0) {
        out_.stayed[row] &= ~turned_rules(compiled_.steps[step], row);
      }
      out_.due_at[row] = kNever;
      pending_[step].push_back(static_cast<RowNumber>(row));
    }
  }

  // One that is due by a field was woken when the field changed, and may be due later now.
  bool stays_closed(std::size_t row) {
    if (block_.due_at[row] > block_.now) {
      return true;
    }
    const std::uint64_t mark = block_.stayed[row];
    const auto due =
        (mark & track::kFollows) != 0
            ? std::ranges::lower_bound(compiled_.following, mark, {}, &CompiledDue::mark)
            : compiled_.following.end();
    if (due == compiled_.following.end() || due->mark != mark) {
      return false;
    }
    const Instant at = due_instant(*due, rows_, row);
    if (at <= block_.now) {
      return false;
    }
    out_.due_at[row] = at;
    return true;
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
    std::size_t left = current_.size();
    for (std::size_t rule = 0; rule < step.rules.size() && left > 0; ++rule) {
      const std::size_t met = step.rules[rule].move.kind == CompiledMove::Kind::kStay
                                  ? split_unspent(step.rules[rule], step, rule, left)
                                  : split_rule(step.rules[rule], step, current_.data(), left);
      if (met > 0) {
        fire(index, rule, met);
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
        const double share = draw(step, row);
        return share >= rule.share_low && share < rule.share_high;
      }
      default:
        return true;
    }
  }

  // Whether the clock has brought the rule about since the contact's step opened.
  bool has_turned(const CompiledRule& rule, RowNumber row) const {
    return turn_after(rule, rows_, row, out_.step_at[row], kBeginning) <= block_.now;
  }

  // Uniform in [0, 10,000), the same for all arms of the step at every visit of this entry.
  double draw(const CompiledStep& step, RowNumber row) const {
    const auto track = static_cast<std::uint64_t>(compiled_.id.get());
    const auto contact = static_cast<std::uint64_t>(block_.contact[row].get());
    const auto entry = static_cast<std::uint64_t>(static_cast<std::uint32_t>(block_.entry[row]));
    const auto number = static_cast<std::uint64_t>(static_cast<std::uint32_t>(step.number));
    const std::uint64_t hash =
        base::mix64(base::mix64(base::mix64(track) ^ contact) ^ (entry << 32 | number));
    // As many bits as a double holds, so that it never rounds up to the end of the range.
    return static_cast<double>(hash >> 11) * 0x1p-53 * 10'000;
  }

  // The rows met_[0 … count) fire the rule.
  void fire(std::size_t step, std::size_t rule_number, std::size_t count) {
    const CompiledRule& rule = compiled_.steps[step].rules[rule_number];
    for (const CompiledAction& action : rule.actions) {
      act(action, count);
    }
    const bool fresh =
        rule.move.kind != CompiledMove::Kind::kStay && rule.move.kind != CompiledMove::Kind::kRest;
    for (std::size_t i = 0; i < count && fresh; ++i) {
      out_.step_at[met_[i]] = block_.now;
      out_.stayed[met_[i]] = 0;
    }
    switch (rule.move.kind) {
      case CompiledMove::Kind::kGo:
        go(step, rule_number, count);
        return;
      case CompiledMove::Kind::kWait:
        wait(rule.move.due, count);
        for (std::size_t i = 0; i < count; ++i) {
          out_.stayed[met_[i]] = rule.move.due.mark;
        }
        break;
      case CompiledMove::Kind::kRest:
        wait(rule.move.due, count);
        for (std::size_t i = 0; i < count; ++i) {
          out_.stayed[met_[i]] = track::kRests;
        }
        break;
      case CompiledMove::Kind::kStop:
        for (std::size_t i = 0; i < count; ++i) {
          out_.due_at[met_[i]] = kNever;
        }
        break;
      case CompiledMove::Kind::kStay:
        for (std::size_t i = 0; i < count; ++i) {
          stay(compiled_.steps[step], rule_number, met_[i]);
        }
        break;
    }
    ways_.extend(step, rule_number, met_.data(), count);
  }

  void go(std::size_t step, std::size_t rule_number, std::size_t count) {
    std::vector<RowNumber>& next = pending_[compiled_.steps[step].rules[rule_number].move.step];
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

  // Sets when the rows met_[0 … count) are due: at one instant unless something of theirs says
  // when.
  void wait(const CompiledDue& due, std::size_t count) {
    const bool one = !due.follows() && rows_.one_zone();
    Instant at = kNever;
    for (std::size_t i = 0; i < count; ++i) {
      at = i == 0 || !one ? due_instant(due, rows_, met_[i]) : at;
      out_.due_at[met_[i]] = at;
    }
  }

  void stay(const CompiledStep& step, std::size_t rule_number, RowNumber row) {
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
        if (action.payload) {
          payloads_.add(*action.payload, rows_, met_.data(), count);
        }
        break;
      case CompiledAction::Kind::kSet:
        fields_.set(action.field, action.value, met_.data(), count);
        break;
      case CompiledAction::Kind::kClear:
        fields_.clear(action.field, met_.data(), count);
        break;
      case CompiledAction::Kind::kTag:
        if (action.tested_tag) {
          std::vector<std::uint8_t>& tag = block_.tags[*action.tested_tag];
          for (std::size_t i = 0; i < count; ++i) {
            tag[met_[i]] = action.tag.add ? 1 : 0;
          }
        }
        break;
    }
  }

  // The next instant at which some rule of the step may answer otherwise for a row that waits.
  Instant next_turn(const CompiledStep& step, RowNumber row) const {
    Instant first = kNever;
    for (const CompiledRule& rule : step.rules) {
      first = std::min(first, next_answer(rule, rows_, row, out_.step_at[row], block_.now));
    }
    return first;
  }

  const CompiledTrack& compiled_;
  track::ContactBlock& block_;
  track::BlockOutcome& out_;
  Rows rows_;
  FieldEffects fields_;
  Payloads payloads_;
  Ways ways_;
  std::vector<std::vector<RowNumber>>
      pending_;                     // per step: rows that stand on it and have not been tested
  std::vector<RowNumber> current_;  // rows on the step in hand that no rule was met for yet
  std::vector<RowNumber> met_;
};

}  // namespace

Instant turn_after(const CompiledRule& rule, const Rows& rows, std::size_t row, Instant step_at,
                   Instant after) {
  Instant at = kNever;
  switch (rule.head) {
    case CompiledRule::Head::kAfter:
      at = rows.zone(row).add(step_at, rule.after, 1);
      break;
    case CompiledRule::Head::kOnceAt:
      at = {moment(rule.once_at, rows, row, rows.now()).value};
      break;
    case CompiledRule::Head::kEvery:
      return next_turn(rule.every, rows.zone(row), std::max(step_at, after));
    case CompiledRule::Head::kWhen:
    case CompiledRule::Head::kShare:
    case CompiledRule::Head::kOtherwise:
      break;
  }
  return at > after ? at : kNever;
}

void run_passage(const CompiledTrack& compiled, track::ContactBlock& block,
                 track::BlockOutcome& out) {
  CHECK(block.columns.size() == compiled.columns.fields.size());
  for (std::size_t i = 0; i < block.columns.size(); ++i) {
    CHECK(block.columns[i].type == compiled.columns.fields[i].type);
    CHECK(block.columns[i].size() == block.rows());
  }
  CHECK(block.tags.size() == compiled.columns.tags.size());
  for (const auto& tag : block.tags) {
    CHECK(tag.size() == block.rows());
  }
  out.clear();
  Passage(compiled, block, out).run();
}

}  // namespace turnout::decide
