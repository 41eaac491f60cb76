#include "template/source.h"

#include <algorithm>

#include "base/text.h"

namespace turnout::tmpl {

std::string place_of(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t begin = before.rfind('\n') + 1;  // npos + 1 is 0
  const std::size_t column = 1 + base::count_code_points(before.substr(begin));
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

std::string shown(std::string_view text, std::size_t most) {
  std::size_t end = std::min(text.size(), most);
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) {
    --end;
  }
  return "\"" + std::string(text.substr(0, end)) + (end < text.size() ? "…\"" : "\"");
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  // Distances cost the product of the lengths, and no name is that long.
  const std::string_view meant =
      word.size() > 40 ? std::string_view() : base::closest(word, candidates);
  return meant.empty() ? "" : "; did you mean \"" + std::string(meant) + "\"?";
}

base::Error mistake(std::string_view text, std::size_t offset, const std::string& what) {
  return {base::ErrorCode::kInvalid, place_of(text, offset) + ": " + what};
}

}  // namespace turnout::tmpl
