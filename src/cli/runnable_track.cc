#include "cli/runnable_track.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <cstdio>

#include "cli/files.h"
#include "cli/screen.h"

namespace turnout::cli {

std::optional<track::Track> read_runnable(const std::string& file, const KnownNames& known,
                                          lang::RunBy by) {
  auto text = read_whole_file(file);
  if (!text) {
    print_error(text.error().message);
    return std::nullopt;
  }
  lang::Analysis analysis = known.analyse(text.value());
  std::vector<lang::Diagnostic> diagnostics = std::move(analysis.diagnostics);
  if (!lang::has_errors(diagnostics)) {
    const auto not_run = lang::check_runnable(analysis.track, by);
    diagnostics.insert(diagnostics.end(), not_run.begin(), not_run.end());
  }
  for (const lang::Diagnostic& diagnostic : diagnostics) {
    fmt::print(stderr, "{}", lang::render(diagnostic, file, text.value(), colour_on_errors()));
  }
  if (lang::has_errors(diagnostics)) {
    return std::nullopt;
  }
  if (const std::vector<std::string> unknown = known.unknown_fields(analysis.track);
      !unknown.empty()) {
    print_error(
        fmt::format("{}: it is not known what type {} {} of; say so in a file {} beside the "
                    "track, by --field {}=text, or name a server that knows by --server",
                    file, fmt::join(unknown, ", "), unknown.size() == 1 ? "is" : "are", kFieldsFile,
                    unknown.front()));
    return std::nullopt;
  }
  return std::move(analysis.track);
}

base::Instant machine_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(now).count()};
}

}  // namespace turnout::cli
