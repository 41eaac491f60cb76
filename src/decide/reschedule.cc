#include "decide/reschedule.h"

#include <algorithm>

#include "decide/scopes.h"

namespace turnout::decide {
namespace {

// Whether the rule of the step `from` makes rows wait on the step `at`.
bool closes(const CompiledMove& move, std::size_t from, std::size_t at, bool rests) {
  return rests ? move.kind == CompiledMove::Kind::kRest && from == at
               : move.kind == CompiledMove::Kind::kWait && move.step == at;
}

const CompiledMove* find(const CompiledStep& step, std::size_t from, std::size_t at, bool rests,
                         std::int32_t rule) {
  if (rule >= 0 && static_cast<std::size_t>(rule) < step.rules.size()) {
    const CompiledMove& same = step.rules[static_cast<std::size_t>(rule)].move;
    if (closes(same, from, at, rests)) {
      return &same;
    }
  }
  const CompiledMove* only = nullptr;
  for (const CompiledRule& other : step.rules) {
    if (closes(other.move, from, at, rests)) {
      if (only != nullptr) {
        return nullptr;
      }
      only = &other.move;
    }
  }
  return only;
}

}  // namespace

std::optional<std::uint64_t> reschedule(const CompiledTrack& compiled, track::ContactBlock& block,
                                        std::size_t row, const ClosingMove& made) {
  const std::size_t from = compiled.step_index(made.from);
  const std::size_t at = compiled.step_index(block.step[row]);
  // What came by a clause or a step map waits for nothing that a rule says.
  if (from == kNoStep || at == kNoStep || made.rule < 0 ||
      block.state[row] != track::PositionState::kClosed) {
    return std::nullopt;
  }
  const bool rests = (block.stayed[row] & track::kRests) != 0;
  const CompiledMove* const move = find(compiled.steps[from], from, at, rests, made.rule);
  if (move == nullptr) {
    return std::nullopt;
  }
  if (move->due.follows()) {
    return move->due.mark;  // the field says when
  }
  const base::Instant now = block.now;
  // The move set `step_at`, by the clock of its block; resting does not.
  block.now = rests ? made.at : block.step_at[row];
  Rows rows(block, compiled.columns.zone);
  Scopes scopes(compiled.columns, block, rows);
  rows.set_scopes(&scopes);
  const base::Instant opens = due_instant(move->due, rows, row);
  block.now = now;
  return track::looked_at(rests ? track::kRests : 0, opens);
}

}  // namespace turnout::decide
