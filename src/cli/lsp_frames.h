#pragma once

// How messages stand in the stream between an editor and a language server: header lines, an empty
// line, and as many bytes of JSON as `Content-Length` says.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace turnout::cli {

inline constexpr std::size_t kMaxEditorMessage = 64 * 1024 * 1024;
inline constexpr std::size_t kMaxHeaderLine = 8 * 1024;

struct EditorFrame {
  enum class Kind : std::uint8_t {
    kMessage,
    kBroken,   // header lines without a length
    kTooLong,  // over kMaxEditorMessage; its bytes are passed over
  };
  Kind kind = Kind::kMessage;
  std::string text;  // of a message
};

// Cuts the stream into frames. After a broken header it goes on with the next lines, so that one
// that is right is found again.
class EditorFrames {
 public:
  void push(std::string_view bytes);
  // The next frame; nothing when its bytes are not all there yet.
  std::optional<EditorFrame> next();

 private:
  bool pass_over();
  std::optional<EditorFrame> header();
  void take(std::size_t bytes);

  std::string buffer_;
  std::size_t read_ = 0;               // of the buffer
  std::size_t skip_ = 0;               // bytes of a message that was too long
  bool lines_ = false;                 // header lines were seen
  std::optional<std::size_t> length_;  // that they said
  bool in_body_ = false;               // the message's `body_` bytes come next
  std::size_t body_ = 0;
};

// With its header.
std::string framed(std::string_view message);

}  // namespace turnout::cli
