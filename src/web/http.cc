#include "web/http.h"

#include <nlohmann/json.hpp>

namespace turnout::web {
namespace {

int hex(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Undoes percent-encoding; in a query "+" is a blank.
bool decode(std::string_view text, bool query, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const int high = i + 2 < text.size() ? hex(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return false;
      }
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      out.push_back(query && text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out.find('\0') == std::string::npos;
}

}  // namespace

bool parse_target(std::string_view target, Request& request) {
  if (target.empty() || target.front() != '/') {
    return false;
  }
  const std::size_t mark = target.find('?');
  std::string_view path = target.substr(1, mark == std::string_view::npos ? mark : mark - 1);
  std::string_view query =
      mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    std::string segment;
    if (!decode(path.substr(0, slash), false, segment)) {
      return false;
    }
    request.segments.push_back(std::move(segment));
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  }
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    const std::size_t equals = pair.find('=');
    std::string name;
    std::string value;
    if (!decode(pair.substr(0, equals), true, name) ||
        !decode(equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1),
                true, value)) {
      return false;
    }
    request.query[name] = std::move(value);
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
  }
  return true;
}

Response error_response(int status, std::string_view message, std::string_view where,
                        std::string_view remedy) {
  nlohmann::ordered_json error{{"message", message}};
  if (!where.empty()) {
    error["where"] = where;
  }
  if (!remedy.empty()) {
    error["remedy"] = remedy;
  }
  Response response;
  response.status = status;
  response.body = nlohmann::ordered_json{{"error", std::move(error)}}.dump(
      -1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (status == 503 || status == 429) {
    response.headers.emplace_back("Retry-After", "1");
  }
  return response;
}

}  // namespace turnout::web
