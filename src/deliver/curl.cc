#include "deliver/curl.h"

#include <mutex>

namespace turnout::deliver {

CurlHandle make_curl() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  return CurlHandle(curl_easy_init());
}

}  // namespace turnout::deliver
