#pragma once

// JSON written piece by piece onto the end of a text, quickly: what a block says per row is made of
// these.

#include <string>
#include <string_view>

#include "base/time.h"

namespace turnout::decide {

// In quotes, with what JSON demands escaped. `text` is UTF-8.
void append_json_text(std::string& out, std::string_view text);
// The shortest form that reads back as the same number; null for what JSON has no number for.
void append_json_number(std::string& out, double number);
void append_integer(std::string& out, std::int64_t number);
// In quotes, as base::format_instant and format_date write them.
void append_json_instant(std::string& out, base::Instant at);
void append_json_date(std::string& out, base::Date date);

}  // namespace turnout::decide
