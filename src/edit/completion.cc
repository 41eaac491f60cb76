#include "edit/completion.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "edit/follow.h"
#include "edit/keywords.h"
#include "edit/scopes.h"
#include "edit/spot.h"
#include "lang/formatter.h"

namespace turnout::edit {
namespace {

using lang::TokenKind;

class Completer {
 public:
  Completer(const Reading& reading, const track::Catalogue& catalogue, const Spot& spot)
      : reading_(reading), catalogue_(catalogue), spot_(spot) {}

  std::vector<Completion> run();

 private:
  void add(CompletionKind kind, std::string text, std::string detail);
  void words(std::string_view list);
  void names(NameRole role);
  void listed(NameKind kind, const std::optional<std::vector<std::string>>& names);
  void fields(bool values);
  void statements();
  void behind_text(NameKind kind);
  void behind_field();
  void behind_last();

  std::string_view word(std::size_t back) const {
    const bool is_word =
        back <= spot_.token && reading_.kind(spot_.token - back) == TokenKind::kWord;
    return is_word ? reading_.source(spot_.token - back) : std::string_view();
  }
  TokenKind kind(std::size_t back) const {
    return back <= spot_.token ? reading_.kind(spot_.token - back) : TokenKind::kEnd;
  }
  bool symbol(std::size_t back, char symbol) const {
    return kind(back) == TokenKind::kSymbol &&
           reading_.tokens.tokens[spot_.token - back].count == symbol;
  }

  const Reading& reading_;
  const track::Catalogue& catalogue_;
  const Spot& spot_;
  std::vector<Completion> items_;
  std::set<std::string> seen_;
};

void Completer::add(CompletionKind kind, std::string text, std::string detail) {
  if (seen_.insert(text).second) {
    items_.push_back({kind, std::move(text), std::move(detail)});
  }
}

void Completer::words(std::string_view list) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find('|'), list.size());
    const std::string_view phrase = list.substr(0, end);
    const Keyword* const keyword = find_keyword(phrase.substr(0, phrase.find(' ')));
    add(CompletionKind::kKeyword, std::string(phrase),
        keyword == nullptr ? "" : std::string(keyword->meaning));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
}

// Names of that kind that are known; to declare one, only steps that are named and not there yet.
void Completer::names(NameRole role) {
  std::set<std::string_view> declared;
  for (const NameUse& name : reading_.names) {
    if (name.kind == role.kind && name.declares) {
      declared.insert(name.text);
    }
  }
  const bool only_declared = role.kind == NameKind::kStep || role.kind == NameKind::kArm;
  for (const NameUse& name : reading_.names) {
    const bool wanted = role.declares
                            ? role.kind == NameKind::kStep && !declared.contains(name.text)
                        : only_declared ? name.declares
                                        : true;
    if (name.kind == role.kind && wanted && !(spot_.written && name.token == spot_.token)) {
      add(role.kind == NameKind::kStep ? CompletionKind::kStep : CompletionKind::kName,
          lang::format_string(name.text), kind_name(role.kind));
    }
  }
  if (role.declares) {
    return;
  }
  switch (role.kind) {
    case NameKind::kTemplate:
      return listed(role.kind, catalogue_.templates);
    case NameKind::kWebhook:
      return listed(role.kind, catalogue_.webhooks);
    case NameKind::kDatabase:
      return listed(role.kind, catalogue_.databases);
    case NameKind::kTrack:
      return listed(role.kind, catalogue_.tracks);
    default:
      return;
  }
}

void Completer::listed(NameKind kind, const std::optional<std::vector<std::string>>& names) {
  for (const std::string& name : names.value_or(std::vector<std::string>())) {
    add(CompletionKind::kName, lang::format_string(name), kind_name(kind));
  }
}

void Completer::fields(bool values) {
  for (const track::Field& field : catalogue_.fields) {
    add(CompletionKind::kField, lang::format_field(field.name), track::type_name(field.type));
  }
  for (const FieldUse& field : reading_.fields) {
    const bool dotted = field.name.find('.') != std::string::npos;
    const bool engine = field.name.starts_with("visit.");
    const bool here = spot_.written && field.place.begin == spot_.place.begin;
    if (!here && !engine && (dotted || catalogue_.find(field.name) == nullptr)) {
      add(CompletionKind::kField, lang::format_field(field.name), "");
    }
  }
  for (const EngineField& field : kEngineFields) {
    add(CompletionKind::kField, std::string(field.name), track::type_name(field.type));
  }
  if (values) {
    words(kValues);
  }
}

// What can begin a statement there.
void Completer::statements() {
  const Surroundings around = surroundings(reading_, spot_.token);
  switch (around.section) {
    case Section::kHead:
      return words("track");
    case Section::kClauses:
      words(around.gathering ? kGatherParts : "");
      return words(kClauseHeads);
    case Section::kStep:
      words(around.in_rule ? kActions : kStepParts);
      return words(kRuleHeads);
    case Section::kTest:
      return words(kTestLines);
  }
}

