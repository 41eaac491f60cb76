#pragma once

// Messages about the text of a template.

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace turnout::tmpl {

// "line 3, column 14": of the byte at `offset`; columns count code points, from 1.
std::string place_of(std::string_view text, std::size_t offset);

// In quotes, cut after some 40 bytes.
std::string shown(std::string_view text, std::size_t most = 40);

// "; did you mean \"upcase\"?", or nothing.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

// kInvalid: "line 3, column 14: what".
base::Error mistake(std::string_view text, std::size_t offset, const std::string& what);

}  // namespace turnout::tmpl
