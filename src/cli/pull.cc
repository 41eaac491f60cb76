// `turnout pull`: the published tracks as files.

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/files.h"
#include "cli/http_client.h"
#include "cli/screen.h"
#include "lang/parser.h"

namespace turnout::cli {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

// "Trial welcome" → "trial-welcome".
std::string file_stem(const std::string& track) {
  std::string stem;
  for (const char c : track) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || byte >= 0x80) {
      stem += static_cast<char>(std::tolower(byte));
    } else if (!stem.empty() && stem.back() != '-') {
      stem += '-';
    }
  }
  while (!stem.empty() && stem.back() == '-') {
    stem.pop_back();
  }
  return stem.empty() ? "track" : stem;
}

// The files of the folder by the name of the track within.
std::map<std::string, std::string> tracks_in(const std::string& folder) {
  std::map<std::string, std::string> found;
  const auto files = find_track_files({folder});
  if (!files) {
    return found;  // none yet
  }
  for (const std::string& file : files.value()) {
    if (const auto text = read_whole_file(file)) {
      found.emplace(lang::parse(text.value()).track.name.text, file);
    }
  }
  return found;
}

class Pull {
 public:
  Pull(HttpClient& http, const PullOptions& options)
      : http_(http), options_(options), known_(tracks_in(options.folder)) {}

  int names(std::vector<std::string>& out);
  int one(const std::string& track);

 private:
  std::string path_for(const std::string& track) const;

  HttpClient& http_;
  const PullOptions& options_;
  std::map<std::string, std::string> known_;
};

// The server's answer to `path`, or the exit code.
int ask_for(HttpClient& http, const std::string& path, const char* member, Json& answer) {
  auto reply = http.get(path);
  if (!reply) {
    return fail(kExitUnreachable, reply.error().message);
  }
  if (!reply.value().ok()) {
    return fail(exit_code(reply.value()), error_text(reply.value()));
  }
  answer = Json::parse(reply.value().body, nullptr, false);
  if (!answer.is_object() || !answer.contains(member)) {
    return fail(kExitWrong, http.server() + " is no Turnout server");
  }
  return kExitDone;
}

int Pull::names(std::vector<std::string>& out) {
  if (!options_.tracks.empty()) {
    out = options_.tracks;
    return kExitDone;
  }
  Json answer;
  if (const int code = ask_for(http_, "/api/tracks", "tracks", answer); code != kExitDone) {
    return code;
  }
  for (const Json& track : answer["tracks"]) {
    out.push_back(track.value("name", ""));
  }
  return kExitDone;
}

// Where it is already; else a name that no other file has.
std::string Pull::path_for(const std::string& track) const {
  if (const auto at = known_.find(track); at != known_.end()) {
    return at->second;
  }
  const fs::path folder(options_.folder);
  const std::string stem = file_stem(track);
  fs::path path = folder / (stem + ".track");
  for (int number = 2; fs::exists(path); ++number) {
    path = folder / fmt::format("{}-{}.track", stem, number);
  }
  return path.string();
}

int Pull::one(const std::string& track) {
  Json answer;
  if (const int code = ask_for(http_, "/api/tracks/" + encode_segment(track), "text", answer);
      code != kExitDone) {
    return code;
  }
  const std::string path = path_for(track);
  const std::string text = answer.value("text", "");
  const int version = answer.value("version", 0);
  const bool exists = fs::exists(path);
  const auto before = exists ? read_whole_file(path) : base::Result<std::string>(std::string());
  if (!before) {
    return fail(kExitWrong, before.error().message);
  }
  if (exists && before.value() == text) {
    fmt::print("{}: is version {} of track \"{}\"\n", path, version, printable(track));
    return kExitDone;
  }
  if (exists && !options_.force) {
    return fail(kExitWrong,
                fmt::format("{}: differs from version {} of track \"{}\"; --force writes "
                            "over it, `turnout plan` shows what it would change",
                            path, version, track));
  }
  if (const auto written = replace_file(path, text); !written) {
    return fail(kExitWrong, written.error().message);
  }
  known_.emplace(track, path);
  fmt::print("{}: written, version {} of track \"{}\"\n", path, version, printable(track));
  return kExitDone;
}

}  // namespace

int pull_tracks(const PullOptions& options) {
  std::error_code problem;
  fs::create_directories(options.folder, problem);
  if (!fs::is_directory(options.folder)) {
    return fail(kExitWrong,
                fmt::format("{}: cannot be made: {}", options.folder, problem.message()));
  }
  HttpClient http(options.ask.server);
  Pull pull(http, options);
  std::vector<std::string> names;
  if (const int code = pull.names(names); code != kExitDone) {
    return code;
  }
  int worst = kExitDone;
  for (const std::string& name : names) {
    const int code = pull.one(name);
    if (code == kExitUnreachable) {
      return code;
    }
    worst = std::max(worst, code);
  }
  return worst;
}

}  // namespace turnout::cli
