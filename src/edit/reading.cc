#include "edit/reading.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "lang/parser.h"
#include "track/mentions.h"

namespace turnout::edit {
namespace {

using lang::TokenKind;

lang::Tokens tokens_of(std::string_view text) {
  const bool readable = text.size() <= lang::kMaxTextBytes &&
                        base::first_invalid_utf8(text) == std::string_view::npos;
  return lang::lex(readable ? text : std::string_view());
}

std::vector<FieldUse> fields_by_place(const track::Track& track) {
  std::vector<FieldUse> fields;
  for (const track::FieldRef* field : track::fields_of(track)) {
    if (!field->name.empty()) {
      fields.push_back({field->name, stretch(field->span)});
    }
  }
  std::sort(fields.begin(), fields.end(),
            [](const FieldUse& a, const FieldUse& b) { return a.place.begin < b.place.begin; });
  return fields;
}

// The last of the ordered items that begins at the offset or before, and ends there or behind.
template <class T>
const T* touching(const std::vector<T>& items, std::size_t offset) {
  const auto behind =
      std::upper_bound(items.begin(), items.end(), offset,
                       [](std::size_t at, const T& item) { return at < item.place.begin; });
  if (behind == items.begin() || std::prev(behind)->place.end < offset) {
    return nullptr;
  }
  return &*std::prev(behind);
}

void find_names(Reading& reading) {
  for (std::size_t i = 0; i < reading.tokens.tokens.size(); ++i) {
    const lang::Token& token = reading.tokens.tokens[i];
    if (token.kind != TokenKind::kString) {
      continue;
    }
    const std::string& text = reading.tokens.texts[token.text];
    if (const auto role = role_at(reading, i); role && !text.empty()) {
      reading.names.push_back({role->kind, role->declares, text, i, stretch(token.span)});
    }
  }
}

}  // namespace

std::string_view Reading::source(std::size_t token) const {
  const track::Span& span = tokens.tokens[token].span;
  return std::string_view(text).substr(span.begin, span.end - span.begin);
}

bool Reading::is_word(std::size_t token, std::string_view word) const {
  return token < tokens.tokens.size() && kind(token) == TokenKind::kWord &&
         base::equals_ignoring_case(source(token), word);
}

Reading read(std::string text, lang::Analysis analysis) {
  Lines lines(text);
  lang::Tokens tokens = tokens_of(text);
  Reading reading{std::move(text),
                  std::move(lines),
                  std::move(tokens),
                  std::move(analysis.track),
                  std::move(analysis.diagnostics),
                  {},
                  {}};
  find_names(reading);
  reading.fields = fields_by_place(reading.track);
  return reading;
}

std::optional<std::size_t> token_at(const Reading& reading, std::size_t offset) {
  const auto& tokens = reading.tokens.tokens;
  const auto behind =
      std::upper_bound(tokens.begin(), tokens.end(), offset,
                       [](std::size_t at, const lang::Token& t) { return at < t.span.begin; });
  if (behind == tokens.begin()) {
    return std::nullopt;
  }
  auto index = static_cast<std::size_t>(behind - tokens.begin()) - 1;
  if (tokens[index].kind == TokenKind::kEnd && index > 0) {
    --index;  // it stands at the very end, where the last word may be touched
  }
  // Of a word and the symbol right behind it, the word is meant.
  if (index > 0 && tokens[index].kind == TokenKind::kSymbol && tokens[index].span.begin == offset &&
      tokens[index - 1].span.end == offset) {
    --index;
  }
  const bool touched = offset <= tokens[index].span.end && tokens[index].kind != TokenKind::kEnd;
  return touched ? std::optional(index) : std::nullopt;
}

const NameUse* name_at(const Reading& reading, std::size_t offset) {
  return touching(reading.names, offset);
}

const FieldUse* field_at(const Reading& reading, std::size_t offset) {
  return touching(reading.fields, offset);
}

}  // namespace turnout::edit
