// libFuzzer target: a stream of frames from somebody else, and the name in a certificate. Built
// with -DTURNOUT_FUZZ=ON and clang.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "link/frame.h"
#include "link/peer_uri.h"
#include "link/wire.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace turnout::link;
  const std::string_view bytes(static_cast<const char*>(static_cast<const void*>(data)), size);
  FrameReader reader(kMaxControlFrame);
  // In two parts, so that a frame that stands across them is cut as well.
  for (const std::string_view part : {bytes.substr(0, size / 2), bytes.substr(size / 2)}) {
    reader.feed(part);
    for (auto next = reader.next(); next && next.value(); next = reader.next()) {
      const auto message = decode(*next.value());
      if (!message) {
        continue;
      }
      if (const auto* said = std::get_if<turnout::group::Message>(&message.value())) {
        CHECK(decode(std::string_view(encode(*said)).substr(kFrameHeader)));
      }
    }
  }
  // The body of a frame by itself, so that a fuzzer need not find the length.
  (void)decode(bytes);
  if (const auto peer = parse_peer_uri(bytes)) {
    CHECK(parse_peer_uri(format_peer_uri(peer.value())).value() == peer.value());
  }
  return 0;
}
