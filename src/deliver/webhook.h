#pragma once

// Calls webhooks: HTTP POST of JSON, with the headers of Standard Webhooks (webhook-id,
// webhook-timestamp). The id is the outbox key, the same at every attempt, so that a receiver can
// tell a repeated call. After a time-out a call is made again: unlike a mail it can be told apart.

#include <chrono>
#include <memory>
#include <string>

#include "deliver/outcome.h"

namespace turnout::deliver {

struct WebhookTarget {
  std::string url;  // http:// or https://
  std::chrono::milliseconds timeout{10'000};
};

struct WebhookCall {
  std::string id;
  std::string body;            // JSON
  std::int64_t timestamp = 0;  // seconds since 1970
};

// Keeps its connections. Used by one thread at a time.
class WebhookCaller {
 public:
  WebhookCaller();
  ~WebhookCaller();
  WebhookCaller(const WebhookCaller&) = delete;
  WebhookCaller& operator=(const WebhookCaller&) = delete;

  // Blocks for at most the target's timeout and `at_most`. 2xx is kSent; 408, 425, 429, 5xx and no
  // answer are kRetry, with the delay that Retry-After asks for; other statuses are kRefused,
  // redirects among them.
  Outcome call(const WebhookTarget& target, const WebhookCall& call,
               std::chrono::milliseconds at_most);

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

}  // namespace turnout::deliver
