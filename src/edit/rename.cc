#include "edit/rename.h"

#include <fmt/format.h>

#include "base/text.h"
#include "lang/formatter.h"
#include "lang/words.h"

namespace turnout::edit {
namespace {

const NameUse* step_at(const Reading& reading, std::size_t offset) {
  const NameUse* const name = name_at(reading, offset);
  return name != nullptr && name->kind == NameKind::kStep ? name : nullptr;
}

base::Result<void> fits(const Reading& reading, const NameUse& step, std::string_view new_name) {
  if (new_name.empty() || new_name.find('\0') != std::string_view::npos) {
    return base::fail(base::ErrorCode::kInvalid, "the name of a step has one character at least");
  }
  for (const NameUse& other : reading.names) {
    if (other.kind == NameKind::kStep && other.declares && other.text != step.text &&
        base::equals_ignoring_case(other.text, new_name)) {
      return base::fail(base::ErrorCode::kInvalid,
                        fmt::format("there is a step {} already",
                                    lang::format_string(lang::shorten(other.text))));
    }
  }
  return base::ok();
}

}  // namespace

std::optional<Renamable> renamable(const Reading& reading, std::size_t offset) {
  const NameUse* const step = step_at(reading, offset);
  if (step == nullptr || reading.tokens.tokens[step->token].broken) {
    return std::nullopt;
  }
  const std::size_t quotes = reading.source(step->token).starts_with("\"\"\"") ? 3 : 1;
  return Renamable{{step->place.begin + quotes, step->place.end - quotes}, step->text};
}

base::Result<std::vector<Edit>> rename(const Reading& reading, std::size_t offset,
                                       std::string_view new_name) {
  const NameUse* const step = step_at(reading, offset);
  if (step == nullptr) {
    return base::fail(base::ErrorCode::kInvalid, "only steps are renamed, and none is named here");
  }
  TRYV(fits(reading, *step, new_name));
  std::vector<Edit> edits;
  for (const NameUse& name : reading.names) {
    if (name.kind != NameKind::kStep || name.text != step->text) {
      continue;
    }
    const lang::Token& token = reading.tokens.tokens[name.token];
    if (token.broken) {
      return base::fail(base::ErrorCode::kInvalid,
                        fmt::format("close the quotes on line {} first", token.span.line));
    }
    edits.push_back({name.place, lang::format_string(new_name)});
  }
  return edits;
}

}  // namespace turnout::edit
