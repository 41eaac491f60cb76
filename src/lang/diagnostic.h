#pragma once

// What the track language says about a mistake: where, what is wrong, and the fix. The ids are
// stable and listed in one table (all_codes), so that nothing can be reported that the tests do not
// know.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "track/track.h"

namespace turnout::lang {

enum class Severity { kError, kWarning };

// Plain data; may be read from any thread.
struct Diagnostic {
  Severity severity = Severity::kError;
  std::string code;     // stable kebab-case id, e.g. "unknown-step"
  std::string message;  // one sentence without a full stop, well-formed UTF-8 on one line
  track::Span span;     // what it is about; begin == end where something is missing
  std::string hint;     // `did you mean …` or the fix; may be empty
};

// One kind of diagnostic.
struct Code {
  const char* id;
  Severity severity;
  const char* meaning;  // for the documentation
};

// Every kind there is, ordered by id.
std::span<const Code> all_codes();

bool has_errors(std::span<const Diagnostic> diagnostics);

// By place in the text, errors before warnings at the same place; otherwise the order is kept.
void sort_by_place(std::vector<Diagnostic>& diagnostics);

// The diagnostic as shown to a person, ending in a line break:
//
//   welcome.track:14:11: error: step "Nugde" does not exist
//      14 |     go to "Nugde" after 2 days
//         |           ^^^^^^^ did you mean "Nudge"?
//
// `text` is what was parsed; any bytes will do. Tabs are shown as one space, control characters and
// broken UTF-8 as
// "?", and of lines over 160 code points only the part around the place is shown. A span over
// several lines is underlined to the end of its first. Columns count code points. `colour` adds
// ANSI colours.
std::string render(const Diagnostic& diagnostic, std::string_view file, std::string_view text,
                   bool colour);

// A JSON array with one object per diagnostic: file, line, column, begin, end (bytes), severity,
// code, message, hint (absent when empty). No line breaks.
std::string to_json(std::span<const Diagnostic> diagnostics, std::string_view file);

}  // namespace turnout::lang
