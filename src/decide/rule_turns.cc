#include "decide/rule_turns.h"

#include <algorithm>

#include "track/block.h"

namespace turnout::decide {

using base::Instant;
using track::kNever;

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
    case CompiledRule::Head::kOn:
    case CompiledRule::Head::kShare:
    case CompiledRule::Head::kOtherwise:
      break;
  }
  return at > after ? at : kNever;
}

Instant next_answer(const CompiledRule& rule, const Rows& rows, std::size_t row, Instant step_at,
                    Instant after) {
  if (rule.head == CompiledRule::Head::kWhen) {
    return rule.reads.time ? next_change(rule.condition, rows, row, after) : kNever;
  }
  return turn_after(rule, rows, row, step_at, after);
}

Instant turned(const CompiledRule& rule, const Rows& rows, std::size_t row, Instant step_at,
               Instant from) {
  if (from > rows.now()) {
    return kNever;
  }
  const Instant at = next_answer(rule, rows, row, step_at, from - base::Duration(1));
  return at <= rows.now() ? at : kNever;
}

}  // namespace turnout::decide
