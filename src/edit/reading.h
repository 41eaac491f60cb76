#pragma once

// A text as it was read: its tokens, its tree, its mistakes, and the names and fields that it
// speaks of.
//
// Names in quotes are told from the tokens before them, not from the tree: a statement that is just
// being written is not in the tree, yet its names must be found and offered. Fields are words like
// any other, so the tree alone tells them.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "edit/place.h"
#include "lang/checker.h"
#include "lang/lexer.h"

namespace turnout::edit {

enum class NameKind : std::uint8_t {
  kTrack,
  kStep,
  kTest,
  kArm,
  kOutcome,
  kTag,
  kTemplate,
  kWebhook,
  kEvent,
  kDatabase,
  kShown,
};

// "step", "arm" …
const char* kind_name(NameKind kind);

// A name in quotes.
struct NameUse {
  NameKind kind = NameKind::kStep;
  bool declares = false;  // the line of a step, track or test, or the rule of an arm
  std::string text;
  std::size_t token = 0;  // its index
  Stretch place;          // with the quotes
};

struct FieldUse {
  std::string name;
  Stretch place;
};

// Plain data; may be read from any thread. Copying copies the text.
struct Reading {
  std::string text;
  Lines lines;
  lang::Tokens tokens;
  track::Track track;
  std::vector<lang::Diagnostic> diagnostics;
  std::vector<NameUse> names;    // by place
  std::vector<FieldUse> fields;  // by place

  std::string_view source(std::size_t token) const;
  // Whether the token is that word, without regard to case; false beyond the tokens.
  bool is_word(std::size_t token, std::string_view word) const;
  lang::TokenKind kind(std::size_t token) const { return tokens.tokens[token].kind; }
};

// `analysis` is that of the text. Linear. Any text will do; of one that is not UTF-8 or too long
// there are no tokens.
Reading read(std::string text, lang::Analysis analysis);

// What a text in quotes would name if it stood in front of the token, or in its place. A step of
// another track is no name here.
struct NameRole {
  NameKind kind = NameKind::kStep;
  bool declares = false;
};
std::optional<NameRole> role_at(const Reading& reading, std::size_t token);

// The token that the offset lies in, or touches from behind; none in blanks, comments, and behind
// the last.
std::optional<std::size_t> token_at(const Reading& reading, std::size_t offset);
// The name or field at an offset, or null.
const NameUse* name_at(const Reading& reading, std::size_t offset);
const FieldUse* field_at(const Reading& reading, std::size_t offset);

}  // namespace turnout::edit
