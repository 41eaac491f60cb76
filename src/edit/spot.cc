#include "edit/spot.h"

#include <algorithm>

namespace turnout::edit {
namespace {

using lang::TokenKind;

bool is_symbol(const Reading& reading, std::size_t token, char symbol) {
  const lang::Token& t = reading.tokens.tokens[token];
  return t.kind == TokenKind::kSymbol && t.count == symbol;
}

}  // namespace

Spot spot_at(const Reading& reading, std::size_t offset) {
  const auto& tokens = reading.tokens.tokens;
  const auto behind =
      std::lower_bound(tokens.begin(), tokens.end(), offset,
                       [](const lang::Token& t, std::size_t at) { return t.span.begin < at; });
  Spot spot{static_cast<std::size_t>(behind - tokens.begin()), false, {offset, offset}};
  if (spot.token == 0) {
    return spot;
  }
  const lang::Token& last = tokens[spot.token - 1];
  const bool word = last.kind == TokenKind::kWord || last.kind == TokenKind::kQuoted ||
                    last.kind == TokenKind::kBad;
  const bool text = last.kind == TokenKind::kString;
  const bool inside = offset < last.span.end || (last.broken && offset == last.span.end);
  if ((word && offset <= last.span.end) || (text && inside)) {
    // Of quotes that are not closed only what stands before the offset is known to belong to them.
    return {spot.token - 1, true, {last.span.begin, last.broken ? offset : last.span.end}};
  }
  return spot;
}

bool in_comment(const Reading& reading, const Spot& spot, std::size_t offset) {
  const std::size_t from = spot.token == 0 ? 0 : reading.tokens.tokens[spot.token - 1].span.end;
  if (spot.written || from >= offset) {
    return false;
  }
  const std::string_view between = std::string_view(reading.text).substr(from, offset - from);
  const std::size_t line = between.find_last_of('\n');
  const std::size_t begin = line == std::string_view::npos ? 0 : line;
  return between.find('#', begin) != std::string_view::npos;
}

bool first_on_line(const Reading& reading, const Spot& spot) {
  if (spot.token == 0) {
    return true;
  }
  if (spot.written) {
    return reading.tokens.tokens[spot.token].first_on_line;
  }
  const std::size_t from = reading.tokens.tokens[spot.token - 1].span.end;
  return std::string_view(reading.text).substr(from, spot.place.begin - from).find('\n') !=
         std::string_view::npos;
}

bool in_json(const Reading& reading, const Spot& spot) {
  constexpr std::size_t kFarthest = 10'000;
  int open = 0;
  for (std::size_t back = 1; back <= std::min(spot.token, kFarthest); ++back) {
    const std::size_t token = spot.token - back;
    if (is_symbol(reading, token, '}')) {
      --open;
    } else if (is_symbol(reading, token, '{') && ++open > 0) {
      return true;
    } else if (reading.tokens.tokens[token].first_on_line && reading.is_word(token, "step")) {
      return false;
    }
  }
  return false;
}

Surroundings surroundings(const Reading& reading, std::size_t token) {
  constexpr std::size_t kLongestGather = 8;
  Surroundings around;
  for (std::size_t i = token; i-- > 0;) {
    const bool first = reading.tokens.tokens[i].first_on_line;
    around.in_rule = around.in_rule || is_symbol(reading, i, ':');
    if (first && reading.is_word(i, "gather") && token - i <= kLongestGather) {
      around.gathering = true;
    } else if (first && reading.is_word(i, "step")) {
      around.section = Section::kStep;
      return around;
    } else if (first && reading.is_word(i, "test")) {
      around.section = Section::kTest;
      return around;
    } else if (reading.is_word(i, "track")) {
      around.section = Section::kClauses;
    }
  }
  return around;
}

}  // namespace turnout::edit
