#include "template/text.h"

#include <algorithm>
#include <iterator>

#include "base/text.h"

namespace turnout::tmpl {
namespace {

struct PointRange {
  char32_t first;
  char32_t last;
};

bool in_ranges(char32_t point, const PointRange* begin, const PointRange* end) {
  return std::any_of(begin, end, [&](PointRange r) { return r.first <= point && point <= r.last; });
}

// Blocks outside ASCII whose characters are spaces, punctuation or symbols.
constexpr PointRange kNotLetters[] = {
    {0x80, 0xa9},       {0xab, 0xb4},     {0xb6, 0xb9},     {0xbb, 0xbf},       {0xd7, 0xd7},
    {0xf7, 0xf7},       {0x2c2, 0x2c5},   {0x2d2, 0x2df},   {0x2e5, 0x2eb},     {0x375, 0x375},
    {0x37e, 0x37e},     {0x384, 0x385},   {0x387, 0x387},   {0x482, 0x482},     {0x55a, 0x55f},
    {0x589, 0x58f},     {0x5be, 0x5be},   {0x5f3, 0x5f4},   {0x600, 0x60f},     {0x61b, 0x61f},
    {0x66a, 0x66d},     {0x6d4, 0x6d4},   {0x964, 0x965},   {0xe3f, 0xe3f},     {0x1680, 0x1680},
    {0x2000, 0x2070},   {0x2072, 0x207e}, {0x2080, 0x208f}, {0x20a0, 0x20cf},   {0x2100, 0x2101},
    {0x2103, 0x2106},   {0x2108, 0x2109}, {0x2114, 0x2114}, {0x2116, 0x2118},   {0x211e, 0x2123},
    {0x2190, 0x2bff},   {0x2e00, 0x2fff}, {0x3000, 0x3004}, {0x3007, 0x3029},   {0x3030, 0x3030},
    {0x3036, 0x303a},   {0x303d, 0x303f}, {0x309b, 0x309c}, {0x30a0, 0x30a0},   {0x30fb, 0x30fb},
    {0xe000, 0xf8ff},   {0xfe10, 0xfe1f}, {0xfe30, 0xfe6f}, {0xfeff, 0xff0f},   {0xff1a, 0xff20},
    {0xff3b, 0xff40},   {0xff5b, 0xff65}, {0xffe0, 0xffff}, {0x1f000, 0x1faff}, {0xe0000, 0xe00ff},
    {0xf0000, 0x10ffff}};

}  // namespace

CodePoint code_point_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) {
    return {lead, 1};
  }
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  const std::string_view here = text.substr(at, bytes);
  if (here.size() < bytes || base::first_invalid_utf8(here) != std::string_view::npos) {
    return {kReplacementCodePoint, 1};
  }
  char32_t point = lead & (0xffU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    point = (point << 6) | (byte(i) & 0x3fU);
  }
  return {point, bytes};
}

CodePoint code_point_before(std::string_view text, std::size_t end) {
  for (std::size_t bytes = 1; bytes <= std::min<std::size_t>(4, end); ++bytes) {
    const CodePoint point = code_point_at(text, end - bytes);
    if (point.bytes == bytes && (bytes > 1 || point.value != kReplacementCodePoint)) {
      return point;
    }
  }
  return {kReplacementCodePoint, 1};
}

std::vector<char32_t> code_points(std::string_view text) {
  std::vector<char32_t> points;
  points.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    points.push_back(point.value);
    at += point.bytes;
  }
  return points;
}

std::size_t count_points(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); ++count) {
    at += code_point_at(text, at).bytes;
  }
  return count;
}

std::size_t advance(std::string_view text, std::size_t from, std::size_t count) {
  std::size_t at = std::min(from, text.size());
  for (; count > 0 && at < text.size(); --count) {
    at += code_point_at(text, at).bytes;
  }
  return at;
}

void append_utf8(std::string& to, char32_t point) {
  if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
    point = kReplacementCodePoint;
  }
  const auto put = [&](char32_t byte) { to += static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xc0 | (point >> 6));
    put(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    put(0xe0 | (point >> 12));
    put(0x80 | ((point >> 6) & 0x3f));
    put(0x80 | (point & 0x3f));
  } else {
    put(0xf0 | (point >> 18));
    put(0x80 | ((point >> 12) & 0x3f));
    put(0x80 | ((point >> 6) & 0x3f));
    put(0x80 | (point & 0x3f));
  }
}

bool is_space(char32_t point) {
  return (point >= 9 && point <= 13) || point == ' ' || point == 0xa0 || point == 0x1680 ||
         (point >= 0x2000 && point <= 0x200a) || point == 0x2028 || point == 0x2029 ||
         point == 0x202f || point == 0x205f || point == 0x3000 || point == 0xfeff;
}

std::string_view trim_left(std::string_view text) {
  while (!text.empty()) {
    const CodePoint first = code_point_at(text, 0);
    if (!is_space(first.value)) {
      break;
    }
    text.remove_prefix(first.bytes);
  }
  return text;
}

std::string_view trim_right(std::string_view text) {
  while (!text.empty()) {
    const CodePoint last = code_point_before(text, text.size());
    if (!is_space(last.value)) {
      break;
    }
    text.remove_suffix(last.bytes);
  }
  return text;
}

std::string with_single_blanks(std::string_view text) {
  std::string out;
  bool blank = false;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    if (!is_space(point.value)) {
      out += text.substr(at, point.bytes);
    } else if (!blank) {
      out += ' ';
    }
    blank = is_space(point.value);
    at += point.bytes;
  }
  return out;
}

bool is_ascii_digit(char c) { return c >= '0' && c <= '9'; }

bool is_letter_or_digit(char32_t point) {
  if (point < 0x80) {
    return (point >= '0' && point <= '9') || ((point | 0x20) >= 'a' && (point | 0x20) <= 'z');
  }
  return !in_ranges(point, std::begin(kNotLetters), std::end(kNotLetters));
}

}  // namespace turnout::tmpl
