// `turnout apply`: publishes tracks.

#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/files.h"
#include "cli/http_client.h"
#include "cli/screen.h"
#include "lang/diagnostic.h"

namespace turnout::cli {
namespace {

using Json = nlohmann::ordered_json;

// The server's diagnostics, shown beside the text that they are about.
void show_diagnostics(const Json& list, const std::string& file, const std::string& text) {
  for (const Json& item : list) {
    lang::Diagnostic diagnostic;
    diagnostic.severity = item.value("severity", "error") == "warning" ? lang::Severity::kWarning
                                                                       : lang::Severity::kError;
    diagnostic.code = item.value("code", "");
    diagnostic.message = item.value("message", "");
    diagnostic.hint = item.value("hint", "");
    diagnostic.span = {item.value("line", 0U), item.value("column", 0U), item.value("begin", 0U),
                       item.value("end", 0U)};
    if (diagnostic.span.begin > text.size() || diagnostic.span.end > text.size()) {
      continue;  // of another text than ours
    }
    fmt::print(stderr, "{}", lang::render(diagnostic, file, text, colour_on_errors()));
  }
}

void show_homeless(const Json& homeless, const std::string& file) {
  for (const auto& [step, contacts] : homeless.items()) {
    fmt::print(stderr,
               "{}: {} step \"{}\" is gone and holds {}\n    say where they go: --map \"{}=OTHER "
               "STEP\", or --map \"{}=\" to "
               "stop them\n",
               file, painted("error:", Colour::kRed, colour_on_errors()), printable(step),
               counted(contacts.get<std::int64_t>(), "contact", "contacts"), printable(step),
               printable(step));
  }
}

int apply_one(HttpClient& http, const ApplyOptions& options, const std::string& file) {
  auto text = read_whole_file(file);
  if (!text) {
    return fail(kExitWrong, text.error().message);
  }
  Json request{{"text", text.value()}, {"file", file}, {"map", Json::object()}};
  for (const auto& [from, to] : options.map) {
    request["map"][from] = to ? Json(*to) : Json(nullptr);
  }
  auto reply =
      http.post("/api/tracks", request.dump(-1, ' ', false, Json::error_handler_t::replace));
  if (!reply) {
    return fail(kExitUnreachable, reply.error().message);
  }
  const Json answer = Json::parse(reply.value().body, nullptr, false);
  if (!answer.is_object() || !answer.contains("diagnostics")) {
    const int code = reply.value().ok() ? kExitWrong : exit_code(reply.value());
    return fail(code, fmt::format("{}: {}", file,
                                  reply.value().ok() ? http.server() + " is no Turnout server"
                                                     : error_text(reply.value())));
  }
  const bool accepted = answer.value("accepted", false);
  if (options.ask.json) {
    fmt::print("{}\n", reply.value().body);
    return accepted ? kExitDone : kExitWrong;
  }
  show_diagnostics(answer["diagnostics"], file, text.value());
  if (answer.contains("homeless")) {
    show_homeless(answer["homeless"], file);
  }
  if (!accepted) {
    fmt::print(stderr, "{}: not published\n", file);
    return kExitWrong;
  }
  fmt::print("{}: track \"{}\" {} version {}\n", file, printable(answer.value("track", "")),
             answer.value("unchanged", false) ? "is unchanged at" : "published as",
             answer.value("version", 0));
  return kExitDone;
}

}  // namespace

int apply_tracks(const ApplyOptions& options) {
  HttpClient http(options.ask.server);
  int worst = kExitDone;
  for (const std::string& file : options.files) {
    const int code = apply_one(http, options, file);
    if (code == kExitUnreachable) {
      return code;
    }
    worst = std::max(worst, code);
  }
  return worst;
}

}  // namespace turnout::cli
