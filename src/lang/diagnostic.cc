#include "lang/diagnostic.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace turnout::lang {
namespace {

constexpr auto kError = Severity::kError;
constexpr auto kWarning = Severity::kWarning;

constexpr std::array kCodes = {
    Code{"action-after-move", kError, "an action or second move behind the move that ends a rule"},
    Code{"action-outside-rule", kError, "an action or move that belongs to no rule"},
    Code{"after-on-own-line", kWarning, "`after` on its own line continues the `go to` before it"},
    Code{"arm-in-other-case", kError, "two arms whose names differ only in case"},
    Code{"arms-over-100", kError, "the arms of a step add to more than 100 %"},
    Code{"arms-under-100", kWarning, "the arms of a step leave a part waiting"},
    Code{"bad-count", kError, "a count that is not a whole number, or too small"},
    Code{"bad-date", kError, "a date that does not exist or is written otherwise"},
    Code{"bad-day-of-month", kError, "a day of the month that is not 1 to 31"},
    Code{"bad-escape", kError, "a backslash in quotes that means nothing"},
    Code{"bad-name", kError, "a word that cannot be a field's name"},
    Code{"bad-number", kError, "a number that cannot be kept"},
    Code{"bad-percent", kError,
         "a percentage that is not over 0 and at most 100, with two decimals"},
    Code{"bad-time", kError, "a time that does not exist"},
    Code{"bad-zone", kError, "brackets behind a time without the name of a zone"},
    Code{"clause-after-step", kError, "a clause of the track behind its first step"},
    Code{"curly-quotes", kError, "typographic quotation marks"},
    Code{"dead-rule", kError, "a rule that `otherwise` always comes before"},
    Code{"duplicate-arm", kError, "two arms of one step with the same name"},
    Code{"duplicate-clause", kError, "a clause that may stand once only stands again"},
    Code{"duplicate-key", kError, "a key of a JSON object that stands again"},
    Code{"duplicate-part", kError, "a part of a step that may stand once only stands again"},
    Code{"duplicate-step", kError, "two steps with the same name"},
    Code{"duplicate-test", kError, "two tests with the same name"},
    Code{"duration-not-whole", kError, "a duration with a fraction or a sign"},
    Code{"duration-order", kError, "units of a duration not from large to small"},
    Code{"duration-too-long", kError, "a duration of more than a thousand years"},
    Code{"empty-name", kError, "a name of no characters"},
    Code{"endless-loop", kError, "steps that a contact could go round for ever without waiting"},
    Code{"entry-unavailable", kError, "`entry.` or `visit.` where there is no entry yet"},
    Code{"event-unavailable", kError, "`event.` where there can be no event"},
    Code{"expected-action", kError, "a word where an action, a move or a rule should begin"},
    Code{"expected-clause", kError, "a word where a clause or step should begin"},
    Code{"expected-comparison", kError, "a value without a comparison behind it"},
    Code{"expected-condition", kError, "something else where a condition should stand"},
    Code{"expected-date", kError, "something else where a date with a time should stand"},
    Code{"expected-days", kError, "something else where days of the week should stand"},
    Code{"expected-duration", kError, "something else where a duration should stand"},
    Code{"expected-field", kError, "something else where a field should stand"},
    Code{"expected-json", kError, "something else where JSON should stand"},
    Code{"expected-number", kError, "something else where a number should stand"},
    Code{"expected-percent", kError, "something else where a percentage should stand"},
    Code{"expected-rule", kError, "a word where a rule or step should begin"},
    Code{"expected-schedule", kError, "something else where a schedule should stand"},
    Code{"expected-step", kError, "a word where a step or a test should begin"},
    Code{"expected-test-line", kError, "a word where a line of a test should begin"},
    Code{"expected-text", kError, "something else where text in quotes should stand"},
    Code{"expected-time", kError, "something else where a time should stand"},
    Code{"expected-track", kError, "a file that does not begin with `track`"},
    Code{"expected-value", kError, "something else where a value should stand"},
    Code{"expected-word", kError, "something else where one certain word should stand"},
    Code{"invalid-utf8", kError, "bytes that are not UTF-8, or zero bytes"},
    Code{"missing-bracket", kError, "a bracket that is not closed"},
    Code{"missing-colon", kError, "a rule's condition without the colon behind it"},
    Code{"no-steps", kError, "a track without steps"},
    Code{"not-a-test-field", kError, "a test that gives what is not a contact's field"},
    Code{"not-boolean", kError, "a field alone as condition that is not a boolean"},
    Code{"not-run-yet", kError, "a construct that this version reads but does not run"},
    Code{"one-of-or", kWarning, "values of `one of` separated by `or`"},
    Code{"otherwise-stays", kWarning, "`send` with `stay` under `otherwise`"},
    Code{"outcome-in-other-case", kWarning, "two outcomes whose names differ only in case"},
    Code{"read-only-field", kError, "a field that a track cannot write"},
    Code{"reserved-word", kError, "a word of the language where a field should stand"},
    Code{"row-unavailable", kError, "`row.` where there can be no row"},
    Code{"rule-after-otherwise", kError, "a rule that is never reached"},
    Code{"rule-outside-step", kError, "a rule that belongs to no step"},
    Code{"single-quotes", kError, "text in single quotes"},
    Code{"step-in-other-case", kError, "two steps whose names differ only in case"},
    Code{"step-never-left", kError, "a step that no rule leads out of"},
    Code{"text-too-long", kError, "a file over the limits"},
    Code{"too-deep", kError, "brackets or `not` nested too deep"},
    Code{"too-many", kError, "more parts than the limits allow"},
    Code{"too-many-mistakes", kError, "more mistakes than are shown"},
    Code{"types-differ", kError, "two values that cannot be compared"},
    Code{"unexpected-character", kError, "a character that begins nothing"},
    Code{"unknown-arm", kError, "an arm that no rule declares"},
    Code{"unknown-database", kError, "a database that does not exist"},
    Code{"unknown-field", kError, "a field that is not declared"},
    Code{"unknown-outcome", kError, "a test that expects an outcome the track does not have"},
    Code{"unknown-scope", kError, "a name with a dot that begins with no scope"},
    Code{"unknown-step", kError, "a step that does not exist"},
    Code{"unknown-symbol", kError, "a symbol of other languages"},
    Code{"unknown-template", kError, "a template that does not exist"},
    Code{"unknown-track", kError, "a track that does not exist"},
    Code{"unknown-unit", kError, "a word that is no unit of time"},
    Code{"unknown-webhook", kError, "a webhook that does not exist"},
    Code{"unreachable-step", kWarning, "a step that nothing leads to"},
    Code{"unterminated-block", kError, "a block of text that is not closed"},
    Code{"unterminated-string", kError, "text in quotes that is not closed"},
    Code{"wrong-type", kError, "a value of a type that cannot stand here"},
    Code{"zero-duration", kError, "a period of no length"},
};

void append_json(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out.push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (byte < 0x20) {
      out += "\\u00";
      out.push_back(kHex[byte >> 4U]);
      out.push_back(kHex[byte & 0xFU]);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

}  // namespace

std::span<const Code> all_codes() { return kCodes; }

Diagnostic diagnose(std::string_view code, track::Span span, std::string message,
                    std::string hint) {
  const auto* const known =
      std::find_if(kCodes.begin(), kCodes.end(), [&](const Code& c) { return code == c.id; });
  CHECK(known != kCodes.end());
  return {known->severity, std::string(code), std::move(message), span, std::move(hint)};
}

bool has_errors(std::span<const Diagnostic> diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(),
                     [](const Diagnostic& d) { return d.severity == Severity::kError; });
}

void sort_by_place(std::vector<Diagnostic>& diagnostics) {
  std::stable_sort(
      diagnostics.begin(), diagnostics.end(), [](const Diagnostic& a, const Diagnostic& b) {
        return a.span.begin != b.span.begin ? a.span.begin < b.span.begin : a.severity < b.severity;
      });
}

std::string to_json(std::span<const Diagnostic> diagnostics, std::string_view file) {
  std::string out = "[";
  for (const Diagnostic& d : diagnostics) {
    out += out.size() > 1 ? ",{\"file\":" : "{\"file\":";
    append_json(out, file);
    out += ",\"line\":" + std::to_string(d.span.line);
    out += ",\"column\":" + std::to_string(d.span.column);
    out += ",\"begin\":" + std::to_string(d.span.begin);
    out += ",\"end\":" + std::to_string(d.span.end);
    out += d.severity == Severity::kError ? ",\"severity\":\"error\"" : ",\"severity\":\"warning\"";
    out += ",\"code\":";
    append_json(out, d.code);
    out += ",\"message\":";
    append_json(out, d.message);
    if (!d.hint.empty()) {
      out += ",\"hint\":";
      append_json(out, d.hint);
    }
    out += "}";
  }
  return out + "]";
}

}  // namespace turnout::lang
