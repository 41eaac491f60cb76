#include "edit/outline.h"

#include <algorithm>

#include "lang/formatter.h"
#include "lang/words.h"

namespace turnout::edit {
namespace {

// Whole, on one line.
std::string one_line(std::string_view text) {
  std::string out(text);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return out;
}

// The first line of a stretch, as a list can show it.
std::string first_line(const Reading& reading, Stretch place) {
  std::string_view text =
      std::string_view(reading.text).substr(place.begin, place.end - place.begin);
  text = text.substr(0, text.find_first_of("\r\n"));
  text = text.substr(0, text.find_last_not_of(" \t:") + 1);
  return lang::shorten(text);
}

// Where the last token ends that begins before the offset.
std::size_t last_end_before(const Reading& reading, std::size_t offset) {
  const auto& tokens = reading.tokens.tokens;
  const auto at =
      std::lower_bound(tokens.begin(), tokens.end(), offset,
                       [](const lang::Token& t, std::size_t o) { return t.span.begin < o; });
  return at == tokens.begin() ? 0 : std::prev(at)->span.end;
}

// With what it spans up to the last word before `next`.
Symbol symbol(const Reading& reading, SymbolKind kind, std::string name, track::Span head,
              std::size_t next) {
  Symbol result;
  result.kind = kind;
  result.name = name.empty() ? "?" : std::move(name);
  result.head = stretch(head);
  result.whole = {result.head.begin, std::max(result.head.end, last_end_before(reading, next))};
  return result;
}

std::string where_to(const track::Rule& rule) {
  return rule.move ? lang::shorten(lang::format_move(*rule.move)) : "";
}

void add_rules(const Reading& reading, const track::Step& step, Symbol& to) {
  for (auto rule = step.rules.begin(); rule != step.rules.end(); ++rule) {
    if (rule->span.line == 0) {
      continue;  // actions without a head
    }
    const bool last = rule + 1 == step.rules.end() || (rule + 1)->span.line == 0;
    Symbol item = symbol(reading, SymbolKind::kRule, first_line(reading, stretch(rule->span)),
                         rule->span, last ? to.whole.end : (rule + 1)->span.begin);
    item.detail = where_to(*rule);
    to.whole.end = std::max(to.whole.end, item.whole.end);
    to.children.push_back(std::move(item));
  }
}

}  // namespace

std::vector<Symbol> outline(const Reading& reading) {
  std::vector<Symbol> symbols;
  for (const track::Clause& clause : reading.track.clauses) {
    const track::Span span = std::visit([](const auto& node) { return node.span; }, clause);
    symbols.push_back(
        symbol(reading, SymbolKind::kClause, first_line(reading, stretch(span)), span, span.begin));
  }
  const auto& parts = reading.track.parts;
  const auto head_of = [&](std::size_t i) {
    return i < parts.size() ? std::visit([](const auto& part) { return part.span.begin; }, parts[i])
                            : reading.text.size();
  };
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (const auto* step = std::get_if<track::Step>(&parts[i])) {
      Symbol item =
          symbol(reading, SymbolKind::kStep, one_line(step->name.text), step->span, head_of(i + 1));
      item.detail = one_line(step->about.value_or(""));
      add_rules(reading, *step, item);
      symbols.push_back(std::move(item));
    } else if (const auto* test = std::get_if<track::TestCase>(&parts[i])) {
      symbols.push_back(symbol(reading, SymbolKind::kTest, one_line(test->name.text), test->span,
                               head_of(i + 1)));
    }
  }
  std::stable_sort(symbols.begin(), symbols.end(),
                   [](const Symbol& a, const Symbol& b) { return a.head.begin < b.head.begin; });
  return symbols;
}

}  // namespace turnout::edit
