#include "cli/lsp_json.h"

#include <utility>

#include "edit/fixes.h"

namespace turnout::cli {
namespace {

using nlohmann::json;

int symbol_number(edit::SymbolKind kind) {
  constexpr int kProperty = 7;
  constexpr int kClass = 5;
  constexpr int kEvent = 24;
  constexpr int kMethod = 6;
  switch (kind) {
    case edit::SymbolKind::kClause:
      return kProperty;
    case edit::SymbolKind::kStep:
      return kClass;
    case edit::SymbolKind::kRule:
      return kEvent;
    case edit::SymbolKind::kTest:
      return kMethod;
  }
  return kProperty;
}

int completion_number(edit::CompletionKind kind) {
  constexpr int kKeyword = 14;
  constexpr int kField = 5;
  constexpr int kReference = 18;
  constexpr int kConstant = 21;
  switch (kind) {
    case edit::CompletionKind::kKeyword:
      return kKeyword;
    case edit::CompletionKind::kField:
      return kField;
    case edit::CompletionKind::kStep:
      return kReference;
    case edit::CompletionKind::kName:
      return kConstant;
  }
  return kKeyword;
}

bool touch(edit::Stretch a, edit::Stretch b) { return a.begin <= b.end && b.begin <= a.end; }

}  // namespace

edit::Position position_of(const json& json) {
  return {json.at("line").get<std::uint32_t>(), json.at("character").get<std::uint32_t>()};
}

std::size_t EditorView::offset(const json& position) const {
  return reading_.lines.offset(reading_.text, position_of(position), units_);
}

json EditorView::range(edit::Stretch place) const {
  const auto at = [this](std::size_t offset) {
    const edit::Position p = reading_.lines.position(reading_.text, offset, units_);
    return json{{"line", p.line}, {"character", p.column}};
  };
  return {{"start", at(place.begin)}, {"end", at(place.end)}};
}

json EditorView::locations(const std::vector<edit::Stretch>& places) const {
  json out = json::array();
  for (const edit::Stretch& place : places) {
    out.push_back({{"uri", uri_}, {"range", range(place)}});
  }
  return out;
}

json EditorView::edits(const std::vector<edit::Edit>& edits) const {
  json out = json::array();
  for (const edit::Edit& edit : edits) {
    out.push_back({{"range", range(edit.place)}, {"newText", edit.text}});
  }
  return out;
}

json EditorView::workspace_edit(const std::vector<edit::Edit>& edits) const {
  return {{"changes", {{uri_, this->edits(edits)}}}};
}

json EditorView::diagnostic(const lang::Diagnostic& diagnostic) const {
  constexpr int kError = 1;
  constexpr int kWarning = 2;
  return {{"range", range(edit::stretch(diagnostic.span))},
          {"severity", diagnostic.severity == lang::Severity::kError ? kError : kWarning},
          {"code", diagnostic.code},
          {"source", "turnout"},
          {"message", diagnostic.hint.empty() ? diagnostic.message
                                              : diagnostic.message + "\n" + diagnostic.hint}};
}

json EditorView::diagnostics() const {
  json out = json::array();
  for (const lang::Diagnostic& d : reading_.diagnostics) {
    out.push_back(diagnostic(d));
  }
  return out;
}

json EditorView::hover(const edit::Hover& hover) const {
  return {{"contents", {{"kind", "plaintext"}, {"value", hover.text}}},
          {"range", range(hover.place)}};
}

json EditorView::completions(const edit::Completions& completions) const {
  json items = json::array();
  const json place = range(completions.place);
  for (const edit::Completion& item : completions.items) {
    json entry = {{"label", item.text},
                  {"kind", completion_number(item.kind)},
                  {"textEdit", {{"range", place}, {"newText", item.text}}}};
    if (!item.detail.empty()) {
      entry["detail"] = item.detail;
    }
    items.push_back(std::move(entry));
  }
  return {{"isIncomplete", !completions.complete}, {"items", std::move(items)}};
}

json EditorView::tree(const std::vector<edit::Symbol>& symbols) const {
  json out = json::array();
  for (const edit::Symbol& symbol : symbols) {
    json entry = {{"name", symbol.name},
                  {"kind", symbol_number(symbol.kind)},
                  {"range", range(symbol.whole)},
                  {"selectionRange", range(symbol.head)},
                  {"children", tree(symbol.children)}};
    if (!symbol.detail.empty()) {
      entry["detail"] = symbol.detail;
    }
    out.push_back(std::move(entry));
  }
  return out;
}

void EditorView::list(const std::vector<edit::Symbol>& symbols, const std::string& in,
                      json& out) const {
  for (const edit::Symbol& symbol : symbols) {
    out.push_back({{"name", symbol.name},
                   {"kind", symbol_number(symbol.kind)},
                   {"location", {{"uri", uri_}, {"range", range(symbol.whole)}}},
                   {"containerName", in}});
    list(symbol.children, symbol.name, out);
  }
}

json EditorView::symbols(const std::vector<edit::Symbol>& symbols, bool as_tree) const {
  if (as_tree) {
    return tree(symbols);
  }
  json out = json::array();
  list(symbols, reading_.track.name.text, out);
  return out;
}

json EditorView::code_actions(edit::Stretch place) const {
  json out = json::array();
  for (const lang::Diagnostic& d : reading_.diagnostics) {
    if (!touch(edit::stretch(d.span), place)) {
      continue;
    }
    if (const auto fix = edit::fix_for(reading_, d)) {
      out.push_back({{"title", fix->title},
                     {"kind", "quickfix"},
                     {"diagnostics", json::array({diagnostic(d)})},
                     {"isPreferred", true},
                     {"edit", workspace_edit({fix->edit})}});
    }
  }
  return out;
}

}  // namespace turnout::cli
