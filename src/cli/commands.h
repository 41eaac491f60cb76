#pragma once

// The commands. Each takes what its command line said, writes to standard output and error, and
// returns the exit code.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/import_plan.h"
#include "cli/known_names.h"
#include "cli/simulate.h"

namespace turnout::cli {

struct AskOptions {
  std::string server;
  bool json = false;
  double watch = 0;  // seconds between two askings of peers and tracks; 0: ask once
};

int import_file(const ImportOptions& options);

// What a contact did.
struct EventOptions {
  AskOptions ask;
  std::string key;
  std::string name;
  std::string with;  // properties as a JSON object, or ""
  std::string source = "command line";
  std::string id;  // with `source`, what tells it from others; "": it is another
};
int record_event(const EventOptions& options);

struct CheckOptions {
  std::vector<std::string> files;
  KnownFrom known;
  bool json = false;
};
int check_files(const CheckOptions& options);

struct TestOptions {
  std::vector<std::string> files;
  KnownFrom known;
  std::optional<std::string> junit;  // file to write as well
};
int test_tracks(const TestOptions& options);

struct TryOptions {
  std::string file;
  KnownFrom known;
  std::string contact = "{}";       // fields as a JSON object; "tags" may be a list
  std::optional<std::string> at;    // when the clock begins; none: now
  std::string until;                // how far it runs; "": 365 days, against a server 30
  std::vector<std::string> set;     // FIELD=VALUE@DURATION: changes on the way
  std::vector<std::string> events;  // NAME {…}@DURATION: what it does on the way
  bool anyhow = false;              // also a contact that nothing gathers
  bool json = false;
};
int try_track(const TryOptions& options);
// Plays it over all contacts of a server instead.
int backtest_track(const TryOptions& options, const std::string& server);

struct ExplainOptions {
  std::string file;
  KnownFrom known;
  bool json = false;
};
int explain_track(const ExplainOptions& options);

struct FormatOptions {
  std::vector<std::string> files;  // "-": standard input to standard output
  bool check = false;
};
int format_files(const FormatOptions& options);

struct EditorOptions {
  KnownFrom known;
  std::string version;  // of this program
};
// A language server on standard input and output, until the editor ends it.
int serve_editor(const EditorOptions& options);

struct ConvertOptions {
  std::vector<std::string> files;     // "-": standard input
  std::string to;                     // "json" or "track"
  std::optional<std::string> output;  // instead of standard output
  bool compact = false;               // JSON on one line
  bool schema = false;                // only print the JSON Schema
};
int convert_files(const ConvertOptions& options);

struct GraphOptions {
  std::string file;       // "-": standard input
  std::string svg = "-";  // where the picture goes; "-": standard output
};
int draw_graph(const GraphOptions& options);

int make_key(const std::string& file);

struct RenderCommand {
  std::string file;                    // "-": standard input
  std::optional<std::string> contact;  // a JSON object
  std::optional<std::string> data;     // a file with one; "-": standard input
  bool html = false;                   // neither: by the file's name
  bool text = false;
  std::optional<std::string> zone;  // that times are written in; UTC
  std::optional<std::string> now;   // what the template takes for the present
};
int render_file(const RenderCommand& command);

struct ApplyOptions {
  std::vector<std::string> paths;                         // track files, and folders of them
  std::map<std::string, std::optional<std::string>> map;  // step → step, or nothing to stop there
  bool reschedule = false;  // who waits for a time waits for that of the new version
  AskOptions ask;
};
// Publishes all, or none when one of them cannot be.
int apply_tracks(const ApplyOptions& options);
// Says what that would do.
int plan_tracks(const ApplyOptions& options);

struct PullOptions {
  std::string folder = ".";
  std::vector<std::string> tracks;  // names; none: all
  bool force = false;               // files that differ are written over
  AskOptions ask;
};
int pull_tracks(const PullOptions& options);

int list_peers(const AskOptions& options);
int list_tracks(const AskOptions& options);
int show_report(const AskOptions& options, const std::string& track);
int explain_contact(const AskOptions& options, const std::string& key);
int set_track_active(const AskOptions& options, const std::string& track, bool active);

struct OutboxOptions {
  AskOptions ask;
  std::optional<std::string> state;
  int limit = 100;
};
int list_outbox(const OutboxOptions& options);

// A group in virtual time; simulate.h says what of it.
int simulate(const SimulateOptions& options);

int serve(const std::optional<std::string>& config);

// Replaces this process by the demo's script. `database`: "sqlite" or "postgresql".
int run_demo(const std::string& database);

// The whole program: what main() calls.
int run_program(int argc, char** argv);

}  // namespace turnout::cli
