// What a session answers, and what it does with documents.

#include <algorithm>
#include <utility>

#include "cli/lsp_session.h"
#include "edit/layout.h"
#include "edit/navigation.h"
#include "edit/rename.h"

namespace turnout::cli {
namespace {

using nlohmann::json;

// The value at a path of object members; null where there is none.
const json& found_at(const json& from, std::initializer_list<const char*> path) {
  static const json kNothing;
  const json* at = &from;
  for (const char* name : path) {
    const auto member = at->is_object() ? at->find(name) : at->end();
    if (!at->is_object() || member == at->end()) {
      return kNothing;
    }
    at = &*member;
  }
  return *at;
}

bool said(const json& params, std::initializer_list<const char*> path) {
  const json& value = found_at(params, path);
  return value.is_boolean() && value.get<bool>();
}

std::optional<std::int64_t> version_in(const json& document) {
  const json& version = found_at(document, {"version"});
  return version.is_number_integer() ? std::optional(version.get<std::int64_t>()) : std::nullopt;
}

}  // namespace

// ---- Beginning and end --------------------------------------------------------------------------

LanguageSession::Answer LanguageSession::initialize(const json& params) {
  const json& encodings = found_at(params, {"capabilities", "general", "positionEncodings"});
  const bool utf8 = encodings.is_array() &&
                    std::find(encodings.begin(), encodings.end(), "utf-8") != encodings.end();
  units_ = utf8 ? edit::Units::kUtf8 : edit::Units::kUtf16;
  trees_ = said(params, {"capabilities", "textDocument", "documentSymbol",
                         "hierarchicalDocumentSymbolSupport"});
  watches_ =
      said(params, {"capabilities", "workspace", "didChangeWatchedFiles", "dynamicRegistration"});
  const bool prepares = said(params, {"capabilities", "textDocument", "rename", "prepareSupport"});
  initialized_ = true;
  constexpr int kIncremental = 2;
  return json{
      {"serverInfo", {{"name", "turnout"}, {"version", version_}}},
      {"capabilities",
       {{"positionEncoding", utf8 ? "utf-8" : "utf-16"},
        {"textDocumentSync", {{"openClose", true}, {"change", kIncremental}, {"save", true}}},
        {"hoverProvider", true},
        {"completionProvider", {{"triggerCharacters", {"\"", "."}}}},
        {"definitionProvider", true},
        {"referencesProvider", true},
        {"documentSymbolProvider", true},
        {"documentFormattingProvider", true},
        {"renameProvider", prepares ? json{{"prepareProvider", true}} : json(true)},
        {"codeActionProvider", {{"codeActionKinds", json::array({"quickfix"})}}}}}};
}

LanguageSession::Answer LanguageSession::shutdown(const json& /*params*/) {
  shut_down_ = true;
  return json();
}

// Asks to be told when a fields.toml changes, so that open tracks are checked against it again.
void LanguageSession::watch_fields() {
  if (!watches_) {
    return;
  }
  const std::string pattern = std::string("**/") + kFieldsFile;
  send({{"jsonrpc", "2.0"},
        {"id", "watch-fields"},
        {"method", "client/registerCapability"},
        {"params",
         {{"registrations",
           json::array({{{"id", "watch-fields"},
                         {"method", "workspace/didChangeWatchedFiles"},
                         {"registerOptions",
                          {{"watchers", json::array({{{"globPattern", pattern}}})}}}}})}}}});
}

// ---- Documents ----------------------------------------------------------------------------------

void LanguageSession::opened(const json& document) {
  const std::string uri = document.at("uri");
  documents_.erase(uri);
  documents_.try_emplace(uri, uri, version_in(document), document.at("text").get<std::string>(),
                         known_);
}

void LanguageSession::changed(const json& params) {
  const auto open = documents_.find(params.at("textDocument").at("uri").get<std::string>());
  if (open == documents_.end()) {
    return;
  }
  std::vector<TextChange> changes;
  for (const json& item : params.at("contentChanges")) {
    TextChange change{std::nullopt, item.at("text").get<std::string>()};
    if (item.contains("range")) {
      const json& range = item.at("range");
      change.part.emplace(position_of(range.at("start")), position_of(range.at("end")));
    }
    changes.push_back(std::move(change));
  }
  open->second.change(version_in(params.at("textDocument")), changes, units_);
}

void LanguageSession::closed(const std::string& uri) {
  if (documents_.erase(uri) > 0) {
    send({{"jsonrpc", "2.0"},
          {"method", "textDocument/publishDiagnostics"},
          {"params", {{"uri", uri}, {"diagnostics", json::array()}}}});
  }
}

base::Result<OpenDocument*> LanguageSession::document(const json& params) {
  const std::string uri = params.at("textDocument").at("uri");
  const auto open = documents_.find(uri);
  if (open == documents_.end()) {
    return base::fail(base::ErrorCode::kNotFound, uri + " is not open");
  }
  return &open->second;
}

EditorView LanguageSession::view(OpenDocument& document) const {
  return {document.uri(), document.reading(), units_};
}

json LanguageSession::diagnostics_of(OpenDocument& document) const {
  json params = {{"uri", document.uri()}, {"diagnostics", view(document).diagnostics()}};
  if (document.version()) {
    params["version"] = *document.version();
  }
  return params;
}

// ---- Requests -----------------------------------------------------------------------------------

LanguageSession::Answer LanguageSession::hover(const json& params) {
  TRY(OpenDocument* const document, this->document(params));
  const EditorView view = this->view(*document);
  const auto hover =
      edit::hover(view.reading(), document->catalogue(), view.offset(params.at("position")));
  return hover ? view.hover(*hover) : json();
}

LanguageSession::Answer LanguageSession::completion(const json& params) {
  TRY(OpenDocument* const document, this->document(params));
  const EditorView view = this->view(*document);
  return view.completions(
      edit::complete(view.reading(), document->catalogue(), view.offset(params.at("position"))));
}

LanguageSession::Answer LanguageSession::definition(const json& params) {
  TRY(OpenDocument* const document, this->document(params));
  const EditorView view = this->view(*document);
  return view.locations(edit::definitions(view.reading(), view.offset(params.at("position"))));
}

LanguageSession::Answer LanguageSession::references(const json& params) {
  TRY(OpenDocument* const document, this->document(params));
  const EditorView view = this->view(*document);
  return view.locations(edit::references(view.reading(), view.offset(params.at("position")),
                                         said(params, {"context", "includeDeclaration"})));
}

LanguageSession::Answer LanguageSession::symbols(const json& params) {
  TRY(OpenDocument* const document, this->document(params));
  const EditorView view = this->view(*document);
  return view.symbols(edit::outline(view.reading()), trees_);
}

LanguageSession::Answer LanguageSession::formatting(const json& params) {
  TRY(OpenDocument* const document, this->document(params));
  const EditorView view = this->view(*document);
  TRY(const auto edits, edit::layout(view.reading()));
  return view.edits(edits);
}

LanguageSession::Answer LanguageSession::prepare_rename(const json& params) {
  TRY(OpenDocument* const document, this->document(params));
  const EditorView view = this->view(*document);
  const auto step = edit::renamable(view.reading(), view.offset(params.at("position")));
  return step ? json{{"range", view.range(step->place)}, {"placeholder", step->text}} : json();
}

LanguageSession::Answer LanguageSession::rename(const json& params) {
  TRY(OpenDocument* const document, this->document(params));
  const EditorView view = this->view(*document);
  TRY(const auto edits, edit::rename(view.reading(), view.offset(params.at("position")),
                                     params.at("newName").get<std::string>()));
  return view.workspace_edit(edits);
}

LanguageSession::Answer LanguageSession::code_actions(const json& params) {
  TRY(OpenDocument* const document, this->document(params));
  const EditorView view = this->view(*document);
  const json& range = params.at("range");
  return view.code_actions({view.offset(range.at("start")), view.offset(range.at("end"))});
}

}  // namespace turnout::cli
