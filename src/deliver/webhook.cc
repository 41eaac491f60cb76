#include "deliver/webhook.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "base/check.h"
#include "base/text.h"
#include "deliver/curl.h"

namespace turnout::deliver {
namespace {

constexpr std::size_t kMaxAnswer = 300;      // bytes of the receiver's answer that are kept
constexpr std::size_t kMaxBody = 64 * 1024;  // and that are read at all
constexpr long kMaxRetryAfterSeconds = 86'400;

struct Reading {
  std::string kept;
  std::size_t seen = 0;
};

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* user) {
  auto& reading = *static_cast<Reading*>(user);
  const std::size_t bytes = size * count;
  reading.kept.append(data,
                      std::min(bytes, kMaxAnswer - std::min(kMaxAnswer, reading.kept.size())));
  reading.seen += bytes;
  return reading.seen > kMaxBody ? 0 : bytes;
}

std::string shown(const Reading& reading) {
  std::string text = reading.kept;
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  while (!text.empty() && base::first_invalid_utf8(text) != std::string::npos) {
    text.resize(base::first_invalid_utf8(text));
  }
  return text.empty() ? "" : ": " + text;
}

Outcome judge(long status, const Reading& reading, long retry_after) {
  const std::string answer = fmt::format("HTTP {}{}", status, shown(reading));
  if (status >= 200 && status < 300) {
    return {How::kSent, answer, false, {}};
  }
  if (status == 408 || status == 425 || status == 429 || status >= 500) {
    return {How::kRetry, answer, false,
            std::chrono::seconds(std::clamp(retry_after, 0L, kMaxRetryAfterSeconds))};
  }
  if (status >= 300 && status < 400) {
    return {How::kRefused,
            answer + " (redirects are not followed: configure the address it leads to)",
            false,
            {}};
  }
  return {How::kRefused, answer, false, {}};
}

}  // namespace

struct WebhookCaller::Handle {
  CurlHandle curl = make_curl();
  char error[CURL_ERROR_SIZE] = {};
};

WebhookCaller::WebhookCaller() : handle_(std::make_unique<Handle>()) {
  CHECK(handle_->curl != nullptr);
}

WebhookCaller::~WebhookCaller() = default;

Outcome WebhookCaller::call(const WebhookTarget& target, const WebhookCall& call,
                            std::chrono::milliseconds at_most) {
  CURL* const curl = handle_->curl.get();
  curl_easy_reset(curl);
  Reading reading;
  CurlList headers;
  append(headers, "Content-Type: application/json");
  append(headers, "Expect:");
  append(headers, fmt::format("webhook-id: {}", call.id).c_str());
  append(headers, fmt::format("webhook-timestamp: {}", call.timestamp).c_str());
  const auto timeout = std::max(std::chrono::milliseconds(1), std::min(target.timeout, at_most));
  handle_->error[0] = '\0';
  curl_easy_setopt(curl, CURLOPT_URL, target.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "Turnout");
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_POST, 1L);
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call.body.data());
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reading);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(std::min<std::int64_t>(timeout.count(), 10'000)));
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, handle_->error);
  const CURLcode result = curl_easy_perform(curl);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, nullptr);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  // A receiver that sends more than we read has answered all the same.
  const bool answered =
      result == CURLE_OK || (result == CURLE_WRITE_ERROR && reading.seen > kMaxBody);
  if (!answered || status < 200) {
    const char* const why = handle_->error[0] != '\0' ? handle_->error : curl_easy_strerror(result);
    return {How::kRetry, fmt::format("no answer from {}: {}", target.url, why), true, {}};
  }
  curl_off_t retry_after = 0;
  curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after);
  return judge(status, reading, static_cast<long>(retry_after));
}

}  // namespace turnout::deliver
