#pragma once

// The JSON interface: what each address answers. No sockets and no threads here: the server calls
// it.

#include <memory>
#include <string>

#include "store/store.h"
#include "web/host.h"
#include "web/http.h"

namespace prometheus {
class Registry;
}

namespace turnout::web {

inline constexpr std::size_t kMaxBodyBytes = 32 * 1024 * 1024;
inline constexpr std::size_t kMaxImportRows = 5'000;
inline constexpr std::size_t kMaxImportFields = 1'000;
inline constexpr std::size_t kMaxKeyBytes = 255;
inline constexpr std::size_t kMaxNameBytes = 255;  // of an event, and of its id
inline constexpr std::size_t kMaxEmailBytes = 320;
inline constexpr std::size_t kMaxTextBytes = 64 * 1024;
inline constexpr int kMaxOutboxRows = 10'000;

// Thread-safe as far as the Host is; a session is used by one call at a time.
class Api {
 public:
  // `host` outlives the Api.
  Api(Host& host, std::shared_ptr<prometheus::Registry> registry);

  // Whether the request is answered from memory, without the database.
  bool is_quick(const Request& request) const;
  Response answer_quick(const Request& request) const;
  // Any other request. May wait for the database.
  Response answer(const Request& request, store::Session& session) const;

  // A name for the metrics with few values: the first segments without names of tracks and
  // contacts.
  static std::string route_of(const Request& request);

 private:
  Host& host_;
  std::shared_ptr<prometheus::Registry> registry_;
};

// Error of the store as an answer: kInvalid 422, kNotFound 404, kConflict 409, kExhausted 429,
// kUnavailable 503, else 500.
Response error_response(const base::Error& error);

}  // namespace turnout::web
