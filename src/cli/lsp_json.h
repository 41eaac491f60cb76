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

// One document as an editor sees it. Refers to the reading.
class EditorView {
 public:
  EditorView(const std::string& uri, const edit::Reading& reading, edit::Units units)
      : uri_(uri), reading_(reading), units_(units) {}

  const edit::Reading& reading() const { return reading_; }
  std::size_t offset(const nlohmann::json& position) const;
  nlohmann::json range(edit::Stretch place) const;
  nlohmann::json locations(const std::vector<edit::Stretch>& places) const;
  nlohmann::json edits(const std::vector<edit::Edit>& edits) const;
  nlohmann::json workspace_edit(const std::vector<edit::Edit>& edits) const;
  nlohmann::json diagnostic(const lang::Diagnostic& diagnostic) const;
  nlohmann::json diagnostics() const;
  nlohmann::json hover(const edit::Hover& hover) const;
  nlohmann::json completions(const edit::Completions& completions) const;
  // DocumentSymbol[], or SymbolInformation[] for editors that know no trees.
  nlohmann::json symbols(const std::vector<edit::Symbol>& symbols, bool as_tree) const;
  // Fixes of the diagnostics that touch the stretch.
  nlohmann::json code_actions(edit::Stretch place) const;

 private:
  nlohmann::json tree(const std::vector<edit::Symbol>& symbols) const;
  void list(const std::vector<edit::Symbol>& symbols, const std::string& in,
            nlohmann::json& out) const;

  const std::string& uri_;
  const edit::Reading& reading_;
  edit::Units units_;
};

// Throws nlohmann's exceptions when it is none.
edit::Position position_of(const nlohmann::json& json);

}  // namespace turnout::cli
