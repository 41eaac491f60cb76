#include "cli/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <system_error>

#include <fmt/format.h>

namespace turnout::cli {
namespace {

namespace fs = std::filesystem;

std::string why() { return std::generic_category().message(errno); }

bool is_hidden(const fs::path& path) { return path.filename().string().starts_with("."); }

// Those within the folder, in the order of their names.
base::Result<std::vector<std::string>> tracks_within(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code problem;
  fs::recursive_directory_iterator at(folder, problem);
  for (; !problem && at != fs::recursive_directory_iterator(); at.increment(problem)) {
    if (is_hidden(at->path())) {
      at.disable_recursion_pending();
    } else if (at->path().extension() == ".track" && at->is_regular_file()) {
      files.push_back(at->path().string());
    }
  }
  if (problem) {
    return base::fail(base::ErrorCode::kInvalid,
                      fmt::format("{}: cannot be read: {}", folder, problem.message()));
  }
  std::sort(files.begin(), files.end());
  return files;
}

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

base::Result<std::vector<std::string>> find_track_files(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    if (!fs::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    TRY(const std::vector<std::string> within, tracks_within(path));
    if (within.empty()) {
      return base::fail(base::ErrorCode::kInvalid, fmt::format("{}: holds no *.track file", path));
    }
    files.insert(files.end(), within.begin(), within.end());
  }
  std::vector<std::string> once;
  for (std::string& file : files) {
    if (std::find(once.begin(), once.end(), file) == once.end()) {
      once.push_back(std::move(file));
    }
  }
  return once;
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
