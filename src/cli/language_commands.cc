// `turnout check`, `turnout fmt`, `turnout keygen`.

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/files.h"
#include "cli/http_client.h"
#include "cli/known_names.h"
#include "cli/screen.h"
#include "lang/checker.h"
#include "lang/formatter.h"
#include "lang/parser.h"
#include "link/key.h"

namespace turnout::cli {
namespace {

using SortedJson = nlohmann::json;

}  // namespace

int check_files(const CheckOptions& options) {
  bool wrong = false;
  bool all_known = true;
  SortedJson all = SortedJson::array();
  for (const std::string& file : options.files) {
    auto text = read_whole_file(file);
    if (!text) {
      print_error(text.error().message);
      wrong = true;
      continue;
    }
    KnownNames known;
    if (const int code = known.learn(options.known, file); code != kExitDone) {
      return code;
    }
    all_known = all_known && known.fields;
    const auto diagnostics = known.analyse(text.value()).diagnostics;
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
  } else if (!all_known) {
    fmt::print(stderr,
               "note: no server answers at {}, so names of fields were not checked; name one by "
               "--server, or the "
               "fields by --field NAME=TYPE or in a file fields.toml beside the track\n",
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
