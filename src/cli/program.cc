// The command line.

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/config.h"
#include "cli/exit_codes.h"
#include "cli/http_client.h"
#include "cli/screen.h"
#include "cli/server.h"

namespace turnout::cli {
namespace {

constexpr const char* kVersion = "0.1.0";

// Splits "A=B" options; an empty B is allowed where `empty` is.
int split_pairs(const std::vector<std::string>& pairs, const char* option, bool empty,
                std::map<std::string, std::string>& out) {
  for (const std::string& pair : pairs) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0 || (!empty && equals + 1 == pair.size())) {
      fmt::print(stderr, "error: {} {}: write {} A=B\n", option, printable(pair), option);
      return kExitUsage;
    }
    out[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  return kExitDone;
}

int run_import(Line& line) {
  line.import.server = line.ask.server;
  line.import.json = line.ask.json;
  line.import.key = line.key.empty() ? std::nullopt : std::optional(line.key);
  line.import.email = line.email.empty() ? std::nullopt : std::optional(line.email);
  if (line.delimiter == "tab" || line.delimiter == "\\t") {
    line.import.delimiter = '\t';
  } else if (line.delimiter.size() == 1 && line.delimiter != "\"") {
    line.import.delimiter = line.delimiter[0];
  } else if (!line.delimiter.empty()) {
    fmt::print(stderr, "error: --delimiter {}: must be one character, or tab\n",
               printable(line.delimiter));
    return kExitUsage;
  }
  if (const int code = split_pairs(line.import_types, "--type", false, line.import.types);
      code != kExitDone) {
    return code;
  }
  if (const int code = split_pairs(line.import_renames, "--rename", false, line.import.rename);
      code != kExitDone) {
    return code;
  }
  return import_file(line.import);
}

int read_known(Line& line) {
  const char* const named = std::getenv("TURNOUT_SERVER");  // NOLINT(concurrency-mt-unsafe)
  if (!line.known_server.empty()) {
    line.known.server = line.known_server;
  } else if (named != nullptr && *named != '\0') {
    line.known.usual = named;
  }
  return split_pairs(line.known_fields, "--field", false, line.known.fields);
}

// A command that looks at a track with the names that are known.
template <class Options>
int run_known(Line& line, Options& options, int (*command)(const Options&)) {
  if (const int code = read_known(line); code != kExitDone) {
    return code;
  }
  options.known = line.known;
  return command(options);
}

int run_tests(Line& line) {
  if (const int code = read_known(line); code != kExitDone) {
    return code;
  }
  line.test.known = line.known;
  if (!line.junit.empty()) {
    line.test.junit = line.junit;
  }
  return test_tracks(line.test);
}

int run_try(Line& line) {
  if (line.dry.until.empty()) {
    line.dry.until = line.against.empty() ? "365 days" : "30 days";
  }
  if (line.against.empty()) {
    return run_known(line, line.dry, try_track);
  }
  return backtest_track(line.dry, line.against == "server" ? line.ask.server : line.against);
}

int run_lsp(Line& line) {
  if (const int code = read_known(line); code != kExitDone) {
    return code;
  }
  return serve_editor({line.known, kVersion});
}

int run_apply(Line& line, int (*command)(const ApplyOptions&)) {
  line.apply.ask = line.ask;
  std::map<std::string, std::string> pairs;
  if (const int code = split_pairs(line.apply_map, "--map", true, pairs); code != kExitDone) {
    return code;
  }
  for (const auto& [from, to] : pairs) {
    line.apply.map[from] = to.empty() ? std::nullopt : std::optional(to);
  }
  return command(line.apply);
}

int run_outbox(Line& line) {
  line.outbox.ask = line.ask;
  line.outbox.state = line.state.empty() ? std::nullopt : std::optional(line.state);
  return list_outbox(line.outbox);
}

int run_pull(Line& line) {
  line.pull.ask = line.ask;
  return pull_tracks(line.pull);
}

int dispatch(const std::string& command, Line& line) {
  using Run = int (*)(Line&);
  static const std::map<std::string, Run> runs = {
      {"serve",
       [](Line& l) { return serve(l.config.empty() ? std::nullopt : std::optional(l.config)); }},
      {"demo", [](Line& l) { return run_demo(l.demo_database); }},
      {"import", run_import},
      {"check", [](Line& l) { return run_known(l, l.check, check_files); }},
      {"test", run_tests},
      {"try", run_try},
      {"explain", [](Line& l) { return run_known(l, l.explain, explain_track); }},
      {"fmt", [](Line& l) { return format_files(l.format); }},
      {"lsp", run_lsp},
      {"convert", [](Line& l) { return convert_files(l.convert); }},
      {"graph", [](Line& l) { return draw_graph(l.graph); }},
      {"keygen", [](Line& l) { return make_key(l.key_file); }},
      {"render", [](Line& l) { return render_file(l.render); }},
      {"plan", [](Line& l) { return run_apply(l, plan_tracks); }},
      {"apply", [](Line& l) { return run_apply(l, apply_tracks); }},
      {"pull", run_pull},
      {"simulate", [](Line& l) { return simulate(l.simulate); }},
      {"peers", [](Line& l) { return list_peers(l.ask); }},
      {"tracks", [](Line& l) { return list_tracks(l.ask); }},
      {"report", [](Line& l) { return show_report(l.ask, l.name); }},
      {"why", [](Line& l) { return explain_contact(l.ask, l.name); }},
      {"event",
       [](Line& l) {
         l.event.ask = l.ask;
         return record_event(l.event);
       }},
      {"outbox", run_outbox},
      {"pause", [](Line& l) { return set_track_active(l.ask, l.name, false); }},
      {"resume", [](Line& l) { return set_track_active(l.ask, l.name, true); }},
  };
  return runs.at(command)(line);
}

}  // namespace

int serve(const std::optional<std::string>& config) {
  const ConfigAnswer answer = load_config(config, process_environment());
  for (const ConfigProblem& problem : answer.problems) {
    fmt::print(stderr, "{}", render(problem));
  }
  return answer.ok()
             ? run_server(answer.config, [&] { return load_config(config, process_environment()); })
             : kExitWrong;
}

int run_program(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // NOLINT: a closed pipe is an error of write, no reason to die
  CLI::App app("Turnout runs decision tracks over contacts on a group of peers.", "turnout");
  app.set_version_flag("--version", std::string("turnout ") + kVersion);
  app.require_subcommand(1);
  Line line;
  declare_commands(app, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitDone : kExitUsage;
  }
  return dispatch(app.get_subcommands().front()->get_name(), line);
}

}  // namespace turnout::cli
