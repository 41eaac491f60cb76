#include "cli/publishing.h"

#include <cstdio>

#include <fmt/format.h>

#include "cli/exit_codes.h"
#include "cli/http_client.h"
#include "cli/screen.h"
#include "lang/diagnostic.h"

namespace turnout::cli {

using Json = nlohmann::ordered_json;

int publish_track(HttpClient& http, TrackFile& file, bool plan) {
  Json request{{"text", file.text},
               {"file", file.path},
               {"map", Json::object()},
               {"plan", plan},
               {"reschedule", file.reschedule}};
  for (const auto& [from, to] : file.map) {
    request["map"][from] = to ? Json(*to) : Json(nullptr);
  }
  return send_track(http, "/api/tracks", request, file);
}

int send_track(HttpClient& http, const std::string& path, const Json& request, TrackFile& file) {
  auto reply = http.post(path, request.dump(-1, ' ', false, Json::error_handler_t::replace));
  if (!reply) {
    return fail(kExitUnreachable, reply.error().message);
  }
  file.body = reply.value().body;
  file.answer = Json::parse(file.body, nullptr, false);
  if (!file.answer.is_object() || !file.answer.contains("diagnostics")) {
    const int code = reply.value().ok() ? kExitWrong : exit_code(reply.value());
    return fail(code, fmt::format("{}: {}", file.path,
                                  reply.value().ok() ? http.server() + " is no Turnout server"
                                                     : error_text(reply.value())));
  }
  return kExitDone;
}

void show_diagnostics(const TrackFile& file) {
  for (const Json& item : file.answer["diagnostics"]) {
    lang::Diagnostic diagnostic;
    diagnostic.severity = item.value("severity", "error") == "warning" ? lang::Severity::kWarning
                                                                       : lang::Severity::kError;
    diagnostic.code = item.value("code", "");
    diagnostic.message = item.value("message", "");
    diagnostic.hint = item.value("hint", "");
    diagnostic.span = {item.value("line", 0U), item.value("column", 0U), item.value("begin", 0U),
                       item.value("end", 0U)};
    if (diagnostic.span.begin > file.text.size() || diagnostic.span.end > file.text.size()) {
      continue;  // of another text than ours
    }
    fmt::print(stderr, "{}", lang::render(diagnostic, file.path, file.text, colour_on_errors()));
  }
}

void show_homeless(const TrackFile& file) {
  if (!file.answer.contains("homeless")) {
    return;
  }
  for (const auto& [step, contacts] : file.answer["homeless"].items()) {
    fmt::print(stderr,
               "{}: {} step \"{}\" is gone and holds {}\n    say where they go: --map \"{}=OTHER "
               "STEP\", or --map \"{}=\" to "
               "stop them\n",
               file.path, painted("error:", Colour::kRed, colour_on_errors()), printable(step),
               counted(contacts.get<std::int64_t>(), "contact", "contacts"), printable(step),
               printable(step));
  }
}

}  // namespace turnout::cli
