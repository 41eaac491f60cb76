// The life of a session: what comes in, in which order, and what is refused.

#include "cli/lsp_session.h"

#include <utility>

#include "cli/exit_codes.h"

namespace turnout::cli {
namespace {

// The protocol's error codes.
constexpr int kParseError = -32700;
constexpr int kInvalidRequest = -32600;
constexpr int kMethodNotFound = -32601;
constexpr int kInvalidParams = -32602;
constexpr int kServerNotInitialized = -32002;
constexpr int kRequestFailed = -32803;

}  // namespace

const LanguageSession::Request LanguageSession::kRequests[] = {
    {"initialize", &LanguageSession::initialize},
    {"shutdown", &LanguageSession::shutdown},
    {"textDocument/hover", &LanguageSession::hover},
    {"textDocument/completion", &LanguageSession::completion},
    {"textDocument/definition", &LanguageSession::definition},
    {"textDocument/references", &LanguageSession::references},
    {"textDocument/documentSymbol", &LanguageSession::symbols},
    {"textDocument/formatting", &LanguageSession::formatting},
    {"textDocument/prepareRename", &LanguageSession::prepare_rename},
    {"textDocument/rename", &LanguageSession::rename},
    {"textDocument/codeAction", &LanguageSession::code_actions}};

LanguageSession::LanguageSession(KnownFrom known, std::string version)
    : known_(std::move(known)), version_(std::move(version)) {}

void LanguageSession::send(const EditorJson& message) {
  out_.push_back(message.dump(-1, ' ', false, EditorJson::error_handler_t::replace));
}

void LanguageSession::fail(const EditorJson& id, int code, const std::string& message) {
  send({{"jsonrpc", "2.0"}, {"id", id}, {"error", {{"code", code}, {"message", message}}}});
}

std::vector<std::string> LanguageSession::take(const EditorFrame& frame) {
  switch (frame.kind) {
    case EditorFrame::Kind::kBroken:
      fail(nullptr, kParseError, "a message needs a header Content-Length");
      break;
    case EditorFrame::Kind::kTooLong:
      fail(nullptr, kInvalidRequest, "this message is too long");
      break;
    case EditorFrame::Kind::kMessage: {
      const EditorJson message = EditorJson::parse(frame.text, nullptr, false);
      if (message.is_discarded()) {
        fail(nullptr, kParseError, "this is not JSON");
      } else {
        read(message);
      }
      break;
    }
  }
  return std::exchange(out_, {});
}

void LanguageSession::read(const EditorJson& message) {
  const bool object = message.is_object();
  const EditorJson id = object ? message.value("id", EditorJson()) : EditorJson();
  const bool named = object && message.contains("method") && message["method"].is_string();
  const bool good_id = id.is_null() || id.is_string() || id.is_number_integer();
  if (!named || !good_id) {
    // The answer to a request of ours has no method; nothing is waiting for it.
    const bool reply = object && (message.contains("result") || message.contains("error"));
    if (!reply) {
      fail(good_id ? id : EditorJson(), kInvalidRequest, "this is no request");
    }
    return;
  }
  const std::string method = message["method"];
  const EditorJson params = message.value("params", EditorJson());
  if (message.contains("id")) {
    answer(id, method, params);
  } else {
    hear(method, params);
  }
}

void LanguageSession::answer(const EditorJson& id, const std::string& method,
                             const EditorJson& params) {
  if (!initialized_ && method != "initialize") {
    return fail(id, kServerNotInitialized, "initialize comes first");
  }
  if (shut_down_ || (initialized_ && method == "initialize")) {
    return fail(id, kInvalidRequest, method + " cannot come now");
  }
  for (const Request& request : kRequests) {
    if (method != request.method) {
      continue;
    }
    try {
      Answer answer = (this->*request.answer)(params);
      if (!answer) {
        return fail(id, kRequestFailed, answer.error().message);
      }
      EditorJson reply = {{"jsonrpc", "2.0"}, {"id", id}};
      reply["result"] = std::move(answer.value());
      return send(reply);
    } catch (const EditorJson::exception& error) {
      return fail(id, kInvalidParams, error.what());
    }
  }
  fail(id, kMethodNotFound, "there is no method " + method);
}

// A notification: there is nobody to tell what is wrong with it.
void LanguageSession::hear(const std::string& method, const EditorJson& params) {
  if (method == "exit") {
    ended_ = shut_down_ ? kExitDone : kExitWrong;
    return;
  }
  if (!initialized_ || shut_down_) {
    return;
  }
  try {
    heed(method, params);
  } catch (const EditorJson::exception&) {
    return;
  }
}

void LanguageSession::heed(const std::string& method, const EditorJson& params) {
  if (method == "initialized") {
    watch_fields();
  } else if (method == "textDocument/didOpen") {
    opened(params.at("textDocument"));
  } else if (method == "textDocument/didChange") {
    changed(params);
  } else if (method == "textDocument/didClose") {
    closed(params.at("textDocument").at("uri"));
  } else if (method == "textDocument/didSave" || method == "workspace/didChangeWatchedFiles") {
    for (auto& [uri, document] : documents_) {
      document.told = false;  // what it may name could have changed
    }
  }
}

std::vector<std::string> LanguageSession::settle() {
  for (auto& [uri, document] : documents_) {
    if (!document.told) {
      send({{"jsonrpc", "2.0"},
            {"method", "textDocument/publishDiagnostics"},
            {"params", diagnostics_of(document)}});
      document.told = true;
    }
  }
  return std::exchange(out_, {});
}

}  // namespace turnout::cli
