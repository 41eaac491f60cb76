// `turnout convert`: text ⇄ JSON.

#include <cstdio>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/files.h"
#include "cli/screen.h"
#include "lang/formatter.h"
#include "lang/parser.h"
#include "track/json_form.h"

namespace turnout::cli {
namespace {

void print_diagnostics(const std::string& file, const std::string& text,
                       const lang::Parsed& parsed) {
  for (const lang::Diagnostic& diagnostic : parsed.diagnostics) {
    fmt::print(stderr, "{}", lang::render(diagnostic, file, text, colour_on_errors()));
  }
}

void print_problem(const std::string& file, const std::string& pointer,
                   const std::string& message) {
  fmt::print(stderr, "{}: {} {}{}{}\n", file, painted("error:", Colour::kRed, colour_on_errors()),
             printable(pointer), pointer.empty() ? "" : ": ", printable(message));
}

// What the file is in the other form; nothing, and said why, when it is wrong.
std::optional<std::string> text_to_json(const std::string& file, const std::string& text,
                                        track::JsonLayout layout) {
  const lang::Parsed parsed = lang::parse(text);
  print_diagnostics(file, text, parsed);
  if (!parsed.ok()) {
    return std::nullopt;
  }
  const std::string json = track::to_json(parsed.track, layout);
  return json.ends_with("\n") ? json : json + "\n";
}

std::optional<std::string> json_to_text(const std::string& file, const std::string& json) {
  const track::TrackFromJson read = track::from_json(json);
  for (const track::JsonProblem& problem : read.problems) {
    print_problem(file, problem.pointer, problem.message);
  }
  if (!read.ok()) {
    return std::nullopt;
  }
  std::string text = lang::format(read.track);
  if (const lang::Parsed parsed = lang::parse(text); !parsed.ok()) {
    // Only the limits on the length of a text are left to be passed.
    print_problem(file, "", "the text of this track is too long: " + parsed.diagnostics[0].message);
    return std::nullopt;
  }
  return text;
}

// Prints, or replaces the file.
int put(const std::optional<std::string>& output, const std::string& text) {
  if (!output || *output == "-") {
    fmt::print("{}", text);
    return kExitDone;
  }
  if (auto written = replace_file(*output, text); !written) {
    print_error(written.error().message);
    return kExitWrong;
  }
  return kExitDone;
}

}  // namespace

int convert_files(const ConvertOptions& options) {
  if (options.schema) {
    return put(options.output, track::json_schema());
  }
  if (options.files.empty() || options.to.empty() || (options.output && options.files.size() > 1)) {
    print_error(options.files.empty() ? "convert: name a FILE, or - for standard input"
                : options.to.empty()  ? "convert: say --to json or --to track"
                                      : "convert: --output takes one FILE");
    return kExitUsage;
  }
  int code = kExitDone;
  for (const std::string& file : options.files) {
    auto input = read_whole_file(file);
    if (!input) {
      print_error(input.error().message);
      code = kExitWrong;
      continue;
    }
    const auto layout =
        options.compact ? track::JsonLayout::kCompact : track::JsonLayout::kIndented;
    const auto output = options.to == "json" ? text_to_json(file, input.value(), layout)
                                             : json_to_text(file, input.value());
    if (!output || put(options.output, *output) != kExitDone) {
      code = kExitWrong;
    }
  }
  return code;
}

}  // namespace turnout::cli
