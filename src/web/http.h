#pragma once

// Requests and answers as plain data, free of the HTTP library.

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace turnout::web {

struct Request {
  std::string method;                 // "GET"
  std::vector<std::string> segments;  // of the path, decoded: {"api", "tracks", "Trial welcome"}
  std::map<std::string, std::string> query;
  std::string body;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

// Splits and decodes a request target ("/api/tracks/Trial%20welcome?limit=3"). False when it is
// malformed.
bool parse_target(std::string_view target, Request& request);

// An answer {"error": {"message", "where", "remedy"}}; empty parts are left out.
Response error_response(int status, std::string_view message, std::string_view where = {},
                        std::string_view remedy = {});

}  // namespace turnout::web
