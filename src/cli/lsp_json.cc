#include "cli/lsp_json.h"

#include <utility>

#include "edit/fixes.h"

namespace turnout::cli {
namespace {

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

edit::Position position_of(const EditorJson& position) {
  return {position.at("line").get<std::uint32_t>(), position.at("character").get<std::uint32_t>()};
}

std::size_t EditorView::offset(const EditorJson& position) const {
  return reading_.lines.offset(reading_.text, position_of(position), units_);
}

// Member by member, since an outline has tens of thousands and lists in braces copy what they hold.
EditorJson EditorView::range(edit::Stretch place) const {
  const auto point = [this](std::size_t offset) {
    const edit::Position p = reading_.lines.position(reading_.text, offset, units_);
    EditorJson out = EditorJson::object();
    out["line"] = p.line;
    out["character"] = p.column;
    return out;
  };
  EditorJson out = EditorJson::object();
  out["start"] = point(place.begin);
  out["end"] = point(place.end);
  return out;
}

EditorJson EditorView::locations(const std::vector<edit::Stretch>& places) const {
  EditorJson out = EditorJson::array();
  for (const edit::Stretch& place : places) {
    out.push_back({{"uri", uri_}, {"range", range(place)}});
  }
  return out;
}

EditorJson EditorView::edits(const std::vector<edit::Edit>& edits) const {
  EditorJson out = EditorJson::array();
  for (const edit::Edit& edit : edits) {
    out.push_back({{"range", range(edit.place)}, {"newText", edit.text}});
  }
  return out;
}

EditorJson EditorView::workspace_edit(const std::vector<edit::Edit>& edits) const {
  return {{"changes", {{uri_, this->edits(edits)}}}};
}

EditorJson EditorView::diagnostic(const lang::Diagnostic& diagnostic) const {
  constexpr int kError = 1;
  constexpr int kWarning = 2;
  return {{"range", range(edit::stretch(diagnostic.span))},
          {"severity", diagnostic.severity == lang::Severity::kError ? kError : kWarning},
          {"code", diagnostic.code},
          {"source", "turnout"},
          {"message", diagnostic.hint.empty() ? diagnostic.message
                                              : diagnostic.message + "\n" + diagnostic.hint}};
}

EditorJson EditorView::diagnostics() const {
  EditorJson out = EditorJson::array();
  for (const lang::Diagnostic& d : reading_.diagnostics) {
    out.push_back(diagnostic(d));
  }
  return out;
}

EditorJson EditorView::hover(const edit::Hover& hover) const {
  return {{"contents", {{"kind", "plaintext"}, {"value", hover.text}}},
          {"range", range(hover.place)}};
}

EditorJson EditorView::completions(const edit::Completions& completions) const {
  EditorJson items = EditorJson::array();
  const EditorJson place = range(completions.place);
  for (const edit::Completion& item : completions.items) {
    EditorJson entry = {{"label", item.text},
                        {"kind", completion_number(item.kind)},
                        {"textEdit", {{"range", place}, {"newText", item.text}}}};
    if (!item.detail.empty()) {
      entry["detail"] = item.detail;
    }
    items.push_back(std::move(entry));
  }
  return {{"isIncomplete", !completions.complete}, {"items", std::move(items)}};
}

EditorJson EditorView::tree(const std::vector<edit::Symbol>& symbols) const {
  EditorJson out = EditorJson::array();
  for (const edit::Symbol& symbol : symbols) {
    EditorJson entry = EditorJson::object();
    entry["name"] = symbol.name;
    entry["kind"] = symbol_number(symbol.kind);
    entry["range"] = range(symbol.whole);
    entry["selectionRange"] = range(symbol.head);
    entry["children"] = tree(symbol.children);
    if (!symbol.detail.empty()) {
      entry["detail"] = symbol.detail;
    }
    out.push_back(std::move(entry));
  }
  return out;
}

void EditorView::list(const std::vector<edit::Symbol>& symbols, const std::string& in,
                      EditorJson& out) const {
  for (const edit::Symbol& symbol : symbols) {
    out.push_back({{"name", symbol.name},
                   {"kind", symbol_number(symbol.kind)},
                   {"location", {{"uri", uri_}, {"range", range(symbol.whole)}}},
                   {"containerName", in}});
    list(symbol.children, symbol.name, out);
  }
}

EditorJson EditorView::symbols(const std::vector<edit::Symbol>& symbols, bool as_tree) const {
  if (as_tree) {
    return tree(symbols);
  }
  EditorJson out = EditorJson::array();
  list(symbols, reading_.track.name.text, out);
  return out;
}

EditorJson EditorView::code_actions(edit::Stretch place) const {
  EditorJson out = EditorJson::array();
  for (const lang::Diagnostic& d : reading_.diagnostics) {
    if (!touch(edit::stretch(d.span), place)) {
      continue;
    }
    if (const auto fix = edit::fix_for(reading_, d)) {
      out.push_back({{"title", fix->title},
                     {"kind", "quickfix"},
                     {"diagnostics", EditorJson::array({diagnostic(d)})},
                     {"isPreferred", true},
                     {"edit", workspace_edit({fix->edit})}});
    }
  }
  return out;
}

}  // namespace turnout::cli
