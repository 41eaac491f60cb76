// `turnout demo`: the main job, shown by the scripts that came with this program.

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/exit_codes.h"

namespace turnout::cli {
namespace {

// The folder with scripts/demo.sh: the present one, or one above the program's own.
std::filesystem::path find_project(const std::filesystem::path& program) {
  std::error_code ignored;
  for (std::filesystem::path folder :
       {std::filesystem::current_path(ignored), program.parent_path()}) {
    for (; !folder.empty(); folder = folder.parent_path()) {
      if (std::filesystem::exists(folder / "scripts/demo.sh", ignored)) {
        return folder;
      }
      if (folder == folder.root_path()) {
        break;
      }
    }
  }
  return {};
}

}  // namespace

int run_demo(const std::string& database) {
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::filesystem::path project = find_project(program);
  if (error || project.empty()) {
    fmt::print(stderr,
               "error: scripts/demo.sh is neither here nor above {}\n"
               "    run it from a checkout of Turnout\n",
               program.string());
    return kExitWrong;
  }
  const std::string script = project / "scripts/demo.sh";
  setenv("DATABASE", database.c_str(), 1);
  execl(script.c_str(), script.c_str(), "--turnout", program.c_str(), nullptr);
  fmt::print(stderr, "error: {} cannot be run: {}\n", script, std::strerror(errno));
  return kExitWrong;
}

}  // namespace turnout::cli
