#pragma once

// JSON as it was written, names that stand twice included: the reader's first step, so that
// everything hostile about a text (depth, size, broken characters) is over before the second.

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace turnout::track {

struct JsonMember;
struct JsonValue;
using JsonList = std::vector<JsonValue>;
using JsonObject = std::vector<JsonMember>;  // in the order written

struct JsonValue {
  std::variant<std::nullptr_t, bool, double, std::string, JsonList, JsonObject> data;
};
struct JsonMember {
  std::string name;
  JsonValue value;
};

// Reads a text of at most kMaxJsonBytes, kMaxJsonValues and kMaxJsonDepth (json_form.h). Numbers
// are finite, texts UTF-8 (a zero character is possible). Answers with what is wrong, empty when
// nothing is. Linear. Never throws. Thread-safe.
std::string read_json_value(std::string_view text, JsonValue& value);

// "an object", "a list", "the text "abc"", "the number 3", "true", "null": for messages.
std::string what_it_is(const JsonValue& value);

}  // namespace turnout::track
