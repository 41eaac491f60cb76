#pragma once

// A language server for tracks (Language Server Protocol 3.17) without its streams: messages in,
// messages out. What is answered comes from room `edit`.
//
// Requests are answered in the order in which they come, each at once; so there is nothing to
// cancel and `$/cancelRequest` is passed over. Diagnostics are told when the input pauses: while
// somebody types faster than a long track is read, only its last state is.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "cli/known_names.h"
#include "cli/lsp_documents.h"
#include "cli/lsp_frames.h"
#include "cli/lsp_json.h"

namespace turnout::cli {

// Not thread-safe.
class LanguageSession {
 public:
  LanguageSession(KnownFrom known, std::string version);

  // What is to be sent back, in order.
  std::vector<std::string> take(const EditorFrame& frame);
  // Diagnostics of what has changed. For when the input pauses.
  std::vector<std::string> settle();
  // The exit code, once the editor has said `exit`: 0 when it said `shutdown` before.
  std::optional<int> ended() const { return ended_; }
  bool shut_down() const { return shut_down_; }

 private:
  using Answer = base::Result<EditorJson>;
  struct Request {
    const char* method;
    Answer (LanguageSession::*answer)(const EditorJson& params);
  };
  static const Request kRequests[];

  void read(const EditorJson& message);
  void answer(const EditorJson& id, const std::string& method, const EditorJson& params);
  void hear(const std::string& method, const EditorJson& params);
  void heed(const std::string& method, const EditorJson& params);
  void send(const EditorJson& message);
  void fail(const EditorJson& id, int code, const std::string& message);

  Answer initialize(const EditorJson& params);
  Answer shutdown(const EditorJson& params);
  Answer hover(const EditorJson& params);
  Answer completion(const EditorJson& params);
  Answer definition(const EditorJson& params);
  Answer references(const EditorJson& params);
  Answer symbols(const EditorJson& params);
  Answer formatting(const EditorJson& params);
  Answer prepare_rename(const EditorJson& params);
  Answer rename(const EditorJson& params);
  Answer code_actions(const EditorJson& params);

  void opened(const EditorJson& document);
  void changed(const EditorJson& params);
  void closed(const std::string& uri);
  void watch_fields();

  // The document that the parameters name. kNotFound.
  base::Result<OpenDocument*> document(const EditorJson& params);
  EditorView view(OpenDocument& document) const;
  EditorJson diagnostics_of(OpenDocument& document) const;

  const KnownFrom known_;
  const std::string version_;
  std::map<std::string, OpenDocument> documents_;
  std::vector<std::string> out_;
  edit::Units units_ = edit::Units::kUtf16;
  bool trees_ = false;    // the editor shows symbols as a tree
  bool watches_ = false;  // it tells of changed files when asked to
  bool initialized_ = false;
  bool shut_down_ = false;
  std::optional<int> ended_;
};

}  // namespace turnout::cli
