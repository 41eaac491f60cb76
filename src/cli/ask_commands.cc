// The commands that ask a server: peers, tracks, report, why, outbox, pause, resume.

#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/http_client.h"
#include "cli/screen.h"

namespace turnout::cli {
namespace {

using Json = nlohmann::ordered_json;

// Asks and prints: the server's JSON as it is, or what `show` makes of it.
template <class Show>
int ask(const AskOptions& options, const std::string& path, Show show) {
  HttpClient http(options.server);
  auto reply = http.get(path);
  if (!reply) {
    return fail(reply.error().code == base::ErrorCode::kInvalid ? kExitUsage : kExitUnreachable,
                reply.error().message);
  }
  if (!reply.value().ok()) {
    return fail(exit_code(reply.value()), error_text(reply.value()));
  }
  if (options.json) {
    fmt::print("{}\n", reply.value().body);
    return kExitDone;
  }
  try {
    show(Json::parse(reply.value().body));
  } catch (const Json::exception&) {
    return fail(kExitWrong, fmt::format("{} is no Turnout server", http.server()));
  }
  return kExitDone;
}

// A member as text; "–" where there is none.
std::string cell(const Json& object, const char* name) {
  if (!object.contains(name) || object[name].is_null()) {
    return "–";
  }
  const Json& value = object[name];
  if (value.is_string()) {
    return value.get_ref<const std::string&>().empty() ? "–" : value.get<std::string>();
  }
  if (value.is_boolean()) {
    return value.get<bool>() ? "yes" : "no";
  }
  return value.is_number_integer() ? base::with_thousands(value.get<long long>()) : value.dump();
}

void show_peers(const Json& answer) {
  Table table({{"peer"},
               {"state"},
               {"role"},
               {"fit"},
               {"heard", Align::kRight},
               {"tracks", Align::kRight},
               {"slots", Align::kRight},
               {"backlog", Align::kRight},
               {"blocks", Align::kRight},
               {"address"}});
  for (const Json& peer : answer.at("peers")) {
    const std::string role = peer.value("master", false) ? "master" : "";
    const std::string heard = peer.value("self", false) ? "self"
                              : peer.contains("heard_ms") && !peer["heard_ms"].is_null()
                                  ? fmt::format("{} ms", peer["heard_ms"].get<std::int64_t>())
                                  : "never";
    table.add({cell(peer, "name"), cell(peer, "state"), role, cell(peer, "fit"), heard,
               cell(peer, "tracks_owned"), cell(peer, "slots"), cell(peer, "backlog"),
               cell(peer, "blocks"), cell(peer, "address")});
  }
  fmt::print("{}", table.text(colour_on_output()));
  if (answer.at("master").is_null()) {
    fmt::print("no master: nothing is claimed and no deliveries are handed out\n");
  }
}

void show_tracks(const Json& answer) {
  Table table(
      {{"track"}, {"version", Align::kRight}, {"state"}, {"owner"}, {"epoch", Align::kRight}});
  for (const Json& track : answer.at("tracks")) {
    table.add({cell(track, "name"), cell(track, "version"),
               track.value("active", true) ? "active" : "paused", cell(track, "owner"),
               cell(track, "epoch")});
  }
  fmt::print("{}", table.empty() ? "no tracks yet; publish one with `turnout apply FILE`\n"
                                 : table.text(colour_on_output()));
}

void show_counts(const std::string& title, const Json& counts) {
  if (counts.empty()) {
    return;
  }
  Table table({{title}, {"contacts", Align::kRight}});
  for (const auto& [name, count] : counts.items()) {
    table.add({name, base::with_thousands(count.get<long long>())});
  }
  fmt::print("\n{}", table.text(colour_on_output()));
}

void show_track_report(const Json& answer) {
  fmt::print(
      "{} (version {}): {} entered, {} made\n",
      painted(printable(answer.at("track").get<std::string>()), Colour::kBold, colour_on_output()),
      answer.at("version").get<int>(),
      counted(answer.at("entered").get<std::int64_t>(), "contact", "contacts"),
      counted(answer.at("moves").get<std::int64_t>(), "move", "moves"));
  show_counts("waiting on", answer.at("waiting"));
  show_counts("stopped as", answer.at("stopped"));
  if (answer.at("actions").empty()) {
    return;
  }
  constexpr const char* kStates[] = {"waiting", "sending", "sent", "failed", "uncertain"};
  std::vector<Table::Column> columns = {{"action"}, {"total", Align::kRight}};
  for (const char* const state : kStates) {
    columns.push_back({state, Align::kRight});
  }
  Table table(std::move(columns));
  for (const Json& action : answer.at("actions")) {
    std::vector<std::string> cells = {fmt::format("{} \"{}\"", action.at("kind").get<std::string>(),
                                                  action.at("name").get<std::string>()),
                                      cell(action, "total")};
    for (const char* const state : kStates) {
      cells.push_back(base::with_thousands(action.at("states").value(state, 0LL)));
    }
    table.add(std::move(cells));
  }
  fmt::print("\n{}", table.text(colour_on_output()));
}

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

// "age 61, poutcome "success"".
std::string seen_text(const Json& seen) {
  std::string text;
  if (!seen.is_object()) {
    return text;
  }
  for (const auto& [name, value] : seen.items()) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name,
                        value.is_null() ? "missing" : value.dump());
  }
  return text;
}

