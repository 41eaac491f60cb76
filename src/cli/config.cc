#include "cli/config.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/config_keys.h"
#include "cli/toml.h"

extern char** environ;  // NOLINT: POSIX names it so

namespace turnout::cli {
namespace {

constexpr const char* kDefaultFile = "turnout.toml";
constexpr std::size_t kMaxFileBytes = 1024 * 1024;
// Variables of the program's own that are no configuration keys.
constexpr const char* kOtherVariables[] = {"TURNOUT_CONFIG", "TURNOUT_SERVER"};

std::optional<RawValue> raw_value(const toml::node& node) {
  if (const auto* text = node.as_string()) {
    return RawValue(text->get());
  }
  if (const auto* number = node.as_integer()) {
    return RawValue(number->get());
  }
  if (const auto* boolean = node.as_boolean()) {
    return RawValue(boolean->get());
  }
  if (const auto* array = node.as_array()) {
    std::vector<std::string> items;
    for (const toml::node& item : *array) {
      if (!item.is_string()) {
        return std::nullopt;
      }
      items.push_back(item.as_string()->get());
    }
    return RawValue(std::move(items));
  }
  return std::nullopt;
}

// Walks one TOML document and sets what it names.
class Reader {
 public:
  Reader(ConfigAnswer& answer, std::string file) : answer_(answer), file_(std::move(file)) {
    for (const Key& key : config_keys()) {
      const std::string_view path = key.path;
      known_.emplace_back(path);
      if (const std::size_t dot = path.find('.'); dot != std::string_view::npos) {
        tables_.insert(std::string(path.substr(0, dot)));
      }
    }
    tables_.insert("webhooks");
  }

  void read(const toml::table& root) {
    for (const auto& [name, node] : root) {
      const std::string key(name.str());
      if (!tables_.contains(key)) {
        set(key, name, node);
      } else if (!node.is_table()) {
        problem(name.source(), fmt::format("\"{}\" must be a table", key),
                fmt::format("write [{}] on a line of its own", key));
      } else if (key == "webhooks") {
        read_webhooks(*node.as_table());
      } else {
        for (const auto& [inner, value] : *node.as_table()) {
          set(key + "." + std::string(inner.str()), inner, value);
        }
      }
    }
  }

  void problem(const toml::source_region& place, std::string message, std::string remedy) {
    const std::pair at(place.begin.line, place.begin.column);
    found_.emplace(at, ConfigProblem{fmt::format("{}:{}:{}", file_, at.first, at.second),
                                     std::move(message), std::move(remedy), false});
  }

  // What was found, in the order of the file.
  void finish() {
    for (auto& [at, problem] : found_) {
      answer_.problems.push_back(std::move(problem));
    }
  }

 private:
  void set(const std::string& path, const toml::key& name, const toml::node& node) {
    const auto keys = config_keys();
    const auto found =
        std::find_if(keys.begin(), keys.end(), [&](const Key& key) { return path == key.path; });
    if (found == keys.end()) {
      unknown(path, name);
      return;
    }
    const auto raw = raw_value(node);
    const auto refused =
        raw ? found->set(answer_.config, *raw, false)
            : std::optional<Refused>(Refused{"has a value of a kind that fits no key", ""});
    if (refused) {
      problem(node.source(), fmt::format("\"{}\": {}", path, refused->message), refused->remedy);
    }
  }

  void unknown(const std::string& path, const toml::key& name) {
    std::vector<std::string> candidates = known_;
    candidates.insert(candidates.end(), tables_.begin(), tables_.end());
    std::string_view meant = base::closest(path, candidates);
    if (meant.empty()) {  // the right key in the wrong table?
      const std::string last =
          path.substr(path.rfind('.') == std::string::npos ? 0 : path.rfind('.') + 1);
      for (const std::string& candidate : known_) {
        const std::size_t dot = candidate.rfind('.');
        if (candidate.substr(dot == std::string::npos ? 0 : dot + 1) == last) {
          meant = candidate;
        }
      }
    }
    const std::string remedy = meant.empty() ? "docs/formats/config.md lists the keys"
                                             : fmt::format("did you mean \"{}\"?", meant);
    problem(name.source(), fmt::format("\"{}\" is no key of the configuration", path), remedy);
  }

