#include "link/address.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <charconv>

#include "base/text.h"

namespace turnout::link {
namespace {

constexpr std::size_t kMaxHost = 255;

bool is_host(std::string_view host, bool bracketed) {
  if (host.empty() || host.size() > kMaxHost) {
    return false;
  }
  for (const char c : host) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    const bool mark = c == '.' || c == '-' || c == '_';
    const bool number6 = c == ':' || c == '%';  // of IPv6, with its zone
    if (!word && !mark && !(bracketed && number6)) {
      return false;
    }
  }
  return true;
}

}  // namespace

base::Result<Address> parse_address(std::string_view text) {
  const auto wrong = [&] {
    const std::string shown(text.substr(0, kMaxHost));
    return base::fail(base::ErrorCode::kInvalid,
                      "\"" + shown +
                          "\" is no address; write host:port, for instance "
                          "10.0.0.7:7460 or [::1]:7460");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return wrong();
  }
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) {
    host = host.substr(1, host.size() - 2);
  }
  Address address;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (!is_host(host, bracketed) || error != std::errc() || end != port.data() + port.size()) {
    return wrong();
  }
  address.host = base::to_lower_ascii(host);
  return address;
}

std::string format_address(const Address& address) {
  const bool brackets = address.host.find(':') != std::string::npos;
  return (brackets ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

std::string network_of(const std::string& host) {
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  if (error || address.is_v4()) {
    return host;
  }
  const auto v6 = address.to_v6();
  if (v6.is_v4_mapped()) {
    return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, v6).to_string();
  }
  auto bytes = v6.to_bytes();
  std::fill(bytes.begin() + bytes.size() / 2, bytes.end(), static_cast<unsigned char>(0));
  return boost::asio::ip::address_v6(bytes).to_string() + "/64";
}

}  // namespace turnout::link
