#pragma once

// The JSON form of a track: the same syntax tree as the text, comments and all, for programs. One
// description of the tree (json_tree.h) makes the writer, the reader and the JSON Schema, so the
// three cannot disagree. docs/formats/track-json.md shows the form; docs/formats/track.schema.json
// is json_schema().
//
// Text ⇄ tree ⇄ JSON loses nothing: from_json(to_json(t)).track == t for every well-formed tree
// (lang/formatter.h says which those are), and what from_json accepts is well-formed, so that its
// text reads back as the same tree if it keeps to the limits of a text (4 MiB, a million words).

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "track/track.h"

namespace turnout::track {

// Limits on JSON that is read; those of track/limits.h hold as well.
inline constexpr std::size_t kMaxJsonBytes = 16 * 1024 * 1024;
inline constexpr std::size_t kMaxJsonValues = 1'000'000;  // objects, lists, texts, numbers …
inline constexpr std::size_t kMaxJsonDepth = 500;         // of objects and lists in each other
inline constexpr std::size_t kMaxJsonProblems = 100;      // reported of one text

// The number in the member "format" at the top. It changes when a program that reads the form would
// have to change.
inline constexpr int kJsonFormat = 1;

enum class JsonLayout {
  kIndented,  // by two spaces a level, as most tools print JSON; ends in a line end
  kCompact,   // one line without blanks and without a line end
};

// The JSON form of a well-formed tree. The order of members is always the same. Linear.
// Thread-safe.
std::string to_json(const Track& track, JsonLayout layout = JsonLayout::kIndented);

// What is wrong with a JSON text, for the person who made it.
struct JsonProblem {
  std::string pointer;  // JSON Pointer (RFC 6901) to the place; "" is the whole
  std::string message;  // what is wrong, what was expected, what was perhaps meant; UTF-8
};

struct TrackFromJson {
  Track track;                        // whole when there are no problems, else of no use
  std::vector<JsonProblem> problems;  // in the order of reading, at most kMaxJsonProblems
  bool ok() const { return problems.empty(); }
};

// Reads the JSON form. Any bytes will do: never throws, never fails otherwise than by problems.
// Linear in the length of the text. Thread-safe. The tree does not refer to `text`.
TrackFromJson from_json(std::string_view text);

// The JSON Schema (draft 2020-12) of the form, indented, with a line end. It says all that the
// reader demands but four things that a schema cannot say well: that a date exists, that a duration
// is at most a thousand years long, how deep conditions and JSON nest, and how large the whole is.
// Thread-safe.
std::string json_schema();

}  // namespace turnout::track
