#include "cli/config_keys.h"

#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace turnout::cli {
namespace {

using std::chrono::milliseconds;

// Where a value goes within Config.
template <class T>
using Place = std::function<T&(Config&)>;
using Setter = std::function<std::optional<Refused>(Config&, const RawValue&, bool)>;
using Test = std::function<std::optional<Refused>(const std::string&)>;

Test not_empty(std::size_t most) {
  return [most](const std::string& text) -> std::optional<Refused> {
    if (text.empty() || text.size() > most) {
      return Refused{fmt::format("must have 1 to {} bytes", most), ""};
    }
    return std::nullopt;
  };
}

std::optional<Refused> address(const std::string& text) {
  if (!parse_host_port(text)) {
    return Refused{fmt::format("\"{}\" is not an address", text),
                   "write host:port, such as \"127.0.0.1:7100\" or \"[::1]:7100\""};
  }
  return std::nullopt;
}

Test url(std::vector<std::string> schemes, bool may_be_empty) {
  return [schemes = std::move(schemes),
          may_be_empty](const std::string& text) -> std::optional<Refused> {
    if (text.empty() && may_be_empty) {
      return std::nullopt;
    }
    for (const std::string& scheme : schemes) {
      if (base::to_lower_ascii(text).starts_with(scheme) && text.size() > scheme.size()) {
        return std::nullopt;
      }
    }
    return Refused{fmt::format("\"{}\" is not a URL of a kind allowed here", text),
                   fmt::format("begin it with {}", fmt::join(schemes, " or "))};
  };
}

Setter text(const Place<std::string>& place, const Test& test) {
  return [place, test](Config& config, const RawValue& value, bool) -> std::optional<Refused> {
    const auto* const given = std::get_if<std::string>(&value);
    if (given == nullptr) {
      return Refused{"must be text", "put it in quotes"};
    }
    if (auto refused = test(*given)) {
      return refused;
    }
    place(config) = *given;
    return std::nullopt;
  };
}

Setter list(const Place<std::vector<std::string>>& place, const Test& test) {
  return [place, test](Config& config, const RawValue& value,
                       bool from_environment) -> std::optional<Refused> {
    std::vector<std::string> items;
    if (const auto* const one = std::get_if<std::string>(&value)) {
      std::size_t from = 0;
      while (from_environment && one->find(',', from) != std::string::npos) {
        const std::size_t comma = one->find(',', from);
        items.push_back(one->substr(from, comma - from));
        from = comma + 1;
      }
      if (from < one->size()) {
        items.push_back(one->substr(from));
      }
    } else if (const auto* const many = std::get_if<std::vector<std::string>>(&value)) {
      items = *many;
    } else {
      return Refused{"must be text or a list of texts", "write [\"…\", \"…\"]"};
    }
    for (const std::string& item : items) {
      if (auto refused = test(item)) {
        return refused;
      }
    }
    place(config) = std::move(items);
    return std::nullopt;
  };
}

Setter integer(const Place<int>& place, int low, int high) {
  return [place, low, high](Config& config, const RawValue& value, bool) -> std::optional<Refused> {
    std::int64_t number = 0;
    bool read = false;
    if (const auto* const given = std::get_if<std::int64_t>(&value)) {
      number = *given;
      read = true;
    } else if (const auto* const written = std::get_if<std::string>(&value)) {
      const auto [end, error] =
          std::from_chars(written->data(), written->data() + written->size(), number);
      read = error == std::errc() && end == written->data() + written->size();
    }
    if (!read || number < low || number > high) {
      return Refused{fmt::format("must be a whole number from {} to {}", low, high), ""};
    }
    place(config) = static_cast<int>(number);
    return std::nullopt;
  };
}

std::optional<Refused> read_duration(const RawValue& value, milliseconds low, milliseconds high,
                                     milliseconds& to) {
  const auto* const written = std::get_if<std::string>(&value);
  const auto duration = written == nullptr ? std::nullopt : parse_duration(*written);
  if (!duration) {
    return Refused{"must be a duration",
                   "write a number and its unit in quotes, such as \"500ms\", \"1s\" or \"2m\""};
  }
  if (*duration < low || *duration > high) {
    return Refused{fmt::format("must be from {} ms to {} ms", low.count(), high.count()), ""};
  }
  to = *duration;
  return std::nullopt;
}

Setter duration(const Place<milliseconds>& place, milliseconds low, milliseconds high) {
  return [place, low, high](Config& config, const RawValue& value, bool) {
    return read_duration(value, low, high, place(config));
  };
}

std::optional<Refused> set_allow_remote(Config& config, const RawValue& value,
                                        bool from_environment) {
  if (const auto* const given = std::get_if<bool>(&value)) {
    config.allow_remote = *given;
    return std::nullopt;
  }
  const auto* const written = std::get_if<std::string>(&value);
  if (from_environment && written != nullptr && (*written == "true" || *written == "false")) {
    config.allow_remote = *written == "true";
    return std::nullopt;
  }
  return Refused{"must be true or false", ""};
}

std::optional<Refused> set_tls(Config& config, const RawValue& value, bool) {
  const auto* const written = std::get_if<std::string>(&value);
  static constexpr std::pair<const char*, SmtpTls> kNames[] = {
      {"none", SmtpTls::kNone}, {"optional", SmtpTls::kOptional}, {"required", SmtpTls::kRequired}};
  for (const auto& [name, tls] : kNames) {
    if (written != nullptr && *written == name) {
      config.smtp.tls = tls;
      return std::nullopt;
    }
  }
  return Refused{"must be \"none\", \"optional\" or \"required\"", ""};
}

std::optional<Refused> log_level(const std::string& text) {
  static const std::vector<std::string> levels = {"trace", "debug", "info", "warn", "error", "off"};
  for (const std::string& level : levels) {
    if (text == level) {
      return std::nullopt;
    }
  }
  return Refused{fmt::format("\"{}\" is not a level", text),
                 fmt::format("use {}", fmt::join(levels, ", "))};
}

std::optional<Refused> profile(const std::string& text) {
  if (group::find_profile(text) != nullptr) {
    return std::nullopt;
  }
  return Refused{fmt::format("\"{}\" is not a profile", text), "use lan, wan or slow"};
}

// No line ends or other controls: the value goes into a protocol line.
std::optional<Refused> one_line(const std::string& text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      return Refused{"must not have line ends or control characters", ""};
    }
  }
  return std::nullopt;
}

