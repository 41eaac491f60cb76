#include "edit/hover.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "edit/keywords.h"
#include "edit/scopes.h"
#include "lang/formatter.h"

namespace turnout::edit {
namespace {

std::string field_text(const std::string& name, const track::Catalogue& catalogue) {
  for (const EngineField& field : kEngineFields) {
    if (field.name == name) {
      return fmt::format("{}: {}; {}", name, track::type_name(field.type), field.meaning);
    }
  }
  for (const DottedScope& scope : kDottedScopes) {
    if (name.starts_with(scope.prefix)) {
      return fmt::format("{}: takes the type of what it is compared with; {}", name, scope.meaning);
    }
  }
  const track::Field* const field = catalogue.find(name);
  if (field == nullptr) {
    return fmt::format("{}: a field of the contact; its type is not known here", name);
  }
  const bool built_in =
      std::find(std::begin(track::kBuiltInFields), std::end(track::kBuiltInFields), name) !=
      std::end(track::kBuiltInFields);
  return fmt::format("{}: {}; a field {}", name, track::type_name(field->type),
                     built_in ? "that every contact has" : "of the contact");
}

std::string number_of(std::size_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::string step_text(const Reading& reading, const NameUse& name) {
  std::string text = "step " + lang::format_string(name.text);
  for (const track::Step* step : reading.track.steps()) {
    if (step->name.text == name.text) {
      text += step->about ? "\n" + *step->about : "";
      return text + "\n" + number_of(step->rules.size(), "rule", "rules");
    }
  }
  return text + "\nthere is no such step";
}

// `for 50% as "soft"` in which step.
std::string arm_text(const Reading& reading, const NameUse& name) {
  std::string text = "arm " + lang::format_string(name.text);
  for (const track::Step* step : reading.track.steps()) {
    for (const track::Rule& rule : step->rules) {
      const auto* share = std::get_if<track::Share>(&rule.head);
      if (share != nullptr && share->as && share->as->text == name.text) {
        text +=
            fmt::format("\n{}% of those who come to step {}", lang::format_number(share->percent),
                        lang::format_string(step->name.text));
      }
    }
  }
  return text;
}

std::string name_text(const Reading& reading, const NameUse& name) {
  std::string text;
  if (name.kind == NameKind::kStep) {
    text = step_text(reading, name);
  } else if (name.kind == NameKind::kArm) {
    text = arm_text(reading, name);
  } else {
    text = fmt::format("{} {}", kind_name(name.kind), lang::format_string(name.text));
  }
  const auto uses =
      std::count_if(reading.names.begin(), reading.names.end(), [&](const NameUse& other) {
        return other.kind == name.kind && other.text == name.text && !other.declares;
      });
  return text + "\nnamed in " + number_of(static_cast<std::size_t>(uses), "place", "places");
}

}  // namespace

std::optional<Hover> hover(const Reading& reading, const track::Catalogue& catalogue,
                           std::size_t offset) {
  if (const FieldUse* const field = field_at(reading, offset)) {
    return Hover{field_text(field->name, catalogue), field->place};
  }
  if (const NameUse* const name = name_at(reading, offset)) {
    return Hover{name_text(reading, *name), name->place};
  }
  const auto token = token_at(reading, offset);
  if (!token || reading.kind(*token) != lang::TokenKind::kWord) {
    return std::nullopt;
  }
  const Stretch place = stretch(reading.tokens.tokens[*token].span);
  if (const Keyword* const keyword = find_keyword(reading.source(*token))) {
    return Hover{fmt::format("{}: {}", keyword->word, keyword->meaning), place};
  }
  // In a statement that could not be read, no field is known for one.
  const std::string word(reading.source(*token));
  return catalogue.find(word) == nullptr ? std::nullopt
                                         : std::optional(Hover{field_text(word, catalogue), place});
}

}  // namespace turnout::edit
