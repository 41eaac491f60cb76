#include "cli/command_line.h"

#include <cstdlib>

#include "cli/http_client.h"

namespace turnout::cli {
namespace {

std::string usual_server() {
  const char* const named = std::getenv("TURNOUT_SERVER");  // NOLINT(concurrency-mt-unsafe)
  return named == nullptr || *named == '\0' ? kUsualServer : named;
}

void add_ask(CLI::App& command, Line& line, bool json) {
  command.add_option("--server", line.ask.server, "address of a server (TURNOUT_SERVER)")
      ->capture_default_str();
  if (json) {
    command.add_flag("--json", line.ask.json, "print JSON");
  }
}

void add_watched(CLI::App& command, Line& line) {
  add_ask(command, line, true);
  command
      .add_flag("-w,--watch{1}", line.ask.watch,
                "ask again every second, or with --watch=SECONDS every so many, until ended")
      ->check(CLI::Range(0.1, 3600.0));
}

void add_import(CLI::App& app, Line& line) {
  CLI::App& command = *app.add_subcommand(
      "import", "Load contacts from a CSV file; bad lines are said and left out");
  command.add_option("FILE", line.import.file, "file, or - for standard input")->required();
  command.add_option(
      "--key", line.key,
      "what tells contacts apart: \"{column}\", \"client-{row:05}\" (else the column \"key\")");
  command.add_option(
      "--email", line.email,
      "their address: \"{column}\", \"{key}@example.com\" (else the column \"email\")");
  command
      .add_option("--type", line.import_types,
                  "FIELD=TYPE: text, number, boolean, timestamp or date (else guessed)")
      ->take_all();
  command.add_option("--rename", line.import_renames, "COLUMN=FIELD: another name for a column")
      ->take_all();
  command.add_option("--skip", line.import.skip, "COLUMN that is not imported")->take_all();
  command.add_option("--delimiter", line.delimiter,
                     "one character, or \"tab\" (else found by looking)");
  command.add_flag("--strict", line.import.strict, "stop at the first bad line");
  add_ask(command, line, true);
}

// Where a command learns which fields, templates and webhooks there are.
void add_known(CLI::App& command, Line& line) {
  command.add_option("--server", line.known_server,
                     "check names of fields, templates and webhooks against this server; else "
                     "against fields.toml beside the track");
  command
      .add_option("--field", line.known_fields,
                  "FIELD=TYPE: a field that there is, instead of asking a server")
      ->take_all();
}

void add_language(CLI::App& app, Line& line) {
  CLI::App& check = *app.add_subcommand("check", "Say what is wrong with tracks");
  check.add_option("FILE", line.check.files, "files")->required();
  add_known(check, line);
  check.add_flag("--json", line.check.json, "print JSON");

  CLI::App& test = *app.add_subcommand("test", "Run the tests that stand beside tracks");
  test.add_option("FILE", line.test.files, "files")->required();
  add_known(test, line);
  test.add_option("--junit", line.junit, "write the results to this file as JUnit XML, too");

  CLI::App& dry =
      *app.add_subcommand("try", "Show a contact's way through a track, without a server");
  dry.add_option("FILE", line.dry.file, "track")->required();
  dry.add_option("--contact", line.dry.contact,
                 "fields as a JSON object: '{\"score\": 55, \"tags\": [\"vip\"]}'");
  dry.add_option("--at", line.dry.at,
                 "time at which it begins, such as 2026-12-01T09:00:00Z (now)");
  dry.add_option("--until", line.dry.until, "how long it goes on (365 days; 30 against a server)");
  dry.add_option("--set", line.dry.set, "FIELD=VALUE@DURATION: a change on the way")->take_all();
  dry.add_option("--event", line.dry.events, "'NAME {\"size\": 3}@DURATION': an event on the way")
      ->take_all();
  dry.add_flag("--anyhow", line.dry.anyhow, "put it on the track though no `gather` takes it");
  dry.add_option("--against", line.against,
                 "instead of one contact, take all of a server: its address, or \"server\" for the "
                 "usual one; nothing is written");
  add_known(dry, line);
  dry.add_flag("--json", line.dry.json, "print JSON");

  CLI::App& explain = *app.add_subcommand(
      "explain", "Show what a track would do: fields, SQL, timers, what wakes whom");
  explain.add_option("FILE", line.explain.file, "track")->required();
  add_known(explain, line);
  explain.add_flag("--json", line.explain.json, "print JSON");

  CLI::App& format = *app.add_subcommand("fmt", "Lay tracks out as they should be");
  format.add_option("FILE", line.format.files, "files, or - for standard input to standard output")
      ->required();
  format.add_flag("--check", line.format.check, "change nothing; exit 1 if something would change");

  CLI::App& lsp = *app.add_subcommand(
      "lsp", "Tell an editor about tracks: a language server on standard input and output");
  lsp.add_flag("--stdio")->description("what it does anyway; some editors say so");
  add_known(lsp, line);

  CLI::App& convert = *app.add_subcommand(
      "convert", "Turn a track's text into JSON, or JSON into text; nothing is lost");
  convert.add_option("FILE", line.convert.files, "files, or - for standard input");
  CLI::Option* const to = convert.add_option("--to", line.convert.to, "json or track")
                              ->check(CLI::IsMember({"json", "track"}));
  convert.add_option("--output", line.convert.output, "FILE to write instead of printing");
  convert.add_flag("--compact", line.convert.compact, "JSON on one line");
  convert.add_flag("--schema", line.convert.schema, "print the JSON Schema of the JSON form")
      ->excludes(to);

  CLI::App& graph = *app.add_subcommand("graph", "Draw a track as a picture");
  graph.add_option("FILE", line.graph.file, "track, or - for standard input")->required();
  graph.add_option("--svg", line.graph.svg, "FILE to write, or - for standard output")
      ->capture_default_str();
}

// Tracks as files against a server.
void add_track_files(CLI::App& app, Line& line) {
  for (const auto& [name, what] :
       {std::pair("plan", "Say what publishing tracks would change, and who waits where"),
        std::pair("apply", "Publish tracks: all of them, or none when one cannot be")}) {
    CLI::App& command = *app.add_subcommand(name, what);
    command.add_option("PATH", line.apply.paths, "track files, or folders of them")->required();
    command
        .add_option("--map", line.apply_map,
                    "OLD=NEW: where contacts on a step that is gone go; OLD= stops them")
        ->take_all();
    command.add_flag("--reschedule", line.apply.reschedule,
                     "who waits for a time now waits for the one that the new version says");
    add_ask(command, line, true);
  }

  CLI::App& pull = *app.add_subcommand("pull", "Write the published tracks into files");
  pull.add_option("FOLDER", line.pull.folder, "where to")->capture_default_str();
  pull.add_option("--track", line.pull.tracks, "NAME of one; else all")->take_all();
  pull.add_flag("--force", line.pull.force, "write over files that differ");
  add_ask(pull, line, false);
}

void add_render(CLI::App& app, Line& line) {
  CLI::App& command =
      *app.add_subcommand("render", "Show what a template of an e-mail or webhook body makes");
  command.add_option("FILE", line.render.file, "template, or - for standard input")->required();
  CLI::Option* const contact = command.add_option(
      "--contact", line.render.contact, "fields as a JSON object: '{\"first_name\": \"Ada\"}'");
  command.add_option("--data", line.render.data, "FILE with such an object")->excludes(contact);
  CLI::Option* const html = command.add_flag(
      "--html", line.render.html, "values are escaped for HTML (else so for *.html only)");
  command.add_flag("--text", line.render.text, "values are written as they are")->excludes(html);
  command.add_option("--zone", line.render.zone, "time zone that times are written in (UTC)");
  command.add_option("--now", line.render.now,
                     "time that \"now\" means, such as 2026-12-01T09:00:00Z");
}

void add_event(CLI::App& app, Line& line) {
  CLI::App& command = *app.add_subcommand("event", "Say that a contact did something");
  command.add_option("KEY", line.event.key, "the contact's key; a new contact is made")->required();
  command.add_option("NAME", line.event.name, "what it did, such as order.placed")->required();
  command.add_option("--with", line.event.with, "properties as a JSON object");
  command.add_option("--id", line.event.id, "its id, so that it is recorded once");
  command.add_option("--source", line.event.source, "whose id that is")->capture_default_str();
  add_ask(command, line, false);
}

void add_questions(CLI::App& app, Line& line) {
  add_watched(*app.add_subcommand("peers", "List the peers of the group"), line);
  add_watched(*app.add_subcommand("tracks", "List the tracks"), line);

  CLI::App& report =
      *app.add_subcommand("report", "Say where a track's contacts are and what was sent");
  report.add_option("TRACK", line.name, "its name")->required();
  add_ask(report, line, true);

  CLI::App& why = *app.add_subcommand("why", "Say what a contact did on its tracks, and why");
  why.add_option("KEY", line.name, "the contact's key")->required();
  add_ask(why, line, true);

  CLI::App& outbox = *app.add_subcommand("outbox", "List e-mails and webhooks");
  outbox.add_option("--state", line.state,
                    "only those waiting, sending, sent, failed, uncertain, withdrawn or capped");
  outbox.add_option("--limit", line.outbox.limit, "at most so many")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  add_ask(outbox, line, true);

  for (const auto& [name, what] :
       {std::pair("pause", "Pause a track"), std::pair("resume", "Let a paused track go on")}) {
    CLI::App& command = *app.add_subcommand(name, what);
    command.add_option("TRACK", line.name, "its name")->required();
    add_ask(command, line, false);
  }
}

void add_simulate(CLI::App& app, Line& line) {
  SimulateOptions& to = line.simulate;
  CLI::App& command = *app.add_subcommand(
      "simulate", "Plan a group: how soon it recovers and what it costs, in virtual time");
  command.add_option("--peers", to.peers, "servers")->capture_default_str();
  command.add_option("--tracks", to.tracks, "tracks that they own")->capture_default_str();
  command.add_option("--profile", to.profile,
                     "lan (default), wan or slow: a cycle of 1, 15 or 30 s; messages of 1, 50 or "
                     "250 ms");
  command.add_option("--cycle", to.cycle, "period of the advertisements, 50ms to 120s");
  command.add_option("--miss-limit", to.miss_limit, "cycles of silence that count as an end")
      ->capture_default_str();
  command.add_option("--latency", to.latency, "time that a message takes, such as 20ms");
  command.add_option("--loss", to.loss, "share of the messages that never arrive, such as 2%");
  command.add_option("--kill", to.kill, "peers to be hit at once: 3, or 5%");
  command
      .add_option("--how", to.how,
                  "what hits them: kill, stop (they stand still), cut (no network) or leave")
      ->capture_default_str();
  CLI::Option* const cycles = command.add_option(
      "--cycles", to.cycles, "go on for so many afterwards (else until all is well again)");
  command.add_option("--minutes", to.minutes, "likewise, minutes of virtual time")
      ->excludes(cycles);
  command.add_option("--seed", to.seed, "another one draws other peers and times")
      ->capture_default_str();
  command.add_option("--svg", to.svg, "FILE for a picture");
  command.add_flag("--json", to.json, "print JSON");
}

void add_servers(CLI::App& app, Line& line) {
  CLI::App& serve_command =
      *app.add_subcommand("serve", "Run a peer; without a configuration, alone on turnout.db here");
  serve_command.add_option("--config", line.config,
                           "TOML file (TURNOUT_CONFIG; else turnout.toml if there is one)");
  CLI::App& demo_command = *app.add_subcommand(
      "demo", "Show the main job: three peers, real contacts, the owner killed");
  demo_command.add_option("--database", line.demo_database, "sqlite (default) or postgresql")
      ->check(CLI::IsMember({"sqlite", "postgresql"}));
  CLI::App& keygen = *app.add_subcommand("keygen", "Make the key that the peers of a group share");
  keygen.add_option("FILE", line.key_file, "file to write; never overwritten")->required();
}

}  // namespace

void declare_commands(CLI::App& app, Line& line) {
  line.ask.server = usual_server();
  add_servers(app, line);
  add_import(app, line);
  add_language(app, line);
  add_track_files(app, line);
  add_render(app, line);
  add_event(app, line);
  add_questions(app, line);
  add_simulate(app, line);
}

}  // namespace turnout::cli
