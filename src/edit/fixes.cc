#include "edit/fixes.h"

#include <algorithm>

#include "base/text.h"
#include "lang/formatter.h"
#include "lang/words.h"

namespace turnout::edit {
namespace {

// What stands in a hint: `word` or "text", which is taken with its quotes.
std::optional<std::string> quoted(std::string_view text) {
  if (text.size() <= 2) {
    return std::nullopt;
  }
  const bool code = text.front() == '`' && text.back() == '`';
  const bool name = text.front() == '"' && text.back() == '"';
  const std::string_view inside = text.substr(1, text.size() - 2);
  // A name that was cut for the message is not the whole name.
  if (text.find("\u2026") != std::string_view::npos ||
      (code && inside.find('`') != std::string_view::npos)) {
    return std::nullopt;
  }
  return code   ? std::optional(std::string(inside))
         : name ? std::optional(std::string(text))
                : std::nullopt;
}

std::optional<std::string> said_by(const lang::Diagnostic& diagnostic) {
  constexpr std::string_view kMeant = "did you mean ";
  constexpr std::string_view kWrite = "write ";
  const std::string_view hint = diagnostic.hint;
  if (hint.starts_with(kMeant) && hint.ends_with('?')) {
    return quoted(hint.substr(kMeant.size(), hint.size() - kMeant.size() - 1));
  }
  if (!hint.starts_with(kWrite)) {
    return std::nullopt;
  }
  const std::string_view what = hint.substr(kWrite.size());
  return diagnostic.code == "expected-percent" ? std::optional(std::string(what)) : quoted(what);
}

// `write starts with` for the word of `start with`: what stands behind it already is not to stand
// there twice.
std::size_t end_with_doubled(std::string_view text, std::size_t end, std::string_view what) {
  const std::size_t space = what.find_last_of(' ');
  const std::string_view last = what.ends_with(':')               ? what.substr(what.size() - 1)
                                : space == std::string_view::npos ? std::string_view()
                                                                  : what.substr(space + 1);
  const std::size_t next = text.find_first_not_of(" \t", end);
  if (last.empty() || next == std::string_view::npos ||
      !base::equals_ignoring_case(text.substr(next, last.size()), last)) {
    return end;
  }
  const std::size_t behind = next + last.size();
  const bool whole = last == ":" || behind == text.size() || !lang::is_letter(text[behind]);
  return whole ? behind : end;
}

// A word that takes the place of a symbol does not grow into those beside it: `!opted_out`.
void part_from_words(std::string_view text, const Stretch& place, std::string& what) {
  const auto is_word = [text](std::size_t i) {
    return i < text.size() && (lang::is_letter(text[i]) || (text[i] >= '0' && text[i] <= '9'));
  };
  if (!lang::is_letter(what.front())) {
    return;
  }
  if (is_word(place.end)) {
    what += ' ';
  }
  if (place.begin > 0 && is_word(place.begin - 1)) {
    what.insert(0, 1, ' ');
  }
}

}  // namespace

std::optional<Fix> fix_for(const Reading& reading, const lang::Diagnostic& diagnostic) {
  const std::string_view text = reading.text;
  auto what = said_by(diagnostic);
  Stretch place = stretch(diagnostic.span);
  const bool insertion = diagnostic.code == "missing-colon";
  if (!what || place.end > text.size() || (place.begin == place.end && !insertion)) {
    return std::nullopt;
  }
  const std::string_view source = text.substr(place.begin, place.end - place.begin);
  if (std::any_of(source.begin(), source.end(),
                  [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '`'; })) {
    return std::nullopt;  // the hint shows it otherwise than it stands there
  }
  if (diagnostic.code == "unknown-scope") {
    place.end = place.begin + std::min(source.find('.'), source.size());
  } else if (diagnostic.code == "unknown-field" && !diagnostic.hint.starts_with("write")) {
    what = lang::format_field(*what);
  } else if (*what == ",") {
    while (place.begin > 0 && text[place.begin - 1] == ' ') {
      --place.begin;
    }
  } else {
    place.end = end_with_doubled(text, place.end, *what);
  }
  std::string title = "write " + lang::shorten(*what);
  part_from_words(text, place, *what);
  return Fix{std::move(title), {place, std::move(*what)}};
}

}  // namespace turnout::edit
