#pragma once

// Asks a server. The commands' only way to the network.

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace turnout::cli {

// Where a server listens when nobody says anything else.
constexpr const char* kUsualServer = "http://127.0.0.1:7100";

struct Reply {
  int status = 0;
  std::string body;
  bool ok() const { return status >= 200 && status < 300; }
};

// Keeps its connection. Not thread-safe.
class HttpClient {
 public:
  // `server` is "http://host:port", or "host:port".
  explicit HttpClient(std::string server);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // kUnavailable when no server answers, with what to do. Any status that a server gives is a
  // Reply.
  base::Result<Reply> get(const std::string& path);
  base::Result<Reply> post(const std::string& path, std::string_view json);

  const std::string& server() const { return server_; }

 private:
  base::Result<Reply> perform(const std::string& path, const std::string_view* body);

  struct Handle;
  std::string server_;
  std::unique_ptr<Handle> handle_;
};

// Percent-encodes one segment of a path.
std::string encode_segment(std::string_view text);

// What the server said was wrong, as a person reads it: message, where, remedy of {"error": …};
// else the status.
std::string error_text(const Reply& reply);

// The exit code for an answer that is not ok().
int exit_code(const Reply& reply);

}  // namespace turnout::cli
