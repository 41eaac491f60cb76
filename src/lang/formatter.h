#pragma once

// Syntax tree to text, in the one canonical layout: a clause or rule is indented by two spaces,
// what belongs to it by four; a blank line stands between groups of clauses, between steps and
// between tests; words instead of symbols; backquotes only around reserved words; comments kept
// where they belong.

#include <cstdint>
#include <string>
#include <string_view>

#include "track/block.h"
#include "track/track.h"

namespace turnout::lang {

// The text of a well-formed tree: parse(format(t)).track == t, and format(parse(format(t)).track)
// == format(t). Well-formed: names and texts are UTF-8, field names are words with dots, numbers
// finite, durations whole, descending and within the limits, dates within the years 0000–9999,
// `and`/`or` with two operands at least, sets of days not empty, comments one line each without
// blanks at the end. Linear. Thread-safe.
std::string format(const track::Track& track);

// Parts of the text form, for explanations and reports.
std::string format_condition(const track::Condition& condition);
std::string format_head(const track::Head& head);  // without the colon
// What the journal names as the cause of a move away from the step: the head of a rule, or the
// clause that kHeldOutRule or leave_rule() stands for; "" when the track has no such.
std::string format_cause(const track::Track& track, std::string_view step, std::int32_t rule);
std::string format_action(const track::Action& action);
std::string format_move(const track::Move& move);
std::string format_due(const track::Due& due);  // "after 2 days at 09:00"
std::string format_clause(const track::Clause& clause);
std::string format_schedule(const track::Schedule& schedule);
std::string format_operand(const track::Operand& operand);
std::string format_duration(const track::DurationSpec& duration);
std::string format_number(double number);  // shortest text that reads back as the same number
std::string format_string(std::string_view text);  // in quotes, with escapes
std::string format_field(std::string_view name);   // in backquotes where needed

}  // namespace turnout::lang
