#include "track/numbering.h"

#include <algorithm>

namespace turnout::track {

std::int32_t Numbering::highest() const {
  std::int32_t top = 0;
  for (const auto& [name, number] : steps) {
    top = std::max(top, number);
  }
  for (const auto& [name, number] : outcomes) {
    top = std::max(top, number);
  }
  for (const auto& [name, number] : actions) {
    top = std::max(top, number);
  }
  return top;
}

std::string Numbering::name_of(std::int32_t number) const {
  for (const auto& names : {&steps, &outcomes}) {
    for (const auto& [name, n] : *names) {
      if (n == number) {
        return name;
      }
    }
  }
  return number == kHeldOutStep ? kHeldOut : "";
}

namespace {

// What an action puts in the outbox, if anything.
std::optional<std::pair<ActionKind, std::string>> asked_of(const Action& action) {
  const auto asked = [](ActionKind kind, const Name& name) {
    return std::optional(std::pair(kind, name.text));
  };
  if (const auto* email = std::get_if<SendEmail>(&action.what)) {
    return asked(ActionKind::kEmail, email->email);
  }
  if (const auto* call = std::get_if<CallWebhook>(&action.what)) {
    return asked(ActionKind::kWebhook, call->webhook);
  }
  if (const auto* record = std::get_if<RecordEvent>(&action.what)) {
    return asked(ActionKind::kEvent, record->event);
  }
  if (const auto* show = std::get_if<Show>(&action.what)) {
    return asked(ActionKind::kShow, show->what);
  }
  if (const auto* put = std::get_if<PutOnTrack>(&action.what)) {
    return asked(ActionKind::kPutOn, put->track);
  }
  if (const auto* take = std::get_if<TakeOffTrack>(&action.what)) {
    return asked(ActionKind::kTakeOff, take->track);
  }
  if (const auto* run = std::get_if<RunSql>(&action.what)) {
    return asked(ActionKind::kSql, run->database);
  }
  return std::nullopt;
}

}  // namespace

Numbering extend(const Numbering& known, const Track& track) {
  Numbering result = known;
  std::int32_t next = known.highest() + 1;
  const auto add = [&next](auto& names, const auto& name) {
    if (names.emplace(name, next).second) {
      ++next;
    }
  };
  for (const Step* step : track.steps()) {
    add(result.steps, step->name.text);
  }
  add(result.outcomes, std::string(kCompleted));
  for (const Step* step : track.steps()) {
    for (const Rule& rule : step->rules) {
      for (const Action& action : rule.actions) {
        if (const auto asked = asked_of(action)) {
          add(result.actions, *asked);
        }
      }
      if (rule.move) {
        if (const auto* stop = std::get_if<Stop>(&rule.move->what); stop != nullptr && stop->as) {
          add(result.outcomes, stop->as->text);
        }
      }
    }
  }
  for (const Clause& clause : track.clauses) {
    if (const auto* const leave = std::get_if<Leave>(&clause)) {
      add(result.outcomes, leave->as ? leave->as->text : std::string(kLeft));
    } else if (const auto* const hold = std::get_if<HoldOut>(&clause)) {
      add(result.outcomes, hold->as.text);
    }
  }
  add(result.outcomes, std::string(kTakenOff));
  return result;
}

}  // namespace turnout::track
