#pragma once

// Fields that no catalogue declares: those of the engine, and what the names before a dot stand
// for.

#include <array>
#include <string_view>

#include "track/value.h"

namespace turnout::edit {

struct EngineField {
  std::string_view name;
  track::Type type;
  std::string_view meaning;
};

inline constexpr std::array kEngineFields = {
    EngineField{"visit.step", track::Type::kText, "the step that the contact is on"},
    EngineField{"visit.entered_at", track::Type::kTimestamp, "when the contact came on the track"},
    EngineField{"visit.step_entered_at", track::Type::kTimestamp, "when the step opened"},
    EngineField{"visit.times", track::Type::kNumber, "how often the contact has come to the step"}};

struct DottedScope {
  std::string_view prefix;  // with the dot
  std::string_view meaning;
};

inline constexpr std::array kDottedScopes = {
    DottedScope{"entry.",
                "what made this entry: a property of its event, a column of its query, or what was "
                "set on it since"},
    DottedScope{"event.", "a property of the last event that gathered or moved this entry"},
    DottedScope{"row.",
                "a column of what was looked up last, else of the row that gathered the contact"}};

}  // namespace turnout::edit
