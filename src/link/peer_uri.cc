#include "link/peer_uri.h"

#include <optional>
#include <utility>

#include "base/text.h"
#include "group/config.h"

namespace turnout::link {
namespace {

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

void append_encoded(std::string& uri, std::string_view bytes) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : bytes) {
    if (is_unreserved(c)) {
      uri += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      uri += '%';
      uri += kHex[byte >> 4];
      uri += kHex[byte & 15];
    }
  }
}

int hex_value(char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const char low = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  const std::size_t at = kHex.find(low);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

std::optional<std::string> decoded(std::string_view text, std::size_t most) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      if (!is_unreserved(text[i])) {
        return std::nullopt;
      }
      bytes += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return std::nullopt;
    }
    bytes += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (bytes.empty() || bytes.size() > most) {
    return std::nullopt;
  }
  return bytes;
}

}  // namespace

std::string format_peer_uri(const GroupPeer& peer) {
  std::string uri(kPeerScheme);
  append_encoded(uri, peer.group);
  uri += '/';
  append_encoded(uri, peer.name.get());
  return uri;
}

bool is_peer_uri(std::string_view uri) {
  return base::equals_ignoring_case(uri.substr(0, kPeerScheme.size()), kPeerScheme);
}

base::Result<GroupPeer> parse_peer_uri(std::string_view uri) {
  const auto wrong = [] {
    return base::fail(base::ErrorCode::kInvalid,
                      "it must be turnout:GROUP/NAME, each of 1 to 64 bytes, all but letters, "
                      "digits and - . _ ~ written %XX");
  };
  if (!is_peer_uri(uri)) {
    return wrong();
  }
  uri.remove_prefix(kPeerScheme.size());
  const std::size_t slash = uri.find('/');
  if (slash == std::string_view::npos) {
    return wrong();
  }
  auto group = decoded(uri.substr(0, slash), group::kMaxGroupBytes);
  auto name = decoded(uri.substr(slash + 1), group::kMaxNameBytes);
  if (!group || !name) {
    return wrong();
  }
  return GroupPeer{std::move(*group), base::PeerName(std::move(*name))};
}

}  // namespace turnout::link
