#pragma once

// The table of configuration keys: what each is called in the file and in the environment, and how
// its value is read.

#include <functional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "cli/config.h"

namespace turnout::cli {

// A value as written: in the file with its TOML type, in the environment as text.
using RawValue = std::variant<std::string, std::int64_t, bool, std::vector<std::string>>;

// Why a value is refused.
struct Refused {
  std::string message;
  std::string remedy;
};

struct Key {
  const char* path;         // "group.listen"
  const char* environment;  // "TURNOUT_GROUP_LISTEN"
  std::function<std::optional<Refused>(Config& config, const RawValue& value,
                                       bool from_environment)>
      set;
};

std::span<const Key> config_keys();

// Of a table [webhooks.NAME].
struct WebhookKey {
  const char* name;
  std::function<std::optional<Refused>(WebhookConfig& webhook, const RawValue& value)> set;
};
std::span<const WebhookKey> webhook_keys();

}  // namespace turnout::cli