  void read_webhooks(const toml::table& table) {
    for (const auto& [name, node] : table) {
      const std::string webhook(name.str());
      if (!node.is_table()) {
        problem(name.source(), fmt::format("webhook \"{}\" must be a table", webhook),
                fmt::format("write [webhooks.{}] and below it url = \"https://…\"", webhook));
        continue;
      }
      WebhookConfig& to = answer_.config.webhooks[webhook];
      const std::size_t before = found_.size();
      for (const auto& [inner, value] : *node.as_table()) {
        set_webhook(webhook, to, inner, value);
      }
      if (to.url.empty() && found_.size() == before) {
        problem(name.source(), fmt::format("webhook \"{}\" has no url", webhook),
                "add url = \"https://…\"");
      }
    }
  }

  void set_webhook(const std::string& webhook, WebhookConfig& to, const toml::key& name,
                   const toml::node& node) {
    const std::string path = fmt::format("webhooks.{}.{}", webhook, name.str());
    std::vector<std::string> candidates;
    for (const WebhookKey& key : webhook_keys()) {
      candidates.emplace_back(key.name);
      if (name.str() != key.name) {
        continue;
      }
      const auto raw = raw_value(node);
      const auto refused =
          raw ? key.set(to, *raw)
              : std::optional<Refused>(Refused{"has a value of a kind that fits no key", ""});
      if (refused) {
        problem(node.source(), fmt::format("\"{}\": {}", path, refused->message), refused->remedy);
      }
      return;
    }
    const std::string_view meant = base::closest(name.str(), candidates);
    problem(name.source(), fmt::format("\"{}\" is no key of the configuration", path),
            meant.empty() ? "a webhook has url and timeout"
                          : fmt::format("did you mean \"{}\"?", meant));
  }

  ConfigAnswer& answer_;
  std::string file_;
  std::vector<std::string> known_;
  std::set<std::string> tables_;
  std::multimap<std::pair<toml::source_index, toml::source_index>, ConfigProblem> found_;
};

void read_environment(const Environment& environment, ConfigAnswer& answer) {
  for (const auto& [name, value] : environment) {
    if (!name.starts_with("TURNOUT_") ||
        std::find(std::begin(kOtherVariables), std::end(kOtherVariables), name) !=
            std::end(kOtherVariables)) {
      continue;
    }
    const std::string where = "environment variable " + name;
    std::vector<std::string> candidates;
    bool found = false;
    for (const Key& key : config_keys()) {
      candidates.emplace_back(key.environment);
      if (name == key.environment) {
        found = true;
        if (const auto refused = key.set(answer.config, RawValue(value), true)) {
          answer.problems.push_back({where, refused->message, refused->remedy, false});
        }
      }
    }
    if (!found) {
      const std::string_view meant = base::closest(name, candidates);
      answer.problems.push_back({where, "sets no key of the configuration",
                                 meant.empty() ? "docs/formats/config.md lists the variables"
                                               : fmt::format("did you mean {}?", meant),
                                 true});
    }
  }
}

// Peers are secured by the group's key or by certificates.
void check_security(const GroupConfig& group, const std::string& where,
                    std::vector<ConfigProblem>& problems) {
  const std::pair<const char*, bool> parts[] = {{"group.certificate", !group.certificate.empty()},
                                                {"group.private_key", !group.private_key.empty()},
                                                {"group.ca", !group.ca.empty()}};
  std::string set;
  std::string missing;
  for (const auto& [name, is_set] : parts) {
    std::string& list = is_set ? set : missing;
    list += fmt::format("{}\"{}\"", list.empty() ? "" : ", ", name);
  }
  if (!set.empty() && !group.key_files.empty()) {
    problems.push_back({where, fmt::format("\"group.key_file\" and {} are both set", set),
                        "peers are secured by the group's key or by certificates: leave one out",
                        false});
  } else if (!set.empty() && !missing.empty()) {
    problems.push_back(
        {where, fmt::format("{} is set without {}", set, missing),
         "certificates need all three: the peer's certificate, its private key and the group's CA",
         false});
  }
}

// Until the whole has been read: no key can set a cycle of nothing.
constexpr std::chrono::milliseconds kOfTheProfile{0};

// What only the whole can show.
void check_together(ConfigAnswer& answer, const std::string& file) {
  Config& config = answer.config;
  const std::string where = file.empty() ? "configuration" : file;
  if (config.group.cycle == kOfTheProfile) {
    config.group.cycle = std::chrono::duration_cast<std::chrono::milliseconds>(
        group::find_profile(config.group.profile)->cycle);
  }
  if (config.group.claim_counter >= config.group.miss_limit) {
    answer.problems.push_back({where, "\"group.claim_counter\" must be below \"group.miss_limit\"",
                               fmt::format("they are {} and {}; 2 and 4 are the usual ones",
                                           config.group.claim_counter, config.group.miss_limit),
                               false});
  }
  if (config.group.listen.empty() &&
      (!config.group.seeds.empty() || !config.group.advertise.empty())) {
    config.group.listen = {"127.0.0.1:7101"};
  }
  check_security(config.group, where, answer.problems);
  if (!config.smtp.user.empty() && config.smtp.password.empty()) {
    answer.problems.push_back({where, "\"smtp.user\" is set and \"smtp.password\" is not",
                               "set it, or TURNOUT_SMTP_PASSWORD", false});
  }
}

bool read_file(const std::string& path, std::string& text, std::string& why) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    why = fmt::format("cannot be opened: {}", std::generic_category().message(errno));
    return false;
  }
  text.assign(std::istreambuf_iterator<char>(in), {});
  if (in.bad() || text.size() > kMaxFileBytes) {
    why = text.size() > kMaxFileBytes ? "is longer than 1 MiB" : "cannot be read";
    return false;
  }
  return true;
}

}  // namespace

