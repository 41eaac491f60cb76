// How a diagnostic is shown to a person.

#include <algorithm>
#include <string>

#include "base/text.h"
#include "lang/diagnostic.h"

namespace turnout::lang {
namespace {

constexpr std::size_t kMaxColumns = 160;
constexpr std::string_view kRed = "\x1b[1;31m";
constexpr std::string_view kMagenta = "\x1b[1;35m";
constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kCyan = "\x1b[36m";
constexpr std::string_view kPlain = "\x1b[0m";

// A line as shown: one entry per code point, each exactly one column wide or, where the text has
// wide or combining characters, whatever the terminal makes of it.
struct ShownLine {
  std::vector<std::string> cells;
  std::size_t column = 0;  // of the place, from 0
  std::size_t width = 0;   // of the underline
};

ShownLine shown_line(std::string_view text, const track::Span& span) {
  const std::size_t begin = std::min<std::size_t>(span.begin, text.size());
  const std::size_t before = begin == 0 ? std::string_view::npos : text.rfind('\n', begin - 1);
  const std::size_t line_begin = before == std::string_view::npos ? 0 : before + 1;
  const std::size_t line_end = std::min(text.find('\n', line_begin), text.size());
  // Beyond this nothing is shown, so lines of megabytes cost little.
  const std::size_t from =
      begin - line_begin > 4 * kMaxColumns ? begin - 4 * kMaxColumns : line_begin;
  const std::size_t to = std::min(line_end, begin + 4 * kMaxColumns);
  ShownLine line;
  for (std::size_t i = from; i < to;) {
    std::size_t length = 1;
    while (i + length < to && (static_cast<unsigned char>(text[i + length]) & 0xC0U) == 0x80U &&
           length < 4) {
      ++length;
    }
    const std::string_view cell = text.substr(i, length);
    const auto lead = static_cast<unsigned char>(cell[0]);
    const bool good = base::first_invalid_utf8(cell) == std::string_view::npos;
    length = good ? length : 1;
    if (i < begin) {
      ++line.column;
    } else if (i < span.end) {
      ++line.width;
    }
    if (cell[0] == '\t') {
      line.cells.emplace_back(" ");
    } else if (cell[0] == '\r' && i + 1 == line_end) {
      line.width -= i >= begin && i < span.end ? 1 : 0;
    } else if (!good || lead < 0x20 || lead == 0x7F) {
      line.cells.emplace_back("?");
    } else {
      line.cells.emplace_back(cell);
    }
    i += length;
  }
  return line;
}

// Leaves only the part of a long line around the place.
void cut(ShownLine& line) {
  if (line.cells.size() <= kMaxColumns) {
    return;
  }
  constexpr std::size_t kBefore = 60;
  const std::size_t from = line.column > kBefore ? line.column - kBefore : 0;
  const std::size_t to = std::min(line.cells.size(), from + kMaxColumns);
  const bool cut_behind = to < line.cells.size();
  line.cells.erase(line.cells.begin() + static_cast<std::ptrdiff_t>(to), line.cells.end());
  line.cells.erase(line.cells.begin(), line.cells.begin() + static_cast<std::ptrdiff_t>(from));
  line.column -= from;
  if (from > 0) {
    line.cells.insert(line.cells.begin(), "\u2026");
    ++line.column;
  }
  line.width = std::min(line.width, line.cells.size() - std::min(line.column, line.cells.size()));
  if (cut_behind) {
    line.cells.emplace_back("\u2026");
  }
}

}  // namespace

std::string render(const Diagnostic& diagnostic, std::string_view file, std::string_view text,
                   bool colour) {
  const auto paint = [colour](std::string_view code, std::string_view what) {
    return colour ? std::string(code) + std::string(what) + std::string(kPlain) : std::string(what);
  };
  const bool error = diagnostic.severity == Severity::kError;
  const std::string place = std::string(file) + ":" + std::to_string(diagnostic.span.line) + ":" +
                            std::to_string(diagnostic.span.column) + ":";
  std::string out = paint(kBold, place) + " " +
                    paint(error ? kRed : kMagenta, error ? "error:" : "warning:") + " " +
                    paint(kBold, diagnostic.message) + "\n";
  if (diagnostic.span.line == 0) {
    return diagnostic.hint.empty() ? out : out + "  " + diagnostic.hint + "\n";
  }
  ShownLine line = shown_line(text, diagnostic.span);
  cut(line);
  constexpr std::size_t kNumberWidth = 5;
  std::string number = std::to_string(diagnostic.span.line);
  number.insert(0, kNumberWidth - std::min(kNumberWidth, number.size()), ' ');
  out += paint(kCyan, number + " |");
  std::string source;
  for (const std::string& cell : line.cells) {
    source += cell;
  }
  source.resize(source.find_last_not_of(' ') + 1);
  out += source.empty() ? "\n" : " " + source + "\n";
  out += paint(kCyan, std::string(number.size(), ' ') + " |") + " " + std::string(line.column, ' ');
  std::string under(std::max<std::size_t>(1, line.width), '^');
  if (!diagnostic.hint.empty()) {
    under += " " + diagnostic.hint;
  }
  return out + paint(error ? kRed : kMagenta, under) + "\n";
}

}  // namespace turnout::lang
