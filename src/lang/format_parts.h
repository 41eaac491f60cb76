#pragma once

// The inside of the formatter; included by format_*.cc only. Parts of statements are laid out on
// one line unless that would pass the width; then conditions break before `and` and `or`, JSON
// between members.

#include <cstddef>
#include <string>
#include <string_view>

#include "track/track.h"

namespace turnout::lang {

inline constexpr std::size_t kFormatWidth = 100;
inline constexpr std::string_view kStatementIndent = "  ";
inline constexpr std::string_view kInnerIndent = "    ";

// Text as a block """…""" when that reads back as the same text, else in quotes. Lines of the block
// are indented by four more than `indent`.
std::string format_block(std::string_view text, std::string_view indent);

std::string format_time(track::TimeOfDay time);
std::string format_date_time(const track::DateTime& at);
std::string format_days(track::Days days);
// "every day at 09:00"
std::string format_every_days(const track::EveryDays& every);
std::string format_percent(double percent);
std::string format_clock(const track::Clock& clock);

// `used` is how much of the line stands before it.
std::string format_json(const track::Json& json, std::string_view indent, std::size_t used);
// `before` stands ahead of the condition on its line, `behind` right after it.
std::string format_condition_lines(std::string_view before, const track::Condition& condition,
                                   std::string_view behind, std::string_view indent);

std::string head_lines(const track::Head& head, std::string_view indent);  // with the colon
std::string action_lines(const track::Action& action, std::string_view indent);
std::string clause_lines(const track::Clause& clause);

}  // namespace turnout::lang
