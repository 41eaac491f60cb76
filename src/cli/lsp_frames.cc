#include "cli/lsp_frames.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace turnout::cli {
namespace {

// The value of a `Content-Length` line; nothing of any other.
std::optional<std::size_t> content_length(std::string_view line) {
  constexpr std::string_view kName = "content-length:";
  if (!base::equals_ignoring_case(line.substr(0, kName.size()), kName)) {
    return std::nullopt;
  }
  line.remove_prefix(kName.size());
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  std::size_t length = 0;
  const auto read = std::from_chars(line.data(), line.data() + line.size(), length);
  const std::string_view rest(read.ptr,
                              static_cast<std::size_t>(line.data() + line.size() - read.ptr));
  const bool number =
      read.ec == std::errc() && rest.find_first_not_of(" \t") == std::string_view::npos;
  return number ? std::optional(length) : std::nullopt;
}

}  // namespace

void EditorFrames::push(std::string_view bytes) {
  buffer_.erase(0, read_);
  read_ = 0;
  buffer_.append(bytes);
}

void EditorFrames::take(std::size_t bytes) { read_ += bytes; }

// Whether nothing of a message that was too long is left to pass over.
bool EditorFrames::pass_over() {
  const std::size_t passed = std::min(skip_, buffer_.size() - read_);
  take(passed);
  skip_ -= passed;
  return skip_ == 0;
}

// Reads header lines up to the empty one. Says what is wrong, or nothing; then `in_body_` tells
// whether the message's bytes follow.
std::optional<EditorFrame> EditorFrames::header() {
  for (;;) {
    const std::size_t end = buffer_.find('\n', read_);
    if (end == std::string::npos) {
      if (buffer_.size() - read_ <= kMaxHeaderLine) {
        return std::nullopt;
      }
      take(buffer_.size() - read_);
      return EditorFrame{EditorFrame::Kind::kBroken, ""};
    }
    std::string_view line = std::string_view(buffer_).substr(read_, end - read_);
    line.remove_suffix(line.ends_with('\r') ? 1 : 0);
    const auto length = content_length(line);
    const bool empty = line.empty();
    take(end + 1 - read_);
    if (!empty) {
      lines_ = true;
      length_ = length ? length : length_;
      continue;
    }
    const bool broken = lines_ && !length_;
    lines_ = false;
    if (broken) {
      return EditorFrame{EditorFrame::Kind::kBroken, ""};
    }
    if (const auto bytes = std::exchange(length_, std::nullopt)) {
      if (*bytes > kMaxEditorMessage) {
        skip_ = *bytes;
        return EditorFrame{EditorFrame::Kind::kTooLong, ""};
      }
      body_ = *bytes;
      in_body_ = true;
      return std::nullopt;
    }
  }
}

std::optional<EditorFrame> EditorFrames::next() {
  if (!pass_over()) {
    return std::nullopt;
  }
  if (!in_body_) {
    if (auto wrong = header()) {
      return wrong;
    }
  }
  if (!in_body_ || buffer_.size() - read_ < body_) {
    return std::nullopt;
  }
  EditorFrame frame{EditorFrame::Kind::kMessage, buffer_.substr(read_, body_)};
  take(body_);
  in_body_ = false;
  return frame;
}

std::string framed(std::string_view message) {
  return fmt::format("Content-Length: {}\r\n\r\n{}", message.size(), message);
}

}  // namespace turnout::cli
