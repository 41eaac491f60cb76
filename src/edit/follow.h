#pragma once

// Which words of the language follow which, for completion. The parser (room `lang`) says what is
// right; this says what is worth offering.

#include <span>
#include <string_view>

namespace turnout::edit {

// What can follow: words separated by "|", and whether a value or a field can.
struct Follow {
  std::string_view before;  // one word, or two with a space
  std::string_view words;
  bool fields = false;
};

// Behind two words, or behind the second of them whatever the first is; null: nothing is known.
const Follow* follow(std::string_view second_last, std::string_view last);

// Behind a condition's value, and behind a field that is tested.
inline constexpr std::string_view kJoins = "and|or";
inline constexpr std::string_view kPredicates =
    "is|is not|is one of|is at least|is at most|is missing|is present|contains|does not "
    "contain|does not match|does not start with|"
    "does not end with|starts with|ends with|matches|and|or";
inline constexpr std::string_view kValues = "true|false|now|today";
inline constexpr std::string_view kUnits = "seconds|minutes|hours|days|weeks|months|years";

// What begins statements.
inline constexpr std::string_view kClauseHeads =
    "about|time zone|gather contacts|gather from|gather on|enter once|enter again after|"
    "enter every time|leave when|leave on|hold out|send at most|quiet from|quiet on|step|test";
inline constexpr std::string_view kGatherParts =
    "continuously|once at|every|rrule|for each|start at";
inline constexpr std::string_view kStepParts = "about|look up from|check every";
inline constexpr std::string_view kRuleHeads =
    "when|on|after|once at|every|for|otherwise|step|test";
inline constexpr std::string_view kActions =
    "send email|call webhook|show|run on|set|clear|increase|decrease|add tag|remove tag|"
    "record event|put on track|take off track|go to|stop|stop as|stay|stay for";
inline constexpr std::string_view kTestLines =
    "given|event|after|expect email|expect webhook|expect event|expect tag|expect no|"
    "expect on step|expect stopped|expect stopped as|expect|step|test";

// Every entry, for the tests.
std::span<const Follow> all_follows();

}  // namespace turnout::edit
