#pragma once

// How values are written into the text around them. Pure.

#include <cstdint>
#include <string>
#include <string_view>

namespace turnout::tmpl {

// The text of a template itself is never changed.
enum class Escape : std::uint8_t {
  kNone,    // plain text
  kHtml,    // & < > " ' as entities, as Liquid's `escape`
  kHeader,  // one line: each run of line ends and control characters becomes one space (no header
            // injection); the filter `raw` changes nothing about it
  kJson,    // the inside of a JSON string, invalid UTF-8 replaced by U+FFFD; the template has the
            // quotes. What the filter `json` made is JSON already and stays as it is
};

void append_escaped(std::string& to, std::string_view value, Escape escape);

// At most so many bytes become of one.
inline constexpr std::size_t kMostEscapedBytes = 6;

}  // namespace turnout::tmpl
