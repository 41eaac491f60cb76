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
  using Answer = base::Result<nlohmann::json>;
  struct Request {
    const char* method;
    Answer (LanguageSession::*answer)(const nlohmann::json& params);
  };
  static const Request kRequests[];

  void read(const nlohmann::json& message);
  void answer(const nlohmann::json& id, const std::string& method, const nlohmann::json& params);
  void hear(const std::string& method, const nlohmann::json& params);
  void heed(const std::string& method, const nlohmann::json& params);
  void send(const nlohmann::json& message);
  void fail(const nlohmann::json& id, int code, const std::string& message);

  Answer initialize(const nlohmann::json& params);
  Answer shutdown(const nlohmann::json& params);
  Answer hover(const nlohmann::json& params);
  Answer completion(const nlohmann::json& params);
  Answer definition(const nlohmann::json& params);
  Answer references(const nlohmann::json& params);
  Answer symbols(const nlohmann::json& params);
  Answer formatting(const nlohmann::json& params);
  Answer prepare_rename(const nlohmann::json& params);
  Answer rename(const nlohmann::json& params);
  Answer code_actions(const nlohmann::json& params);

  void opened(const nlohmann::json& document);
  void changed(const nlohmann::json& params);
  void closed(const std::string& uri);
  void watch_fields();

  // The document that the parameters name. kNotFound.
  base::Result<OpenDocument*> document(const nlohmann::json& params);
  EditorView view(OpenDocument& document) const;
  nlohmann::json diagnostics_of(OpenDocument& document) const;

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
