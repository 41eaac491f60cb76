// What a text in quotes names, told from the words before it.

#include <algorithm>
#include <array>

#include "edit/reading.h"

namespace turnout::edit {
namespace {

using lang::TokenKind;

// Looks at the tokens before one, from the nearest back: 1 is the one right before it.
class Before {
 public:
  Before(const Reading& reading, std::size_t token) : reading_(reading), token_(token) {}

  bool word(std::size_t back, std::string_view word) const {
    return back <= token_ && reading_.is_word(token_ - back, word);
  }
  bool is(std::size_t back, TokenKind kind) const {
    return back <= token_ && reading_.kind(token_ - back) == kind;
  }
  bool symbol(std::size_t back) const {
    return is(back, TokenKind::kSymbol) &&
           std::string_view(":(){}[]").find(source(back)[0]) == std::string_view::npos;
  }
  std::string_view source(std::size_t back) const { return reading_.source(token_ - back); }

 private:
  const Reading& reading_;
  std::size_t token_;
};

// `track "T" at "S"` names a step of this track only when T is its name.
bool at_own_track(const Reading& reading, std::size_t token) {
  const Before before(reading, token);
  if (!before.is(2, TokenKind::kString) || !before.word(3, "track")) {
    return false;
  }
  const lang::Token& name = reading.tokens.tokens[token - 2];
  return reading.tokens.texts[name.text] == reading.track.name.text;
}

// `visit.step is "S"`, `visit.step is one of "A", "B"`.
bool compared_with_step(const Before& before) {
  constexpr std::size_t kFarthest = 200;
  for (std::size_t back = 1; back <= kFarthest; ++back) {
    if (before.word(back, "visit.step")) {
      return back > 1;
    }
    const bool between = before.word(back, "is") || before.word(back, "not") ||
                         before.word(back, "one") || before.word(back, "of") ||
                         (back > 1 && before.is(back, TokenKind::kString)) || before.symbol(back);
    if (!between) {
      return false;
    }
  }
  return false;
}

NameRole outcome_or_arm(const Before& before) {
  if (before.is(2, TokenKind::kPercent) && before.word(3, "for")) {
    return {NameKind::kArm, true};
  }
  return {NameKind::kOutcome, false};
}

// Of things that the word before them tells; where that can be a field's name as well, together
// with the word before it.
std::optional<NameRole> told_by_word(const Before& before) {
  struct Telling {
    std::string_view word;
    NameKind kind;
    std::array<std::string_view, 4> behind;
  };
  static constexpr std::array kTelling = {
      Telling{"arm", NameKind::kArm, {}},
      Telling{"did", NameKind::kEvent, {}},
      Telling{"do", NameKind::kEvent, {}},
      Telling{"event", NameKind::kEvent, {}},
      Telling{"from", NameKind::kDatabase, {}},
      Telling{"show", NameKind::kShown, {}},
      Telling{"tag", NameKind::kTag, {"has", "add", "remove", "given"}},
      Telling{"email", NameKind::kTemplate, {"send"}},
      Telling{"webhook", NameKind::kWebhook, {"call"}}};
  for (const Telling& telling : kTelling) {
    const auto follows = [&](std::string_view word) { return before.word(2, word); };
    const bool anywhere = telling.behind[0].empty() || follows("expect") || follows("no");
    if (before.word(1, telling.word) &&
        (anywhere || std::any_of(telling.behind.begin(), telling.behind.end(), follows))) {
      return NameRole{telling.kind, false};
    }
  }
  return before.word(1, "test") ? std::optional(NameRole{NameKind::kTest, true}) : std::nullopt;
}

}  // namespace

const char* kind_name(NameKind kind) {
  static constexpr std::array kNames = {"track",   "step",     "test",     "arm",
                                        "outcome", "tag",      "template", "webhook",
                                        "event",   "database", "shown"};
  return kNames.at(static_cast<std::size_t>(kind));
}

std::optional<NameRole> role_at(const Reading& reading, std::size_t token) {
  const Before before(reading, token);
  if (before.word(1, "step")) {
    return NameRole{NameKind::kStep, !before.word(2, "on")};
  }
  if (before.word(1, "track")) {
    return NameRole{NameKind::kTrack, !before.word(2, "on") && !before.word(2, "off")};
  }
  if ((before.word(1, "to") && before.word(2, "go")) ||
      (before.word(1, "at") && (before.word(2, "start") || at_own_track(reading, token)))) {
    return NameRole{NameKind::kStep, false};
  }
  if (before.word(1, "on")) {
    return NameRole{before.word(2, "run") ? NameKind::kDatabase : NameKind::kEvent, false};
  }
  if (before.word(1, "as")) {
    return outcome_or_arm(before);
  }
  if (const auto told = told_by_word(before)) {
    return told;
  }
  if (compared_with_step(before)) {
    return NameRole{NameKind::kStep, false};
  }
  return std::nullopt;
}

}  // namespace turnout::edit