// Behind a name in quotes.
void Completer::behind_text(NameKind kind) {
  const std::string_view head = word(2);
  switch (kind) {
    case NameKind::kStep:
      return words(base::equals_ignoring_case(head, "to") ? "after|at" : kJoins);
    case NameKind::kEvent:
      return words(base::equals_ignoring_case(head, "did") || base::equals_ignoring_case(head, "do")
                       ? "at least|within the last|since entering|since step|where|and|or"
                   : base::equals_ignoring_case(head, "on") ? "where"
                                                            : "with");
    case NameKind::kTemplate:
      return words("to");
    case NameKind::kWebhook:
    case NameKind::kShown:
      return words("with");
    case NameKind::kTrack:
      return words("at|and|or");
    case NameKind::kDatabase:
      return words("query");
    case NameKind::kArm:
    case NameKind::kTag:
      return words(kJoins);
    case NameKind::kOutcome:
      return words("for");
    case NameKind::kTest:
      return;
  }
}

void Completer::behind_field() {
  const std::string before = base::to_lower_ascii(word(2));
  if (before == "set") {
    words("to");
  } else if (before == "increase" || before == "decrease") {
    words("by");
  } else if (before == "given") {
    words("is");
  } else if (before == "each") {
    words("start at");
  } else if (before != "clear") {
    words(kPredicates);
  }
}

// As the token before the offset tells.
void Completer::behind_last() {
  switch (kind(1)) {
    case TokenKind::kString:
      if (const auto role = role_at(reading_, spot_.token - 1)) {
        behind_text(role->kind);
      } else {
        words(kJoins);
      }
      return;
    case TokenKind::kNumber:
      words(kUnits);
      words(kJoins);
      return;
    case TokenKind::kPercent:
      return words("as");
    case TokenKind::kDate:
    case TokenKind::kZone:
      return words(kJoins);
    case TokenKind::kTime:
      return words("on|to|and|or");
    case TokenKind::kQuoted:
      return behind_field();
    case TokenKind::kSymbol:
      symbol(1, ':') ? words(kActions) : fields(true);
      words(symbol(1, '(') ? follow("", "when")->words : "");
      return;
    case TokenKind::kWord:
      break;
    default:
      return;
  }
  if (kind(2) == TokenKind::kNumber) {  // a unit of time
    return words("ago|from now|before|after|at|from|as|and|or");
  }
  if (const Follow* const next = follow(word(2), word(1))) {
    words(next->words);
    if (next->fields) {
      fields(false);
    }
  } else {
    behind_field();
  }
}

std::vector<Completion> Completer::run() {
  const auto role = role_at(reading_, spot_.token);
  if (spot_.written && reading_.kind(spot_.token) == TokenKind::kString) {
    if (role) {
      names(*role);
    }
    return std::move(items_);
  }
  if (in_json(reading_, spot_)) {
    if (symbol(1, ':') || symbol(1, ',') || symbol(1, '[')) {
      fields(true);
    }
    return std::move(items_);
  }
  if (first_on_line(reading_, spot_)) {
    statements();
    return std::move(items_);
  }
  if (role) {
    names(*role);
  }
  const auto last_is = [this](std::string_view wanted) {
    return base::equals_ignoring_case(word(1), wanted);
  };
  // Behind these, names are not all that can stand.
  if (!role || last_is("on") || last_is("from") || last_is("is") || last_is("not")) {
    behind_last();
  }
  return std::move(items_);
}

// Whether the letters of `part` stand in `text` in that order, as editors look for them.
bool resembles(std::string_view text, std::string_view part) {
  for (const char c : text) {
    if (!part.empty() && base::equals_ignoring_case({&c, 1}, part.substr(0, 1))) {
      part.remove_prefix(1);
    }
  }
  return part.empty();
}

}  // namespace

Completions complete(const Reading& reading, const track::Catalogue& catalogue,
                     std::size_t offset) {
  offset = std::min(offset, reading.text.size());
  const Spot spot = spot_at(reading, offset);
  if (in_comment(reading, spot, offset)) {
    return {{}, spot.place, true};
  }
  Completions result{Completer(reading, catalogue, spot).run(), spot.place, true};
  if (result.items.size() > kMaxCompletions) {
    const std::string_view part =
        std::string_view(reading.text).substr(spot.place.begin, offset - spot.place.begin);
    std::erase_if(result.items, [&](const Completion& c) { return !resembles(c.text, part); });
    result.complete = false;
    result.items.resize(std::min(result.items.size(), kMaxCompletions));
  }
  return result;
}

}  // namespace turnout::edit
