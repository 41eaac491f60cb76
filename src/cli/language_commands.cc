// `turnout check`, `turnout fmt`, `turnout keygen`.

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/files.h"
#include "cli/http_client.h"
#include "cli/screen.h"
#include "lang/checker.h"
#include "lang/formatter.h"
#include "lang/parser.h"
#include "link/key.h"

namespace turnout::cli {
namespace {

using SortedJson = nlohmann::json;

// What tracks are checked against.
struct Known {
  track::Catalogue catalogue = track::built_in_catalogue();
  bool fields = false;  // whether the catalogue says which fields there are
};

bool read_catalogue(const std::string& body, Known& known) {
  const auto answer = SortedJson::parse(body, nullptr, false);
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

// Fills `known`; an exit code when that fails and it was asked for.
int learn(const CheckOptions& options, Known& known) {
  for (const auto& [name, type_text] : options.fields) {
    const auto type = track::type_named(type_text);
    if (!type) {
      print_error(
          fmt::format("--field {}={}: there is no type \"{}\"; types are text, number, boolean, "
                      "timestamp and date",
                      name, type_text, type_text));
      return kExitUsage;
    }
    known.catalogue.fields.push_back({name, *type, ""});
    known.fields = true;
  }
  if (known.fields) {
    return kExitDone;
  }
  HttpClient http(options.server.value_or(kUsualServer));
  auto reply = http.get("/api/fields");
  const bool learnt = reply && reply.value().ok() && read_catalogue(reply.value().body, known);
  if (learnt || !options.server) {
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

std::vector<lang::Diagnostic> diagnose_text(const std::string& text, const Known& known) {
  lang::Analysis analysis = lang::analyse(text, known.catalogue);
  if (!known.fields) {
    std::erase_if(analysis.diagnostics,
                  [](const lang::Diagnostic& d) { return d.code == "unknown-field"; });
  }
  return std::move(analysis.diagnostics);
}

}  // namespace

int check_files(const CheckOptions& options) {
  Known known;
  if (const int code = learn(options, known); code != kExitDone) {
    return code;
  }
  bool wrong = false;
  SortedJson all = SortedJson::array();
  for (const std::string& file : options.files) {
    auto text = read_whole_file(file);
    if (!text) {
      print_error(text.error().message);
      wrong = true;
      continue;
    }
    const auto diagnostics = diagnose_text(text.value(), known);
    wrong = wrong || lang::has_errors(diagnostics);
    if (options.json) {
      for (auto& item : SortedJson::parse(lang::to_json(diagnostics, file))) {
        all.push_back(std::move(item));
      }
      continue;
    }
    for (const lang::Diagnostic& diagnostic : diagnostics) {
      fmt::print(stderr, "{}", lang::render(diagnostic, file, text.value(), colour_on_errors()));
    }
    const auto errors = std::count_if(diagnostics.begin(), diagnostics.end(), [](const auto& d) {
      return d.severity == lang::Severity::kError;
    });
    const auto warnings = static_cast<std::int64_t>(diagnostics.size()) - errors;
    fmt::print("{}: {}{}\n", file, errors == 0 ? "no errors" : counted(errors, "error", "errors"),
               warnings == 0 ? "" : ", " + counted(warnings, "warning", "warnings"));
  }
  if (options.json) {
    fmt::print("{}\n", all.dump());
  } else if (!known.fields) {
    fmt::print(stderr,
               "note: no server answers at {}, so names of fields were not checked; name one by "
               "--server, or the "
               "fields by --field NAME=TYPE\n",
               kUsualServer);
  }
  return wrong ? kExitWrong : kExitDone;
}

int format_files(const FormatOptions& options) {
  int code = kExitDone;
  for (const std::string& file : options.files) {
    auto text = read_whole_file(file);
    if (!text) {
      print_error(text.error().message);
      code = kExitWrong;
      continue;
    }
    const lang::Parsed parsed = lang::parse(text.value());
    if (!parsed.ok()) {
      for (const lang::Diagnostic& diagnostic : parsed.diagnostics) {
        fmt::print(stderr, "{}", lang::render(diagnostic, file, text.value(), colour_on_errors()));
      }
      code = kExitWrong;
      continue;
    }
    const std::string formatted = lang::format(parsed.track);
    if (options.check) {
      if (formatted != text.value()) {
        fmt::print(stderr, "{}: is not formatted; run `turnout fmt {}`\n", file, file);
        code = kExitWrong;
      }
    } else if (file == "-") {
      fmt::print("{}", formatted);
    } else if (formatted != text.value()) {
      if (auto written = replace_file(file, formatted); !written) {
        print_error(written.error().message);
        code = kExitWrong;
        continue;
      }
      fmt::print("{}: formatted\n", file);
    }
  }
  return code;
}

int make_key(const std::string& file) {
  auto key = link::generate_key_file(file);
  if (!key) {
    print_error(key.error().message);
    return kExitWrong;
  }
  fmt::print(
      "{}: new group key {}; copy it to every peer, readable by nobody else, and set "
      "group.key_file\n",
      file, key.value().id);
  return kExitDone;
}

}  // namespace turnout::cli
