#include "cli/known_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/exit_codes.h"
#include "cli/files.h"
#include "cli/http_client.h"
#include "cli/screen.h"
#include "cli/toml.h"
#include "track/mentions.h"

namespace turnout::cli {
namespace {

constexpr const char* kTypes = "types are text, number, boolean, timestamp and date";

// False when the answer is none of /api/fields.
bool read_answer(const std::string& body, KnownNames& known) {
  const auto answer = nlohmann::json::parse(body, nullptr, false);
  if (!answer.is_object() || !answer.contains("fields")) {
    return false;
  }
  for (const auto& item : answer["fields"]) {
    const auto type = track::type_named(item.value("type", ""));
    if (type && known.catalogue.find(item.value("name", "")) == nullptr) {
      known.catalogue.fields.push_back({item.value("name", ""), *type, ""});
    }
  }
  known.catalogue.templates = answer.value("templates", std::vector<std::string>());
  known.catalogue.webhooks = answer.value("webhooks", std::vector<std::string>());
  known.fields = true;
  return true;
}

std::string at(const std::string& file, const toml::node& node) {
  return fmt::format("{}:{}", file, node.source().begin.line);
}

// A list of names, or what is wrong with it.
base::Result<std::optional<std::vector<std::string>>> names(const std::string& file,
                                                            const toml::table& table,
                                                            const char* key) {
  const toml::node* const node = table.get(key);
  if (node == nullptr) {
    return std::optional<std::vector<std::string>>();
  }
  std::vector<std::string> all;
  const toml::array* const array = node->as_array();
  for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
    if (const auto name = (*array)[i].value<std::string>()) {
      all.push_back(*name);
    }
  }
  if (array == nullptr || all.size() != array->size()) {
    return base::fail(base::ErrorCode::kInvalid,
                      fmt::format("{}: {} must be a list of names: {} = [\"welcome\"]",
                                  at(file, *node), key, key));
  }
  return std::optional(std::move(all));
}

base::Result<void> add_fields(const std::string& file, const toml::table& fields,
                              KnownNames& known) {
  for (const auto& [name, node] : fields) {
    const auto text = node.value<std::string>();
    const auto type = text ? track::type_named(*text) : std::nullopt;
    if (!type) {
      return base::fail(base::ErrorCode::kInvalid,
                        fmt::format("{}: field {} needs a type, as in {} = \"number\"; {}",
                                    at(file, node), name.str(), name.str(), kTypes));
    }
    known.catalogue.fields.push_back({std::string(name.str()), *type, ""});
  }
  return base::ok();
}

base::Result<void> read_toml(const std::string& file, KnownNames& known) {
  TRY(const std::string text, read_whole_file(file));
  const toml::parse_result parsed = toml::parse(text, file);
  if (!parsed) {
    return base::fail(base::ErrorCode::kInvalid,
                      fmt::format("{}:{}: {}", file, parsed.error().source().begin.line,
                                  parsed.error().description()));
  }
  const toml::table& table = parsed.table();
  for (const auto& [name, node] : table) {
    if (name != "fields" && name != "templates" && name != "webhooks" && name != "databases" &&
        name != "tracks") {
      return base::fail(base::ErrorCode::kInvalid,
                        fmt::format("{}: there is no setting {}; there are fields, templates, "
                                    "webhooks, databases and tracks",
                                    at(file, node), name.str()));
    }
  }
  const toml::node* const fields = table.get("fields");
  if (fields == nullptr || !fields->is_table()) {
    return base::fail(base::ErrorCode::kInvalid,
                      fmt::format("{}: needs a table [fields] with lines such as score = "
                                  "\"number\"",
                                  file));
  }
  TRYV(add_fields(file, *fields->as_table(), known));
  TRY(known.catalogue.templates, names(file, table, "templates"));
  TRY(known.catalogue.webhooks, names(file, table, "webhooks"));
  TRY(known.catalogue.databases, names(file, table, "databases"));
  TRY(known.catalogue.tracks, names(file, table, "tracks"));
  known.fields = true;
  return base::ok();
}

int ask_server(const KnownFrom& from, KnownNames& known) {
  const std::optional<std::string>& named = from.server ? from.server : from.usual;
  HttpClient http(named.value_or(kUsualServer));
  auto reply = http.get("/api/fields");
  const bool learnt = reply && reply.value().ok() && read_answer(reply.value().body, known);
  if (learnt || !named) {
    return kExitDone;
  }
  if (!reply) {
    print_error(reply.error().message);
    return kExitUnreachable;
  }
  print_error(reply.value().ok() ? fmt::format("{} is no Turnout server", http.server())
                                 : error_text(reply.value()));
  return exit_code(reply.value());
}

}  // namespace

int KnownNames::learn(const KnownFrom& from, const std::string& beside) {
  for (const auto& [name, type_text] : from.fields) {
    const auto type = track::type_named(type_text);
    if (!type) {
      print_error(fmt::format("--field {}={}: there is no type \"{}\"; {}", name, type_text,
                              type_text, kTypes));
      return kExitUsage;
    }
    catalogue.fields.push_back({name, *type, ""});
    fields = true;
  }
  if (fields) {
    return kExitDone;
  }
  const std::string file = (std::filesystem::path(beside).parent_path() / kFieldsFile).string();
  std::error_code error;
  if (!from.server && std::filesystem::exists(file, error)) {
    if (const auto read = read_toml(file, *this); !read) {
      print_error(read.error().message);
      return kExitWrong;
    }
    return kExitDone;
  }
  return ask_server(from, *this);
}

lang::Analysis KnownNames::analyse(const std::string& text) const {
  lang::Analysis analysis = lang::analyse(text, catalogue);
  if (!fields) {
    std::erase_if(analysis.diagnostics,
                  [](const lang::Diagnostic& d) { return d.code == "unknown-field"; });
  }
  return analysis;
}

std::vector<std::string> KnownNames::unknown_fields(const track::Track& track) const {
  std::vector<std::string> unknown;
  for (const track::FieldRef* const ref : track::fields_of(track)) {
    if (!fields && ref->name.find('.') == std::string::npos &&
        catalogue.find(ref->name) == nullptr &&
        std::find(unknown.begin(), unknown.end(), ref->name) == unknown.end()) {
      unknown.push_back(ref->name);
    }
  }
  return unknown;
}

}  // namespace turnout::cli
