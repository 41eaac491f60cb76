#include "cli/ask.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/exit_codes.h"
#include "cli/http_client.h"
#include "cli/screen.h"

namespace turnout::cli {

Told ask_once(HttpClient& http, const std::string& path, bool json,
              std::string (*show)(const Json& answer)) {
  auto reply = http.get(path);
  if (!reply) {
    return {reply.error().code == base::ErrorCode::kInvalid ? kExitUsage : kExitUnreachable,
            reply.error().message};
  }
  if (!reply.value().ok()) {
    return {exit_code(reply.value()), error_text(reply.value())};
  }
  if (json) {
    return {kExitDone, reply.value().body + "\n"};
  }
  try {
    return {kExitDone, show(Json::parse(reply.value().body))};
  } catch (const Json::exception&) {
    return {kExitWrong, fmt::format("{} is no Turnout server", http.server())};
  }
}

int ask(const AskOptions& options, const std::string& path, std::string (*show)(const Json&)) {
  HttpClient http(options.server);
  const Told told = ask_once(http, path, options.json, show);
  if (told.code != kExitDone) {
    return fail(told.code, told.text);
  }
  fmt::print("{}", told.text);
  return kExitDone;
}

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

}  // namespace turnout::cli
