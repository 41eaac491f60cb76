#pragma once

// What the commands that ask a server have in common.

#include <string>

#include <nlohmann/json.hpp>

#include "cli/commands.h"

namespace turnout::cli {

using Json = nlohmann::ordered_json;

class HttpClient;

// What one request came to: an exit code, and the text for whoever asked (an error's message, or
// what is to be printed).
struct Told {
  int code = 0;
  std::string text;
};

// Asks once. `show` makes text of the server's JSON; with `json` it is printed as it is.
Told ask_once(HttpClient& http, const std::string& path, bool json,
              std::string (*show)(const Json& answer));

// Asks and prints; returns the exit code.
int ask(const AskOptions& options, const std::string& path, std::string (*show)(const Json&));

// A member as text; "–" where there is none.
std::string cell(const Json& object, const char* name);

}  // namespace turnout::cli
