#pragma once

// What room `edit` answers, in the protocol's JSON.

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/lsp_documents.h"
#include "edit/completion.h"
#include "edit/hover.h"
#include "edit/outline.h"

namespace turnout::cli {

using EditorJson = nlohmann::json;

// One document as an editor sees it. Refers to the reading.
class EditorView {
 public:
  EditorView(const std::string& uri, const edit::Reading& reading, edit::Units units)
      : uri_(uri), reading_(reading), units_(units) {}

  const edit::Reading& reading() const { return reading_; }
  std::size_t offset(const EditorJson& position) const;
  EditorJson range(edit::Stretch place) const;
  EditorJson locations(const std::vector<edit::Stretch>& places) const;
  EditorJson edits(const std::vector<edit::Edit>& edits) const;
  EditorJson workspace_edit(const std::vector<edit::Edit>& edits) const;
  EditorJson diagnostic(const lang::Diagnostic& diagnostic) const;
  EditorJson diagnostics() const;
  EditorJson hover(const edit::Hover& hover) const;
  EditorJson completions(const edit::Completions& completions) const;
  // DocumentSymbol[], or SymbolInformation[] for editors that know no trees.
  EditorJson symbols(const std::vector<edit::Symbol>& symbols, bool as_tree) const;
  // Fixes of the diagnostics that touch the stretch.
  EditorJson code_actions(edit::Stretch place) const;

 private:
  EditorJson tree(const std::vector<edit::Symbol>& symbols) const;
  void list(const std::vector<edit::Symbol>& symbols, const std::string& in, EditorJson& out) const;

  const std::string& uri_;
  const edit::Reading& reading_;
  edit::Units units_;
};

// Throws nlohmann's exceptions when it is none.
edit::Position position_of(const EditorJson& position);

}  // namespace turnout::cli
