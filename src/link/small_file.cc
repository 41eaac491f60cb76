#include "link/small_file.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace turnout::link {
namespace {

using base::ErrorCode;
using base::fail;

class OpenFile {
 public:
  explicit OpenFile(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

base::Result<std::string> read_small_file(const std::string& path, const std::string& what,
                                          std::size_t most, Privacy privacy) {
  const auto cannot_read = [&](int error) {
    return fail(error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kUnavailable,
                "cannot read " + what + " " + path + ": " + std::strerror(error));
  };
  const OpenFile file(path);
  if (file.get() < 0) {
    return cannot_read(errno);
  }
  struct stat about{};
  if (::fstat(file.get(), &about) != 0 || !S_ISREG(about.st_mode)) {
    return fail(ErrorCode::kInvalid, path + " is no regular file");
  }
  if (privacy == Privacy::kSecret && (about.st_mode & (S_IRWXO | S_IWGRP)) != 0) {
    return fail(ErrorCode::kInvalid,
                path +
                    " can be used by others than its owner: anybody on this machine could join "
                    "the group; run chmod 600 " +
                    path);
  }
  std::string text(most + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t n = ::read(file.get(), text.data() + size, text.size() - size);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return cannot_read(errno);
    }
    if (n == 0) {
      break;
    }
    size += static_cast<std::size_t>(n);
  }
  if (size > most) {
    OPENSSL_cleanse(text.data(), text.size());
    return fail(ErrorCode::kInvalid, path + " is too large to be " + what + " (" +
                                         std::to_string(most) + " bytes at most)");
  }
  text.resize(size);
  return text;
}

}  // namespace turnout::link
