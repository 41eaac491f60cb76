#pragma once

// libcurl's handles as owned values.

#include <memory>

#include <curl/curl.h>

namespace turnout::deliver {

struct CurlDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlHandle = std::unique_ptr<CURL, CurlDeleter>;
using CurlList = std::unique_ptr<curl_slist, CurlDeleter>;

// A new handle; initialises the library at its first call. Null when there is no memory.
CurlHandle make_curl();

inline void append(CurlList& list, const char* text) {
  list.reset(curl_slist_append(list.release(), text));
}

}  // namespace turnout::deliver
