// The value of a raw block.

#include <algorithm>
#include <string>
#include <vector>

#include "lang/lexer.h"

namespace turnout::lang {

std::string raw_value(std::string_view inside) {
  std::string text;
  text.reserve(inside.size());
  for (std::size_t i = 0; i < inside.size(); ++i) {
    if (inside.substr(i).starts_with("\\\"\"\"")) {
      text += "\"\"\"";
      i += 3;
    } else if (!inside.substr(i).starts_with("\r\n")) {
      text.push_back(inside[i]);
    }
  }
  std::string_view rest = text;
  const std::size_t first = rest.find_first_not_of(" \t");
  const bool first_is_text = first == std::string_view::npos || rest[first] != '\n';
  if (!first_is_text) {
    rest.remove_prefix(first + 1);
  }
  const std::size_t last_break = rest.rfind('\n');
  if (last_break != std::string_view::npos &&
      rest.find_first_not_of(" \t", last_break + 1) == std::string_view::npos) {
    rest = rest.substr(0, last_break);
  } else if (!first_is_text && rest.find_first_not_of(" \t") == std::string_view::npos) {
    rest = {};
  }
  std::vector<std::string_view> lines;
  for (std::size_t begin = 0; begin <= rest.size();) {
    const std::size_t end = std::min(rest.find('\n', begin), rest.size());
    lines.push_back(rest.substr(begin, end - begin));
    begin = end + 1;
  }
  std::size_t common = std::string_view::npos;
  for (std::size_t i = first_is_text ? 1 : 0; i < lines.size(); ++i) {
    if (const std::size_t indent = lines[i].find_first_not_of(' ');
        indent != std::string_view::npos &&
        lines[i].find_first_not_of(" \t") != std::string_view::npos) {
      common = std::min(common, indent);
    }
  }
  std::string value;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::string_view line = lines[i];
    if (i > 0) {
      value.push_back('\n');
    }
    if (i > 0 || !first_is_text) {
      const bool blank = line.find_first_not_of(" \t") == std::string_view::npos;
      line = blank ? std::string_view() : line.substr(std::min(common, line.size()));
    }
    value.append(line);
  }
  return value;
}

}  // namespace turnout::lang
