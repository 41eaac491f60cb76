#include "lang/words.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace turnout::lang {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::array kReserved = {
    "add"sv,    "after"sv,   "and"sv,       "as"sv,       "at"sv,     "before"sv, "between"sv,
    "call"sv,   "clear"sv,   "contains"sv,  "decrease"sv, "did"sv,    "does"sv,   "ends"sv,
    "enter"sv,  "expect"sv,  "false"sv,     "for"sv,      "gather"sv, "given"sv,  "go"sv,
    "has"sv,    "hold"sv,    "in"sv,        "increase"sv, "is"sv,     "leave"sv,  "less"sv,
    "look"sv,   "matches"sv, "missing"sv,   "more"sv,     "not"sv,    "now"sv,    "on"sv,
    "one"sv,    "or"sv,      "otherwise"sv, "present"sv,  "put"sv,    "quiet"sv,  "record"sv,
    "remove"sv, "run"sv,     "send"sv,      "set"sv,      "show"sv,   "starts"sv, "stay"sv,
    "step"sv,   "stop"sv,    "take"sv,      "test"sv,     "the"sv,    "today"sv,  "track"sv,
    "true"sv,   "when"sv,    "where"sv,     "within"sv};
static_assert(std::is_sorted(kReserved.begin(), kReserved.end()));

}  // namespace

bool is_reserved(std::string_view word) {
  constexpr std::size_t kLongest = 9;
  if (word.size() > kLongest) {
    return false;
  }
  return std::binary_search(kReserved.begin(), kReserved.end(),
                            std::string_view(base::to_lower_ascii(word)));
}

std::span<const std::string_view> reserved_words() { return kReserved; }

std::string shorten(std::string_view text) {
  constexpr std::size_t kLongest = 60;
  std::string out;
  std::size_t count = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0U) != 0x80U && count++ == kLongest) {
      return out + "\u2026";
    }
    out.push_back(byte < 0x20 || byte == 0x7F ? '?' : c);
  }
  return out;
}

}  // namespace turnout::lang
