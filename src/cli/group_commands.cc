// `turnout peers` and `turnout tracks`: the group as one server sees it, once or again and again.

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <thread>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/ask.h"
#include "cli/exit_codes.h"
#include "cli/http_client.h"
#include "cli/screen.h"

namespace turnout::cli {
namespace {

// "250 ms", "4.2 s", "3 min".
std::string span_text(std::int64_t milliseconds) {
  if (milliseconds < 1'000) {
    return fmt::format("{} ms", milliseconds);
  }
  const double seconds = static_cast<double>(milliseconds) / 1'000;
  return seconds < 120 ? fmt::format("{:.3g} s", seconds) : fmt::format("{:.0f} min", seconds / 60);
}

std::string span_cell(const Json& object, const char* name, const char* none) {
  return object.contains(name) && object[name].is_number_integer()
             ? span_text(object[name].get<std::int64_t>())
             : none;
}

std::string peers_text(const Json& answer) {
  Table table({{"peer"},
               {"state"},
               {"role"},
               {"fit"},
               {"heard", Align::kRight},
               {"cycle", Align::kRight},
               {"tracks", Align::kRight},
               {"slots", Align::kRight},
               {"backlog", Align::kRight},
               {"blocks", Align::kRight},
               {"catalogue", Align::kRight},
               {"address"}});
  for (const Json& peer : answer.at("peers")) {
    const bool master = peer.value("master", false);
    const std::string role =
        master ? fmt::format("master, epoch {}", cell(answer, "master_epoch")) : "";
    table.add({cell(peer, "name"), cell(peer, "state"), role, cell(peer, "fit"),
               peer.value("self", false) ? "self" : span_cell(peer, "heard_ms", "never"),
               span_cell(peer, "cycle_ms", "–"), cell(peer, "tracks_owned"), cell(peer, "slots"),
               cell(peer, "backlog"), cell(peer, "blocks"), cell(peer, "catalogue"),
               cell(peer, "address")});
  }
  std::string text = table.text(colour_on_output());
  if (answer.at("master").is_null()) {
    text += "no master: nothing is claimed and no deliveries are handed out\n";
  }
  return text;
}

std::string tracks_text(const Json& answer) {
  Table table({{"track"},
               {"version", Align::kRight},
               {"state"},
               {"owner"},
               {"epoch", Align::kRight},
               {"ready", Align::kRight},
               {"out", Align::kRight}});
  for (const Json& track : answer.at("tracks")) {
    table.add({cell(track, "name"), cell(track, "version"),
               track.value("active", true) ? "active" : "paused", cell(track, "owner"),
               cell(track, "epoch"), cell(track, "ready"), cell(track, "out")});
  }
  return table.empty() ? "no tracks yet; publish one with `turnout apply FILE`\n"
                       : table.text(colour_on_output());
}

// Draws over what stood there, line by line, so that nothing flickers.
std::string over_the_last(const std::string& text) {
  std::string out = "\x1b[H";
  for (const char c : text) {
    out += c == '\n' ? "\x1b[K\n" : std::string(1, c);
  }
  return out + "\x1b[J";
}

// Asks until the process is ended; a server that does not answer is asked again. On a terminal the
// picture stays in its place; elsewhere one follows the other.
int watch(const AskOptions& options, const std::string& path, std::string (*show)(const Json&)) {
  const bool terminal = isatty(STDOUT_FILENO) == 1 && !options.json;
  HttpClient http(options.server);
  if (terminal) {
    fmt::print("\x1b[2J");
  }
  for (;;) {
    const Told told = ask_once(http, path, options.json, show);
    if (told.code == kExitUsage || told.code == kExitWrong) {
      return fail(told.code, told.text);
    }
    if (told.code != kExitDone && !terminal) {
      print_error(told.text);
    } else {
      const std::string text = told.code == kExitDone ? told.text : printable(told.text) + "\n";
      fmt::print("{}", terminal ? over_the_last(text) : text);
      if (std::fflush(stdout) != 0) {
        return kExitDone;  // nobody reads any more
      }
    }
    std::this_thread::sleep_for(std::chrono::duration<double>(options.watch));
  }
}

int ask_or_watch(const AskOptions& options, const std::string& path,
                 std::string (*show)(const Json&)) {
  return options.watch > 0 ? watch(options, path, show) : ask(options, path, show);
}

}  // namespace

int list_peers(const AskOptions& options) {
  return ask_or_watch(options, "/api/peers", peers_text);
}

int list_tracks(const AskOptions& options) {
  return ask_or_watch(options, "/api/tracks", tracks_text);
}

}  // namespace turnout::cli