std::vector<Key> make_keys() {
  using C = Config;
  using std::chrono::hours;
  using std::chrono::minutes;
  using std::chrono::seconds;
  return {
      {"name", "TURNOUT_NAME", text([](C& c) -> std::string& { return c.name; }, not_empty(64))},
      {"database", "TURNOUT_DATABASE",
       text([](C& c) -> std::string& { return c.database; }, not_empty(2'000))},
      {"database_wait", "TURNOUT_DATABASE_WAIT",
       duration([](C& c) -> milliseconds& { return c.database_wait; }, milliseconds(0), hours(1))},
      {"listen", "TURNOUT_LISTEN", text([](C& c) -> std::string& { return c.listen; }, address)},
      {"allow_remote", "TURNOUT_ALLOW_REMOTE", set_allow_remote},
      {"templates", "TURNOUT_TEMPLATES",
       text([](C& c) -> std::string& { return c.templates; }, not_empty(4'000))},
      {"group.name", "TURNOUT_GROUP_NAME",
       text([](C& c) -> std::string& { return c.group.name; }, not_empty(64))},
      {"group.listen", "TURNOUT_GROUP_LISTEN",
       list([](C& c) -> std::vector<std::string>& { return c.group.listen; }, address)},
      {"group.advertise", "TURNOUT_GROUP_ADVERTISE",
       text([](C& c) -> std::string& { return c.group.advertise; }, address)},
      {"group.seeds", "TURNOUT_GROUP_SEEDS",
       list([](C& c) -> std::vector<std::string>& { return c.group.seeds; }, address)},
      {"group.profile", "TURNOUT_GROUP_PROFILE",
       text([](C& c) -> std::string& { return c.group.profile; }, profile)},
      {"group.cycle", "TURNOUT_GROUP_CYCLE",
       duration([](C& c) -> milliseconds& { return c.group.cycle; }, milliseconds(50),
                seconds(120))},
      {"group.protocol", "TURNOUT_GROUP_PROTOCOL",
       integer([](C& c) -> int& { return c.group.protocol; }, group::kOldestProtocolVersion,
               group::kProtocolVersion)},
      {"group.miss_limit", "TURNOUT_GROUP_MISS_LIMIT",
       integer([](C& c) -> int& { return c.group.miss_limit; }, 3, 100)},
      {"group.claim_counter", "TURNOUT_GROUP_CLAIM_COUNTER",
       integer([](C& c) -> int& { return c.group.claim_counter; }, 1, 99)},
      {"group.key_file", "TURNOUT_GROUP_KEY_FILE",
       list([](C& c) -> std::vector<std::string>& { return c.group.key_files; }, not_empty(4'000))},
      {"group.certificate", "TURNOUT_GROUP_CERTIFICATE",
       text([](C& c) -> std::string& { return c.group.certificate; }, not_empty(4'000))},
      {"group.private_key", "TURNOUT_GROUP_PRIVATE_KEY",
       text([](C& c) -> std::string& { return c.group.private_key; }, not_empty(4'000))},
      {"group.ca", "TURNOUT_GROUP_CA",
       text([](C& c) -> std::string& { return c.group.ca; }, not_empty(4'000))},
      {"smtp.url", "TURNOUT_SMTP_URL",
       text([](C& c) -> std::string& { return c.smtp.url; }, url({"smtp://", "smtps://"}, true))},
      {"smtp.from", "TURNOUT_SMTP_FROM",
       text([](C& c) -> std::string& { return c.smtp.from; }, one_line)},
      {"smtp.user", "TURNOUT_SMTP_USER",
       text([](C& c) -> std::string& { return c.smtp.user; }, one_line)},
      {"smtp.password", "TURNOUT_SMTP_PASSWORD",
       text([](C& c) -> std::string& { return c.smtp.password; }, one_line)},
      {"smtp.tls", "TURNOUT_SMTP_TLS", set_tls},
      {"smtp.helo", "TURNOUT_SMTP_HELO",
       text([](C& c) -> std::string& { return c.smtp.helo; }, one_line)},
      {"smtp.timeout", "TURNOUT_SMTP_TIMEOUT",
       duration([](C& c) -> milliseconds& { return c.smtp.timeout; }, milliseconds(100),
                minutes(5))},
      {"work.slots", "TURNOUT_WORK_SLOTS",
       integer([](C& c) -> int& { return c.work.slots; }, 1, 10'000)},
      {"work.threads", "TURNOUT_WORK_THREADS",
       integer([](C& c) -> int& { return c.work.threads; }, 1, 64)},
      {"deliver.threads", "TURNOUT_DELIVER_THREADS",
       integer([](C& c) -> int& { return c.deliver.threads; }, 0, 256)},
      {"log.level", "TURNOUT_LOG_LEVEL",
       text([](C& c) -> std::string& { return c.log_level; }, log_level)},
  };
}

std::vector<WebhookKey> make_webhook_keys() {
  return {{"url",
           [](WebhookConfig& webhook, const RawValue& value) -> std::optional<Refused> {
             const auto* const given = std::get_if<std::string>(&value);
             if (given == nullptr) {
               return Refused{"must be text", "put it in quotes"};
             }
             if (auto refused = url({"http://", "https://"}, false)(*given)) {
               return refused;
             }
             webhook.url = *given;
             return one_line(*given);
           }},
          {"timeout", [](WebhookConfig& webhook, const RawValue& value) {
             return read_duration(value, milliseconds(100), std::chrono::minutes(5),
                                  webhook.timeout);
           }}};
}

}  // namespace

std::span<const Key> config_keys() {
  static const std::vector<Key> keys = make_keys();
  return keys;
}

std::span<const WebhookKey> webhook_keys() {
  static const std::vector<WebhookKey> keys = make_webhook_keys();
  return keys;
}

}  // namespace turnout::cli
