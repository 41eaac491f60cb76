// What a session answers, and what it does with documents.

#include <algorithm>
#include <utility>

#include "cli/lsp_session.h"
#include "edit/layout.h"
#include "edit/navigation.h"
#include "edit/rename.h"

namespace turnout::cli {
namespace {

// The value at a path of object members; null where there is none.
const EditorJson& found_at(const EditorJson& from, std::initializer_list<const char*> path) {
  static const EditorJson kNothing;
  const EditorJson* node = &from;
  for (const char* name : path) {
    if (!node->is_object() || !node->contains(name)) {
      return kNothing;
    }
    node = &(*node)[name];
  }
  return *node;
}

bool said(const EditorJson& params, std::initializer_list<const char*> path) {
  const EditorJson& value = found_at(params, path);
  return value.is_boolean() && value.get<bool>();
}

std::optional<std::int64_t> version_in(const EditorJson& document) {
  const EditorJson& version = found_at(document, {"version"});
  return version.is_number_integer() ? std::optional(version.get<std::int64_t>()) : std::nullopt;
}

}  // namespace

// ---- Beginning and end --------------------------------------------------------------------------

LanguageSession::Answer LanguageSession::initialize(const EditorJson& params) {
  const EditorJson& encodings = found_at(params, {"capabilities", "general", "positionEncodings"});
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
  return EditorJson{
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
        {"renameProvider", prepares ? EditorJson{{"prepareProvider", true}} : EditorJson(true)},
        {"codeActionProvider", {{"codeActionKinds", EditorJson::array({"quickfix"})}}}}}};
}

LanguageSession::Answer LanguageSession::shutdown(const EditorJson& /*params*/) {
  shut_down_ = true;
  return EditorJson();
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
           EditorJson::array(
               {{{"id", "watch-fields"},
                 {"method", "workspace/didChangeWatchedFiles"},
                 {"registerOptions",
                  {{"watchers", EditorJson::array({{{"globPattern", pattern}}})}}}}})}}}});
}

// ---- Documents ----------------------------------------------------------------------------------

void LanguageSession::opened(const EditorJson& document) {
  const std::string uri = document.at("uri");
  documents_.erase(uri);
  documents_.try_emplace(uri, uri, version_in(document), document.at("text").get<std::string>(),
                         known_);
}

void LanguageSession::changed(const EditorJson& params) {
  const auto open = documents_.find(params.at("textDocument").at("uri").get<std::string>());
  if (open == documents_.end()) {
    return;
  }
  std::vector<TextChange> changes;
  for (const EditorJson& item : params.at("contentChanges")) {
    TextChange change{std::nullopt, item.at("text").get<std::string>()};
    if (item.contains("range")) {
      const EditorJson& range = item.at("range");
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
          {"params", {{"uri", uri}, {"diagnostics", EditorJson::array()}}}});
  }
}

base::Result<OpenDocument*> LanguageSession::document(const EditorJson& params) {
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

EditorJson LanguageSession::diagnostics_of(OpenDocument& document) const {
  EditorJson params = {{"uri", document.uri()}, {"diagnostics", view(document).diagnostics()}};
  if (const auto version = document.version()) {
    params["version"] = *version;
  }
  return params;
}

// ---- Requests -----------------------------------------------------------------------------------

LanguageSession::Answer LanguageSession::hover(const EditorJson& params) {
  TRY(OpenDocument* const document, this->document(params));
  const EditorView view = this->view(*document);
  const auto hover =
      edit::hover(view.reading(), document->catalogue(), view.offset(params.at("position")));
  return hover ? view.hover(*hover) : EditorJson();
}

LanguageSession::Answer LanguageSession::completion(const EditorJson& params) {
  TRY(OpenDocument* const document, this->document(params));
  const EditorView view = this->view(*document);
  return view.completions(
      edit::complete(view.reading(), document->catalogue(), view.offset(params.at("position"))));
}

LanguageSession::Answer LanguageSession::definition(const EditorJson& params) {
  TRY(OpenDocument* const document, this->document(params));
  const EditorView view = this->view(*document);
  return view.locations(edit::definitions(view.reading(), view.offset(params.at("position"))));
}

LanguageSession::Answer LanguageSession::references(const EditorJson& params) {
  TRY(OpenDocument* const document, this->document(params));
  const EditorView view = this->view(*document);
  return view.locations(edit::references(view.reading(), view.offset(params.at("position")),
                                         said(params, {"context", "includeDeclaration"})));
}

LanguageSession::Answer LanguageSession::symbols(const EditorJson& params) {
  TRY(OpenDocument* const document, this->document(params));
  const EditorView view = this->view(*document);
  return view.symbols(edit::outline(view.reading()), trees_);
}

LanguageSession::Answer LanguageSession::formatting(const EditorJson& params) {
  TRY(OpenDocument* const document, this->document(params));
  const EditorView view = this->view(*document);
  TRY(const auto edits, edit::layout(view.reading()));
  return view.edits(edits);
}

LanguageSession::Answer LanguageSession::prepare_rename(const EditorJson& params) {
  TRY(OpenDocument* const document, this->document(params));
  const EditorView view = this->view(*document);
  const auto step = edit::renamable(view.reading(), view.offset(params.at("position")));
  return step ? EditorJson{{"range", view.range(step->place)}, {"placeholder", step->text}}
              : EditorJson();
}

LanguageSession::Answer LanguageSession::rename(const EditorJson& params) {
  TRY(OpenDocument* const document, this->document(params));
  const EditorView view = this->view(*document);
  TRY(const auto edits, edit::rename(view.reading(), view.offset(params.at("position")),
                                     params.at("newName").get<std::string>()));
  return view.workspace_edit(edits);
}

LanguageSession::Answer LanguageSession::code_actions(const EditorJson& params) {
  TRY(OpenDocument* const document, this->document(params));
  const EditorView view = this->view(*document);
  const EditorJson& range = params.at("range");
  return view.code_actions({view.offset(range.at("start")), view.offset(range.at("end"))});
}

}  // namespace turnout::cli
