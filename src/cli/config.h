#pragma once

// What `turnout serve` is told: a TOML file, overridden by environment variables. With neither,
// everything has a default: one peer on the embedded database turnout.db in the current folder. The
// reference is docs/formats/config.md.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "group/config.h"

namespace turnout::cli {

struct GroupConfig {
  std::string name = "turnout";     // 1–64 bytes; peers of other groups are refused
  std::vector<std::string> listen;  // "host:port" for other peers; none: this peer works alone
  std::string advertise;            // what the others dial, where it differs from listen[0]
  std::vector<std::string> seeds;   // "host:port" of other peers
  std::string profile = "lan";      // "lan", "wan" or "slow" (group::kProfiles)
  std::chrono::milliseconds cycle{1'000};  // the profile's, unless it is set
  int miss_limit = 4;
  int protocol = group::kProtocolVersion;  // the newest to speak
  int claim_counter = 2;
  std::vector<std::string> key_files;  // the first is dialled with, all are accepted
  std::string certificate;             // instead of keys; all three or none
  std::string private_key;
  std::string ca;
};

enum class SmtpTls { kNone, kOptional, kRequired };

struct SmtpConfig {
  std::string
      url;  // smtp://host:port or smtps://host:port; "": e-mails wait for one to be configured
  std::string from = "Turnout <turnout@localhost>";
  std::string user;
  std::string password;
  SmtpTls tls = SmtpTls::kOptional;
  std::string helo;  // "": this machine's name
  std::chrono::milliseconds timeout{30'000};
};

struct WebhookConfig {
  std::string url;
  std::chrono::milliseconds timeout{10'000};
};

struct WorkConfig {
  int slots = 4;    // blocks that this peer has at once
  int threads = 2;  // that decide and commit them
};

struct DeliverConfig {
  int threads = 4;  // deliveries on their way at once; 0: this peer delivers nothing
};

struct Config {
  std::string name = "turnout";  // of this peer, unique in its group
  std::string database = "sqlite:turnout.db";
  // How long a server that begins waits for a database that does not answer.
  std::chrono::milliseconds database_wait{30'000};
  std::string listen = "127.0.0.1:7100";  // HTTP
  bool allow_remote = false;
  std::string templates = "templates";  // folder
  GroupConfig group;
  SmtpConfig smtp;
  std::map<std::string, WebhookConfig> webhooks;
  WorkConfig work;
  DeliverConfig deliver;
  std::string log_level = "info";
};

// A mistake, as shown to a person: "turnout.toml:3:1: error: …".
struct ConfigProblem {
  std::string where;  // "turnout.toml:3:1", "environment variable TURNOUT_LISTEN"
  std::string message;
  std::string remedy;  // may be empty
  bool warning = false;
};

struct ConfigAnswer {
  Config config;
  std::vector<ConfigProblem> problems;  // all there are
  bool ok() const;
};

// The environment: name and value of each variable. Only TURNOUT_… are looked at.
using Environment = std::vector<std::pair<std::string, std::string>>;

// Reads `text`, the contents of the file called `file` ("" for no file), then the environment.
// Relative paths (database, templates, key files) are meant from the current folder. Pure.
// Thread-safe.
ConfigAnswer parse_config(std::string_view text, const std::string& file,
                          const Environment& environment);

// The same for a file: `path` if given, else $TURNOUT_CONFIG if set, else turnout.toml in the
// current folder if there is one. A file that was named and cannot be read is a problem.
ConfigAnswer load_config(const std::optional<std::string>& path, const Environment& environment);

Environment process_environment();

// "error: …" lines with remedy, one per problem.
std::string render(const ConfigProblem& problem);

// "250ms", "1s", "2m", "1h"; nullopt when it is none.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

// Splits "host:port" or "[v6]:port"; nullopt when it is neither. The port is 0–65535.
struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};
std::optional<HostPort> parse_host_port(std::string_view text);

}  // namespace turnout::cli
