// Upper and lower case (text.h).

#include <cstdint>
#include <iterator>

#include "template/text.h"

namespace turnout::tmpl {
namespace {

// Upper-case letters from `first` to `last`, each `stride` after the one before; the lower-case one
// is `distance` further.
struct CaseRange {
  char32_t first;
  char32_t last;
  std::int32_t distance;
  std::uint32_t stride;
};

constexpr CaseRange kCases[] = {
    {'A', 'Z', 32, 1},      {0xc0, 0xd6, 32, 1},     {0xd8, 0xde, 32, 1},
    {0x100, 0x12e, 1, 2},   {0x132, 0x136, 1, 2},    {0x139, 0x147, 1, 2},
    {0x14a, 0x176, 1, 2},   {0x178, 0x178, -121, 1}, {0x179, 0x17d, 1, 2},
    {0x18f, 0x18f, 202, 1}, {0x1a0, 0x1a4, 1, 2},    {0x1af, 0x1af, 1, 1},
    {0x1cd, 0x1db, 1, 2},   {0x1de, 0x1ee, 1, 2},    {0x1f8, 0x21e, 1, 2},
    {0x222, 0x232, 1, 2},   {0x386, 0x386, 38, 1},   {0x388, 0x38a, 37, 1},
    {0x38c, 0x38c, 64, 1},  {0x38e, 0x38f, 63, 1},   {0x391, 0x3a1, 32, 1},
    {0x3a3, 0x3ab, 32, 1},  {0x400, 0x40f, 80, 1},   {0x410, 0x42f, 32, 1},
    {0x460, 0x480, 1, 2},   {0x48a, 0x4be, 1, 2},    {0x4c0, 0x4c0, 15, 1},
    {0x4c1, 0x4cd, 1, 2},   {0x4d0, 0x52e, 1, 2},    {0x531, 0x556, 48, 1},
    {0x1e00, 0x1e94, 1, 2}, {0x1ea0, 0x1efe, 1, 2},  {0xff21, 0xff3a, 32, 1},
};

constexpr char32_t kSmallSharpS = 0xdf;
constexpr char32_t kCapitalSharpS = 0x1e9e;
constexpr char32_t kCapitalDottedI = 0x130;
constexpr char32_t kSmallDotlessI = 0x131;
constexpr char32_t kSmallLongS = 0x17f;
constexpr char32_t kMicroSign = 0xb5;
constexpr char32_t kCapitalSigma = 0x3a3;
constexpr char32_t kFinalSigma = 0x3c2;

char32_t lower_point(char32_t point) {
  if (point == kCapitalSharpS) {
    return kSmallSharpS;
  }
  for (const CaseRange& r : kCases) {
    if (r.first <= point && point <= r.last && (point - r.first) % r.stride == 0) {
      return static_cast<char32_t>(static_cast<std::int32_t>(point) + r.distance);
    }
  }
  return point;
}

char32_t upper_point(char32_t point) {
  switch (point) {
    case kSmallDotlessI:
      return 'I';
    case kSmallLongS:
      return 'S';
    case kMicroSign:
      return 0x39c;
    case kFinalSigma:
      return kCapitalSigma;
    default:
      break;
  }
  for (const CaseRange& r : kCases) {
    const auto from = static_cast<char32_t>(static_cast<std::int32_t>(r.first) + r.distance);
    const auto to = static_cast<char32_t>(static_cast<std::int32_t>(r.last) + r.distance);
    if (from <= point && point <= to && (point - from) % r.stride == 0) {
      return static_cast<char32_t>(static_cast<std::int32_t>(point) - r.distance);
    }
  }
  return point;
}

// Whether a letter stands beside the Σ at `at`, before (step -1) or after it.
bool letter_beside(const std::vector<char32_t>& points, std::size_t at, std::ptrdiff_t step) {
  const std::ptrdiff_t next = static_cast<std::ptrdiff_t>(at) + step;
  if (next < 0 || next >= std::ssize(points)) {
    return false;
  }
  const char32_t point = points[static_cast<std::size_t>(next)];
  return is_letter_or_digit(point) && !(point >= '0' && point <= '9');
}

}  // namespace

std::string upper(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char32_t point : code_points(text)) {
    if (point == kSmallSharpS) {
      out += "SS";
    } else {
      append_utf8(out, upper_point(point));
    }
  }
  return out;
}

std::string lower(std::string_view text) {
  const std::vector<char32_t> points = code_points(text);
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (points[i] == kCapitalDottedI) {
      out += "i\xcc\x87";  // i and a combining dot above
    } else if (points[i] == kCapitalSigma && letter_beside(points, i, -1) &&
               !letter_beside(points, i, 1)) {
      append_utf8(out, kFinalSigma);
    } else {
      append_utf8(out, lower_point(points[i]));
    }
  }
  return out;
}

}  // namespace turnout::tmpl
