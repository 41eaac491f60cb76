#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace turnout::cli {

inline constexpr std::size_t kMaxInputFile = 16 * 1024 * 1024;

// The contents of a file, or of standard input for "-". kInvalid: cannot be read, or is longer than
// kMaxInputFile; the message names the file and what to do.
base::Result<std::string> read_whole_file(const std::string& path);

// The track files that the paths name, in order, each once: files as they are ("-" too), of folders
// all *.track within, at any depth, but for hidden ones. kInvalid: a folder cannot be read, or
// holds none.
base::Result<std::vector<std::string>> find_track_files(const std::vector<std::string>& paths);

// Replaces the file's contents in one step (written beside it, synced, renamed), keeping its mode.
// kUnavailable.
base::Result<void> replace_file(const std::string& path, const std::string& text);

}  // namespace turnout::cli