void show_why(const Json& answer) {
  const bool colour = colour_on_output();
  fmt::print("{}\n",
             painted(printable(answer.at("key").get<std::string>()), Colour::kBold, colour));
  for (const auto& [name, value] : answer.at("fields").items()) {
    if (!value.is_null()) {
      fmt::print("  {} {}\n", painted(name, Colour::kDim, colour), printable(text_of(value)));
    }
  }
  if (!answer.at("tags").empty()) {
    std::string tags;
    for (const Json& tag : answer["tags"]) {
      tags += (tags.empty() ? "" : ", ") + tag.get<std::string>();
    }
    fmt::print("  {} {}\n", painted("tags", Colour::kDim, colour), printable(tags));
  }
  for (const Json& position : answer.at("positions")) {
    const bool stopped = position.contains("stopped_as");
    fmt::print(
        "\non {} (version {}): {} \"{}\" since {}{}\n", printable(cell(position, "track")),
        cell(position, "version"), stopped ? "stopped as" : "on step",
        printable(cell(position, stopped ? "stopped_as" : "step")), cell(position, "step_at"),
        !stopped && !position.at("due_at").is_null() ? ", due " + cell(position, "due_at") : "");
  }
  for (const Json& move : answer.at("moves")) {
    const std::string rule = move.value("rule_text", "").empty()
                                 ? fmt::format("rule {}", move.at("rule").get<int>() + 1)
                                 : move.at("rule_text").get<std::string>();
    fmt::print("{:>4}  {}  {} → {}  by {}, version {}\n      {}\n", move.at("number").get<int>(),
               cell(move, "at"), printable(cell(move, "from")), printable(cell(move, "to")),
               printable(cell(move, "peer")), cell(move, "version"), printable(rule));
    if (const std::string seen = seen_text(move.at("seen")); !seen.empty()) {
      fmt::print("      {}\n", painted("saw " + printable(seen), Colour::kDim, colour));
    }
  }
}

void show_outbox(const Json& answer) {
  Table table({{"action"},
               {"contact"},
               {"track"},
               {"state"},
               {"attempt", Align::kRight},
               {"due"},
               {"answer"}});
  for (const Json& row : answer.at("outbox")) {
    std::string last = cell(row, "answer");
    table.add({fmt::format("{} \"{}\"", cell(row, "kind"), cell(row, "name")), cell(row, "contact"),
               cell(row, "track"), cell(row, "state"), cell(row, "attempt"), cell(row, "due_at"),
               last});
  }
  fmt::print("{}", table.empty() ? "nothing\n" : table.text(colour_on_output()));
}

}  // namespace

int list_peers(const AskOptions& options) { return ask(options, "/api/peers", show_peers); }

int list_tracks(const AskOptions& options) { return ask(options, "/api/tracks", show_tracks); }

int show_report(const AskOptions& options, const std::string& track) {
  return ask(options, fmt::format("/api/tracks/{}/report", encode_segment(track)),
             show_track_report);
}

int explain_contact(const AskOptions& options, const std::string& key) {
  return ask(options, fmt::format("/api/contacts/{}/why", encode_segment(key)), show_why);
}

int list_outbox(const OutboxOptions& options) {
  return ask(options.ask,
             fmt::format("/api/outbox?limit={}{}", options.limit,
                         options.state ? "&state=" + encode_segment(*options.state) : ""),
             show_outbox);
}

int set_track_active(const AskOptions& options, const std::string& track, bool active) {
  HttpClient http(options.server);
  auto reply = http.post(
      fmt::format("/api/tracks/{}/{}", encode_segment(track), active ? "resume" : "pause"), "");
  if (!reply) {
    return fail(kExitUnreachable, reply.error().message);
  }
  if (!reply.value().ok()) {
    return fail(exit_code(reply.value()), error_text(reply.value()));
  }
  fmt::print("{} {}\n", printable(track), active ? "resumed" : "paused");
  return kExitDone;
}

}  // namespace turnout::cli
