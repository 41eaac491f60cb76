// The commands that ask a server: report, why, outbox, pause, resume.

#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/http_client.h"
#include "cli/screen.h"

namespace turnout::cli {
namespace {

std::string counts_text(const std::string& title, const Json& counts) {
  if (counts.empty()) {
    return {};
  }
  Table table({{title}, {"contacts", Align::kRight}});
  for (const auto& [name, count] : counts.items()) {
    table.add({name, base::with_thousands(count.get<long long>())});
  }
  return fmt::format("\n{}", table.text(colour_on_output()));
}

std::string track_report_text(const Json& answer) {
  std::string text = fmt::format(
      "{} (version {}): {} entered, {} made\n",
      painted(printable(answer.at("track").get<std::string>()), Colour::kBold, colour_on_output()),
      answer.at("version").get<int>(),
      counted(answer.at("entered").get<std::int64_t>(), "contact", "contacts"),
      counted(answer.at("moves").get<std::int64_t>(), "move", "moves"));
  text += counts_text("waiting on", answer.at("waiting"));
  text += counts_text("stopped as", answer.at("stopped"));
  if (answer.at("actions").empty()) {
    return text;
  }
  constexpr const char* kStates[] = {"waiting",   "sending",   "sent",  "failed",
                                     "uncertain", "withdrawn", "capped"};
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
  return text + fmt::format("\n{}", table.text(colour_on_output()));
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

std::string why_text(const Json& answer) {
  const bool colour = colour_on_output();
  std::string text =
      painted(printable(answer.at("key").get<std::string>()), Colour::kBold, colour) + "\n";
  for (const auto& [name, value] : answer.at("fields").items()) {
    if (!value.is_null()) {
      text +=
          fmt::format("  {} {}\n", painted(name, Colour::kDim, colour), printable(text_of(value)));
    }
  }
  if (!answer.at("tags").empty()) {
    std::string tags;
    for (const Json& tag : answer["tags"]) {
      tags += (tags.empty() ? "" : ", ") + tag.get<std::string>();
    }
    text += fmt::format("  {} {}\n", painted("tags", Colour::kDim, colour), printable(tags));
  }
  for (const Json& position : answer.at("positions")) {
    const bool stopped = position.contains("stopped_as");
    text += fmt::format(
        "\non {} (version {}): {} \"{}\" since {}{}\n", printable(cell(position, "track")),
        cell(position, "version"), stopped ? "stopped as" : "on step",
        printable(cell(position, stopped ? "stopped_as" : "step")), cell(position, "step_at"),
        !stopped && !position.at("due_at").is_null() ? ", due " + cell(position, "due_at") : "");
  }
  for (const Json& move : answer.at("moves")) {
    const std::string rule = move.value("rule_text", "").empty()
                                 ? fmt::format("rule {}", move.at("rule").get<int>() + 1)
                                 : move.at("rule_text").get<std::string>();
    text += fmt::format("{:>4}  {}  {} → {}  by {}, version {}\n      {}\n",
                        move.at("number").get<int>(), cell(move, "at"),
                        printable(cell(move, "from")), printable(cell(move, "to")),
                        printable(cell(move, "peer")), cell(move, "version"), printable(rule));
    if (const std::string seen = seen_text(move.at("seen")); !seen.empty()) {
      text += fmt::format("      {}\n", painted("saw " + printable(seen), Colour::kDim, colour));
    }
  }
  for (const Json& event : answer.at("events")) {
    const std::string with = event.at("properties").empty() ? "" : event["properties"].dump();
    text += fmt::format("{}{}  {} {}\n", &event == &answer["events"].front() ? "\ndid\n  " : "  ",
                        cell(event, "at"), printable(cell(event, "event")),
                        painted(printable(with), Colour::kDim, colour));
  }
  return text;
}

std::string outbox_text(const Json& answer) {
  Table table({{"action"},
               {"contact"},
               {"track"},
               {"state"},
               {"attempt", Align::kRight},
               {"due"},
               {"answer"}});
  for (const Json& row : answer.at("outbox")) {
    const std::string last = cell(row, "answer");
    table.add({fmt::format("{} \"{}\"", cell(row, "kind"), cell(row, "name")), cell(row, "contact"),
               cell(row, "track"), cell(row, "state"), cell(row, "attempt"), cell(row, "due_at"),
               last});
  }
  return table.empty() ? "nothing\n" : table.text(colour_on_output());
}

}  // namespace

int show_report(const AskOptions& options, const std::string& track) {
  return ask(options, fmt::format("/api/tracks/{}/report", encode_segment(track)),
             track_report_text);
}

int explain_contact(const AskOptions& options, const std::string& key) {
  return ask(options, fmt::format("/api/contacts/{}/why", encode_segment(key)), why_text);
}

int list_outbox(const OutboxOptions& options) {
  return ask(options.ask,
             fmt::format("/api/outbox?limit={}{}", options.limit,
                         options.state ? "&state=" + encode_segment(*options.state) : ""),
             outbox_text);
}

int record_event(const EventOptions& options) {
  Json event{{"key", options.key}, {"event", options.name}};
  if (!options.id.empty()) {
    event["id"] = options.id;
  }
  if (!options.with.empty()) {
    event["properties"] = Json::parse(options.with, nullptr, false);
    if (!event["properties"].is_object()) {
      return fail(kExitUsage, "--with takes a JSON object, such as '{\"plan\": \"pro\"}'");
    }
  }
  HttpClient http(options.ask.server);
  auto reply = http.post("/api/events",
                         Json{{"source", options.source}, {"events", Json::array({event})}}.dump());
  if (!reply) {
    return fail(kExitUnreachable, reply.error().message);
  }
  if (!reply.value().ok()) {
    return fail(exit_code(reply.value()), error_text(reply.value()));
  }
  const Json answer = Json::parse(reply.value().body, nullptr, false);
  fmt::print("{}\n", answer.value("repeated", 0) > 0   ? "had been recorded before"
                     : answer.value("contacts", 0) > 0 ? "recorded, of a new contact"
                                                       : "recorded");
  return kExitDone;
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
