#pragma once

// The table of all kinds of diagnostics, and how those of this room are made. A code that is not in
// the table does not compile.

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "lang/diagnostic.h"

namespace turnout::lang {

inline constexpr std::array kCodes = {
    Code{"action-after-move", Severity::kError,
         "an action or second move behind the move that ends a rule"},
    Code{"action-outside-rule", Severity::kError, "an action or move that belongs to no rule"},
    Code{"after-on-own-line", Severity::kWarning,
         "`after` on its own line continues the `go to` before it"},
    Code{"arm-in-other-case", Severity::kError, "two arms whose names differ only in case"},
    Code{"arms-over-100", Severity::kError, "the arms of a step add to more than 100 %"},
    Code{"arms-under-100", Severity::kWarning, "the arms of a step leave a part waiting"},
    Code{"bad-count", Severity::kError, "a count that is not a whole number, or too small"},
    Code{"bad-date", Severity::kError, "a date that does not exist or is written otherwise"},
    Code{"bad-day-of-month", Severity::kError, "a day of the month that is not 1 to 31"},
    Code{"bad-escape", Severity::kError, "a backslash in quotes that means nothing"},
    Code{"bad-name", Severity::kError, "a word that cannot be a field's name"},
    Code{"bad-number", Severity::kError, "a number that cannot be kept"},
    Code{"bad-percent", Severity::kError,
         "a percentage that is not over 0 and at most 100, with two decimals"},
    Code{"bad-time", Severity::kError, "a time that does not exist"},
    Code{"bad-zone", Severity::kError, "brackets behind a time without the name of a zone"},
    Code{"clause-after-step", Severity::kError, "a clause of the track behind its first step"},
    Code{"curly-quotes", Severity::kError, "typographic quotation marks"},
    Code{"dead-rule", Severity::kError, "a rule that `otherwise` always comes before"},
    Code{"duplicate-arm", Severity::kError, "two arms of one step with the same name"},
    Code{"duplicate-clause", Severity::kError, "a clause that may stand once only stands again"},
    Code{"duplicate-key", Severity::kError, "a key of a JSON object that stands again"},
    Code{"duplicate-part", Severity::kError,
         "a part of a step that may stand once only stands again"},
    Code{"duplicate-step", Severity::kError, "two steps with the same name"},
    Code{"duplicate-test", Severity::kError, "two tests with the same name"},
    Code{"duration-not-whole", Severity::kError, "a duration with a fraction or a sign"},
    Code{"duration-order", Severity::kError, "units of a duration not from large to small"},
    Code{"duration-too-long", Severity::kError, "a duration of more than a thousand years"},
    Code{"empty-name", Severity::kError, "a name of no characters"},
    Code{"endless-loop", Severity::kError,
         "steps that a contact could go round for ever without waiting"},
    Code{"entry-unavailable", Severity::kError, "`entry.` or `visit.` where there is no entry yet"},
    Code{"event-unavailable", Severity::kError, "`event.` where there can be no event"},
    Code{"expected-action", Severity::kError,
         "a word where an action, a move or a rule should begin"},
    Code{"expected-clause", Severity::kError, "a word where a clause or step should begin"},
    Code{"expected-comparison", Severity::kError, "a value without a comparison behind it"},
    Code{"expected-condition", Severity::kError, "something else where a condition should stand"},
    Code{"expected-date", Severity::kError, "something else where a date with a time should stand"},
    Code{"expected-days", Severity::kError, "something else where days of the week should stand"},
    Code{"expected-duration", Severity::kError, "something else where a duration should stand"},
    Code{"expected-field", Severity::kError, "something else where a field should stand"},
    Code{"expected-json", Severity::kError, "something else where JSON should stand"},
    Code{"expected-number", Severity::kError, "something else where a number should stand"},
    Code{"expected-percent", Severity::kError, "something else where a percentage should stand"},
    Code{"expected-rule", Severity::kError, "a word where a rule or step should begin"},
    Code{"expected-schedule", Severity::kError, "something else where a schedule should stand"},
    Code{"expected-step", Severity::kError, "a word where a step or a test should begin"},
    Code{"expected-test-line", Severity::kError, "a word where a line of a test should begin"},
    Code{"expected-text", Severity::kError, "something else where text in quotes should stand"},
    Code{"expected-time", Severity::kError, "something else where a time should stand"},
    Code{"expected-track", Severity::kError, "a file that does not begin with `track`"},
    Code{"expected-value", Severity::kError, "something else where a value should stand"},
    Code{"expected-word", Severity::kError, "something else where one certain word should stand"},
    Code{"given-own-place", Severity::kError, "a test that gives a place on its own track"},
    Code{"invalid-utf8", Severity::kError, "bytes that are not UTF-8, or zero bytes"},
    Code{"missing-bracket", Severity::kError, "a bracket that is not closed"},
    Code{"missing-colon", Severity::kError, "a rule's condition without the colon behind it"},
    Code{"needless-mark", Severity::kError, "a colon or a brace where none belongs"},
    Code{"nested-rule", Severity::kWarning,
         "a rule that stands as if it were inside the one before it"},
    Code{"no-steps", Severity::kError, "a track without steps"},
    Code{"not-a-test-field", Severity::kError, "a test that gives what is not a contact's field"},
    Code{"not-boolean", Severity::kError, "a field alone as condition that is not a boolean"},
    Code{"not-run-yet", Severity::kError, "a construct that this version reads but does not run"},
    Code{"one-of-or", Severity::kWarning, "values of `one of` separated by `or`"},
    Code{"otherwise-stays", Severity::kWarning, "`send` with `stay` under `otherwise`"},
    Code{"outcome-in-other-case", Severity::kWarning,
         "two outcomes whose names differ only in case"},
    Code{"read-only-field", Severity::kError, "a field that a track cannot write"},
    Code{"reserved-word", Severity::kError, "a word of the language where a field should stand"},
    Code{"row-unavailable", Severity::kError, "`row.` where there can be no row"},
    Code{"rule-after-otherwise", Severity::kError, "a rule that is never reached"},
    Code{"rule-outside-step", Severity::kError, "a rule that belongs to no step"},
    Code{"single-quotes", Severity::kError, "text in single quotes"},
    Code{"step-in-other-case", Severity::kError, "two steps whose names differ only in case"},
    Code{"step-never-left", Severity::kError, "a step that no rule leads out of"},
    Code{"text-too-long", Severity::kError, "a file over the limits"},
    Code{"too-deep", Severity::kError, "brackets or `not` nested too deep"},
    Code{"too-many", Severity::kError, "more parts than the limits allow"},
    Code{"too-many-mistakes", Severity::kError, "more mistakes than are shown"},
    Code{"types-differ", Severity::kError, "two values that cannot be compared"},
    Code{"unclosed-backquote", Severity::kError, "a field's name in backquotes that is not closed"},
    Code{"unexpected-character", Severity::kError, "a character that begins nothing"},
    Code{"unknown-arm", Severity::kError, "an arm that no rule declares"},
    Code{"unknown-database", Severity::kError, "a database that does not exist"},
    Code{"unknown-field", Severity::kError, "a field that is not declared"},
    Code{"unknown-outcome", Severity::kError,
         "a test that expects an outcome the track does not have"},
    Code{"unknown-scope", Severity::kError, "a name with a dot that begins with no scope"},
    Code{"unknown-step", Severity::kError, "a step that does not exist"},
    Code{"unknown-symbol", Severity::kError, "a symbol of other languages"},
    Code{"unknown-template", Severity::kError, "a template that does not exist"},
    Code{"unknown-track", Severity::kError, "a track that does not exist"},
    Code{"unknown-unit", Severity::kError, "a word that is no unit of time"},
    Code{"unknown-webhook", Severity::kError, "a webhook that does not exist"},
    Code{"unreachable-step", Severity::kWarning, "a step that nothing leads to"},
    Code{"unterminated-block", Severity::kError, "a block of text that is not closed"},
    Code{"unterminated-string", Severity::kError, "text in quotes that is not closed"},
    Code{"wrong-type", Severity::kError, "a value of a type that cannot stand here"},
    Code{"zero-duration", Severity::kError, "a period of no length"},
};

// The place of a code in the table, looked up by the compiler.
struct CodeId {
  consteval CodeId(const char* id) : index(find(id)) {}  // NOLINT: meant to convert

  std::size_t index;

 private:
  static consteval std::size_t find(std::string_view id) {
    for (std::size_t i = 0; i < kCodes.size(); ++i) {
      if (id == kCodes.at(i).id) {
        return i;
      }
    }
    throw "no such code";  // stops the compiler
  }
};

// With the severity that the table gives the code.
Diagnostic diagnose(CodeId code, track::Span span, std::string message, std::string hint = {});

}  // namespace turnout::lang
