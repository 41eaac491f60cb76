#include "store/store.h"

#include <string>
#include <string_view>

#include "store/postgres/store.h"
#include "store/sqlite/store.h"

namespace turnout::store {

namespace {

// "sqlite:x", "sqlite://x" and "sqlite:///x" name x, x and /x.
std::string sqlite_path(std::string_view url) {
  std::string_view path = url.substr(std::string_view("sqlite:").size());
  if (path.starts_with("//")) {
    path.remove_prefix(2);
  }
  return std::string(path);
}

}  // namespace

base::Result<std::unique_ptr<Store>> open_store(const std::string& url) {
  if (url.starts_with("sqlite:")) {
    const std::string path = sqlite_path(url);
    if (path.empty()) {
      return base::fail(
          base::ErrorCode::kInvalid,
          "\"" + url + "\" names no file; write sqlite:turnout.db or sqlite:///path/to/turnout.db");
    }
    return sqlite::open(path);
  }
  if (url.starts_with("postgresql://") || url.starts_with("postgres://") ||
      (url.find('=') != std::string::npos && url.find("://") == std::string::npos)) {
    return postgres::open_postgres(url);
  }
  return base::fail(
      base::ErrorCode::kInvalid,
      "\"" + url +
          "\" is no database; write sqlite:///path/to/turnout.db, postgresql://user@host/name, or "
          "\"host=… dbname=…\"");
}

}  // namespace turnout::store
