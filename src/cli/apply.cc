// `turnout plan` and `turnout apply`: track files against a server.

#include <algorithm>
#include <cstdio>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/files.h"
#include "cli/http_client.h"
#include "cli/publishing.h"
#include "cli/screen.h"

namespace turnout::cli {
namespace {

using Json = nlohmann::ordered_json;

bool unchanged(const TrackFile& file) { return file.answer.value("unchanged", false); }

// Plans the file; then, where steps that hold contacts would be gone, with the entries of `map`
// that say where those go.
int plan_one(HttpClient& http, const StepMap& map, TrackFile& file) {
  if (const int code = publish_track(http, file, true); code != kExitDone) {
    return code;
  }
  if (!file.answer.contains("homeless")) {
    return kExitDone;
  }
  for (const auto& [step, contacts] : file.answer["homeless"].items()) {
    if (const auto home = map.find(step); home != map.end()) {
      file.map.insert(*home);
    }
  }
  return file.map.empty() ? kExitDone : publish_track(http, file, true);
}

// Two files of one track would be published over each other.
int check_names(const std::vector<TrackFile>& files) {
  std::map<std::string, std::string> known;
  for (const TrackFile& file : files) {
    if (file.track().empty()) {
      continue;
    }
    const auto [at, is_new] = known.emplace(file.track(), file.path);
    if (!is_new) {
      return fail(kExitWrong, fmt::format("{} and {} are both the track \"{}\"", at->second,
                                          file.path, file.track()));
    }
  }
  return kExitDone;
}

// An entry of --map that nobody needs is a slip of the pen, or has been carried out already.
void warn_of_unused(const StepMap& map, const std::vector<TrackFile>& files) {
  for (const auto& [step, to] : map) {
    if (std::none_of(files.begin(), files.end(),
                     [&step = step](const TrackFile& file) { return file.map.contains(step); })) {
      fmt::print(stderr, "{} --map \"{}\": no contact waits on a step of that name that is gone\n",
                 painted("warning:", Colour::kYellow, colour_on_errors()), printable(step));
    }
  }
}

// All files, planned.
int plan_all(HttpClient& http, const ApplyOptions& options, std::vector<TrackFile>& files) {
  const auto paths = find_track_files(options.paths);
  if (!paths) {
    return fail(kExitWrong, paths.error().message);
  }
  int worst = kExitDone;
  for (const std::string& path : paths.value()) {
    auto text = read_whole_file(path);
    if (!text) {
      worst = fail(kExitWrong, text.error().message);
      continue;
    }
    TrackFile file;
    file.path = path;
    file.text = std::move(text.value());
    file.reschedule = options.reschedule;
    const int code = plan_one(http, options.map, file);
    if (code == kExitUnreachable) {
      return code;
    }
    if (code == kExitDone) {
      files.push_back(std::move(file));
    }
    worst = std::max(worst, code);
  }
  warn_of_unused(options.map, files);
  return std::max(worst, check_names(files));
}

// What becomes of the contacts on a step.
std::string fate(const TrackFile& file, const std::string& step) {
  if (const auto home = file.map.find(step); home != file.map.end()) {
    const std::optional<std::string>& to = home->second;
    return to ? "go to \"" + *to + "\"" : "stop as \"completed\"";
  }
  return file.answer["homeless"].contains(step) ? "have nowhere to go: the step is gone" : "stay";
}

void show_plan(const TrackFile& file) {
  show_diagnostics(file);
  if (!file.answer.contains("version")) {
    fmt::print("{}: cannot be published\n", file.path);
    return;
  }
  const int version = file.answer.value("version", 0);
  std::string what = "is new";
  if (unchanged(file)) {
    what = fmt::format("is unchanged at version {}", version);
  } else if (!file.answer.value("new", false)) {
    what = fmt::format("goes from version {} to {}", version, version + 1);
  }
  fmt::print("{}: track \"{}\" {}\n", file.path, printable(file.track()), what);
  const Json& waiting = file.answer["waiting"];
  if (unchanged(file) || waiting.empty()) {
    return;
  }
  Table table({{"  waiting on"}, {"contacts", Align::kRight}, {"who"}});
  for (const auto& [step, contacts] : waiting.items()) {
    table.add({"  " + step, base::with_thousands(contacts.get<std::int64_t>()), fate(file, step)});
  }
  fmt::print("{}", table.text(colour_on_output()));
}

// Tracks that the server has and no file is of: nothing happens to them.
int show_others(HttpClient& http, const std::vector<TrackFile>& files) {
  auto reply = http.get("/api/tracks");
  if (!reply || !reply.value().ok()) {
    return fail(kExitUnreachable, reply ? error_text(reply.value()) : reply.error().message);
  }
  const Json answer = Json::parse(reply.value().body, nullptr, false);
  if (!answer.is_object() || !answer.contains("tracks")) {
    return fail(kExitWrong, http.server() + " is no Turnout server");
  }
  std::set<std::string> ours;
  for (const TrackFile& file : files) {
    ours.insert(file.track());
  }
  for (const Json& track : answer["tracks"]) {
    if (const std::string name = track.value("name", ""); !ours.contains(name)) {
      fmt::print("track \"{}\" is on the server only, and stays as it is\n", printable(name));
    }
  }
  return kExitDone;
}

int publish_one(HttpClient& http, const ApplyOptions& options, TrackFile& file) {
  if (const int code = publish_track(http, file, false); code != kExitDone) {
    return code;
  }
  if (options.ask.json) {
    fmt::print("{}\n", file.body);
    return file.accepted() ? kExitDone : kExitWrong;
  }
  show_diagnostics(file);
  show_homeless(file);
  if (!file.accepted()) {
    fmt::print(stderr, "{}: not published\n", file.path);
    return kExitWrong;
  }
  fmt::print("{}: track \"{}\" {} version {}\n", file.path, printable(file.track()),
             unchanged(file) ? "is unchanged at" : "published as", file.answer.value("version", 0));
  return kExitDone;
}

// Nothing is published: says why, and which files were to blame.
void show_refused(const ApplyOptions& options, const std::vector<TrackFile>& files) {
  for (const TrackFile& file : files) {
    if (options.ask.json) {
      fmt::print("{}\n", file.body);
      continue;
    }
    if (file.accepted()) {
      continue;
    }
    show_diagnostics(file);
    show_homeless(file);
    fmt::print(stderr, "{}: not published\n", file.path);
  }
  if (files.size() > 1 && !options.ask.json) {
    fmt::print(stderr, "nothing was published\n");
  }
}

bool all_accepted(const std::vector<TrackFile>& files) {
  return std::all_of(files.begin(), files.end(),
                     [](const TrackFile& file) { return file.accepted(); });
}

}  // namespace

int plan_tracks(const ApplyOptions& options) {
  HttpClient http(options.ask.server);
  std::vector<TrackFile> files;
  int code = plan_all(http, options, files);
  if (code == kExitUnreachable) {
    return code;
  }
  for (const TrackFile& file : files) {
    if (options.ask.json) {
      fmt::print("{}\n", file.body);
    } else {
      show_plan(file);
    }
  }
  if (!options.ask.json) {
    code = std::max(code, show_others(http, files));
  }
  return all_accepted(files) ? code : std::max(code, kExitWrong);
}

int apply_tracks(const ApplyOptions& options) {
  HttpClient http(options.ask.server);
  std::vector<TrackFile> files;
  const int planned = plan_all(http, options, files);
  if (planned == kExitUnreachable) {
    return planned;
  }
  if (planned != kExitDone || !all_accepted(files)) {
    show_refused(options, files);
    return std::max(planned, kExitWrong);
  }
  int worst = kExitDone;
  for (TrackFile& file : files) {
    const int code = publish_one(http, options, file);
    if (code == kExitUnreachable) {
      return code;
    }
    worst = std::max(worst, code);
  }
  return worst;
}

}  // namespace turnout::cli
