#include "graph/text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace turnout::graph {
namespace {

// Helvetica's widths of the characters 32 to 126, in thousandths of the size.
constexpr std::array<std::uint16_t, 95> kAsciiWidths = {
    278,  278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278,
    278,  //  !"#$%&'()*+,-./
    556,  556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584,
    556,  // 0-9 :;<=>?
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722,
    778,  // @A-O
    667,  778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469,
    556,  // P-Z [\]^_
    333,  556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556,
    556,                                                                          // `a-o
    556,  556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584};  // p-z {|}~

constexpr double kSpare = 1.04;  // other faces are wider
constexpr double kBold = 1.07;

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

// The code point that begins at `at`; any value where the text is no UTF-8.
std::uint32_t code_point(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  std::uint32_t value = lead < 0x80   ? lead
                        : lead < 0xE0 ? lead & 0x1FU
                        : lead < 0xF0 ? lead & 0xFU
                                      : lead & 7U;
  for (std::size_t i = at + 1; i < text.size() && is_continuation(text[i]); ++i) {
    value = value << 6U | (static_cast<unsigned char>(text[i]) & 0x3FU);
  }
  return value;
}

// In thousandths of the size. Beyond ASCII by script alone: East Asian text and pictographs are set
// on a square (Unicode Standard Annex 11), other letters are about as wide as Latin ones.
double advance(std::uint32_t c) {
  if (c < 0x20 || c == 0x7F) {
    return 556;
  }
  if (c < 0x7F) {
    return kAsciiWidths.at(c - 0x20);
  }
  if (c == 0xA0) {
    return kAsciiWidths.front();  // a blank that does not break
  }
  if ((c >= 0x300 && c < 0x370) || (c >= 0x200B && c < 0x2010) || (c >= 0xFE00 && c < 0xFE10)) {
    return 0;  // combining marks, joiners, variation selectors
  }
  const bool wide = (c >= 0x1100 && c < 0x1160) || (c >= 0x2E80 && c < 0xA4D0) ||
                    (c >= 0xAC00 && c < 0xD7A4) || (c >= 0xF900 && c < 0xFB00) ||
                    (c >= 0xFE30 && c < 0xFE70) || (c >= 0xFF00 && c < 0xFF61) || c >= 0x1F000;
  return wide || c == 0x2026 ? 1000 : 640;
}

double scale(const Font& font) { return font.size / 1000 * kSpare * (font.bold ? kBold : 1); }

std::size_t next_character(std::string_view text, std::size_t at) {
  ++at;
  while (at < text.size() && is_continuation(text[at])) {
    ++at;
  }
  return at;
}

// How many bytes from the start are no wider than `width`; at least one character.
std::size_t fitting(std::string_view text, const Font& font, double width) {
  double used = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    used += advance(code_point(text, at)) * scale(font);
    if (used > width && at > 0) {
      break;
    }
    at = next_character(text, at);
  }
  return at;
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = begin;
    while (end < text.size() && !is_blank(text[end])) {
      ++end;
    }
    if (end > begin) {
      words.push_back(text.substr(begin, end - begin));
    }
    begin = end + 1;
  }
  return words;
}

std::string shortened(std::string line, const Font& font, double width) {
  line.resize(fitting(line, font, width - text_width("…", font)));
  while (!line.empty() && is_blank(line.back())) {
    line.pop_back();
  }
  return line + "…";
}

}  // namespace

Font font_of(TextStyle style) {
  switch (style) {
    case TextStyle::kHeading:
      return {18, 26, true};
    case TextStyle::kTitle:
      return {14, 18, true};
    case TextStyle::kAbout:
      return {12, 16, false};
    case TextStyle::kNote:
      return {11.5, 15, false};
    case TextStyle::kHead:
      return {12.5, 16, false};
    case TextStyle::kAction:
    case TextStyle::kTarget:
      return {11.5, 15, false};
    case TextStyle::kWait:
      return {11, 15, false};
    case TextStyle::kOutcome:
      break;
  }
  return {12.5, 16, false};
}

double text_width(std::string_view text, const Font& font) {
  double width = 0;
  for (std::size_t at = 0; at < text.size(); at = next_character(text, at)) {
    width += advance(code_point(text, at));
  }
  return width * scale(font);
}

std::vector<std::string> wrap(std::string_view text, const Font& font, double width,
                              std::size_t max_lines) {
  std::vector<std::string> lines;
  const double blank = text_width(" ", font);
  double used = 0;
  for (std::string_view word : words_of(text)) {
    while (!word.empty()) {
      const double wide = text_width(word.substr(0, fitting(word, font, width)), font);
      const bool whole = fitting(word, font, width) == word.size();
      if (!lines.empty() && used + blank + wide <= width && whole) {
        lines.back() += " " + std::string(word);
        used += blank + wide;
        break;
      }
      if (lines.size() == max_lines) {
        lines.back() =
            shortened(lines.back() + " " + std::string(word.substr(0, fitting(word, font, width))),
                      font, width);
        return lines;
      }
      const std::size_t size = fitting(word, font, width);
      lines.emplace_back(word.substr(0, size));
      used = wide;
      word.remove_prefix(size);
    }
  }
  return lines;
}

std::vector<std::string> wrap_evenly(std::string_view text, const Font& font, double width,
                                     std::size_t max_lines) {
  std::vector<std::string> best = wrap(text, font, width, max_lines);
  if (best.size() < 2 || best.back().ends_with("…")) {
    return best;
  }
  double least = 0;  // no narrower than the longest word, which stays whole
  for (const std::string_view word : words_of(text)) {
    least = std::max(least, text_width(word, font));
  }
  constexpr double kPrecision = 4;
  for (double most = width; most - least > kPrecision;) {
    const double middle = (least + most) / 2;
    std::vector<std::string> lines = wrap(text, font, middle, max_lines);
    const bool fits = lines.size() == best.size() && !lines.back().ends_with("…");
    (fits ? most : least) = middle;
    if (fits) {
      best = std::move(lines);
    }
  }
  return best;
}

}  // namespace turnout::graph
