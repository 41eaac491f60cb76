#include "cli/http_client.h"

#include <mutex>
#include <utility>

#include <curl/curl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/exit_codes.h"

namespace turnout::cli {
namespace {

constexpr long kConnectSeconds = 5;
constexpr long kSilenceSeconds = 120;  // an answer may take as long as a large publish does
constexpr std::size_t kMaxReplyBytes = 256UL * 1024 * 1024;

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* to) {
  auto& body = *static_cast<std::string*>(to);
  if (body.size() + size * count > kMaxReplyBytes) {
    return 0;
  }
  body.append(data, size * count);
  return size * count;
}

void init_curl() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

}  // namespace

struct HttpClient::Handle {
  CURL* curl = nullptr;
  curl_slist* headers = nullptr;
  Handle() {
    init_curl();
    curl = curl_easy_init();
    headers = curl_slist_append(headers, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Expect:");  // no wait for 100-continue
  }
  ~Handle() {
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
};

HttpClient::HttpClient(std::string server)
    : server_(std::move(server)), handle_(std::make_unique<Handle>()) {
  if (server_.find("://") == std::string::npos) {
    server_ = "http://" + server_;
  }
  while (server_.ends_with('/')) {
    server_.pop_back();
  }
}

HttpClient::~HttpClient() = default;

base::Result<Reply> HttpClient::get(const std::string& path) { return perform(path, nullptr); }

base::Result<Reply> HttpClient::post(const std::string& path, std::string_view json) {
  return perform(path, &json);
}

base::Result<Reply> HttpClient::perform(const std::string& path, const std::string_view* body) {
  CURL* const curl = handle_->curl;
  if (curl == nullptr) {
    return base::fail(base::ErrorCode::kInternal, "libcurl cannot be started");
  }
  Reply reply;
  const std::string url = server_ + path;
  curl_easy_reset(curl);  // keeps the connection
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "127.0.0.1,localhost,::1");
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kSilenceSeconds);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, handle_->headers);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply.body);
  if (body != nullptr) {
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body->data());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body->size()));
  }
  const CURLcode code = curl_easy_perform(curl);
  if (code != CURLE_OK) {
    const bool wrong_url = code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL;
    return base::fail(
        wrong_url ? base::ErrorCode::kInvalid : base::ErrorCode::kUnavailable,
        fmt::format(
            "no server answers at {} ({}); start one with `turnout serve`, or name it by --server "
            "or TURNOUT_SERVER",
            server_, curl_easy_strerror(code)));
  }
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  reply.status = static_cast<int>(status);
  return reply;
}

std::string encode_segment(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain && !(text == "." || text == "..")) {
      out.push_back(c);
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
  return out;
}

std::string error_text(const Reply& reply) {
  const auto json = nlohmann::json::parse(reply.body, nullptr, false);
  if (!json.is_object() || !json.contains("error") || !json["error"].is_object()) {
    return fmt::format("the server answered with status {}", reply.status);
  }
  const auto& error = json["error"];
  const auto part = [&](const char* name) {
    return error.contains(name) && error[name].is_string() ? error[name].get<std::string>()
                                                           : std::string();
  };
  std::string text = part("where").empty() ? part("message")
                                           : fmt::format("{}: {}", part("where"), part("message"));
  if (!part("remedy").empty()) {
    text += "; " + part("remedy");
  }
  return text;
}

int exit_code(const Reply& reply) {
  return reply.status == 503 || reply.status == 429 || reply.status == 502 || reply.status == 504
             ? kExitUnreachable
             : kExitWrong;
}

}  // namespace turnout::cli
