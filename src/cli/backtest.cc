// `turnout try FILE --against SERVER`: a draft played over the contacts of a server.

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/time.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/files.h"
#include "cli/http_client.h"
#include "cli/publishing.h"
#include "cli/screen.h"

namespace turnout::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kAtOnce = 10'000;  // contacts
constexpr const char* kCounts[] = {"looked_at", "entered", "moves", "capped_contacts", "circling"};

void add_counts(Json& to, const Json& from) {
  for (const auto& [name, count] : from.items()) {
    to[name] = to.value(name, std::int64_t{0}) + count.get<std::int64_t>();
  }
}

// One part's figures on top of those before.
void add_figures(Json& to, const Json& from) {
  if (to.is_null()) {
    to = from;
    return;
  }
  for (const char* const name : kCounts) {
    to[name] = to[name].get<std::int64_t>() + from[name].get<std::int64_t>();
  }
  add_counts(to["stopped"], from["stopped"]);
  add_counts(to["waiting"], from["waiting"]);
  for (const Json& message : from["messages"]) {
    const auto known =
        std::find_if(to["messages"].begin(), to["messages"].end(), [&](const Json& one) {
          return one["kind"] == message["kind"] && one["name"] == message["name"];
        });
    if (known == to["messages"].end()) {
      to["messages"].push_back(message);
      continue;
    }
    add_counts((*known)["days"], message["days"]);
    (*known)["capped"] =
        (*known)["capped"].get<std::int64_t>() + message["capped"].get<std::int64_t>();
  }
}

void print_counts(const char* title, const Json& counts) {
  Table table({{title}, {"contacts", Align::kRight}});
  for (const auto& [name, count] : counts.items()) {
    table.add({name, base::with_thousands(count.get<std::int64_t>())});
  }
  if (!table.empty()) {
    fmt::print("\n{}", table.text(colour_on_output()));
  }
}

// The day that many days after the start.
std::string day_text(const std::string& start, int days) {
  const auto at = base::parse_instant(start);
  return at ? base::format_instant({at.value().us + days * 86'400'000'000}).substr(0, 10) : "";
}

void print_messages(const Json& figures, const std::string& start) {
  Table table({{"would be sent"},
               {"in all", Align::kRight},
               {"days", Align::kRight},
               {"busiest day"},
               {"on it", Align::kRight},
               {"dropped by the cap", Align::kRight}});
  for (const Json& message : figures["messages"]) {
    std::int64_t total = 0;
    std::int64_t most = 0;
    int busiest = 0;
    for (const auto& [day, count] : message["days"].items()) {
      const auto sent = count.get<std::int64_t>();
      total += sent;
      const int number = std::stoi(day);
      if (sent > most || (sent == most && number < busiest)) {
        most = sent;
        busiest = number;
      }
    }
    table.add({fmt::format("{} \"{}\"", message["kind"].get<std::string>(),
                           message["name"].get<std::string>()),
               base::with_thousands(total), std::to_string(message["days"].size()),
               total == 0 ? "" : day_text(start, busiest), base::with_thousands(most),
               base::with_thousands(message["capped"].get<std::int64_t>())});
  }
  if (!table.empty()) {
    fmt::print("\n{}", table.text(colour_on_output()));
  }
  if (const auto capped = figures["capped_contacts"].get<std::int64_t>(); capped > 0) {
    fmt::print("\n{} would miss a message by the cap\n", counted(capped, "contact", "contacts"));
  }
}

void print_figures(const Json& figures, const std::string& start, const std::string& length) {
  fmt::print("{} from {}: {} looked at, {} would enter and make {}\n", length, start,
             counted(figures["looked_at"].get<std::int64_t>(), "contact", "contacts"),
             base::with_thousands(figures["entered"].get<std::int64_t>()),
             counted(figures["moves"].get<std::int64_t>(), "move", "moves"));
  print_counts("would have stopped as", figures["stopped"]);
  print_counts("would wait on", figures["waiting"]);
  print_messages(figures, start);
  if (const auto circling = figures["circling"].get<std::int64_t>(); circling > 0) {
    fmt::print("\n{} would run in a circle without time passing\n",
               counted(circling, "contact", "contacts"));
  }
}

}  // namespace

int backtest_track(const TryOptions& options, const std::string& server) {
  TrackFile file;
  file.path = options.file;
  auto text = read_whole_file(options.file);
  if (!text) {
    return fail(kExitWrong, text.error().message);
  }
  file.text = std::move(text.value());
  HttpClient http(server);
  ProgressBar bar("contacts", options.json);
  Json figures;
  std::string start = options.at.value_or("");
  std::int64_t after = 0;
  for (bool done = false; !done;) {
    const Json request{{"text", file.text}, {"file", file.path}, {"after", after},
                       {"limit", kAtOnce},  {"now", start},      {"length", options.until}};
    if (const int code = send_track(http, "/api/backtest", request, file); code != kExitDone) {
      return code;
    }
    if (after == 0 && !options.json) {
      show_diagnostics(file);
    }
    if (!file.accepted()) {
      if (options.json) {
        fmt::print("{}\n", file.body);
      }
      return kExitWrong;
    }
    add_figures(figures, file.answer["figures"]);
    start = file.answer.value("now", "");
    after = file.answer.value("last", std::int64_t{0});
    done = file.answer.value("done", true);
    bar.show(-1, figures["looked_at"].get<std::int64_t>());
  }
  bar.finish(figures["looked_at"].get<std::int64_t>());
  if (options.json) {
    fmt::print("{}\n",
               Json{{"now", start}, {"length", options.until}, {"figures", figures}}.dump(2));
  } else {
    print_figures(figures, start, options.until);
  }
  return kExitDone;
}

}  // namespace turnout::cli
