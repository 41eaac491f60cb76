#pragma once

// Frames: a length of four bytes, big-endian, then as many bytes of one message. Pure; not
// thread-safe.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace turnout::link {

inline constexpr std::size_t kFrameHeader = 4;
inline constexpr std::size_t kMaxHelloFrame = 4u << 10;  // before the other side is known
inline constexpr std::size_t kMaxControlFrame = 1u << 20;
inline constexpr std::size_t kMaxBulkFrame = 16u << 20;

// Cuts a stream of bytes into frames. Memory grows with what was received, never with what a length
// promises.
class FrameReader {
 public:
  explicit FrameReader(std::size_t max) : max_(max) {}

  // Largest frame accepted from now on, without its header.
  void set_max(std::size_t max) { max_ = max; }

  // Takes bytes in. Invalidates what next() returned.
  void feed(std::string_view bytes);

  // The next whole frame without its header, valid until feed(); nothing if more bytes are needed.
  // kInvalid if a length is zero or above the maximum: the stream cannot be read on.
  base::Result<std::optional<std::string_view>> next();

  // The bytes held that next() has not returned.
  std::string_view rest() const { return std::string_view(buffer_).substr(position_); }

 private:
  std::size_t max_;
  std::string buffer_;
  std::size_t position_ = 0;
};

// Writes the header into the first four bytes of `frame`, whose body follows. CHECKs the size.
void write_frame_header(std::string& frame);

// The bytes begin a TLS handshake or alert: the other side has a group key and we have none.
bool looks_like_tls(std::string_view bytes);

}  // namespace turnout::link
