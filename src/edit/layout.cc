#include "edit/layout.h"

#include <algorithm>

#include <fmt/format.h>

#include "lang/formatter.h"
#include "lang/parser.h"

namespace turnout::edit {
namespace {

// How much of both texts is the same at the beginning, in whole lines.
std::size_t same_lines_before(std::string_view a, std::string_view b) {
  const auto differ = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  const auto same = static_cast<std::size_t>(differ.first - a.begin());
  const std::size_t line = a.substr(0, same).rfind('\n');
  return line == std::string_view::npos ? 0 : line + 1;
}

// Likewise at the end.
std::size_t same_lines_behind(std::string_view a, std::string_view b) {
  const auto differ = std::mismatch(a.rbegin(), a.rend(), b.rbegin(), b.rend());
  const auto same = static_cast<std::size_t>(differ.first - a.rbegin());
  const std::size_t line = a.substr(a.size() - same).find('\n');
  return line == std::string_view::npos ? 0 : same - line - 1;
}

}  // namespace

base::Result<std::vector<Edit>> layout(const Reading& reading) {
  const lang::Parsed parsed = lang::parse(reading.text);
  if (!parsed.ok()) {
    const auto first = std::find_if(
        parsed.diagnostics.begin(), parsed.diagnostics.end(),
        [](const lang::Diagnostic& d) { return d.severity == lang::Severity::kError; });
    return base::fail(
        base::ErrorCode::kInvalid,
        fmt::format("correct the mistake on line {} first: {}", first->span.line, first->message));
  }
  const std::string laid_out = lang::format(parsed.track);
  if (laid_out == reading.text) {
    return std::vector<Edit>();
  }
  const std::string_view from = reading.text;
  const std::string_view to = laid_out;
  const std::size_t before = same_lines_before(from, to);
  const std::size_t behind = same_lines_behind(from.substr(before), to.substr(before));
  return std::vector<Edit>{{{before, from.size() - behind},
                            std::string(to.substr(before, to.size() - behind - before))}};
}

}  // namespace turnout::edit
