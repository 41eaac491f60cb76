#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "edit/reading.h"
#include "track/catalogue.h"

namespace turnout::edit {

enum class CompletionKind : std::uint8_t { kKeyword, kField, kStep, kName };

struct Completion {
  CompletionKind kind = CompletionKind::kKeyword;
  std::string text;  // as it stands in a track: names with their quotes
  std::string detail;
};

// At most this many are handed out at once.
inline constexpr std::size_t kMaxCompletions = 1'000;

struct Completions {
  std::vector<Completion> items;
  Stretch place;          // what they are to replace
  bool complete = false;  // else: there are more; ask again when more is written
};

// What can stand at the offset: names where a name stands, else words of the language and fields,
// as the words before tell. What has been written of it already narrows the choice only where there
// is too much. Nothing in comments and where anything could be written. Linear in the number of
// tokens.
Completions complete(const Reading& reading, const track::Catalogue& catalogue, std::size_t offset);

}  // namespace turnout::edit