bool ConfigAnswer::ok() const {
  return std::all_of(problems.begin(), problems.end(),
                     [](const ConfigProblem& p) { return p.warning; });
}

ConfigAnswer parse_config(std::string_view text, const std::string& file,
                          const Environment& environment) {
  ConfigAnswer answer;
  answer.config.group.cycle = kOfTheProfile;
  Reader reader(answer, file);
  const toml::parse_result parsed = toml::parse(text, file);
  if (parsed) {
    reader.read(parsed.table());
  } else {
    reader.problem(parsed.error().source(), std::string(parsed.error().description()),
                   "the file is TOML: key = \"value\", and [table] on a line of its own");
  }
  reader.finish();
  read_environment(environment, answer);
  if (answer.ok()) {
    check_together(answer, file);
  }
  return answer;
}

ConfigAnswer load_config(const std::optional<std::string>& path, const Environment& environment) {
  std::string file;
  bool named = false;
  if (path) {
    file = *path;
    named = true;
  } else {
    const auto set = std::find_if(environment.begin(), environment.end(), [](const auto& v) {
      return v.first == "TURNOUT_CONFIG" && !v.second.empty();
    });
    named = set != environment.end();
    file = named ? set->second : kDefaultFile;
  }
  std::string text;
  std::string why;
  if (!named && !std::ifstream(file)) {
    return parse_config("", "", environment);
  }
  if (!read_file(file, text, why)) {
    ConfigAnswer answer;
    answer.problems.push_back(
        {file, "the configuration file " + why, "give its path by --config", false});
    return answer;
  }
  return parse_config(text, file, environment);
}

Environment process_environment() {
  Environment environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view line = *entry;
    if (const std::size_t equals = line.find('=');
        line.starts_with("TURNOUT_") && equals != std::string_view::npos) {
      environment.emplace_back(line.substr(0, equals), line.substr(equals + 1));
    }
  }
  return environment;
}

std::string render(const ConfigProblem& problem) {
  std::string text = fmt::format("{}: {}: {}\n", problem.where,
                                 problem.warning ? "warning" : "error", problem.message);
  if (!problem.remedy.empty()) {
    text += fmt::format("    {}\n", problem.remedy);
  }
  return text;
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0 || number > 1'000'000'000) {
    return std::nullopt;
  }
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  static constexpr std::pair<std::string_view, std::int64_t> kUnits[] = {
      {"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}};
  for (const auto& [name, factor] : kUnits) {
    if (unit == name) {
      return std::chrono::milliseconds(number * factor);
    }
  }
  return std::nullopt;
}

std::optional<HostPort> parse_host_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) {
    return std::nullopt;
  }
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (host.front() == '[' && host.back() == ']' && host.size() > 2) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find_first_of(":[]") != std::string_view::npos) {
    return std::nullopt;
  }
  for (const char c : host) {
    if (c <= ' ' || c == '/' || c == '@' || c == 0x7f) {
      return std::nullopt;
    }
  }
  HostPort answer{std::string(host), 0};
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), answer.port);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) {
    return std::nullopt;
  }
  return answer;
}

}  // namespace turnout::cli
