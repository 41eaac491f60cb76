#pragma once

// What planning and publishing tracks have in common: asking a server about one file.

#include <map>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace turnout::cli {

class HttpClient;

// Step that is gone → step that its contacts go to, or nothing to stop them.
using StepMap = std::map<std::string, std::optional<std::string>>;

// One track file, and what a server says about it.
struct TrackFile {
  std::string path;
  std::string text;
  StepMap map;
  bool reschedule = false;
  nlohmann::ordered_json answer;  // of the server, see docs/api.md
  std::string body;               // the same as it came

  bool accepted() const { return answer.value("accepted", false); }
  std::string track() const { return answer.value("track", ""); }
};

// Sends a request about the file; its answer is the file's then. The exit code: kExitDone when
// there is one about it, whether accepted or not; else the error has been said.
int send_track(HttpClient& http, const std::string& path, const nlohmann::ordered_json& request,
               TrackFile& file);
// Sends the file to be published, or only to be planned.
int publish_track(HttpClient& http, TrackFile& file, bool plan);

// Says what the server's diagnostics say, beside the text that they are about.
void show_diagnostics(const TrackFile& file);
// Says which steps are gone and hold contacts that have nowhere to go.
void show_homeless(const TrackFile& file);

}  // namespace turnout::cli
