#include "link/frame.h"

#include "base/check.h"

namespace turnout::link {

using base::ErrorCode;
using base::fail;

void FrameReader::feed(std::string_view bytes) {
  if (position_ == buffer_.size()) {
    buffer_.clear();
  } else {
    buffer_.erase(0, position_);
  }
  position_ = 0;
  // A large frame's memory is given back once it has been read.
  if (buffer_.empty() && buffer_.capacity() > kMaxControlFrame) {
    buffer_ = std::string();
  }
  buffer_.append(bytes);
}

base::Result<std::optional<std::string_view>> FrameReader::next() {
  const std::string_view held = rest();
  if (held.size() < kFrameHeader) {
    return std::optional<std::string_view>();
  }
  std::uint32_t size = 0;
  for (std::size_t i = 0; i < kFrameHeader; ++i) {
    size = size << 8 | static_cast<unsigned char>(held[i]);
  }
  if (size == 0 || size > max_) {
    return fail(ErrorCode::kInvalid, "a frame of " + std::to_string(size) + " bytes; 1 to " +
                                         std::to_string(max_) + " are allowed");
  }
  if (held.size() - kFrameHeader < size) {
    return std::optional<std::string_view>();
  }
  position_ += kFrameHeader + size;
  return std::optional<std::string_view>(held.substr(kFrameHeader, size));
}

void write_frame_header(std::string& frame) {
  CHECK(frame.size() > kFrameHeader && frame.size() - kFrameHeader <= kMaxBulkFrame);
  const std::size_t size = frame.size() - kFrameHeader;
  for (std::size_t i = 0; i < kFrameHeader; ++i) {
    frame[i] = static_cast<char>(size >> (8 * (kFrameHeader - 1 - i)) & 0xff);
  }
}

bool looks_like_tls(std::string_view bytes) {
  // Record types 21 (alert) and 22 (handshake), then the major version (RFC 8446 §5.1).
  return bytes.size() >= 2 && (bytes[0] == 0x15 || bytes[0] == 0x16) && bytes[1] == 0x03;
}

}  // namespace turnout::link
