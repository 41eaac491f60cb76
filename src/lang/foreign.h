#pragma once

// Words that people bring with them from other languages and programs, and what this language says
// instead. The tables are asked only where the text is wrong already, or cannot be right: no
// correct track is read otherwise because of them.

#include <string_view>

namespace turnout::lang {

// Where the word stands.
enum class Place {
  kArm,          // for a percentage
  kCall,         // before a bracket, as functions do
  kClause,       // where a clause of the track begins
  kComparison,   // behind a value
  kCondition,    // where a condition begins, with text behind it
  kContraction,  // anywhere, without its apostrophe
  kDays,
  kDid,        // behind `did`
  kDuration,   // for its number
  kEnter,      // behind `enter`
  kField,      // alone, for a field or a value
  kFiller,     // before the word that is expected
  kGather,     // behind `gather`
  kGoTo,       // behind `go to`
  kIs,         // behind `is` and `is not`
  kLeave,      // behind `leave`
  kQuiet,      // behind `quiet`
  kRule,       // behind the head of a rule
  kScope,      // before the dot of a name
  kSchedule,   // for a schedule, or where a condition begins
  kStatement,  // where a rule, an action or a move begins
  kTest,       // where a line of a test begins
  kTime,       // for a time of the day
  kUnit,       // for a unit of time
  kWord,       // the expected word and, behind it, what was written
};

// How reading goes on behind the word.
enum class GoOn {
  kAtNextStatement,
  kAsHead,  // behind the head of a rule
  kAsWhen,  // at a condition
  kAsStep,
};

struct Habit {
  std::string_view words;  // one or two, in lower case
  std::string_view hint;
  GoOn go_on = GoOn::kAtNextStatement;

  bool two_words() const { return words.find(' ') != std::string_view::npos; }
};

// The entry for both words, or else for `word` alone; null when there is none. ASCII case does not
// matter. The pointer stays valid.
const Habit* find_habit(Place place, std::string_view word, std::string_view next = {});

// Words for a field that holds no value, and for one that holds some: `empty`, `filled`.
bool means_missing(std::string_view word);
bool means_present(std::string_view word);

}  // namespace turnout::lang
