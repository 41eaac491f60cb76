#include "cli/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <system_error>

#include <fmt/format.h>

namespace turnout::cli {
namespace {

std::string why() { return std::generic_category().message(errno); }

}  // namespace

base::Result<std::string> read_whole_file(const std::string& path) {
  std::ifstream file;
  std::istream* in = &std::cin;
  if (path != "-") {
    struct stat info{};
    if (stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
      return base::fail(base::ErrorCode::kInvalid,
                        fmt::format("{}: is a folder; give files", path));
    }
    file.open(path, std::ios::binary);
    if (!file) {
      return base::fail(base::ErrorCode::kInvalid,
                        fmt::format("{}: cannot be opened: {}; check the path", path, why()));
    }
    in = &file;
  }
  std::string text;
  char chunk[64 * 1024];
  while (in->read(chunk, sizeof chunk) || in->gcount() > 0) {
    text.append(chunk, static_cast<std::size_t>(in->gcount()));
    if (text.size() > kMaxInputFile) {
      return base::fail(base::ErrorCode::kInvalid,
                        fmt::format("{}: is longer than {} bytes", path, kMaxInputFile));
    }
  }
  if (in->bad()) {
    return base::fail(base::ErrorCode::kInvalid,
                      fmt::format("{}: cannot be read: {}", path, why()));
  }
  return text;
}

base::Result<void> replace_file(const std::string& path, const std::string& text) {
  const std::string beside = path + ".turnout-new";
  struct stat info{};
  const mode_t mode = stat(path.c_str(), &info) == 0 ? info.st_mode & 07777U : 0644U;
  const int descriptor = open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (descriptor < 0) {
    return base::fail(base::ErrorCode::kUnavailable,
                      fmt::format("{}: cannot be written: {}", beside, why()));
  }
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t wrote = write(descriptor, text.data() + done, text.size() - done);
    if (wrote < 0 && errno == EINTR) {
      continue;
    }
    if (wrote < 0) {
      break;
    }
    done += static_cast<std::size_t>(wrote);
  }
  const bool whole = done == text.size() && fsync(descriptor) == 0;
  const std::string reason = why();
  close(descriptor);
  if (!whole || std::rename(beside.c_str(), path.c_str()) != 0) {
    const std::string problem = whole ? why() : reason;
    unlink(beside.c_str());
    return base::fail(base::ErrorCode::kUnavailable,
                      fmt::format("{}: cannot be written: {}", path, problem));
  }
  return base::ok();
}

}  // namespace turnout::cli
